"""Texts as Telegram keeps them, judged by TDLib."""

import pytest

from tests.fakes.telegram.texts import Formatted, formatted, units
from tests.fakes.telegram.wire import ApiError, Json


def _entity(kind: str, offset: int, length: int, **more: object) -> Json:
    return {"type": kind, "offset": offset, "length": length, **more}


def test_units_are_utf16() -> None:
    """An emoji counts two, an accent as it is written."""
    assert [units(text) for text in ("a", "é", "e\u0301", "😀", "👨‍👩‍👧")] == [1, 1, 2, 2, 8]


def test_white_space_around_is_cut_and_offsets_follow() -> None:
    """The end always, the beginning up to the first entity."""
    cut = formatted("\n  hi *there*  \n", [_entity("bold", 3, 2)])
    kept = formatted("  hi", [_entity("bold", 0, 4)])
    assert cut == Formatted("hi *there*", (_entity("bold", 0, 2),))
    assert kept.text == "  hi"


def test_touching_entities_merge_and_crossing_ones_are_split() -> None:
    """Neighbours of a kind become one; code swallows what lies in it."""
    merged = formatted("abcdef", [_entity("bold", 0, 3), _entity("bold", 3, 3)])
    crossing = formatted("abcdef", [_entity("bold", 0, 4), _entity("italic", 2, 4)])
    code = formatted("abcdef", [_entity("code", 0, 6), _entity("bold", 1, 2)])
    assert merged.entities == (_entity("bold", 0, 6),)
    assert sorted((e["type"], e["offset"], e["length"]) for e in crossing.entities) == [
        ("bold", 0, 2), ("bold", 2, 2), ("italic", 2, 4),
    ]  # fmt: skip
    assert code.entities == (_entity("code", 0, 6),)


def test_markdown_signs_in_plain_text_stay() -> None:
    """Without a parse mode nothing is markup."""
    text = "**a** __b__ ~~c~~ ||d|| `e` [f](https://g.org)"
    made = formatted(text)
    assert made.text == text
    assert {entity["type"] for entity in made.entities} == {"url"}


def test_what_telegram_finds_itself() -> None:
    """Commands, mentions, links and hashtags are found, but not inside code, and never taken from a bot."""
    made = formatted(
        "/go @someone_x https://a.org #tag /no",
        [_entity("code", 34, 3), _entity("bot_command", 4, 10)],
    )
    assert made.covered("bot_command") == ["/go"]
    assert made.covered("mention") == ["@someone_x"]
    assert made.covered("url") == ["https://a.org"]
    assert made.covered("hashtag") == ["#tag"]
    assert made.covered("code") == ["/no"]


def test_code_keeps_its_language_and_links_their_address() -> None:
    """What belongs to an entity survives."""
    made = formatted(
        "😀 x = 1 here Ana",
        [
            _entity("pre", 3, 5, language="python"),
            _entity("text_link", 9, 4, url="https://a.org/x"),
            _entity("text_mention", 14, 3, user={"id": 7}),
        ],
    )
    assert made.entities == (
        _entity("pre", 3, 5, language="python"),
        _entity("text_link", 9, 4, url="https://a.org/x"),
        _entity("text_mention", 14, 3, user={"id": 7}),
    )


def test_parse_mode_beats_entities() -> None:
    """With both given, the text is parsed and the entities are not looked at."""
    made = formatted("<i>a</i> b", [_entity("bold", 0, 9)], "html")
    assert made == Formatted("a b", (_entity("italic", 0, 1),))


@pytest.mark.parametrize(
    ("entity", "told"),
    [
        (_entity("bold", 0, 9), "entity beginning at UTF-16 offset 0 ends after the end of the text"),
        (_entity("bold", -1, 2), "receive an entity with incorrect offset -1"),
        (_entity("huge", 0, 1), "can't parse MessageEntity: Unsupported type specified"),
        (_entity("text_link", 0, 1), "can't parse MessageEntity: Can't find field 'url'"),
        (_entity("text_link", 0, 1, url="no address"), "entity URL 'no address' is invalid"),
    ],
)
def test_wrong_entities_are_refused(entity: Json, told: str) -> None:
    """TDLib's own words reach the bot."""
    with pytest.raises(ApiError) as caught:
        formatted("abc", [entity])
    assert caught.value.description.startswith(f"Bad Request: {told}")
