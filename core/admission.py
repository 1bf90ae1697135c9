"""One queue per loaded instance: who asks it now, who waits, in which order, and for how long.

LM Studio runs `parallel` requests of an instance at once and queues the rest without a sign; its own queue
burns the client's patience and cannot be seen. So no more than `parallel` requests are ever sent, and those
that wait know their place. With llama.cpp the requests in flight share one context: a request is let in only
if its tokens fit beside the others', unless it is alone.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from statistics import fmean

from core.clock import Clock
from core.model import Model

FRONT = 10  # positions of which every change is told
STEP = 0.9  # further back, a tenth less is told
REMEMBERED = 20  # newest answers that the expected wait is reckoned from


@dataclass(frozen=True, slots=True)
class Place:
    """Where one stands in the queue, from 1; `expected` seconds until one's turn, if it can be told."""

    position: int
    expected: float | None


@dataclass(eq=False)
class Ticket:
    """One request, waiting or in flight.

    `tokens` of the shared context that it may need; `company` = the most that were in flight at once with it.
    """

    instance: str
    chat: str
    tokens: int
    company: int = 0
    position: int = 0
    told: int = 0  # the position that was told last
    admitted: bool = False
    started: float = 0.0
    lingering: bool = False  # nobody waits for it, but its host is not done with it
    news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class _Line:
    slots: int = 1
    context: int | None = None
    waiting: list[Ticket] = field(default_factory=list)
    running: list[Ticket] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # how long the newest answers took


def queue_of(model: Model) -> str:
    """The key of a model's queue: its host and its instance there."""
    return f"{model.host}|{model.instance or model.key}"


class Admission:
    """The queues of every instance, by the instance's own id (host and name)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: dict[str, _Line] = {}

    def busy(self, instance: str) -> int:
        """Requests in flight and waiting."""
        line = self._lines.get(instance)
        return len(line.running) + len(line.waiting) if line else 0

    def lengths(self) -> dict[str, tuple[int, int]]:
        """For each instance that was ever asked: requests in flight, and requests that wait."""
        return {name: (len(line.running), len(line.waiting)) for name, line in self._lines.items()}

    def others(self, ticket: Ticket) -> int:
        """Requests in flight on the same instance that somebody waits for."""
        return sum(not one.lingering for one in self._lines[ticket.instance].running if one is not ticket)

    def shared(self, instance: str) -> int:
        """Tokens of the context that requests in flight have taken."""
        line = self._lines.get(instance)
        return sum(ticket.tokens for ticket in line.running) if line else 0

    def enter(
        self, instance: str, chat: str, *, slots: int, tokens: int = 0, context: int | None = None
    ) -> Ticket:
        """Stand in line; then `wait()`. Whoever enters must `leave()`."""
        line = self._lines.setdefault(instance, _Line())
        line.slots, line.context = max(1, slots), context
        ticket = Ticket(instance, chat, tokens)
        line.waiting.append(ticket)
        self._admit(line, self._order(line))
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give the slot, or the place in the queue, back."""
        line = self._lines[ticket.instance]
        order = self._order(line)  # with this one still in flight: its chat has just had a turn
        if ticket.admitted:
            line.running.remove(ticket)
        if ticket.admitted and not ticket.lingering:
            line.seconds = [*line.seconds, self._clock.monotonic() - ticket.started][-REMEMBERED:]
        if not ticket.admitted:
            line.waiting.remove(ticket)
            order.remove(ticket)
        self._admit(line, order)

    async def wait(self, ticket: Ticket) -> AsyncGenerator[Place]:
        """One's place in the queue each time it changes, until admitted."""
        line = self._lines[ticket.instance]
        while not ticket.admitted:
            ticket.news.clear()
            if ticket.position != ticket.told:
                ticket.told = ticket.position
                yield Place(ticket.position, self._expected(line, ticket.position))
            else:
                await ticket.news.wait()

    def _admit(self, line: _Line, order: list[Ticket]) -> None:
        """Let in whoever is next, as long as there is a slot and room in the shared context."""
        let_in = 0
        for ticket in order:
            if len(line.running) >= line.slots or not self._fits(line, ticket):
                break  # nobody overtakes: a long prompt would never have its turn
            line.waiting.remove(ticket)
            line.running.append(ticket)
            ticket.admitted = True
            ticket.started = self._clock.monotonic()
            ticket.news.set()
            let_in += 1
        for ticket in line.running:
            ticket.company = max(ticket.company, len(line.running))
        for position, ticket in enumerate(order[let_in:], start=1):
            # Far back in a long queue not every step is news: a thousand who wait would wake each other up.
            ticket.position = position
            if position <= FRONT or position <= ticket.told * STEP:
                ticket.news.set()

    @staticmethod
    def _fits(line: _Line, ticket: Ticket) -> bool:
        if not line.running or line.context is None:
            return True
        return sum(t.tokens for t in line.running) + ticket.tokens <= line.context

    @staticmethod
    def _order(line: _Line) -> list[Ticket]:
        """Fair between chats: first those with the fewest requests before this one, then by arrival."""
        taken = Counter(ticket.chat for ticket in line.running)
        turns: list[tuple[int, int, Ticket]] = []
        for arrival, ticket in enumerate(line.waiting):
            turns.append((taken[ticket.chat], arrival, ticket))
            taken[ticket.chat] += 1
        return [ticket for _, _, ticket in sorted(turns, key=lambda turn: turn[:2])]

    def _expected(self, line: _Line, position: int) -> float | None:
        """Rounds of answers before one's turn, less what the running ones have behind them."""
        if not line.seconds:
            return None
        usual = fmean(line.seconds)
        now = self._clock.monotonic()
        left = sorted(max(0.0, usual - (now - t.started)) for t in line.running) or [0.0]
        rounds, rest = divmod(position - 1, line.slots)
        return rounds * usual + left[min(rest, len(left) - 1)]
