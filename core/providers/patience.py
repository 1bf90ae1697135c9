"""Waiting for a stream with two kinds of patience, while watching over the host on another connection.

LM Studio sends nothing while it works on a prompt, which takes minutes, and APIs send nothing while a model
reasons, so silence alone proves nothing. A host that does not even greet any more is dead, and that is
noticed within seconds.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from core.clock import Clock

TICK = 1.0  # seconds between two signs of life while nothing comes
LOOK = 5.0  # seconds of silence after which the host is looked at, and between two looks
DEATHS = 2  # looks in a row without an answer


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing has come for `seconds`; the host is alive, as far as can be told."""

    seconds: float


class HostDied(Exception):
    """The host answers nobody any more."""


class OutOfPatience(Exception):
    """The host lives, but nothing came for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing for {seconds:.0f} s")
        self.seconds = seconds


T = TypeVar("T")
_TICKED, _CAME, _ENDED = range(3)


async def patient(
    items: AsyncGenerator[T],
    *,
    first: float,
    between: float,
    clock: Clock,
    alive: Callable[[], Awaitable[bool]] | None = None,
) -> AsyncGenerator[T | Silence]:
    """The items, and a Silence for each second without one.

    `first` seconds of patience for the first item, `between` for every further one. Raises HostDied when
    `alive` (if there is a way to ask) says no twice in a row, OutOfPatience when the patience ends. Closing it closes the items.
    """
    # One task carries the items and one the ticks, into one queue: nothing is made anew for each token.
    queue: asyncio.Queue[tuple[int, Any]] = asyncio.Queue()
    tasks = [asyncio.create_task(_carry(items, queue)), asyncio.create_task(_tick(queue, clock))]
    watch = _Watch(alive, clock)
    limit = first
    try:
        while True:
            kind, value = await queue.get()
            if kind == _CAME:
                limit = between
                watch.heard()
                yield value
            elif kind == _ENDED:
                if value is not None:
                    raise value
                return
            elif (silent := await watch.silent()) > limit:
                raise OutOfPatience(silent)
            elif silent >= TICK:
                yield Silence(silent)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry(items: AsyncGenerator[T], queue: asyncio.Queue[tuple[int, Any]]) -> None:
    try:
        async with aclosing(items):
            async for item in items:
                queue.put_nowait((_CAME, item))
    except Exception as error:  # noqa: BLE001  # handed on to whoever reads the items
        queue.put_nowait((_ENDED, error))
    else:
        queue.put_nowait((_ENDED, None))


async def _tick(queue: asyncio.Queue[tuple[int, Any]], clock: Clock) -> None:
    while True:
        await clock.sleep(TICK)
        queue.put_nowait((_TICKED, None))


class _Watch:
    """Since when it is silent, and whether the host still lives."""

    def __init__(self, alive: Callable[[], Awaitable[bool]] | None, clock: Clock) -> None:
        self._alive = alive
        self._clock = clock
        self._deaths = 0
        self._since = self._looked = clock.monotonic()

    def heard(self) -> None:
        self._since = self._looked = self._clock.monotonic()
        self._deaths = 0

    async def silent(self) -> float:
        now = self._clock.monotonic()
        pause = TICK if self._deaths else LOOK
        if self._alive is not None and now - self._looked >= pause:
            self._looked = now
            self._deaths = 0 if await self._alive() else self._deaths + 1
            if self._deaths >= DEATHS:
                raise HostDied
        return now - self._since
