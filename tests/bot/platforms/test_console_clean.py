"""Texts are made safe for the terminal and possible for its encoding."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clean import clean
from bot.platforms.console.clean import SafeFile


@given(st.text(st.characters(exclude_categories=()), max_size=80))
def test_cleaned_text_is_harmless_and_encodable(text: str) -> None:
    """No control character but new line and tab is left, and UTF-8 can hold it; cleaning again changes nothing."""
    done = clean(text)
    assert not {c for c in done if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160}
    done.encode("utf-8")
    assert clean(done) == done


@given(st.text(max_size=30), st.text(max_size=30))
def test_cleaning_keeps_prefixes(front: str, back: str) -> None:
    """The cleaned front of a text is a front of the cleaned text: a growing answer stays a growing one."""
    assert clean(front + back).startswith(clean(front).removesuffix("\n"))


def test_carriage_returns_cannot_overwrite() -> None:
    """A carriage return is a new line: what stands before it stays to be read."""
    assert clean("seen\rhidden\r\nnext") == "seen\nhidden\nnext"


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("ascii", "caf? * - > ? -"), ("latin-1", "café * - > ? ·"), ("utf-8", "café • ─ → 💭 ·")],
)
def test_every_encoding_can_be_written_to(encoding: str, expected: str) -> None:
    """What the encoding lacks is drawn poorly, one sign for one, and never an error."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    SafeFile(file).write("café • ─ → 💭 ·")
    file.flush()
    assert raw.getvalue().decode(encoding) == expected
