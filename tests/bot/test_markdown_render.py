"""A model's Markdown as a person sees it: plain examples, compared to the letter."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.markdown import Growing, Kind, render
from tests.bot.markdown_texts import CORPUS, DOCUMENT, SOUP


def seen(markdown: str) -> str:
    """The text with its spans drawn: `<b>…</b>`, `<pre py>…</pre>`."""
    made = render(markdown)
    marks = [
        (s.start, 1, -s.length, n, f"<{' '.join(filter(None, (s.kind, s.extra)))}>")
        for n, s in enumerate(made.spans)
    ]
    marks += [(s.end, 0, -s.start, -n, f"</{s.kind}>") for n, s in enumerate(made.spans)]
    text, last = "", 0
    for at, *_, drawn in sorted(marks):
        text += made.text[last:at] + drawn
        last = at
    return text + made.text[last:]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**a** *b* _c_ ~~d~~ `e`", "<bold>a</bold> <italic>b</italic> <italic>c</italic> <strike>d</strike> <code>e</code>"),
        ("***a** b*", "<italic><bold>a</bold> b</italic>"),
        ("snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4"),
        ("# Title *x* #\ntext", "<bold>Title <italic>x</italic></bold>\ntext"),
        ("a\nb  \nc\\\nd", "a\nb\nc\nd"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("a\n***\nb", "a\n──────────\nb"),
        ("&amp; &lt;b&gt; &copy; &nope; \\*x\\*", "& <b> © &nope; *x*"),
        ("<b>x</b>\n<div>\n\n<!-- y -->", "<b>x</b>\n<div>\n\n<!-- y -->"),
        ("> a\n> > b\n\nc", "<quote>a\n<quote>b</quote></quote>\n\nc"),
        ("https://a.example/x_y_z", "https://a.example/x_y_z"),
    ],
)  # fmt: skip
def test_words_and_blocks(markdown: str, expected: str) -> None:
    """Marks become spans, everything else stays where it stood."""
    assert seen(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("- a\n- b\n  c\n  - d\n    - e", "• a\n• b\n  c\n  • d\n    • e"),
        ("3. a\n4. b\n   1) c", "3. a\n4. b\n   1) c"),
        ("1. a\n1. b\n1. c", "1. a\n2. b\n3. c"),
        ("- a\n\n- b", "• a\n\n• b"),
        ("- [ ] a\n- [x] b\n- [y] c", "☐ a\n☑ b\n• [y] c"),
        ("1. [X] a", "1. ☑ a"),
        ("1. a\n   ```py\n   x\n     y\n   ```\n2. b", "1. a\n<pre py>x\n  y</pre>\n2. b"),
        ("- a\n\n  > b\n  > c", "• a\n\n<quote>b\nc</quote>"),
        ("- ```\n  x\n  ```", "•\n<pre>x</pre>"),
        ("-\n- a", "•\n• a"),
    ],
)
def test_lists(markdown: str, expected: str) -> None:
    """Bullets, numbers that go on, boxes, nesting by indentation; code and quotes stand at the edge."""
    assert seen(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("```python\na **b**\n```", "<pre python>a **b**</pre>"),
        ("```python app.py\na\n```", "python app.py\n<pre python>a</pre>"),
        ("~~~\n\n  a\n\tb\n~~~", "<pre>  a\n    b</pre>"),
        ("    a\n    b", "<pre>a\nb</pre>"),
        ("````md\n```\nx\n```\n````", "<pre md>```\nx\n```</pre>"),
        ("```\n```", ""),
    ],
)
def test_code(markdown: str, expected: str) -> None:
    """A block of code keeps its language and every blank that has a meaning."""
    assert seen(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("$a_1 * b_2 * c$", "<code>$a_1 * b_2 * c$</code>"),
        (r"so \(x_1\) and \[y_2\]", r"so <code>\(x_1\)</code> and <code>\[y_2\]</code>"),
        ("in $$x_1$$ line", "in <code>$$x_1$$</code> line"),
        ("a\n$$\nx_1\n$$\nb", "a\n<pre latex>$$\nx_1\n$$</pre>\nb"),
        ("\\[ x_1\n+ y_2 \\]", "<pre latex>\\[ x_1\n+ y_2 \\]</pre>"),
        ("R$5 e R$10, US$ 3, $4 and $5, $ 6 $", "R$5 e R$10, US$ 3, $4 and $5, $ 6 $"),
        (r"\$a_b\$", "$a_b$"),
        ("$$\nopen *x*\n\n$$", "$$\nopen <italic>x</italic>\n\n$$"),
    ],
)
def test_formulas(markdown: str, expected: str) -> None:
    """LaTeX stays as it is written; money is no formula."""
    assert seen(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("[a](https://b.example/c_d)", "<link https://b.example/c_d>a</link>"),
        ('[a](https://b.example "t")', "<link https://b.example>a</link> (t)"),
        ("![cat](https://b.example/c.png)", "<link https://b.example/c.png>cat</link>"),
        ("![](https://b.example/c.png)", "https://b.example/c.png"),
        ("[a](./b_c.md) [d](http://localhost:1)", "a (./b_c.md) d (http://localhost:1)"),
        ("[a](javascript:x)", "[a](javascript:x)"),
        ("[write](mailto:a@b.example) <a@b.example>", "write (a@b.example) a@b.example"),
        ("<https://b.example>", "https://b.example"),
        ("[a][1]\n\n[1]: https://b.example", "[a][1]\n\n[1]: https://b.example"),
        (
            "[![x](https://i.example)](https://b.example)",
            "<link https://b.example>x (https://i.example)</link>",
        ),
    ],
)
def test_links(markdown: str, expected: str) -> None:
    """A link that every platform takes is one; any other is read as text with its address."""
    assert seen(markdown) == expected


def test_a_table_has_straight_columns() -> None:
    """Widths are those of the screen: wide signs and joined emoji count as they are drawn."""
    table = "| Nome | Nº |\n|:--|--:|\n| 日本 | 1 |\n| 👨‍👩‍👧‍👦 `x` | **22** |\n| [a](https://b.example) |"
    assert seen(table) == (
        "<pre>Nome                  | Nº\n"
        "----------------------+---\n"
        "日本                  |  1\n"
        "👨‍👩‍👧‍👦 x                  | 22\n"
        "a (https://b.example) |</pre>"
    )


def test_a_table_keeps_cells_too_many_and_cells_too_long() -> None:
    """What has no column stands in the last one; a very long cell sticks out instead of widening all."""
    long = "x" * 300
    made = render(f"| a | b |\n|-|-|\n| 1 | 2 | 3 | **4** |\n| {long} | y |")
    assert "1" + " " * 39 + " | 2 | 3 | 4" in made.text
    assert f"{long} | y" in made.text


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("a **b", "a **b"),
        ("a `b", "a `b"),
        ("[a](https://b", "[a](https://b"),
        ("```py", ""),
        ("```py\nx = 1", "<pre py>x = 1</pre>"),
        ("| a | b |", "| a | b |"),
        ("| a | b |\n|---", "| a | b |\n|---"),
        ("| a | b |\n|---|---|", "<pre>a | b\n--+--</pre>"),
        ("$$\nx_1", "$$\nx_1"),
        ("- ", "•"),
        ("> ", ""),
    ],
)
def test_half_finished(markdown: str, expected: str) -> None:
    """What is not closed is literal, but for a block of code, which is one from its first line on."""
    assert seen(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("a\x00b\x1b[31mc\x9bd\u202ee", "ab[31mcde"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\ud83d b\ud83d\ude00", "a\ufffd b😀"),
        ("**שלום** *مرحبا*", "<bold>שלום</bold> <italic>مرحبا</italic>"),
        ("**👩🏽‍💻** x", "<bold>👩🏽‍💻</bold> x"),
    ],
)
def test_signs(markdown: str, expected: str) -> None:
    """Whole characters only, and none that steers a screen."""
    assert seen(markdown) == expected


MILLION = 1_000_000


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "*",
        "> ",
        "- ",
        "![",
        "`",
        "**a",
        "$a ",
        "<",
        "_",
        "[a](",
        "1. ",
        "\0",
        "[" * 9000 + "\n\n",
        "- a\n",
        "\\[a\n",
    ],
)
def test_a_million_of_anything_is_survived(piece: str) -> None:
    """No depth is too deep, nothing runs away, and what counts as text is all there."""
    made = render(piece * (MILLION // len(piece)))
    assert made.text.count("a") == piece.count("a") * (MILLION // len(piece))


@given(SOUP)
@settings(max_examples=500, deadline=None)
def test_nothing_raises_and_spans_are_nested(text: str) -> None:
    """Spans are sorted, lie in the text, hold something, and of two one holds the other or they are apart."""
    made = render(text)
    open_: list[int] = []
    last = (0, -len(made.text))
    for span in made.spans:
        assert span.length > 0
        assert (span.start, -span.length) >= last
        last = (span.start, -span.length)
        while open_ and open_[-1] <= span.start:
            open_.pop()
        assert span.end <= (open_[-1] if open_ else len(made.text))
        open_.append(span.end)


@given(st.one_of(DOCUMENT, SOUP), st.integers(1, 20))
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
def test_a_growing_text_is_what_it_would_be_at_once(text: str, steps: int) -> None:
    """What is kept of finished blocks never differs from rendering everything anew."""
    growing = Growing()
    for end in sorted({len(text) * (n + 1) // steps for n in range(steps)}):
        assert growing.take(text[:end]) == render(text[:end])


@pytest.mark.parametrize("name", CORPUS)
def test_a_growing_answer_is_what_it_would_be_at_once(name: str) -> None:
    """The same of the corpus."""
    growing = Growing()
    for end in range(0, len(CORPUS[name]) + 7, 7):
        assert growing.take(CORPUS[name][:end]) == render(CORPUS[name][:end])


def test_another_text_begins_anew() -> None:
    """A text that is no continuation is rendered for itself."""
    growing = Growing()
    growing.take("# one\n\ntwo\n\nthree\n\n")
    assert growing.take("- other\n") == render("- other\n")


def test_finished_blocks_are_not_rendered_again() -> None:
    """The spans of a finished block are the very same objects one word later."""
    growing = Growing()
    first = growing.take("**a**\n\n```\nb\n```\n\nc")
    second = growing.take("**a**\n\n```\nb\n```\n\nc d")
    assert [s.kind for s in first.spans] == [Kind.BOLD, Kind.PRE]
    assert all(a is b for a, b in zip(first.spans, second.spans, strict=True))
