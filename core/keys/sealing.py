"""What stands in the database in place of a vendor's key. Bytes in, bytes out, no I/O.

A record is `version | length of the key's id | the id | nonce (12) | ciphertext and tag`, AES-256-GCM with
a sub-key that HKDF-SHA256 derives for the purpose. Whose key it is, for which vendor and what for is
authenticated with it, each part with its length before it: a record moved to another row does not open.
The version byte leaves room for another scheme (a data key for each person, wrapped by the master key).
"""

import base64
import binascii
import os
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

MASTER_BYTES = 32
PURPOSE = "api-key"
_VERSION = 1
_NONCE = 12
_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}")


@dataclass(frozen=True, slots=True)
class Label:
    """What is authenticated with a secret: whose it is (`telegram:42`), for which vendor, what for."""

    owner: str
    vendor: str
    purpose: str = PURPOSE


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as it is stored: the record, the id of the master key that opens it, its fingerprint."""

    record: bytes
    key_id: str
    fingerprint: bytes


class Unsealable(Exception):
    """The record does not open. `unknown` = no key of the ring has its id; else it was changed or moved."""

    def __init__(self, *, unknown: bool) -> None:
        super().__init__("no such key in the ring" if unknown else "not what was sealed under this label")
        self.unknown = unknown


@dataclass(frozen=True, slots=True, repr=False)
class Ring:
    """Master keys by their ids: the first one encrypts, all of them decrypt."""

    keys: tuple[tuple[str, bytes], ...]

    def __repr__(self) -> str:
        return f"Ring({', '.join(self.ids)})"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, first the one that encrypts."""
        return tuple(key_id for key_id, _ in self.keys)

    @property
    def first(self) -> str:
        """The id of the key that encrypts."""
        return self.keys[0][0]

    @classmethod
    def parse(cls, text: str) -> "Ring":
        """Read `k2:base64,k1:base64`. Raises ValueError, whose words hold nothing of the keys."""
        found: dict[str, bytes] = {}
        for part in filter(None, (p.strip() for p in text.split(","))):
            key_id, colon, encoded = part.partition(":")
            if not colon or not _ID.fullmatch(key_id):
                raise ValueError("not written as k1:BASE64")
            if key_id in found:
                raise ValueError(f"two keys are called {key_id}")
            found[key_id] = _master(key_id, encoded)
        if not found:
            raise ValueError("there is no key in it")
        return cls(tuple(found.items()))

    def written(self) -> str:
        """As `parse` reads it."""
        return ",".join(f"{key_id}:{base64.b64encode(key).decode()}" for key_id, key in self.keys)

    def with_new(self, key_id: str) -> "Ring":
        """A ring with a fresh key in front of these."""
        return Ring(((key_id, os.urandom(MASTER_BYTES)), *self.keys))

    def only_first(self) -> "Ring":
        """A ring of the key that encrypts."""
        return Ring(self.keys[:1])


def _master(key_id: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{key_id} is not base64") from None
    if len(key) != MASTER_BYTES:
        raise ValueError(f"{key_id} has {len(key)} bytes; a master key has {MASTER_BYTES}")
    return key


EMPTY = Ring(())


def seal(ring: Ring, label: Label, secret: SecretStr) -> Sealed:
    """Encrypt with the first key of the ring."""
    key_id, master = ring.keys[0]
    header = bytes((_VERSION, len(key_id))) + key_id.encode()
    nonce = os.urandom(_NONCE)
    plain = secret.get_secret_value().encode()
    body = AESGCM(_derived(master, label.purpose)).encrypt(nonce, plain, header + _aad(label))
    return Sealed(header + nonce + body, key_id, _fingerprint(master, label.vendor, plain))


def unseal(ring: Ring, label: Label, record: bytes) -> SecretStr:
    """Decrypt with whichever key of the ring it says. Raises Unsealable."""
    if len(record) < 2 or record[0] != _VERSION:  # noqa: PLR2004  # the version and the length of the id
        raise Unsealable(unknown=False)
    end = 2 + record[1]
    header, nonce, body = record[:end], record[end : end + _NONCE], record[end + _NONCE :]
    master = dict(ring.keys).get(header[2:].decode("ascii", "replace"))
    if master is None:
        raise Unsealable(unknown=True)
    try:
        plain = AESGCM(_derived(master, label.purpose)).decrypt(nonce, body, header + _aad(label))
    except (InvalidTag, ValueError):  # ValueError: the nonce was cut off
        raise Unsealable(unknown=False) from None
    return SecretStr(plain.decode())


def is_same(ring: Ring, key_id: str, fingerprint: bytes, vendor: str, secret: SecretStr) -> bool:
    """Whether a stored fingerprint, made with that master key, is this secret's."""
    master = dict(ring.keys).get(key_id)
    if master is None:
        return False
    return _fingerprint(master, vendor, secret.get_secret_value().encode()) == fingerprint


def _fingerprint(master: bytes, vendor: str, secret: bytes) -> bytes:
    """Keyed, so that whoever has the database alone cannot test guesses with it."""
    mac = hmac.HMAC(_derived(master, "fingerprint"), hashes.SHA256())
    mac.update(_framed(vendor.encode(), secret))
    return mac.finalize()[:16]


def _derived(master: bytes, purpose: str) -> bytes:
    info = _framed(b"orquestrador", b"v1", purpose.encode())
    return HKDF(hashes.SHA256(), MASTER_BYTES, salt=None, info=info).derive(master)


def _aad(label: Label) -> bytes:
    return _framed(label.owner.encode(), label.vendor.encode(), label.purpose.encode())


def _framed(*parts: bytes) -> bytes:
    """Each part with its length before it, so that no two lists of parts become the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
