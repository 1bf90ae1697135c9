"""A growing Markdown text is cut into pieces printed once and a tail: nothing lost, nothing twice."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console, Group
from rich.text import Text

from bot.markdown.blocks import Flow, settled, shortened
from bot.platforms.console.markdown import Markdown

LINES = st.sampled_from(
    [
        "", "", "", "word", "two words  ", "**bold", "bold**", "- item", "- ", "  - inner", "    deep", "\tdeep",
        "1. one", "2) two", "> quote", ">", "> - both", "```", "```python", "````", "  ```", "~~~", "# Title", "#",
        "#tag", "===", "---", "-", "***", "| a | b |", "|---|---|", "| 1 | 2 |", "|-|", "[x]: http://a.b", "[x][x]",
        "<div>", "</div>", "<!-- c", "-->", "`tick", "tick`", "![i](u)", "[l](http://a.b)", "\\", "&amp;", "* * *",
    ]
)  # fmt: skip
MARKDOWN = st.one_of(st.lists(LINES, max_size=14).map("\n".join), st.text("ab`~#-*>|=1. \n\t[]", max_size=60))


def drawn(text: str, width: int = 50) -> str:
    console = Console(file=io.StringIO(), width=width, record=True, color_system=None)
    console.print(Markdown(text))
    return console.export_text()


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n") if line.strip()]


@given(MARKDOWN, st.lists(st.integers(1, 20), min_size=1, max_size=6))
@settings(max_examples=250, deadline=None)
def test_pieces_and_tail_are_the_whole_text(text: str, strides: list[int]) -> None:
    """Whatever prefixes come, pieces + tail equal the text so far, and no piece is ever taken back."""
    flow, printed, at, turn = Flow(), "", 0, 0
    while at < len(text):
        at += strides[turn % len(strides)]
        turn += 1
        step = flow.take(text[:at])
        assert not step.rewritten
        printed += step.settled
        assert printed + step.tail == text[:at]
    assert printed + flow.end(text).tail == text


@given(MARKDOWN)
@settings(max_examples=250, deadline=None)
def test_pieces_render_as_the_whole_would(text: str) -> None:
    """Rendered one by one the pieces show the same lines as the text rendered at once."""
    flow, shown = Flow(), []
    for at in range(1, len(text) + 1):
        step = flow.take(text[:at])
        if step.settled:
            shown += lines_of(drawn(step.settled))
    shown += lines_of(drawn(flow.end(text).tail))
    assert shown == lines_of(drawn(text))


def test_an_open_code_block_is_never_cut() -> None:
    """A fence settles only when it is closed by its own mark; what looks like blocks inside does not count."""
    opened = "````md\n```\n# no title\n\n- no item\n```\n"
    assert settled(opened) == 0
    assert settled(opened + "````") == 0, "the closing line could still become something else"
    assert settled(opened + "````\n") == len(opened) + 4


def test_a_list_waits_for_what_follows() -> None:
    """A list goes on after a blank line, so it settles only when another block has begun on a whole line."""
    assert settled("- a\n\n") == 0
    assert settled("- a\n\ntext") == 0
    assert settled("- a\n\ntext\n") == len("- a")


def test_a_table_waits_for_its_blank_line() -> None:
    """Rows may come until a blank line says that the table is whole."""
    table = "| a |\n|---|\n| 1 |"
    assert settled(table + "\n") == 0
    assert settled(table + "\n\n") == len(table)


def test_pieces_are_separated_by_one_blank_line() -> None:
    """Pieces printed one after the other with a blank line between look as the whole does."""
    text = "text\n\n- a\n- b\n\n1. one\n\n> quote\n\n---\n\n# Title\n\n```\ncode\n```\n\nend"
    flow, pieces = Flow(), []
    for at in range(len(text)):
        step = flow.take(text[:at])
        pieces += [step.settled] if step.settled else []
    pieces.append(flow.end(text).tail)
    assert len(pieces) == 7
    console = Console(file=io.StringIO(), width=50, record=True, color_system=None)
    console.print(Group(Markdown(pieces[0]), *(Group(Text(""), Markdown(p)) for p in pieces[1:])))
    assert console.export_text() == drawn(text)


def test_a_trimmed_end_is_not_a_rewrite() -> None:
    """An answer that loses blanks at either end when it is done is not printed a second time."""
    flow = Flow()
    flow.take("  First.\n\nSecond.\n\n")
    step = flow.end("First.\n\nSecond.")
    assert not step.rewritten
    assert step.tail == ""


def test_another_text_begins_anew() -> None:
    """A text that does not continue what is printed is said to be rewritten, and is whole in the tail."""
    flow = Flow()
    flow.take("Let me think.\n\nMore.")
    step = flow.take("The answer")
    assert step.rewritten
    assert step.tail == "The answer"


def test_a_long_code_block_is_drawn_by_its_end() -> None:
    """While it grows only the lines that fit the screen are coloured, still as the language it is in."""
    code = "```python\n" + "\n".join(f"x = {n}" for n in range(100))
    cut = shortened(code, 10)
    assert cut.split("\n")[0] == "```python"
    assert cut.split("\n")[1:] == [f"x = {n}" for n in range(90, 100)]
    assert shortened("word\n" * 100, 10) == "word\n" * 100


def test_long_lists_and_tables_are_drawn_by_their_end() -> None:
    """While they grow, what is drawn ends as the whole would, and a table keeps its head."""
    numbers = "\n".join(f"{n}. item\n   more of it" for n in range(1, 200))
    cut = shortened("text\n\n" + numbers, 10)
    assert len(cut.split("\n")) <= 12
    assert lines_of(drawn(cut))[-8:] == lines_of(drawn(numbers))[-8:]
    table = "| head |\n|---|\n" + "\n".join(f"| {n:03d} |" for n in range(200))
    assert lines_of(drawn(shortened(table, 10))) == [
        *lines_of(drawn(table))[:2],
        *(f" {n}" for n in range(190, 200)),
    ]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("<div>inside</div> <b>bold</b>", "<div>inside</div> <b>bold</b>"),
        ("<!-- secret -->", "<!-- secret -->"),
        ("[ref]: http://a.example\n\n[ref]", "http://a.example"),
        ("see [words](http://a.example/p?q=1)", "see words (http://a.example/p?q=1)"),
        ("<http://a.example>", "http://a.example"),
        ("![alt](http://a.example/i.png)", "http://a.example/i.png"),
        ("one\ntwo", "one\ntwo"),
        ("[/link] [bold]no markup[/bold] :smile:", "[/link] [bold]no markup[/bold] :smile:"),
    ],
)
def test_nothing_a_model_writes_is_hidden(text: str, seen: str) -> None:
    """HTML, definitions, addresses, line breaks and square brackets are all there to be read."""
    shown = "\n".join(lines_of(drawn(text)))
    assert seen in shown
    assert shown.count("http://a.example") <= 1


def test_table_cells_break_long_words() -> None:
    """A word longer than its column goes on in the next line instead of losing its end."""
    word = "".join(f"{n:02d}" for n in range(40))
    shown = drawn(f"| a | b |\n|---|---|\n| {word} | {word} |")
    columns = [line.split() for line in lines_of(shown)[2:]]
    assert "".join(first for first, _ in columns) == word
