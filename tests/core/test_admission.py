"""One queue per instance: order, fairness, shared context, and what those who wait are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from core.admission import Admission, Place, Ticket
from tests.fakes.clock import FakeClock, settle

HERE = "host|model"


class Asker:
    """Somebody who stands in line and remembers what the queue told."""

    def __init__(self, admission: Admission, ticket: Ticket) -> None:
        self.ticket = ticket
        self.places: list[Place] = []
        self._admission = admission
        self._task = asyncio.create_task(self._stand())

    async def _stand(self) -> None:
        async with aclosing(self._admission.wait(self.ticket)) as places:
            async for place in places:
                self.places.append(place)

    @property
    def positions(self) -> list[int]:
        return [place.position for place in self.places]

    async def leave(self) -> None:
        self._admission.leave(self.ticket)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await settle()


@asynccontextmanager
async def line(admission: Admission, *chats: str, slots: int = 1) -> AsyncIterator[list[Asker]]:
    """These chats come in this order, each with one request."""
    askers = [Asker(admission, admission.enter(HERE, chat, slots=slots)) for chat in chats]
    await settle()
    yield askers
    for asker in askers:
        asker._task.cancel()
    await asyncio.gather(*(asker._task for asker in askers), return_exceptions=True)


def admitted(*tickets: Ticket) -> list[bool]:
    return [ticket.admitted for ticket in tickets]


async def test_no_more_than_the_slots_are_in_flight() -> None:
    """Two slots let two in; the others wait in the order in which they came."""
    admission = Admission(FakeClock())
    async with line(admission, "a", "b", "c", "d", slots=2) as (a, b, c, d):
        assert admitted(a.ticket, b.ticket, c.ticket, d.ticket) == [True, True, False, False]
        assert c.positions == [1]
        assert d.positions == [2]
        await a.leave()
        assert c.ticket.admitted
        assert d.positions == [2, 1]


async def test_leaving_the_queue_moves_the_others_up() -> None:
    """Who gives up waiting is forgotten, and the next one hears of it."""
    admission = Admission(FakeClock())
    async with line(admission, "a", "b", "c") as (a, b, c):
        await b.leave()
        assert c.positions == [2, 1]
        await a.leave()
        assert c.ticket.admitted
        await c.leave()
        assert admission.busy(HERE) == 0


async def test_a_chat_with_many_requests_does_not_keep_the_others_out() -> None:
    """Fair between chats: who has nothing in flight goes before the second request of who has."""
    admission = Admission(FakeClock())
    async with line(admission, "a", "a", "a", "b") as (first, second, third, other):
        assert [x.positions[-1] for x in (other, second, third)] == [1, 2, 3]
        await first.leave()
        assert admitted(other.ticket, second.ticket) == [True, False]


async def test_the_wait_is_reckoned_from_earlier_answers() -> None:
    """With answers of ten seconds behind it, the queue says ten for the first and twenty for the second."""
    clock = FakeClock()
    admission = Admission(clock)
    async with line(admission, "a") as (a,):
        await clock.advance(10)
        await a.leave()
    async with line(admission, "b", "c", "d") as (_, c, d):
        assert c.places[0].expected == 10
        assert d.places[0].expected == 20
        await clock.advance(4)
        e = Asker(admission, admission.enter(HERE, "e", slots=1))
        await settle()
        assert e.places[0].expected == 26
        await e.leave()


async def test_nothing_is_promised_without_figures() -> None:
    """The first one to wait is told a place but no time."""
    admission = Admission(FakeClock())
    async with line(admission, "a", "b") as (_, b):
        assert b.places == [Place(1, None)]


async def test_requests_that_share_a_context_are_let_in_only_together_if_they_fit() -> None:
    """Tokens of all in flight stay within the context; alone any request may go."""
    admission = Admission(FakeClock())

    def ask(chat: str, tokens: int) -> Ticket:
        return admission.enter(HERE, chat, slots=4, tokens=tokens, context=4096)

    huge, small = ask("a", 9000), ask("b", 10)
    assert admitted(huge, small) == [True, False]
    admission.leave(huge)
    medium, large = ask("c", 4000), ask("d", 4000)
    assert admitted(small, medium, large) == [True, True, False]
    assert admission.shared(HERE) == 4010
    admission.leave(medium)
    assert admitted(large) == [True]


async def test_nobody_overtakes_a_long_prompt() -> None:
    """A short request behind a long one waits, or the long one would never have its turn."""
    admission = Admission(FakeClock())

    def ask(chat: str, tokens: int) -> Ticket:
        return admission.enter(HERE, chat, slots=4, tokens=tokens, context=4096)

    running, long, short = ask("a", 3000), ask("b", 3000), ask("c", 10)
    assert admitted(running, long, short) == [True, False, False]


async def test_company_is_remembered_after_it_has_left() -> None:
    """Who shared the instance with others knows it even when they are gone already."""
    admission = Admission(FakeClock())
    async with line(admission, "a", "b", "c", slots=2) as (a, b, _):
        assert a.ticket.company == 2
        await b.leave()
        assert a.ticket.company == 2
