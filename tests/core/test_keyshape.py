"""Keys as people paste them, as they are shown, and as they are recognised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keyshape import LONGEST, NotAKey, clean_key, hide_keys, looks_like_key, shown

KEY = "sk-proj-Ab3dEf6hIj9kLmN0pQrStUvW"


@pytest.mark.parametrize(
    "pasted",
    [
        KEY,
        f"  {KEY}\n",
        f"\r\n\t{KEY}\r\n\r\n",
        f"\ufeff{KEY}\u200b",
        "sk-proj-\u200bAb3dEf6hIj9kL\u2060mN0pQrStUvW\u00ad",
        f'"{KEY}"',
        f"`{KEY}`",
        f"“{KEY}”",
        f"<{KEY}>",
        f"Bearer {KEY}",
        f"Authorization: Bearer {KEY}",
        f"OPENAI_API_KEY={KEY}",
        f'export OPENAI_API_KEY="{KEY}";',
        f"OPENAI_API_KEY = '{KEY}'",
    ],
)
def test_what_pasting_brings_is_taken_off(pasted: str) -> None:
    """Spaces, line ends, invisible characters, quotes, the name of a setting: the key remains."""
    assert clean_key(pasted) == KEY


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "empty"),
        (" \n\u200b ", "empty"),
        ("''", "empty"),
        ("sk-one sk-two", "spaces"),
        ("sk-broken\nover-lines", "spaces"),
        ("my key is sk-abcdefgh", "spaces"),
        ("sk–autocorrected-dash", "characters"),
        ("sk-сyrillic-Ab3dEf6hIj9k", "characters"),
        ("sk-\x00\x07bell", "characters"),
        ("sk-🔑", "characters"),
        ("x" * (LONGEST + 1), "long"),
    ],
)
def test_what_is_no_key_is_refused(pasted: str, reason: str) -> None:
    """Each with its reason, and the refusal does not quote it."""
    with pytest.raises(NotAKey) as refused:
        clean_key(pasted)
    assert refused.value.reason == reason
    assert not pasted.strip() or pasted not in str(refused.value)


@given(st.text(max_size=200))
def test_anything_is_cleaned_or_refused(text: str) -> None:
    """What comes out goes into a header of HTTP as it is, and cleaning it again changes nothing."""
    try:
        key = clean_key(text)
    except NotAKey:
        return
    assert key.isascii()
    assert key.isprintable()
    assert not set(key) & set(" \r\n\t")


@pytest.mark.parametrize(
    ("key", "seen"),
    [
        (KEY, "sk-…UvW"),
        ("gsk_abcdefghijklmnopqrst", "gsk_…qrst"),
        ("AIzaSyA1234567890abcdefgh", "…efgh"),
        ("0123456789abcdef", "…cdef"),
        ("short", "…"),
        ("", "…"),
    ],
)
def test_shown(key: str, seen: str) -> None:
    """The beginning that names the vendor and the last four, of a short key nothing."""
    assert shown(key) == (seen if key != KEY else "sk-…tUvW")


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"\u200b{KEY}\n",
        f"`{KEY}`",
        "sk-ant-api03-abcdefghijklmnop",
        "AIzaSyA1234567890abcdefgh",
        "hf_abcdefghijklmnopqrst",
        "gsk-0123456789abcdef0123",
        "Xk29dLqP0sMv7Tz4Rw1bNc8Yh5Gf3Je6",
    ],
)
def test_a_pasted_key_is_recognised(text: str) -> None:
    """By its beginning, or as one long word that means nothing."""
    assert looks_like_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oi",
        "sk-",
        "what is sk-proj-Ab3dEf6hIj9kLmN0pQrStUvW?",
        "https://example.org/Ab3dEf6hIj9kLmN0pQrStUvW00000000",
        "d41d8cd98f00b204e9800998ecf8427e",
        "123456789012345678901234567890123456",
        "Donaudampfschifffahrtsgesellschaftskapitaen",
        "pneumonoultramicroscopicsilicovolcanoconiosis",
        "task-list-of-the-month-and-the-year",
    ],
)
def test_other_messages_are_not_taken_for_keys(text: str) -> None:
    """Questions, addresses, hashes, numbers and long words go to the model as ever."""
    assert not looks_like_key(text)


def test_keys_in_a_sentence_are_hidden() -> None:
    """A vendor that quotes the key in its refusal does not make it readable."""
    said = hide_keys(f"Incorrect API key provided: {KEY}. See task-list-of-the-month-and-year.")
    assert said == "Incorrect API key provided: sk-…tUvW. See task-list-of-the-month-and-year."
