"""Telegram takes what is made of any Markdown, at every moment of its growing, and nothing is lost.

The normal run judges some 10,000 moments. `python -m pytest -m thorough -s tests/bot/test_markdown_telegram.py`
judges more than 100,000, in two minutes.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.markdown import Growing, Kind, Rendered, Span, render, utf16
from bot.markdown.links import linkable
from tests.bot.markdown_judge import accepts, keeps
from tests.bot.markdown_texts import CORPUS, DOCUMENT, SOUP

OF_ONE = 40  # moments of one generated document
MANY = 100_000
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


def judge(text: str, count: int) -> int:
    """Cut the text off at `count` places, and have every front judged; how many there were."""
    growing = Growing()
    ends = sorted({len(text) * (n + 1) // count for n in range(count)})
    for end in ends:
        made = growing.take(text[:end])
        keeps(text[:end], made)
        accepts(made)
    return len(ends)


@pytest.mark.parametrize("name", CORPUS)
def test_telegram_takes_every_moment_of_an_answer(name: str) -> None:
    """Cut off anywhere, an answer of the corpus is valid for Telegram and shows all that came so far."""
    judge(CORPUS[name], len(CORPUS[name]))


@given(DOCUMENT)
@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
def test_telegram_takes_every_moment_of_any_document(text: str) -> None:
    """The same of documents that nobody wrote."""
    judge(text, OF_ONE)


@pytest.mark.thorough
@pytest.mark.timeout(1200)
def test_telegram_takes_a_hundred_thousand_moments(capsys: pytest.CaptureFixture[str]) -> None:
    """So many, of the corpus and of documents that nobody wrote; how many there were is printed."""
    judged = sum(judge(text, len(text)) for text in CORPUS.values())

    @given(DOCUMENT)
    @settings(max_examples=MANY // OF_ONE, deadline=None, suppress_health_check=SLOW, database=None)
    def of_documents(text: str) -> None:
        nonlocal judged
        judged += judge(text, OF_ONE)

    of_documents()
    with capsys.disabled():
        print(f"\n{judged:,} moments judged by TDLib")
    assert judged >= MANY


@given(SOUP)
@settings(max_examples=300, deadline=None)
def test_telegram_takes_whatever_a_model_says(text: str) -> None:
    """Nonsense, halves of characters and control characters as well."""
    accepts(render(text))


@given(
    st.sampled_from(["http://", "https://", "HTTP://", "tg://", "mailto:", "ftp://", "//", ""]),
    st.text(max_size=20),
)
@settings(max_examples=600, deadline=None)
def test_telegram_takes_every_address_we_let_pass(scheme: str, rest: str) -> None:
    """What we make a link of is no error for Telegram: one bad address would cost the whole message."""
    for address in (scheme + rest, f"{scheme}a.example{rest}", f"{scheme}a.example/{rest}"):
        if linkable(address):
            accepts(Rendered("label", (Span(Kind.LINK, 0, 5, address),)))


def entities(markdown: str) -> list[tuple[Kind, int, int, str]]:
    return [(e.kind, e.offset, e.length, e.extra) for e in utf16(render(markdown))[1]]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("> ~~~~olá~~~~\n\no", "olá~~~~\n\no"),
        ("- ```python\n\no", "• python\n\no"),
        ("```python\n```\no", "python\no"),
        ("```python\n", ""),
        ("$$\n$$\no", "$$\n$$\no"),
    ],
)
def test_words_behind_a_fence_with_nothing_in_it(markdown: str, text: str) -> None:
    """They are words, unless code may still come. The generator found that they were lost."""
    assert render(markdown).text == text


def test_offsets_are_utf16_units() -> None:
    """What lies beyond the first plane counts twice, as Telegram counts."""
    assert entities("😀 **a** 👩🏽‍💻 *b*") == [(Kind.BOLD, 3, 1, ""), (Kind.ITALIC, 13, 1, "")]


def test_a_style_goes_around_code() -> None:
    """Telegram would take the style off the code: so it is split by it."""
    assert entities("**a `b` c**") == [(Kind.BOLD, 0, 1, ""), (Kind.CODE, 2, 1, ""), (Kind.BOLD, 4, 1, "")]


def test_code_in_a_link_is_the_link() -> None:
    """Both at once is impossible, and the address is worth more."""
    assert entities("**[`b`](https://a.example)**") == [
        (Kind.BOLD, 0, 1, ""),
        (Kind.LINK, 0, 1, "https://a.example"),
    ]


def test_a_quote_in_a_quote_is_one() -> None:
    """Telegram's quotes hold none."""
    assert entities("> a\n> > b") == [(Kind.QUOTE, 0, 3, "")]


def test_no_more_than_a_hundred_entities() -> None:
    """The server forgets what is beyond: so italics go first and links stay."""
    text = " ".join(f"*i{n}* **b{n}** [l{n}](https://a.example/{n})" for n in range(60))
    made = entities(text)
    assert len(made) == 100
    assert sum(kind is Kind.LINK for kind, *_ in made) == 60
    assert sum(kind is Kind.BOLD for kind, *_ in made) == 40
