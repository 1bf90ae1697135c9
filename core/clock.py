"""Time as a port, so that tests can hold it in their hand."""

import asyncio
import time as _time
from typing import Protocol


class Clock(Protocol):
    """What the program asks of time; seconds throughout."""

    def time(self) -> float:
        """Seconds since the epoch: for what is stored and shown."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump: for durations and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let others run for that long."""
        ...


class SystemClock:
    """The machine's own clock."""

    def time(self) -> float:
        """See `Clock.time`."""
        return _time.time()

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return _time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await asyncio.sleep(seconds)
