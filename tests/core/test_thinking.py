"""Reasoning that comes as tags inside the answer."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import thinking
from core.conversation import Delta, Rethought, Thinking
from core.thinking import ThinkingFilter


def sorted_out(pieces: Iterable[str]) -> tuple[str, str]:
    """What a reader ends up with: reasoning and answer."""
    thought, answer = "", ""
    sieve = ThinkingFilter()

    def take(events: Iterable[Thinking | Delta | Rethought]) -> None:
        nonlocal thought, answer
        for event in events:
            match event:
                case Thinking(text):
                    thought += text
                case Delta(text):
                    answer += text
                case Rethought():
                    thought, answer = thought + answer, ""

    for piece in pieces:
        take(sieve.feed(piece))
    take(sieve.end())
    return thought, answer


WHOLE: list[tuple[str, str, str]] = [
    ("<think>why</think>\n\nhello", "why", "hello"),
    ("  \n<think>why</think>hello", "why", "hello"),
    ("<thinking>why</thinking>hello", "why", "hello"),
    ("[THINK]why[/THINK]hello", "why", "hello"),
    ("why\n</think>\n\nhello", "why\n", "hello"),
    ("<think>never closed", "never closed", ""),
    ("<think></think>hello", "", "hello"),
    ("hello <think>no</think> there", "hello <think>no", " there"),
    ("the tag `</think>` closes", "", "the tag `</think>` closes"),
    ("`</think>` is a tag </think>hello", "`</think>` is a tag ", "hello"),
    ("<think>a</think>b</think>c", "a", "b</think>c"),
    ("a < b and <thin air", "", "a < b and <thin air"),
    ("<thi", "", "<thi"),
    ("   ", "", "   "),
    ("hello </thin", "", "hello </thin"),
    ("</think>hello", "", "hello"),
    ("", "", ""),
]


@pytest.mark.parametrize(("text", "thought", "answer"), WHOLE)
def test_whole_texts(text: str, thought: str, answer: str) -> None:
    """Tags at the start and a lone closing tag part reasoning from answer; tags later are text."""
    assert sorted_out([text]) == (thought, answer)
    assert sorted_out(text) == (thought, answer), "letter by letter"


PARTS = st.sampled_from(
    ["<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "`", "```", "\n", "\n\n", " ",
     "<", "</", "</thi", "<thin", "[", "word", "é", "> ", "nk>"]
)  # fmt: skip


def cut(text: str, at: Sequence[int]) -> list[str]:
    places = sorted({min(a, len(text)) for a in at})
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


@given(st.lists(PARTS, max_size=10).map("".join), st.lists(st.integers(0, 60), max_size=8))
@example("<think>a</think>\n\nhi", [16, 17])
@example("`</think>` x </think>hi", [])
def test_any_split_gives_the_same(text: str, at: list[int]) -> None:
    """However a text is cut into pieces, the reader ends up with the same."""
    assert sorted_out(cut(text, at)) == sorted_out([text])


@given(st.lists(PARTS, max_size=10).map("".join))
def test_nothing_is_lost(text: str) -> None:
    """Every character comes out in order, but for one pair of tags and the space around them."""
    thought, answer = sorted_out(text)
    came = thought + answer
    if came == text:
        return
    opened = [pair for pair in thinking.PAIRS if text.lstrip().startswith(pair[0])]
    opener, closer = opened[0] if opened else ("", "</think>")
    inner = text.lstrip().removeprefix(opener) if opened else text
    before, _, after = inner.partition(closer) if opened else (thought, closer, text[len(thought) :])
    if opened:
        assert came == before + after.lstrip("\n")
    else:
        assert text.startswith(thought + closer)
        assert answer == text.removeprefix(thought + closer).lstrip("\n")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_late_closer_is_text(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Far into an answer a closing tag is no longer looked for, however the answer was cut."""
    monkeypatch.setattr(thinking, "LONE_WITHIN", 40)
    late, early = "x" * 40 + "</think>y", "x" * 39 + "</think>y"
    assert sorted_out(late[i : i + size] for i in range(0, len(late), size)) == ("", late)
    assert sorted_out(early[i : i + size] for i in range(0, len(early), size)) == ("x" * 39, "y")


def test_certain_text_is_not_held_back() -> None:
    """What cannot be the start of a tag is shown at once."""
    sieve = ThinkingFilter()
    assert list(sieve.feed("hello </th")) == [Delta("hello ")]
    assert list(sieve.feed("ere")) == [Delta("</there")]
    assert list(sieve.end()) == []
