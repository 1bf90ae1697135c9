"""Two kinds of patience, and a dead host noticed within seconds."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from core.providers.patience import HostDied, OutOfPatience, Silence, patient
from tests.fakes.clock import FakeClock, settle


class Stream:
    """Items that a test hands out by and by."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str | None] = asyncio.Queue()
        self.closed = False

    async def items(self) -> AsyncGenerator[str]:
        try:
            while (item := await self.queue.get()) is not None:
                yield item
        finally:
            self.closed = True


class Watched:
    """A stream under watch, read by a task of its own."""

    def __init__(self, *, alive: bool = True, first: float = 600, between: float = 60) -> None:
        self.clock = FakeClock()
        self.stream = Stream()
        self.alive = alive
        self.looks: list[float] = []
        self.seen: list[str | Silence] = []
        watched = patient(
            self.stream.items(), first=first, between=between, alive=self._look, clock=self.clock
        )
        self.task = asyncio.create_task(self._read(watched))

    async def _look(self) -> bool:
        self.looks.append(self.clock.monotonic())
        return self.alive

    async def _read(self, watched: AsyncGenerator[str | Silence]) -> None:
        async with aclosing(watched) as items:
            async for item in items:
                self.seen.append(item)

    async def comes(self, item: str | None) -> None:
        self.stream.queue.put_nowait(item)
        await settle()


async def test_what_comes_is_handed_on_and_the_end_is_the_end() -> None:
    """Nothing is added to a stream that flows, and nobody asks after its host."""
    watched = Watched()
    for item in ("a", "b", None):
        await watched.comes(item)
    await watched.task
    assert watched.seen == ["a", "b"]
    assert watched.looks == []
    assert watched.stream.closed


async def test_silence_is_counted_while_the_host_lives() -> None:
    """A prompt of five minutes shows a second hand, and the host is looked at now and then."""
    watched = Watched()
    await watched.clock.advance(300)
    assert watched.seen == [Silence(second) for second in range(1, 301)]
    assert len(watched.looks) == 60
    await watched.comes("a")
    await watched.comes(None)
    await watched.task
    assert watched.seen[300:] == ["a"]


async def test_a_dead_host_is_noticed_within_seconds() -> None:
    """Two looks without an answer end the wait, long before any patience."""
    watched = Watched(alive=False)
    await watched.clock.advance(8)
    with pytest.raises(HostDied):
        await watched.task
    assert watched.looks == [5, 6]
    assert watched.stream.closed


async def test_one_missed_look_is_forgiven() -> None:
    """A host that answers the second look is alive."""
    watched = Watched(alive=False)
    await watched.clock.advance(5)
    watched.alive = True
    await watched.clock.advance(10)
    assert not watched.task.done()
    watched.task.cancel()
    await asyncio.gather(watched.task, return_exceptions=True)
    assert watched.stream.closed


async def test_patience_is_longer_before_the_first_word() -> None:
    """The first word may take ten minutes, a further one only a minute."""
    watched = Watched()
    await watched.clock.advance(590)
    await watched.comes("a")
    await watched.clock.advance(62)
    with pytest.raises(OutOfPatience):
        await watched.task


async def test_an_error_of_the_stream_is_handed_on() -> None:
    """What the connection raises reaches the reader as it is."""

    async def broken() -> AsyncGenerator[str]:
        yield "a"
        raise ConnectionResetError

    async def alive() -> bool:
        return True

    watched = patient(broken(), first=1, between=1, alive=alive, clock=FakeClock())
    assert await anext(watched) == "a"
    with pytest.raises(ConnectionResetError):
        await anext(watched)
