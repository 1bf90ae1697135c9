"""A clock that stands still until a test moves it."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

BEGAN = 1_750_000_000.0
TURNS = 25  # of the event loop, for what a woken sleeper does before it sleeps again


class FakeClock:
    """Implements `core.clock.Clock`. `await clock.advance(10)` wakes who sleeps no longer, in order.

    With `rushing` every sleep is over at once and takes its time along: for loops that look and sleep.
    """

    def __init__(self, began: float = BEGAN, *, rushing: bool = False) -> None:
        self._began = began
        self._passed = 0.0
        self._rushing = rushing
        self._numbers = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._news = asyncio.Event()
        self.slept: list[float] = []

    def time(self) -> float:
        return self._began + self._passed

    def monotonic(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self._rushing or seconds <= 0:
            self._passed += max(0.0, seconds)
            await asyncio.sleep(0)
            return
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self._passed + seconds, next(self._numbers), over)
        self._sleepers.append(entry)
        self._news.set()
        try:
            await over
        finally:
            if entry in self._sleepers:
                self._sleepers.remove(entry)

    @property
    def sleepers(self) -> int:
        """How many sleep now."""
        return len(self._sleepers)

    async def asleep(self, n: int = 1) -> None:
        """Return once `n` sleep at the same time; for what does real input and output in between."""
        async with asyncio.timeout(10):
            while len(self._sleepers) < n:
                self._news.clear()
                await self._news.wait()

    async def advance(self, seconds: float) -> None:
        """Let time pass; each sleeper wakes at its own moment and may sleep again."""
        until = self._passed + seconds
        await settle()
        while self._sleepers and min(self._sleepers)[0] <= until:
            due, _, over = entry = min(self._sleepers)
            self._sleepers.remove(entry)
            self._passed = max(self._passed, due)
            if not over.done():
                over.set_result(None)
            await settle()
        self._passed = until

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """While inside, whoever sleeps is woken at once, the earliest first."""
        hand = asyncio.create_task(self._pass())
        try:
            yield
        finally:
            hand.cancel()
            await asyncio.gather(hand, return_exceptions=True)

    async def _pass(self) -> None:
        while True:
            await self.asleep()
            await self.advance(max(0.0, min(self._sleepers)[0] - self._passed))


async def settle() -> None:
    """Let everything that can run without waiting for the outside run."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
