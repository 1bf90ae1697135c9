"""show(): which cards reach a surface, when, and what happens when it refuses."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cards import Card, Notice, Progress, Reply, Tone
from bot.showing import PATIENCE, is_progress, show
from bot.surface import SlowDown, SurfaceDown
from tests.fakes.clock import FakeClock, settle
from tests.fakes.surface import FakeSurface


def card(text: object) -> Card:
    return Reply(str(text), done=False)


class Source:
    """Cards with the seconds to wait before each; `broken` is raised at the end."""

    def __init__(
        self, clock: FakeClock, steps: Iterable[tuple[float, Card]], broken: Exception | None = None
    ) -> None:
        self._clock = clock
        self._steps = steps
        self._broken = broken
        self.closed = False

    async def cards(self) -> AsyncIterator[Card]:
        try:
            for pause, one in self._steps:
                if pause:
                    await self._clock.sleep(pause)
                yield one
            if self._broken:
                raise self._broken
        finally:
            self.closed = True


async def poured(clock: FakeClock, surface: FakeSurface, steps: Iterable[tuple[float, Card]]) -> Card | None:
    async with clock.passing():
        return await show(Source(clock, steps).cards(), surface, clock)


async def test_the_last_card_is_returned_and_stands_there() -> None:
    """show() gives back the last card, which is what the surface shows at the end."""
    clock = FakeClock()
    surface = FakeSurface(clock)
    assert await poured(clock, surface, [(0, card(1)), (5, card(2))]) == card(2)
    assert surface.shown == [card(1), card(2)]


async def test_a_source_without_cards_shows_nothing() -> None:
    """No card, no call, no result."""
    clock = FakeClock()
    surface = FakeSurface(clock)
    assert await poured(clock, surface, []) is None
    assert surface.calls == []


async def test_the_same_card_is_not_sent_twice() -> None:
    """An equal card makes no call, in between or at the end."""
    clock = FakeClock()
    surface = FakeSurface(clock)
    await poured(clock, surface, [(0, card(1)), (5, card(1)), (5, card(2)), (5, card(2))])
    assert surface.shown == [card(1), card(2)]


async def test_one_post_then_edits() -> None:
    """All cards of an answer are versions of one post."""
    clock = FakeClock()
    surface = FakeSurface(clock)
    await poured(clock, surface, [(2, card(n)) for n in range(4)])
    assert [call.what for call in surface.calls] == ["post", "edit", "edit", "edit"]


async def test_stale_cards_are_dropped_and_edits_keep_their_distance() -> None:
    """Three cards a second on a surface that bears one: each call shows the newest, one second apart."""
    clock = FakeClock()
    surface = FakeSurface(clock, edit_every=1.0)
    await poured(clock, surface, [(0.3, card(n)) for n in range(9)])
    assert surface.shown == [card(0), card(3), card(6), card(8)]
    assert surface.times == pytest.approx([0.3, 1.3, 2.3, 2.7])


async def test_a_final_card_does_not_wait_for_edit_every() -> None:
    """The last card has right of way over the distance between edits."""
    clock = FakeClock()
    surface = FakeSurface(clock, edit_every=60.0)
    await poured(clock, surface, [(0, card(1)), (0.5, card(2)), (0.5, card(3))])
    assert surface.shown == [card(1), card(3)]
    assert surface.times == [0.0, 1.0]


async def test_one_call_in_flight() -> None:
    """While a slow call runs no other begins, and what came meanwhile but the newest is dropped."""
    clock = FakeClock()
    surface = FakeSurface(clock, edit_every=0.5, seconds=3.0)
    await poured(clock, surface, [(0.2, card(n)) for n in range(30)])
    assert surface.most_at_once == 1
    assert surface.shown[-1] == card(29)
    assert len(surface.calls) == 3


async def test_the_last_card_lands_after_several_pauses() -> None:
    """Each SlowDown is waited out in full before the next try."""
    clock = FakeClock()
    surface = FakeSurface(clock, script=[SlowDown(7), SlowDown(11), SlowDown(3)])
    await poured(clock, surface, [(0, card("end"))])
    assert surface.times == [0.0, 7.0, 18.0, 21.0]
    assert surface.shown == [card("end")]


async def test_no_call_during_a_pause_even_for_the_last_card() -> None:
    """A final card that comes during a SlowDown pause waits for its end, since a call would lengthen it."""
    clock = FakeClock()
    surface = FakeSurface(clock, edit_every=0.1, script=[None, SlowDown(30)])
    await poured(clock, surface, [(0, card(1)), (1, card(2)), (1, card(3))])
    assert surface.times == [0.0, 1.0, 31.0]
    assert surface.shown == [card(1), card(3)]


async def test_a_refused_card_is_tried_again_without_news() -> None:
    """A card that met a pause appears when the pause is over, though nothing newer has come."""
    clock = FakeClock()
    surface = FakeSurface(clock, script=[SlowDown(5)])
    await poured(clock, surface, [(0, card("loading")), (600, card("ready"))])
    assert surface.shown == [card("loading"), card("ready")]
    assert surface.times == [0.0, 5.0, 600.0]


async def test_a_card_made_stale_by_a_pause_is_dropped() -> None:
    """After a pause the newest card is shown, not the one that was refused."""
    clock = FakeClock()
    surface = FakeSurface(clock, script=[SlowDown(5)])
    await poured(clock, surface, [(0, card(1)), (2, card(2)), (600, card(3))])
    assert surface.shown == [card(2), card(3)]


async def test_the_last_card_lands_after_the_network_was_away() -> None:
    """SurfaceDown for two minutes only delays the last card, and tries grow further apart."""
    clock = FakeClock()
    surface = FakeSurface(clock)
    surface.down, surface.down_until = SurfaceDown(), 120.0
    await poured(clock, surface, [(0, card("end"))])
    assert surface.shown == [card("end")]
    gaps = [b - a for a, b in zip(surface.times, surface.times[1:], strict=False)]
    assert gaps == sorted(gaps)
    assert gaps[0] == 1.0
    assert max(gaps) <= 30.0


async def test_the_surfaces_own_pace_keeps_no_last_card() -> None:
    """What nobody asked for is waited out by progress alone; the surface itself knows when the last card may go."""
    clock = FakeClock()
    surface = FakeSurface(clock, script=[SlowDown(5, asked=False)])
    await poured(clock, surface, [(0, card(1)), (2, card(2))])
    assert surface.times == [0.0, 2.0]
    assert surface.shown == [card(2)]


@pytest.mark.parametrize("refusal", [SurfaceDown(), SlowDown(20)])
async def test_patience_ends(refusal: Exception) -> None:
    """Only after PATIENCE seconds in vain does show() give up, with SurfaceDown."""
    clock = FakeClock()
    surface = FakeSurface(clock)
    surface.down, surface.down_until = refusal, 10 * PATIENCE
    with pytest.raises(SurfaceDown):
        await poured(clock, surface, [(0, card("end"))])
    assert PATIENCE <= clock.monotonic() <= PATIENCE + 31


async def test_a_pause_longer_than_patience_is_waited_out() -> None:
    """One long pause by the platform's own word is no reason to lose the answer."""
    clock = FakeClock()
    surface = FakeSurface(clock, script=[SlowDown(2 * PATIENCE)])
    await poured(clock, surface, [(0, card("end"))])
    assert surface.shown == [card("end")]


async def test_cancelling_closes_the_source() -> None:
    """Cancelling show() closes the cards' generator, so that the model stops."""
    clock = FakeClock()
    source = Source(clock, [(0, card(1)), (600, card(2))])
    shown = asyncio.create_task(show(source.cards(), FakeSurface(clock), clock))
    await settle()
    shown.cancel()
    await asyncio.wait({shown})
    assert shown.cancelled()
    assert source.closed


async def test_cancelling_during_a_call_that_hangs_closes_the_source() -> None:
    """A surface that never answers does not keep the source open."""
    clock = FakeClock()
    surface = FakeSurface(clock)
    surface.hang = True
    source = Source(clock, [(0, card(1)), (600, card(2))])
    shown = asyncio.create_task(show(source.cards(), surface, clock))
    await settle()
    shown.cancel()
    await asyncio.wait({shown})
    assert source.closed
    assert surface.most_at_once == 1


async def test_a_call_that_hangs_does_not_hold_the_source_up() -> None:
    """While a call hangs the answer goes on; afterwards only the last card is sent."""
    clock = FakeClock()
    surface = FakeSurface(clock)
    surface.hang = True
    source = Source(clock, [(0, card(1)), *((1, card(n)) for n in range(2, 9))])
    shown = asyncio.create_task(show(source.cards(), surface, clock))
    await clock.advance(60)
    assert source.closed
    surface.hang = False
    surface.let_go.set()
    assert await shown == card(8)
    assert surface.shown == [card(1), card(8)]


async def test_an_exception_in_the_source_reaches_the_caller() -> None:
    """What the source raises is raised by show()."""
    clock = FakeClock()
    source = Source(clock, [(0, card(1)), (1, card(2))], broken=LookupError("bug"))
    shown = asyncio.create_task(show(source.cards(), FakeSurface(clock), clock))
    await clock.advance(60)
    with pytest.raises(LookupError, match="bug"):
        await shown
    assert source.closed


async def test_an_exception_in_the_surface_reaches_the_caller_and_closes_the_source() -> None:
    """A bug of a platform is not hidden, and does not leave the model running."""
    clock = FakeClock()
    source = Source(clock, [(0, card(1)), (600, card(2))])
    shown = asyncio.create_task(show(source.cards(), FakeSurface(clock, script=[ValueError("bug")]), clock))
    await settle()
    with pytest.raises(ValueError, match="bug"):
        await shown
    assert source.closed


def test_only_progress_is_on_the_way() -> None:
    """is_progress tells a Progress from every card that may be the last."""
    assert is_progress(Progress("x", None))
    assert not is_progress(Notice(Tone.INFO, "x"))


PAUSES = st.sampled_from([0.0, 0.05, 0.3, 1.0, 4.0])
REFUSALS = st.sampled_from([None, None, None, SlowDown(0.5), SlowDown(6.0), SurfaceDown()])


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(st.tuples(PAUSES, st.integers(0, 5)), min_size=1, max_size=25),
    script=st.lists(REFUSALS, max_size=8),
    seconds=st.sampled_from([0.0, 0.2, 2.0]),
)
def test_any_cards_on_any_surface(
    steps: list[tuple[float, int]], script: list[Exception | None], seconds: float
) -> None:
    """Whatever comes and whatever is refused: the last card stands there, and no call comes too early."""
    surface = asyncio.run(_pour_any(steps, script, seconds))
    assert surface.shown[-1] == card(steps[-1][1])
    assert surface.most_at_once == 1
    assert all(a != b for a, b in zip(surface.shown, surface.shown[1:], strict=False))
    over = sum(pause for pause, _ in steps)
    for before, after in zip(surface.calls, surface.calls[1:], strict=False):
        gap = after.at - before.until
        if isinstance(before.refused, SlowDown):
            assert gap >= before.refused.seconds - 1e-9
        elif before.refused is None and after.at < over - 1e-9:
            assert gap >= surface.limits.edit_every - 1e-9


async def _pour_any(
    steps: list[tuple[float, int]], script: list[Exception | None], seconds: float
) -> FakeSurface:
    clock = FakeClock()
    surface = FakeSurface(clock, edit_every=1.0, script=script, seconds=seconds)
    await poured(clock, surface, [(pause, card(n)) for pause, n in steps])
    return surface
