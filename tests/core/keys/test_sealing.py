"""Sealed keys: they open for their own label with their own ring, and for nothing else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.keys.sealing import EMPTY, Label, Ring, Unsealable, is_same, seal, unseal

ANA = Label("telegram:42", "openai")
SECRET = SecretStr("sk-canary-0123456789abcdef")
RING = EMPTY.with_new("k1")


def opens(ring: Ring, label: Label, record: bytes) -> str:
    return unseal(ring, label, record).get_secret_value()


@given(st.text(min_size=1, max_size=300))
def test_a_key_comes_back(text: str) -> None:
    """Whatever was sealed is what is opened, and its record does not hold it."""
    sealed = seal(RING, ANA, SecretStr(text))
    assert opens(RING, ANA, sealed.record) == text
    assert len(text) < 4 or text.encode() not in sealed.record


@pytest.mark.parametrize(
    "label",
    [
        Label("telegram:43", "openai"),
        Label("telegram:42", "mistral"),
        Label("telegram:42", "openai", "backup"),
        Label("telegram:4", "2openai"),
        Label("", "telegram:42openai"),
    ],
)
def test_a_record_moved_elsewhere_does_not_open(label: Label) -> None:
    """Another person, vendor or purpose, or the same letters cut elsewhere: closed."""
    sealed = seal(RING, ANA, SECRET)
    with pytest.raises(Unsealable) as closed:
        unseal(RING, label, sealed.record)
    assert not closed.value.unknown


def test_every_changed_byte_is_noticed() -> None:
    """No bit of a record can be flipped, and no end cut off."""
    record = seal(RING, ANA, SECRET).record
    for at in range(len(record)):
        changed = record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :]
        with pytest.raises(Unsealable):
            unseal(RING, ANA, changed)
        with pytest.raises(Unsealable):
            unseal(RING, ANA, record[:at])


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    """A ring with a new key in front opens what the old one sealed; the old one alone says what it lacks."""
    newer = RING.with_new("k2")
    old, new = seal(RING, ANA, SECRET), seal(newer, ANA, SECRET)
    assert (old.key_id, new.key_id) == ("k1", "k2")
    assert opens(newer, ANA, old.record) == opens(newer, ANA, new.record) == SECRET.get_secret_value()
    for ring, record in ((RING, new.record), (newer.only_first(), old.record)):
        with pytest.raises(Unsealable) as closed:
            unseal(ring, ANA, record)
        assert closed.value.unknown


def test_the_same_key_is_known_again() -> None:
    """The fingerprint is the key's and the vendor's under that master key, and tells nothing without it."""
    first, second = seal(RING, ANA, SECRET), seal(RING, ANA, SECRET)
    assert first.record != second.record
    assert first.fingerprint == second.fingerprint
    assert is_same(RING, "k1", first.fingerprint, "openai", SECRET)
    assert not is_same(RING, "k1", first.fingerprint, "mistral", SECRET)
    assert not is_same(RING, "k1", first.fingerprint, "openai", SecretStr("another"))
    assert not is_same(EMPTY.with_new("k1"), "k1", first.fingerprint, "openai", SECRET)
    assert not is_same(RING, "k9", first.fingerprint, "openai", SECRET)


def test_a_ring_is_written_and_read() -> None:
    """`k2:base64,k1:base64`, also in the other alphabet of base64, in the order it has."""
    ring = RING.with_new("k2")
    assert Ring.parse(ring.written()) == ring
    assert Ring.parse(f" {ring.written().replace('+', '-').replace('/', '_')} , ").ids == ("k2", "k1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no key"),
        ("nothing", "k1:BASE64"),
        ("k 1:" + base64.b64encode(b"z" * 32).decode(), "k1:BASE64"),
        ("k1:tooshort", "bytes"),
        ("k1:" + base64.b64encode(b"x" * 31).decode(), "31 bytes"),
        ("k1:" + base64.b64encode(b"x" * 33).decode(), "33 bytes"),
        ("k1:secret*canary", "base64"),
        (f"k1:{base64.b64encode(b'x' * 32).decode()},k1:{base64.b64encode(b'y' * 32).decode()}", "two keys"),
    ],
)
def test_a_ring_that_cannot_be_used(text: str, words: str) -> None:
    """It is refused in words that hold nothing of the keys."""
    with pytest.raises(ValueError, match=words) as refused:
        Ring.parse(text)
    assert "canary" not in str(refused.value)
    assert "tooshort" not in str(refused.value)


def test_nothing_shows_a_master_key() -> None:
    """A ring in a log or a traceback is a list of names."""
    assert repr(RING.with_new("k2")) == str(RING.with_new("k2")) == "Ring(k2, k1)"
