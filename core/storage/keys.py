"""Stored keys of vendors' APIs: rows of ciphertext. What opens them is not in the database."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.storage.queries import Queries

_COLUMNS = "id, provider, owner, key, active, key_id, fingerprint, shown, stored_at, checked_at, outcome"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One stored key. `key` is encrypted by the master key `key_id`; `outcome` of the last check, if any."""

    id: int
    provider: str
    owner: str
    key: bytes = field(repr=False)
    active: bool
    key_id: str
    fingerprint: bytes = field(repr=False)
    shown: str
    stored_at: float
    checked_at: float | None
    outcome: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is to be stored of a key."""

    key: bytes = field(repr=False)
    key_id: str
    fingerprint: bytes = field(repr=False)


Reseal = Callable[[KeyRow], NewKey | None]


class KeyTable(Queries):
    """The queries."""

    async def find(self, provider: str, owners: Collection[str]) -> list[KeyRow]:
        """The keys of these owners for that provider."""
        marks = ", ".join("?" * len(owners))
        sql = f"SELECT {_COLUMNS} FROM keys WHERE provider = ? AND owner IN ({marks})"
        return [_row(r) for r in await self._all(sql, provider, *owners)]

    async def of(self, owners: Collection[str]) -> list[KeyRow]:
        """Every key of these owners."""
        marks = ", ".join("?" * len(owners))
        sql = f"SELECT {_COLUMNS} FROM keys WHERE owner IN ({marks}) ORDER BY provider, owner"
        return [_row(r) for r in await self._all(sql, *owners)]

    async def count(self) -> int:
        """How many keys are stored."""
        return int((await self._all("SELECT count(*) AS n FROM keys"))[0]["n"])

    async def put(
        self, provider: str, owner: str, seal: Callable[[Collection[str]], NewKey], shown: str, at: float
    ) -> None:
        """Store a key in place of the one its owner has there.

        `seal` is called with the ids of the master keys in use, while no other program may write: a rotation
        changes the ring only then, so what it seals with cannot be dropped before the row is there.
        """
        async with self._writing(alone=True):
            new = seal(await self._ids())
            await self._db.execute(
                "INSERT INTO keys (provider, owner, key, active, key_id, fingerprint, shown, stored_at, "
                "checked_at, outcome) VALUES (?, ?, ?, 1, ?, ?, ?, ?, NULL, '') "
                "ON CONFLICT (owner, provider) DO UPDATE SET key = excluded.key, active = 1, "
                "key_id = excluded.key_id, fingerprint = excluded.fingerprint, shown = excluded.shown, "
                "stored_at = excluded.stored_at, checked_at = NULL, outcome = ''",
                (provider, owner, new.key, new.key_id, new.fingerprint, shown, at),
            )

    async def checked(self, row_id: int, outcome: str, at: float, *, active: bool | None) -> None:
        """Write down how a check with the vendor went; `active` = `None`: as it was."""
        await self._do(
            "UPDATE keys SET outcome = ?, checked_at = ?, active = coalesce(?, active) WHERE id = ?",
            outcome,
            at,
            active,
            row_id,
        )

    async def forget(self, provider: str, owner: str) -> bool:
        """Delete a key; False if there was none."""
        async with self._writing():
            cursor = await self._db.execute(
                "DELETE FROM keys WHERE provider = ? AND owner = ?", (provider, owner)
            )
            return cursor.rowcount > 0

    # ------------------------------------------------------------ rotation

    async def alone(self, act: Callable[[Collection[str]], T]) -> T:
        """Do something to the ring while no program writes; it is told the ids of the master keys in use."""
        async with self._writing(alone=True):
            return act(await self._ids())

    async def behind(self, first: str, after: int = 0, limit: int = -1) -> list[KeyRow]:
        """The keys under another master key than `first`, in the order of their ids."""
        sql = f"SELECT {_COLUMNS} FROM keys WHERE key_id <> ? AND id > ? ORDER BY id LIMIT ?"
        return [_row(r) for r in await self._all(sql, first, after, limit)]

    async def reseal(self, first: str, after: int, limit: int, reseal: Reseal) -> Sequence[tuple[int, bool]]:
        """Seal the next rows anew that are under another master key than `first`, in one transaction.

        The rows' ids, and whether each could be opened.
        """
        async with self._writing(alone=True):
            rows = await self.behind(first, after, limit)
            news = [(row, reseal(row)) for row in rows]
            for row, new in news:
                if new is not None:
                    await self._db.execute(
                        "UPDATE keys SET key = ?, key_id = ?, fingerprint = ? WHERE id = ?",
                        (new.key, new.key_id, new.fingerprint, row.id),
                    )
            return [(row.id, new is not None) for row, new in news]

    async def _ids(self) -> Collection[str]:
        return {row["key_id"] for row in await self._all("SELECT DISTINCT key_id FROM keys")}


def _row(row: Any) -> KeyRow:
    return KeyRow(**{**dict(row), "active": bool(row["active"])})
