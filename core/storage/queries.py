"""What every group of queries stands on: one connection, one writer at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiosqlite

from core.storage.sqlite import guarded


class Queries:
    """Base of the groups of queries. Every method of theirs may raise StorageFailed."""

    def __init__(
        self, connection: aiosqlite.Connection, path: Path, turn: asyncio.Lock | None = None
    ) -> None:
        self._db = connection
        self._path = path
        self._turn = turn or asyncio.Lock()

    @classmethod
    def over(cls, other: "Queries") -> Self:
        """These queries on the connection of the other ones; they take turns in writing."""
        return cls(other._db, other._path, other._turn)  # noqa: SLF001  # of its own base

    async def _all(self, sql: str, *values: Any) -> Sequence[Any]:
        with guarded(self._path):
            return list(await self._db.execute_fetchall(sql, values))

    async def _do(self, sql: str, *values: Any) -> None:
        async with self._writing():
            await self._db.execute_insert(sql, values)

    @asynccontextmanager
    async def _writing(self, *, alone: bool = False) -> AsyncIterator[None]:
        """A transaction, one at a time on the one connection: what fails undoes its own writes and no others'.

        `alone` = no other program writes from here on, not only from the first write on.
        """
        async with self._turn:
            with guarded(self._path):
                try:
                    if alone:
                        await self._db.execute("BEGIN IMMEDIATE")
                    yield
                    await self._db.commit()
                except BaseException:
                    await self._db.rollback()
                    raise
