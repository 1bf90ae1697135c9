"""How each card looks on Discord, and that nothing is larger than Discord takes."""

from typing import Any

import pytest

from bot.cards import Button, Card, Choice, Listing, Notice, Picture, Progress, Reply, Row, Secret, Tone
from bot.platforms.discord.buttons import Press, read, written
from bot.platforms.discord.parts import Part
from bot.platforms.discord.render import LONGEST, MOST, Renderer
from bot.platforms.discord.wording import DiscordTexts

OWNER = 2**63 - 1
LONG = "Uma frase com *sinais*, `código` e <@1>.\n" * 400
MANY = tuple(
    Row("✓", f"modelo_{n}_de_nome", "7B · 4 GB", button=Button(f"Usar {n}", f"use m{n}")) for n in range(40)
)


def drawn(card: Card, most: int = MOST) -> list[Part]:
    return Renderer(DiscordTexts(), OWNER, most).draw(card)


def components(part: Part) -> list[dict[str, Any]]:
    """Every component of a message, outer ones first."""
    found: list[dict[str, Any]] = []

    def walk(ones: list[Any]) -> None:
        for one in ones:
            found.append(one)
            walk(one.get("components", []))
            walk([one["accessory"]] if "accessory" in one else [])

    walk([] if part.view is None else part.view.to_components())
    return found


def texts(part: Part) -> str:
    shown = [one["content"] for one in components(part) if one["type"] == 10]
    return "\n".join([part.content or "", *shown]).strip()


CARDS: list[Card] = [
    Reply(
        LONG * 3,
        done=True,
        header="H" * 300,
        footnote="F" * 300,
        thinking="t" * 5000,
        thinking_label="L" * 200,
    ),
    Reply(LONG, done=False, thinking="hm", thinking_label="Pensando"),
    Reply("", done=False),
    Reply("", done=True, footnote="nada"),
    Progress("T" * 500, 0.333, "D" * 900, (Button("⏹", "stop"),)),
    Progress("Carregando", None),
    Notice(Tone.ERROR, "x", LONG, tuple(Button(f"B{n}", f"use {n}") for n in range(30))),
    Listing("Modelos", MANY, "corpo", buttons=(Button("▶", "models 2"), Button("🔄", "models"))),
    Listing("Modelos", MANY[:6], pages=3, page=2, buttons=(Button("◀", "models 1"), Button("▶", "models 3"))),
    Listing("Vazio", ()),
    Choice("Qual?", tuple(Button("N" * 200, f"use {'m' * 55}{n}") for n in range(60))),
    Choice(
        "Qual?",
        (Button("Mesmo", "use a"), Button("Mesmo", "use a"), Button("Longo demais", "use " + "é" * 60)),
    ),
    Secret("Explicação " * 100, "Chave de API de Um Fornecedor", "key give openai"),
    Picture(b"\x89PNG", "legenda", (Button("Dia", "stats day"),)),
]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: type(card).__name__)
def test_no_message_is_larger_than_discord_takes(card: Card) -> None:
    """2,000 characters of words; 4,000 and 40 of components; no id twice, none over 100, no label over 80."""
    parts = drawn(card)
    assert parts
    for part in parts:
        inside = components(part)
        assert (part.content is None) is part.components
        assert 0 < len(part.content or "x") <= LONGEST
        assert sum(len(one["content"]) for one in inside if one["type"] == 10) <= 4000
        assert len(inside) <= 40
        ids = [one["custom_id"] for one in inside if "custom_id" in one]
        assert len(set(ids)) == len(ids)
        assert all(len(one) <= 100 and read(one) is not None for one in ids)
        for one in inside:
            if one["type"] == 1:
                assert 1 <= len(one["components"]) <= 5
            if one["type"] == 2:
                assert 1 <= len(one["label"]) <= 80
            if one["type"] == 3:
                values = [option["value"] for option in one["options"]]
                assert len(set(values)) == len(values) <= 25
                assert all(1 <= len(option["label"]) <= 100 for option in one["options"])


def test_words_that_are_no_markdown_stay_as_they_are() -> None:
    """A name with underscores and stars is not set in italics, and a line of ours is no heading or list."""
    (part,) = drawn(Notice(Tone.INFO, "qwen_2_5 *novo*", "# nada\n- nem lista\n> nem citação"))
    assert texts(part) == "### qwen\\_2\\_5 \\*novo\\*\n\\# nada\n\\- nem lista\n\\> nem citação"


def test_a_long_notice_loses_nothing() -> None:
    """What does not fit stands in the next message; the buttons under the last."""
    body = "\n".join(f"linha {n}" for n in range(2000))
    parts = drawn(Notice(Tone.INFO, "Título", body, (Button("Ajuda", "help"),)))
    said = "\n".join(texts(part) for part in parts)
    assert [line for line in said.splitlines() if line.startswith("linha")] == body.split("\n")
    assert [any(one["type"] == 2 for one in components(part)) for part in parts] == [False] * (
        len(parts) - 1
    ) + [True]


def test_a_very_long_answer_is_a_file_too() -> None:
    """As many messages as there may be, and the whole of it in the file; while it grows the end is shown."""
    text = "\n\n".join(f"Parágrafo {n}: " + "palavra " * 60 for n in range(100))
    parts = drawn(Reply(text, done=True), 4)
    assert len(parts) == 4
    assert parts[-1].files == (("resposta.md", text.encode()),)
    assert "A resposta inteira está no arquivo." in (parts[-1].content or "")
    growing = drawn(Reply(text, done=False), 4)
    assert len(growing) == 4
    assert "Parágrafo 99" in (growing[-1].content or "")
    assert growing[-1].files == ()


def test_a_table_is_readable() -> None:
    """Discord draws none: straight columns in a block of code."""
    (part,) = drawn(Reply("| a | b |\n|---|--:|\n| um | 2 |", done=True))
    assert part.content == "```\na  | b\n---+--\num | 2\n```"


def test_a_thought_is_covered_until_somebody_wants_to_see_it() -> None:
    """A small line while it grows; then a spoiler under it. What would open it is made harmless."""
    (growing,) = drawn(Reply("Oi", done=False, thinking="a||b", thinking_label="💭 Pensou 3 s"))
    assert growing.content == "-# 💭 Pensou 3 s\nOi"
    (done,) = drawn(Reply("Oi", done=True, thinking="a||b", thinking_label="💭 Pensou 3 s"))
    assert done.content == "-# 💭 Pensou 3 s\n||a\\|\\|b||\nOi"


@pytest.mark.parametrize(
    "press",
    [
        Press("k", "load #a1b2 anyway", 7, turns=True),
        Press("k", "x\ny"),
        Press("f", "key give a", 2**63),
        Press("s", "", 1),
    ],
)
def test_an_id_is_read_as_it_was_written(press: Press) -> None:
    """Whose it is, what it says, and whether it turns the message."""
    assert read(written(press, 3)) == press


@pytest.mark.parametrize("custom_id", ["", "k", "k1", "k1-*", "old:1:load", "z1-*:load", "k1-A:load"])
def test_ids_of_others_are_none_of_ours(custom_id: str) -> None:
    """Those of other versions, too."""
    assert read(custom_id) is None
