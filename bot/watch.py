"""Who looks on while cards are delivered and Problems are told.

Each platform runs with a `Watch` of its own in its context (`watching`), which every task that it starts
inherits: so nothing has to be handed through the platforms, and where nobody looks on nothing is done.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Counts(Protocol):
    """Who keeps figures of it."""

    def problem(self, kind: str) -> None:
        """A Problem of that class was told to a person."""
        ...

    def paused(self, platform: str) -> None:
        """The platform asked for a pause."""
        ...

    def landed(self, platform: str, seconds: float) -> None:
        """A last card stood so many seconds after it was ready."""
        ...


class Watch:
    """Looks on at one platform: what is on its way there, told to `counts` if there is anybody to tell."""

    def __init__(self, platform: str = "", counts: Counts | None = None) -> None:
        self._platform = platform
        self._counts = counts
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @contextmanager
    def delivery(self) -> Iterator[None]:
        """Cards of one answer are on their way while inside."""
        self._under_way += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()

    async def until_quiet(self) -> None:
        """Return when nothing is on its way."""
        await self._quiet.wait()

    def problem(self, kind: str) -> None:
        """See `Counts.problem`."""
        if self._counts is not None:
            self._counts.problem(kind)

    def paused(self) -> None:
        """See `Counts.paused`."""
        if self._counts is not None:
            self._counts.paused(self._platform)

    def landed(self, seconds: float) -> None:
        """See `Counts.landed`."""
        if self._counts is not None:
            self._counts.landed(self._platform, seconds)


_NOBODY = Watch()
watching: ContextVar[Watch] = ContextVar("watching", default=_NOBODY)
