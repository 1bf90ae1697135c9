"""Waiting for something to become true, without asking again and again."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Bell:
    """Rung at every change; whoever waits then looks again."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def ring(self) -> None:
        for waiter in self._waiting:
            waiter.set()

    async def until(self, look: Callable[[], T | None], timeout: float, told: Callable[[], str]) -> T:
        """The first thing `look` finds; `TimeoutError` with what was seen instead after `timeout` seconds."""
        rung = asyncio.Event()
        self._waiting.add(rung)
        try:
            async with asyncio.timeout(timeout):
                while True:
                    rung.clear()
                    found = look()
                    if found is not None:
                        return found
                    await rung.wait()
        except TimeoutError:
            raise TimeoutError(f"waited {timeout} s; {told()}") from None
        finally:
            self._waiting.discard(rung)
