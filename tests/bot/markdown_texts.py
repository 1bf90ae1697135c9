"""Markdown as models write it: a corpus, and a generator of documents like it."""

from pathlib import Path

from hypothesis import strategies as st

CORPUS = {
    p.stem: p.read_text("utf-8") for p in sorted((Path(__file__).parent / "markdown_corpus").glob("*.md"))
}

_WORDS = (
    "olá mundo ação coração É assim: x_1 2*3 R$5 (sim) “aspas” fim. Ué? a<b 😀 👩🏽‍💻 🇧🇷 日本語 "
    "שלום مرحبا नमस्ते &amp; &lt; e\u0301 https://a.example/x_y AT&T C:\\dir 100% #tag @nome - + > | ! $ 𝕳"
)
WORDS = st.sampled_from(_WORDS.split())
PLAIN = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
ADDRESS = st.sampled_from(
    ["https://example.com/a_b?c=d&e=*f*", "http://é.example/ç", "./rel.md", "http://localhost:1", "tg://user?id=1",
     "https://x.example:70000", "<https://x.example/a b>", "#âncora", "https://x.example/(a)", "http://[::1]/"]
)  # fmt: skip


def _around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    marks = st.sampled_from(["**", "*", "_", "__", "~~", "***", "`", "``", "$", "$$", ""])
    return st.one_of(
        st.builds(lambda mark, text: f"{mark}{text}{mark}", marks, inner),
        st.builds(lambda mark, text: f"{mark}{text}", marks, inner),
        st.builds(lambda text, url: f"[{text}]({url})", inner, ADDRESS),
        st.builds(lambda text, url: f'![{text}]({url} "t")', PLAIN, ADDRESS),
        st.builds(lambda text: f"<b>{text}</b>", inner),
        st.builds(lambda text: rf"\({text}\)", PLAIN),
        st.lists(inner, min_size=2, max_size=3).map(" ".join),
        st.lists(inner, min_size=2, max_size=3).map("".join),
    )


INLINE = st.recursive(PLAIN, _around, max_leaves=6)
CODE = st.lists(
    st.sampled_from(["def f():", "    return 1", "", "\tx = '**a**'", "a_b && c", "“ü” 😀"]), max_size=6
)
LANGUAGE = st.sampled_from(["", "python", "c++", "rust", "sh"])
FENCE = st.builds(
    lambda mark, language, code, closed: "\n".join([f"{mark}{language}", "code", *code, *([mark] if closed else [])]),
    st.sampled_from(["```", "~~~", "````"]), LANGUAGE, CODE, st.sampled_from([True, True, True, False]),
)  # fmt: skip


def _table(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + ":-:|" * len(rows[0]), *lines[1:]])


TABLE = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(INLINE, min_size=n, max_size=n), min_size=1, max_size=4).map(_table)
)
LEAF = st.one_of(
    INLINE,
    st.builds(lambda level, text: f"{'#' * level} {text}", st.integers(1, 4), INLINE),
    FENCE,
    TABLE,
    st.sampled_from(
        ["---", "$$\na_1 * b_2\n$$", "\\[ x^2_i \\]", "    recuado", "<div>\n<p>x</p>\n</div>", "| meia |"]
    ),
    st.builds(lambda a, b: f"{a}  \n{b}", INLINE, INLINE),
)


def _under(mark: str, text: str) -> str:
    return mark + text.replace("\n", "\n" + " " * len(mark))


def _numbered(items: list[str], joint: str, first: int) -> str:
    """A list that no other can go on with: by the book a second list behind it would be counted on."""
    return joint.join(_under(f"{first + n}. ", item) for n, item in enumerate(items)) + "\n\n–"


def _held(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    items = st.lists(inner, min_size=1, max_size=4)
    joint = st.sampled_from(["\n", "\n\n"])
    return st.one_of(
        st.builds(lambda all_, j: j.join(_under("- ", i) for i in all_), items, joint),
        st.builds(_numbered, items, joint, st.integers(1, 11)),
        st.builds(lambda all_: "\n".join(_under("- [ ] ", i) for i in all_), items),
        inner.map(lambda text: "> " + text.replace("\n", "\n> ")),
        st.builds(lambda all_, j: j.join(all_), items, joint),
    )  # fmt: skip


BLOCK = st.recursive(LEAF, _held, max_leaves=8)
DOCUMENT = st.lists(BLOCK, min_size=1, max_size=6).map("\n\n".join)
SOUP = st.one_of(
    st.text("ab`~#-*>|=1. \n\t[]()!$\\_:<&;é😀\u200d\u0301", max_size=80),
    st.text(st.characters(exclude_categories=()), max_size=60),
)
