"""What counts in the budget of a channel, and what does not."""

from typing import cast

from bot.platforms.discord.hearing import Spot
from bot.platforms.discord.line import Line
from bot.platforms.discord.pace import CALLS, MOST, SECOND, Pace, Whole
from bot.platforms.discord.parts import Part
from bot.platforms.discord.wires import ChannelWire
from bot.ranks import Rank
from tests.fakes.clock import FakeClock


class Wires:
    """Takes everything."""

    async def send(self, _: Part, nonce: int, *, first: bool) -> int:
        assert not first
        return nonce

    async def delete(self, message: int) -> None:
        """It is gone."""


async def test_taking_messages_away_costs_nothing() -> None:
    """Discord gives deletions a limit of their own: after many of them the next message leaves at once."""
    clock = FakeClock()
    line = Line(Spot(1, private=True), Pace(clock), cast("ChannelWire", Wires()))
    for number in range(3 * CALLS):
        await line.delete(number)
    assert await line.send(Part("oi"), Rank.FIRST, 7) == 7
    assert clock.slept == []


async def test_the_whole_bot_stays_below_fifty_calls_a_second() -> None:
    """So many leave at once, in the order in which they came; the next one waits for the second to end."""
    clock = FakeClock(rushing=True)
    whole = Whole(clock)
    for _ in range(MOST):
        assert whole.free
        await whole.turn()
    assert clock.slept == []
    assert not whole.free
    await whole.turn()
    assert clock.slept == [SECOND]
