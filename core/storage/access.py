"""Who may use the bot, as it is remembered."""

from dataclasses import dataclass

from core.people import Grant, Role, Seen
from core.storage.queries import Queries

_SAVE_GRANT = "INSERT OR REPLACE INTO grants (who, role, label, granted_by, at) VALUES (?, ?, ?, ?, ?)"
SPENDING_DAYS = 31  # kept
VISITORS = 5000  # whoever knocks leaves a row: the oldest give way


@dataclass(frozen=True, slots=True)
class Code:
    """What is kept of a pairing code; `expires_at` in seconds since the epoch."""

    salt: bytes
    hash: bytes
    expires_at: float


class AccessQueries(Queries):
    """Grants, visitors and the pairing code."""

    async def grants(self) -> list[Grant]:
        """Everything that was decided."""
        rows = await self._all("SELECT who, role, label, granted_by, at FROM grants")
        return [Grant(r["who"], Role(r["role"]), r["label"], r["granted_by"], r["at"]) for r in rows]

    async def save_grant(self, grant: Grant) -> None:
        """Remember a decision; an earlier one about the same is replaced."""
        await self._do(_SAVE_GRANT, *_row(grant))

    async def drop_grant(self, who: str) -> None:
        """Nothing is decided about that one any more."""
        await self._do("DELETE FROM grants WHERE who = ?", who)

    async def visitor(self, who: str) -> Seen | None:
        """What is known of somebody who has written."""
        rows = await self._all(
            "SELECT who, name, seen_at, knocked_at, told_at FROM visitors WHERE who = ?", who
        )
        return Seen(**dict(rows[0])) if rows else None

    async def visitors(self, since: float, limit: int) -> list[Seen]:
        """Who has written since then, newest first."""
        rows = await self._all(
            "SELECT who, name, seen_at, knocked_at, told_at FROM visitors "
            "WHERE seen_at >= ? ORDER BY seen_at DESC LIMIT ?",
            since,
            limit,
        )
        return [Seen(**dict(row)) for row in rows]

    async def save_visitor(self, seen: Seen) -> None:
        """Remember that somebody has written; beyond VISITORS the oldest are forgotten."""
        async with self._writing():
            await self._db.execute_insert(
                "INSERT OR REPLACE INTO visitors (who, name, seen_at, knocked_at, told_at) VALUES (?, ?, ?, ?, ?)",
                (seen.who, seen.name, seen.seen_at, seen.knocked_at, seen.told_at),
            )
            await self._db.execute_insert(
                "DELETE FROM visitors WHERE who IN "
                "(SELECT who FROM visitors ORDER BY seen_at DESC LIMIT -1 OFFSET ?)",
                (VISITORS,),
            )

    async def code(self) -> Code | None:
        """The pairing code that is valid or was."""
        rows = await self._all("SELECT salt, hash, expires_at FROM pairing")
        return Code(**dict(rows[0])) if rows else None

    async def set_code(self, code: Code) -> None:
        """There is one code at most."""
        async with self._writing():
            await self._db.execute_insert("DELETE FROM pairing", ())
            await self._db.execute_insert(
                "INSERT INTO pairing (salt, hash, expires_at) VALUES (?, ?, ?)",
                (code.salt, code.hash, code.expires_at),
            )

    async def use_code(self, grant: Grant) -> None:
        """The code is gone and the first administrator is there, both or neither."""
        async with self._writing():
            await self._db.execute_insert("DELETE FROM pairing", ())
            await self._db.execute_insert(_SAVE_GRANT, _row(grant))

    async def add_tokens(self, person: str, day: int, tokens: int, *, external: bool) -> None:
        """That person has used so many more tokens on that day; what is long past is forgotten."""
        async with self._writing():
            await self._db.execute_insert(
                "INSERT INTO spending (person, day, external, tokens) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (person, day, external) DO UPDATE SET tokens = tokens + excluded.tokens",
                (person, day, int(external), tokens),
            )
            await self._db.execute_insert("DELETE FROM spending WHERE day < ?", (day - SPENDING_DAYS,))

    async def tokens(self, person: str, day: int, *, external: bool) -> int:
        """What that person has used on that day."""
        rows = await self._all(
            "SELECT tokens FROM spending WHERE person = ? AND day = ? AND external = ?",
            person,
            day,
            int(external),
        )
        return int(rows[0]["tokens"]) if rows else 0


def _row(grant: Grant) -> tuple[str, int, str, str, float]:
    return grant.who, int(grant.role), grant.label, grant.by, grant.at
