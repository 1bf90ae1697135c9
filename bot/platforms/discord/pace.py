"""One outgoing budget per channel: what is sent first, and what is dropped.

Discord publishes no figures; users see five calls in five seconds per channel, new messages and edits together.
Everything that goes to a channel takes its turn here: the last card of an answer before the first card of
another, and both before progress. Progress that has no turn is dropped, never queued.

Discord says with each answer what is left of a limit, and the library waits for what it was told. As long as nothing
was told a second passes between any two calls of a channel: where the limit is one call a second, the last words of
an answer would be refused for seconds, since progress has just been shown.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp

from bot.ranks import Rank, Turns
from bot.surface import SlowDown
from core.clock import Clock

T = TypeVar("T")
EDIT = 1.1  # seconds between two calls after which progress may be shown again, and anything where no limit is told
CALLS = 5
WINDOW = 5.2  # seconds in which so many calls may leave; a little more than is seen
AGAIN = 0.5  # seconds after which progress that was refused looks again, at the latest
MOST = 40  # calls of the whole bot in a second, fewer than are allowed: on their way they may bunch up
SECOND = 1.05
LOOK = 0.1  # seconds after which who is not the first in line looks again
_LIMIT = "X-RateLimit-Limit"


class Pace:
    """The budget of one channel. A pause that Discord asks for holds for everything in it."""

    def __init__(self, clock: Clock, whole: "Whole | None" = None) -> None:
        self._clock = clock
        self._whole = whole
        self._left: deque[float] = deque(maxlen=CALLS)  # when the last calls left
        self._paused_until = float("-inf")
        self._line = Turns(clock, LOOK)
        self._left_alone: set[asyncio.Future[Any]] = set()

    async def unbroken(self, call: Callable[[], Awaitable[T]]) -> T:
        """A call that goes on where its caller is cancelled; the next one in this channel waits for its end.

        The library must not be interrupted: it would hold back every other call for good if that happened while
        it waits out a limit for the whole bot. And what it sends late must not overtake what is newer.
        """
        await self.settled()
        task = asyncio.ensure_future(call())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                self._left_alone.add(task)
                task.add_done_callback(self._ended)
            raise

    async def settled(self) -> None:
        """Return once no such call is on its way."""
        while self._left_alone:
            await asyncio.wait(self._left_alone)

    def _ended(self, task: "asyncio.Future[Any]") -> None:
        self._left_alone.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for it any more

    async def turn(self, rank: Rank) -> None:
        """Wait for one's turn to make a call.

        Progress itself never waits: SlowDown lets it look again soon, so that a last card that comes meanwhile
        is not held up by it. It leaves one call of the window to first and last cards.
        """
        if rank is Rank.PROGRESS:
            wait = self._wait(rank)
            if wait > 0 or self._line:
                raise SlowDown(min(max(wait, LOOK), AGAIN), asked=False)
        else:
            await self._line.stand(rank, self._wait)
        self._left.append(self._clock.monotonic())

    def pause(self, seconds: float) -> None:
        """Discord asked for it: nothing goes to this channel for so long."""
        self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    @property
    def idle(self) -> bool:
        """Nobody stands in line, and what was is forgotten by now."""
        return not (self._line or self._left_alone) and self._wait(Rank.PROGRESS) <= 0

    def _wait(self, rank: Rank) -> float:
        """Seconds until a call of that rank may leave; not positive if it may now."""
        now = self._clock.monotonic()
        opens = self._paused_until
        most = CALLS - 1 if rank is Rank.PROGRESS else CALLS
        if len(self._left) >= most:
            opens = max(opens, self._left[-most] + WINDOW)
        careful = rank is Rank.PROGRESS or (self._whole is not None and not self._whole.told)
        if careful and self._left:
            opens = max(opens, self._left[-1] + EDIT)
        return opens - now


class Whole:
    """All calls of the bot together, but for interactions: Discord allows fifty a second (documented).

    `told` = Discord tells what the limit of messages is, and it is more than one call.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.told = False
        self._left: deque[float] = deque(maxlen=MOST)
        self._next = asyncio.Lock()  # first come, first served

    def listening(self) -> aiohttp.TraceConfig:
        """Reads along what every answer tells: the library keeps it to itself."""

        async def ended(_: object, __: object, answer: aiohttp.TraceRequestEndParams) -> None:
            limit = answer.response.headers.get(_LIMIT, "") if "/messages" in answer.url.path else ""
            self.told = self.told or (limit.isdecimal() and int(limit) > 1)

        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(ended)
        return trace

    @property
    def free(self) -> bool:
        """Nobody waits."""
        return not self._next.locked() and self._wait() <= 0

    async def turn(self) -> None:
        """Wait for one's turn."""
        async with self._next:
            if (wait := self._wait()) > 0:
                await self._clock.sleep(wait)
            self._left.append(self._clock.monotonic())

    def _wait(self) -> float:
        full = len(self._left) == MOST
        return self._left[0] + SECOND - self._clock.monotonic() if full else 0.0
