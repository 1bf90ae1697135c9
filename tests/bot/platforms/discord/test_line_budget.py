"""What counts in the budget of a channel, and what does not."""

from typing import cast

import aiohttp
import pytest

from bot.platforms.discord.hearing import Spot
from bot.platforms.discord.line import Line
from bot.platforms.discord.pace import CALLS, EDIT, MOST, SECOND, Pace, Whole
from bot.platforms.discord.parts import Part
from bot.platforms.discord.wires import ChannelWire
from bot.ranks import Rank
from tests.fakes.clock import FakeClock
from tests.fakes.discord.server import FakeDiscord, Switches


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


async def test_a_second_apart_until_discord_tells_of_its_limits() -> None:
    """Whatever leaves, also the last words; then only what was told counts, which the library itself keeps."""
    clock = FakeClock(rushing=True)
    whole = Whole(clock)
    pace = Pace(clock, whole)
    await pace.turn(Rank.FIRST)
    await pace.turn(Rank.FINAL)
    assert clock.slept == [pytest.approx(EDIT)]
    whole.told = True
    await pace.turn(Rank.FINAL)
    assert clock.slept == [pytest.approx(EDIT)]


@pytest.mark.parametrize(
    ("switches", "told"),
    [(Switches(), True), (Switches(told=False), False), (Switches(bucket=(1, 1.0)), False)],
    ids=["five calls", "nothing", "one call"],
)
async def test_what_discord_tells_of_its_limits(switches: Switches, *, told: bool) -> None:
    """It stands in the answer to a message; in that to anything else it says nothing of messages."""
    whole = Whole(FakeClock())
    async with FakeDiscord(switches=switches) as server:
        chat = server.private(server.person("Ana"))
        given = {"Authorization": f"Bot {server.token}"}
        async with aiohttp.ClientSession(headers=given, trace_configs=[whole.listening()]) as session:
            async with session.get(f"{server.url}/users/@me") as answer:
                assert (answer.status, whole.told) == (200, False)
            path = f"{server.url}/channels/{chat.id}/messages"
            async with session.post(path, json={"content": "oi"}) as answer:
                assert (answer.status, whole.told) == (200, told)
