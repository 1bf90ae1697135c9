"""One load under way, and those who watch it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from core.errors import Problem
from core.model import Checking, LoadEvent, Loading, Model, Ready


class Flight:
    """Any number of conversations watch it; each sees the newest event. `consent`: see `Lifecycle.ensure`."""

    def __init__(self, model: Model, consent: str = "") -> None:
        self.model = model
        self.consent = consent
        self.watchers = 0
        self.latest: LoadEvent = Checking(model)
        self.error: Problem | None = None
        self.task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def publish(self, event: LoadEvent) -> None:
        """Show everybody the newest event."""
        self.latest = event
        self._wake()

    def fail(self, error: Problem) -> None:
        """Raise the Problem for everybody."""
        self.error = error
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def watch(self) -> AsyncGenerator[LoadEvent]:
        """The newest event and every newer one, until the load ends."""
        seen: LoadEvent | None = None
        while True:
            news = self._news
            if self.error is not None:
                raise self.error.with_traceback(None)
            if self.latest is not seen:
                seen = self.latest
                yield replace(seen, watchers=self.watchers) if isinstance(seen, Loading) else seen
                if isinstance(seen, Ready):
                    return
                continue
            await news.wait()
