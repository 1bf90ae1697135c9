"""`show()` pours successive cards onto a surface: the newest wins, and the last one always lands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from bot.cards import Card, Progress
from bot.surface import Post, SlowDown, Surface, SurfaceDown
from bot.watch import watching
from core.clock import Clock, SystemClock

PATIENCE = 300.0  # seconds that the last card is tried again for
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0


class _Latest:
    """One slot: the newest card wins, stale ones are dropped."""

    def __init__(self) -> None:
        self.card: Card | None = None
        self.ended = False
        self._news = asyncio.Event()

    def put(self, card: Card) -> None:
        self.card = card
        self._news.set()

    def end(self) -> None:
        self.ended = True
        self._news.set()

    async def wait(self) -> None:
        await self._news.wait()
        self._news.clear()


async def show(cards: AsyncIterator[Card], surface: Surface, clock: Clock | None = None) -> Card | None:
    """Pour cards onto a surface; return the last one.

    Never the same card twice; the newest card at most once per `limits.edit_every` with one call in
    flight; the last card always lands, however often the platform asks for a pause or is away (up to
    PATIENCE seconds). Cancelling it closes the source, so that the model stops.
    """
    with watching.get().delivery():
        return await _show(cards, surface, clock or SystemClock())


async def _show(cards: AsyncIterator[Card], surface: Surface, clock: Clock) -> Card | None:
    pouring = _Pouring(surface, clock)
    latest = _Latest()
    source = asyncio.ensure_future(_drain(cards, latest))
    try:
        while not latest.ended:
            await latest.wait()
            if latest.card is not None and not latest.ended:
                await pouring.try_to_show(latest)
        await source
        if latest.card is not None:
            await pouring.land(latest.card)
    finally:
        source.cancel()
        await asyncio.gather(source, return_exceptions=True)
    return latest.card


async def _drain(cards: AsyncIterator[Card], latest: _Latest) -> None:
    try:
        async with aclosing(cards) as source:  # type: ignore[type-var]  # every async generator has aclose
            async for card in source:
                latest.put(card)
    finally:
        latest.end()


class _Pouring:
    """The state of one card on one surface."""

    def __init__(self, surface: Surface, clock: Clock) -> None:
        self._surface = surface
        self._clock = clock
        self._post: Post | None = None
        self._shown: Card | None = None
        self._next = 0.0
        self._asked_until = 0.0  # the end of the pause that the platform asked for
        self._pause = FIRST_PAUSE

    async def try_to_show(self, latest: _Latest) -> None:
        """Show the newest card when the surface next bears it, also if a call is refused; drop stale ones."""
        while True:
            await self._wait_turn(latest)
            if latest.card is None or latest.ended or await self._send(latest.card):
                return

    async def land(self, card: Card) -> None:
        """Show the last card, whatever it takes. It waits for nothing but a pause that was asked for."""
        ready = self._clock.monotonic()
        deadline = ready + PATIENCE
        if card != self._shown:
            await self._clock.sleep(max(0.0, self._asked_until - self._clock.monotonic()))
        while not await self._send(card):
            if self._clock.monotonic() > deadline:
                raise SurfaceDown
            await self._clock.sleep(max(0.0, self._next - self._clock.monotonic()))
        watching.get().landed(self._clock.monotonic() - ready)

    async def _wait_turn(self, latest: _Latest) -> None:
        """Until the next call is allowed, or the last card is there (it has a right of way)."""
        wait = self._next - self._clock.monotonic()
        if wait <= 0:
            return
        turn = asyncio.ensure_future(self._clock.sleep(wait))
        try:
            while not turn.done() and not latest.ended:
                news = asyncio.ensure_future(latest.wait())
                await asyncio.wait({turn, news}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
        finally:
            turn.cancel()

    async def _send(self, card: Card) -> bool:
        """One call; True when the card stands there now."""
        if card == self._shown:
            return True
        try:
            if self._post is None:
                self._post = await self._surface.post(card)
            else:
                self._post = await self._surface.edit(self._post, card)
        except SlowDown as pause:
            self._next = self._clock.monotonic() + pause.seconds
            if pause.asked:
                watching.get().paused()
                self._asked_until = self._next
            return False
        except SurfaceDown:
            self._next = self._clock.monotonic() + self._pause
            self._pause = min(LONGEST_PAUSE, self._pause * 2)
            return False
        self._shown = card
        self._pause = FIRST_PAUSE
        self._next = self._clock.monotonic() + self._surface.limits.edit_every
        return True


def is_progress(card: Card) -> bool:
    """Whether the card is only on the way to another one."""
    return isinstance(card, Progress)
