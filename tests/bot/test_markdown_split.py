"""Long answers in messages that fit: nothing lost, nothing twice, cut where it hurts least."""

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.markdown import GrowingSource, Kind, discord, parts, render, seams, split, utf16
from tests.bot.markdown_judge import accepts, length
from tests.bot.markdown_texts import CORPUS, DOCUMENT, SOUP

TEXTS = st.one_of(DOCUMENT, SOUP, st.sampled_from(list(CORPUS.values())))
CALM = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
FENCE = re.compile(r"(?:> )?```[^`]*")


def bare(text: str) -> str:
    return "".join(text.split())


def without_fences(text: str) -> str:
    return bare("\n".join(line for line in text.split("\n") if not FENCE.fullmatch(line)))


@given(TEXTS, st.integers(40, 700))
@CALM
def test_rendered_parts_are_the_whole(text: str, limit: int) -> None:
    """Every part fits, none is blank, and together they are the text but for blanks at the cuts."""
    whole = render(text)
    made = parts(whole, limit)
    assert all(part.text.strip() and length(part.text) <= limit for part in made)
    assert bare("".join(part.text for part in made)) == bare(whole.text)
    for part in made:
        accepts(part)


@given(TEXTS, st.integers(40, 700))
@CALM
def test_source_parts_are_the_whole(text: str, limit: int) -> None:
    """The same for Discord's Markdown, and every part closes the fences that it opens."""
    made = split(text, limit, units="codepoints")
    for part in made:
        assert part.strip()
        assert len(part) <= limit
        assert sum(bool(FENCE.fullmatch(line)) for line in part.split("\n")) % 2 == 0
    assert without_fences("\n".join(made)) == without_fences(discord(text))


@given(TEXTS, st.integers(1, 20), st.integers(200, 700))
@example("olá\n\n- olá\n- ```\n  code\n\n1. olá\n\n–", 1, 200)
@example("olá\n\n> > > olá\n> > > ```\n> > > code\n> > > \n\n1. olá\n\n–", 1, 200)
@example("a" * 100 + "\n\n" + "b" * 98 + "\n", 1, 200)
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
def test_growing_source_parts_are_what_they_would_be_at_once(text: str, steps: int, limit: int) -> None:
    """What is kept of finished blocks never differs from reading everything anew."""
    growing = GrowingSource(limit)
    for end in sorted({len(text) * (n + 1) // steps for n in range(steps)}):
        assert growing.take(text[:end]) == split(text[:end], limit, units="codepoints")


@pytest.mark.parametrize("name", CORPUS)
def test_growing_source_of_the_corpus(name: str) -> None:
    """The same of the corpus; and messages that are full stay as they are."""
    growing, full = GrowingSource(500), list[str]()
    for end in range(0, len(CORPUS[name]) + 29, 29):
        made = growing.take(CORPUS[name][:end])
        assert made == split(CORPUS[name][:end], 500, units="codepoints")
        assert made[: len(full)] == full
        full = made[:-2]


@given(
    st.lists(
        st.sampled_from(["👩🏽‍💻", "🇧🇷", "e\u0301", "日", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️", "한", "a"]), min_size=30, max_size=90
    ),
    st.integers(30, 60),
)
@settings(deadline=None)
def test_no_character_is_cut(signs: list[str], limit: int) -> None:
    """What a person takes for one character is never in two messages."""
    left = "".join(signs)
    for part in parts(render(left), limit):
        assert left.startswith(part.text)
        left = left[len(part.text) :]
        assert seams.whole(part.text + left, len(part.text))
        assert not part.text.endswith("\u200d")


def lines(*texts: str) -> str:
    return "\n\n".join(texts)


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        (lines("a" * 30, "b" * 30), ["a" * 30, "b" * 30]),
        ("a" * 30 + "\n" + "b" * 30, ["a" * 30, "b" * 30]),
        (
            "One sentence stands here. Another one stands here.",
            ["One sentence stands here.", "Another one stands here."],
        ),
        ("word " * 12, ["word word word word word word word word", "word word word word"]),
        ("x" * 100, ["x" * 40, "x" * 40, "x" * 20]),
        ("see this [very long label](https://a.example) of it", ["see this", "very long label of it"]),
    ],
)
def test_where_it_is_cut(markdown: str, expected: list[str]) -> None:
    """Between blocks, else lines, else sentences, else words, else characters; a link stays whole."""
    limit = 40 if "see" not in markdown else 22
    assert [part.text for part in split(markdown, limit, units="utf16")] == expected


def test_code_goes_on_with_its_language() -> None:
    """A cut block of code is the same block in both messages, its indentation kept."""
    code = "```py\n" + "\n".join(f"    line {n}" for n in range(9)) + "\n```"
    made = split(code, 45, units="utf16")
    assert len(made) == 3
    for part in made:
        assert [(s.kind, s.start, s.length, s.extra) for s in part.spans] == [
            (Kind.PRE, 0, len(part.text), "py")
        ]
        assert part.text.startswith("    line")


def test_a_fence_is_closed_and_opened_again() -> None:
    """On Discord the source is cut: each message has whole fences with the language, in quotes as well."""
    code = "text\n```py\n" + "\n".join(f"    line {n}" for n in range(6)) + "\n```\n> ```c\n> x\n> y"
    assert split(code, 50, units="codepoints") == [
        "text\n```py\n    line 0\n    line 1\n    line 2\n```",
        "```py\n    line 3\n    line 4\n    line 5\n```",
        "> ```c\n> x\n> y\n> ```",
    ]


def test_no_message_has_more_links_than_telegram_remembers() -> None:
    """An address is lost when there are more than a hundred entities: the message ends before."""
    made = split(" ".join(f"[{n}](https://a.example/{n})" for n in range(250)), 4096, units="utf16")
    kept = [e.extra for part in made for e in utf16(part)[1]]
    assert kept == [f"https://a.example/{n}" for n in range(250)]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("# a\n**b** __c__ [d](u)\n- e\n> f", "# a\n**b** __c__ [d](u)\n- e\n> f"),
        ("a\n| b | c |\n|--|-:|\n| 日 | 1 |\n\nd", "a\n```\nb  | c\n---+--\n日 | 1\n```\n\nd"),
        ("~~~py\na\n~~~", "```py\na\n```"),
        ("```js\na", "```js\na\n```"),
        ("    a\n    b", "```\na\nb\n```"),
        ("- a\n  ```py\n  b\n  ```\n- c", "- a\n```py\nb\n```\n- c"),
        ("> ```\n> a\n> ```\nb", "> ```\n> a\n> ```\nb"),
        ("$a_1$ and `$b$` and $c_2$", "`$a_1$` and `$b$` and `$c_2$`"),
        ("$$\nx_1\n$$", "```latex\n$$\nx_1\n$$\n```"),
        ("````\n```\n````", "```\n`\u200b`\u200b`\n```"),
        ("open ``` here", "open \\`\\`\\` here"),
    ],
)
def test_discord(markdown: str, expected: str) -> None:
    """What Discord draws is left alone; tables, formulas and odd fences become fences it knows."""
    assert discord(markdown) == expected


def test_nothing_is_no_message() -> None:
    """Blanks and empty blocks make no message at all."""
    for text in ("", " \n\t\n", "```\n```", "> ", "\x00"):
        assert split(text, 100, units="utf16") == []


@pytest.mark.parametrize("piece", ["[", "`x ", "**a", "[a](b) ", "🇧🇷", "\u0301", "```\n", "| a "])
def test_a_million_of_anything_is_cut(piece: str) -> None:
    """Looking for a good place to cut never runs away."""
    text = piece * (500_000 // len(piece))
    assert sum(len(bare(part.text)) for part in split(text, units="utf16")) == len(bare(render(text).text))
    assert all(len(part) <= 2000 for part in split(text, units="codepoints"))
