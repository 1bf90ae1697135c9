"""Prompts that nobody waits for any more.

LM Studio reads an abandoned prompt to its end before it stops, and the next request would wait behind it unseen:
the slot is given on only when the host is idle.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from core.admission import Admission, Ticket
from core.clock import Clock
from core.errors import Problem
from core.model import Resident

LONGEST = 1800  # looks, a second apart: the longest prompt
BESIDE = 30  # looks while others are answered there: that it is busy says nothing of the abandoned one then
GRACE = 10  # looks where the host does not tell whether it is busy
JUST_NOW = 10.0  # seconds after the slot was given on in which a failure may be the dead request's

Residents = Callable[[], Awaitable[Sequence[Resident]]]


class Abandoned:
    """Holds the slots of abandoned prompts."""

    def __init__(self, admission: Admission, clock: Clock) -> None:
        self._admission = admission
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: dict[str, float] = {}  # queue -> when a prompt was last abandoned, or its slot given on

    def hold(self, ticket: Ticket, instance: str, residents: Residents) -> None:
        """Give the slot on when the instance does nothing any more."""
        ticket.lingering = True
        self._last[ticket.instance] = self._clock.monotonic()
        task = asyncio.create_task(self._watch(ticket, instance, residents), name="linger")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def just_now(self, queue: str) -> bool:
        """Whether a prompt was abandoned there a moment ago."""
        return self._clock.monotonic() - self._last.get(queue, float("-inf")) < JUST_NOW

    async def _watch(self, ticket: Ticket, instance: str, residents: Residents) -> None:
        try:
            for look in range(LONGEST):
                told = [r.busy for r in await residents() if r.instance == instance]
                busy = told[0] if told else None
                patience = GRACE if busy is None else BESIDE if self._admission.others(ticket) else LONGEST
                if busy is False or look >= patience:
                    return
                await self._clock.sleep(1.0)
        except Problem:
            return
        finally:
            self._last[ticket.instance] = self._clock.monotonic()
            self._admission.leave(ticket)

    async def aclose(self) -> None:
        """Give every slot back that is still held."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
