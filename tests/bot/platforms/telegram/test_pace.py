"""The outgoing budget of a chat: who goes first, who is dropped, and pauses."""

import asyncio
from contextlib import suppress
from itertools import pairwise

import pytest

from bot.platforms.telegram.pace import (
    AGAIN,
    APART,
    DRAFT,
    GROUP,
    GROUP_MINUTE,
    KEPT,
    MINUTE,
    PRIVATE,
    TYPING,
    Pace,
)
from bot.ranks import Rank
from bot.surface import SlowDown
from tests.fakes.clock import FakeClock, settle


async def test_the_first_call_goes_at_once() -> None:
    """Nobody waits where nothing was said yet."""
    clock = FakeClock()
    await Pace(clock).turn(Rank.PROGRESS, PRIVATE)
    assert clock.slept == []


@pytest.mark.parametrize("gap", [DRAFT, PRIVATE, GROUP])
async def test_progress_is_refused_until_the_gap_is_over(gap: float) -> None:
    """It is told when to come again, and never queued."""
    clock = FakeClock()
    pace = Pace(clock)
    await pace.turn(Rank.FIRST, gap)
    await clock.advance(gap / 2)
    with pytest.raises(SlowDown) as told:
        await pace.turn(Rank.PROGRESS, gap)
    assert told.value.seconds == pytest.approx(min(gap / 2, AGAIN))
    assert pace.rest == pytest.approx(gap / 2)
    await clock.advance(gap / 2)
    await pace.turn(Rank.PROGRESS, gap)


async def test_a_final_card_waits_a_second_at_most() -> None:
    """In a group progress rests longer, the answer does not."""
    clock = FakeClock()
    pace = Pace(clock)
    await pace.turn(Rank.PROGRESS, GROUP)
    final = asyncio.create_task(pace.turn(Rank.FINAL, GROUP))
    await clock.advance(APART - 0.01)
    assert not final.done()
    await clock.advance(0.01)
    assert final.done()


async def test_a_final_card_goes_before_a_first_one_that_came_earlier() -> None:
    """By rank, then by arrival, a second apart."""
    clock = FakeClock()
    pace = Pace(clock)
    await pace.turn(Rank.FIRST, PRIVATE)
    went: list[tuple[str, float]] = []

    async def go(name: str, rank: Rank) -> None:
        await pace.turn(rank, PRIVATE)
        went.append((name, clock.monotonic()))

    names = [("first", Rank.FIRST), ("final", Rank.FINAL), ("second final", Rank.FINAL)]
    tasks = [asyncio.create_task(go(*one)) for one in names]
    await clock.advance(10)
    await asyncio.gather(*tasks)
    assert [name for name, _ in went] == ["final", "second final", "first"]
    times = [0.0, *(at for _, at in went)]
    assert min(b - a for a, b in pairwise(times)) >= APART


async def test_progress_is_refused_while_others_stand_in_line() -> None:
    """A place in the line is worth more than news of the moment."""
    clock = FakeClock()
    pace = Pace(clock)
    await pace.turn(Rank.PROGRESS, DRAFT)
    waiting = asyncio.create_task(pace.turn(Rank.FINAL, PRIVATE))
    await settle()
    with pytest.raises(SlowDown):
        await pace.turn(Rank.PROGRESS, DRAFT)
    await clock.advance(APART)
    await waiting


async def test_a_second_passes_from_answer_to_call() -> None:
    """However long a call is on its way, the server sees the next one a second later: also after a draft."""
    clock = FakeClock()
    pace = Pace(clock)
    await pace.turn(Rank.PROGRESS, DRAFT)
    await clock.advance(0.7)
    pace.answered(DRAFT)
    final = asyncio.create_task(pace.turn(Rank.FINAL, PRIVATE))
    await clock.advance(1.0)
    assert not final.done()
    await clock.advance(APART - 1.0)
    assert final.done()


async def test_a_group_bears_twenty_calls_a_minute() -> None:
    """Whoever wants to say something there: in no minute are there more, and the last ones are not for progress."""
    clock = FakeClock()
    pace = Pace(clock, GROUP_MINUTE)
    went: list[tuple[float, Rank]] = []

    async def final() -> None:
        await pace.turn(Rank.FINAL, GROUP)
        went.append((clock.monotonic(), Rank.FINAL))

    finals = []
    for second in range(240):
        if second % 5 == 0 or 100 < second < 115:  # a busy group
            finals.append(asyncio.create_task(final()))
        with suppress(SlowDown):
            await pace.turn(Rank.PROGRESS, GROUP)
            went.append((clock.monotonic(), Rank.PROGRESS))
        await clock.advance(1)
    await clock.advance(120)
    await asyncio.gather(*finals)
    times = [at for at, _ in went]
    assert all(sum(at - MINUTE < other <= at for other in times) <= GROUP_MINUTE for at in times)
    assert all(b - a >= 1 for a, b in pairwise(times))
    assert any(rank is Rank.PROGRESS for _, rank in went)
    for at, rank in went:
        before = sum(at - MINUTE < other < at for other in times)
        assert rank is Rank.FINAL or before < GROUP_MINUTE - KEPT


async def test_our_own_pace_is_no_pause_that_was_asked_for() -> None:
    """So it keeps no last card, and is not counted as one."""
    pace = Pace(FakeClock())
    await pace.turn(Rank.PROGRESS, DRAFT)
    with pytest.raises(SlowDown) as told:
        await pace.turn(Rank.PROGRESS, DRAFT)
    assert told.value.asked is False


async def test_a_pause_holds_for_every_rank_and_for_one_chat() -> None:
    """Also for the final card; another chat goes on."""
    clock = FakeClock()
    pace, other = Pace(clock), Pace(clock)
    pace.pause(7)
    final = asyncio.create_task(pace.turn(Rank.FINAL, PRIVATE))
    await clock.advance(6.9)
    assert not final.done()
    await other.turn(Rank.PROGRESS, PRIVATE)
    await clock.advance(0.2)
    assert final.done()


async def test_a_pause_that_grows_while_somebody_waits_is_kept() -> None:
    """A second refusal is waited out as well."""
    clock = FakeClock()
    pace = Pace(clock)
    pace.pause(2)
    final = asyncio.create_task(pace.turn(Rank.FINAL, PRIVATE))
    await clock.advance(1)
    pace.pause(5)
    await clock.advance(4.5)
    assert not final.done()
    await clock.advance(1)
    assert final.done()


async def test_after_a_refusal_progress_goes_at_half_the_pace_for_a_minute() -> None:
    """Whoever was told to slow down does."""
    clock = FakeClock()
    pace = Pace(clock)
    pace.pause(1)
    await clock.advance(1)
    await pace.turn(Rank.PROGRESS, PRIVATE)
    await clock.advance(PRIVATE)
    assert pace.rest == pytest.approx(PRIVATE)
    with pytest.raises(SlowDown):
        await pace.turn(Rank.PROGRESS, PRIVATE)
    await clock.advance(60)
    await pace.turn(Rank.PROGRESS, PRIVATE)
    await clock.advance(PRIVATE)
    await pace.turn(Rank.PROGRESS, PRIVATE)


async def test_who_gives_up_leaves_the_line() -> None:
    """A cancelled answer blocks nobody."""
    clock = FakeClock()
    pace = Pace(clock)
    await pace.turn(Rank.FIRST, PRIVATE)
    gone = asyncio.create_task(pace.turn(Rank.FINAL, PRIVATE))
    stays = asyncio.create_task(pace.turn(Rank.FIRST, PRIVATE))
    await settle()
    gone.cancel()
    await clock.advance(2)
    assert stays.done()
    assert not pace.idle
    await clock.advance(MINUTE + 5)
    assert pace.idle


async def test_typing_does_not_shorten_the_rest_after_an_edit() -> None:
    """A call with a small gap changes nothing for progress that has to wait longer."""
    clock = FakeClock()
    pace = Pace(clock)
    await pace.turn(Rank.PROGRESS, GROUP)
    await clock.advance(APART)
    await pace.turn(Rank.FIRST, TYPING)
    assert pace.rest == pytest.approx(GROUP - APART)
