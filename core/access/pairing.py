"""The code by which the first administrator makes himself known: told to whoever started the program, once."""

import asyncio
import hashlib
import hmac
import secrets

from core.access.limits import Pace
from core.clock import Clock
from core.people import Grant
from core.refusals import CodeRefused
from core.storage.access import AccessQueries, Code

VALID = 3600.0  # seconds
TRIES = 5  # of one person in WINDOW
ALL_TRIES = 30  # of everybody together
WINDOW = 600.0  # seconds
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that looks like something else
LENGTH = 12  # 59 bits
GROUP = 4


class Pairing:
    """Makes the code, keeps only its salted hash, and takes it once."""

    def __init__(self, queries: AccessQueries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock
        self._tries = Pace(clock, WINDOW)
        self._turn = asyncio.Lock()

    async def issue(self) -> str:
        """A new code, such as `ABCD-EFGH-2345`; the one before no longer counts."""
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        salt = secrets.token_bytes(16)
        await self._queries.set_code(Code(salt, _hash(salt, code), self._clock.time() + VALID))
        return "-".join(code[at : at + GROUP] for at in range(0, LENGTH, GROUP))

    async def take(self, code: str, grant: Grant) -> None:
        """The first administrator is that one if the code is right. Raises CodeRefused."""
        wait = self._tries.admit(grant.who, TRIES) or self._tries.admit("*", ALL_TRIES)
        if wait:
            raise CodeRefused("wait", wait)
        async with self._turn:  # single use: two who send it at once are not both let in
            kept = await self._queries.code()
            if kept is None:
                raise CodeRefused("none")
            if self._clock.time() >= kept.expires_at:
                raise CodeRefused("expired")
            if not hmac.compare_digest(_hash(kept.salt, code), kept.hash):
                raise CodeRefused("wrong")
            await self._queries.use_code(grant)


def _hash(salt: bytes, code: str) -> bytes:
    """Of the letters alone, whatever their case and however they are grouped. 59 bits need no slow hash."""
    letters = "".join(c for c in code.upper() if c in ALPHABET)
    return hashlib.sha256(salt + letters.encode()).digest()
