"""The tokens that each person has used today, of external APIs and of local models."""

import asyncio
from collections import Counter

import structlog

from core.clock import Clock
from core.errors import StorageFailed
from core.storage.access import AccessQueries

log = structlog.get_logger(__name__)

DAY = 86400  # seconds; a day begins at 00:00 UTC


class Spending:
    """Counts in memory and in the store; a disk that is full forgets nothing before the program ends."""

    def __init__(self, queries: AccessQueries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock
        self._day = 0
        self._turn = asyncio.Lock()
        self._used: dict[tuple[str, bool], int] = {}  # of the day, of those who were asked about
        self._unstored: Counter[tuple[str, bool]] = Counter()

    async def add(self, person: str, tokens: int, *, external: bool) -> None:
        """That person has used so many more."""
        async with self._turn:
            day, key = self._today(), (person, external)
            if key in self._used:
                self._used[key] += tokens
            try:
                await self._queries.add_tokens(person, day, tokens, external=external)
            except StorageFailed as full:
                self._unstored[key] += tokens if key not in self._used else 0
                log.warning("tokens not recorded", problem=str(full))

    async def today(self, person: str, *, external: bool) -> int:
        """What that person has used since the day began."""
        async with self._turn:
            day, key = self._today(), (person, external)
            if key not in self._used:
                try:
                    stored = await self._queries.tokens(person, day, external=external)
                except StorageFailed:
                    return self._unstored[key]
                self._used[key] = stored + self._unstored.pop(key, 0)
            return self._used[key]

    def left_of_day(self) -> float:
        """Seconds until a new day begins."""
        return DAY - self._clock.time() % DAY

    def _today(self) -> int:
        day = int(self._clock.time() // DAY)
        if day != self._day:
            self._day = day
            self._used.clear()
            self._unstored.clear()
        return day
