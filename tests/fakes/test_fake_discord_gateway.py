"""The gateway of the fake Discord as discord.py's own client lives with it: RESUME, op 7, op 9, shards."""

import pytest

from tests.fakes.discord.server import FakeDiscord, Switches
from tests.fakes.discord_client import Bot, ShardedBot, connected, pointed_at


@pytest.mark.parametrize("way", ["close", "drop", "op 7", "op 9"])
async def test_what_is_said_while_the_bot_is_away_is_replayed(way: str) -> None:
    """However the connection ends: the client resumes, and hears once what was said in between."""
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with connected(server) as bot:
            await chat.send(ana, "antes")
            await bot.until(lambda: bot.heard)
            if way == "close":
                await server.gateway.close(4000)
            elif way == "drop":
                await server.gateway.drop()
            elif way == "op 7":
                server.gateway.reconnect()
            else:
                server.gateway.invalidate(resumable=True)
            await chat.send(ana, "entretanto")
            await server.gateway.wait_for("RESUME", timeout=10)
            await bot.until(lambda: bot.resumed)
            await chat.send(ana, "depois")
            await bot.until(lambda: len(bot.heard) == 3)
            assert [m.content for m in bot.heard] == ["antes", "entretanto", "depois"]
            assert [line.split()[0] for line in server.gateway.log if line != "HEARTBEAT"] == [
                "IDENTIFY",
                "RESUME",
            ]


async def test_after_op_9_the_client_begins_anew() -> None:
    """The session is over: it identifies again and hears what comes then."""
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        async with connected(server) as bot:
            server.gateway.invalidate()
            await server.gateway.wait_for("IDENTIFY", 2, timeout=15)
            await server.private(ana).send(ana, "oi")
            await bot.until(lambda: bot.heard)
            assert len(server.gateway.sessions) == 1


async def test_two_shards_share_the_guilds() -> None:
    """Each guild speaks to its own shard, private chats to the first; one shard may fall alone."""
    async with FakeDiscord(switches=Switches(shards=2)) as server:
        ana = server.person("Ana")
        rooms = [server.guild(f"G{n}", ana, shard=(n, 2)).channel("geral") for n in (0, 1)]
        async with connected(server, ShardedBot(shard_count=2)) as bot:
            for place in (*rooms, server.private(ana)):
                await place.send(ana, "oi")
            await bot.until(lambda: len(bot.heard) == 3)
            assert sorted(m.guild.shard_id if m.guild else -1 for m in bot.heard) == [-1, 0, 1]
            await server.gateway.close(4000, shard=1)
            await rooms[1].send(ana, "de novo")
            await server.gateway.wait_for("RESUME")
            await bot.until(lambda: len(bot.heard) == 4)
            assert server.gateway.live(0)


async def test_heartbeats_are_asked_for_and_answered() -> None:
    """At the interval of HELLO."""
    async with FakeDiscord(switches=Switches(heartbeat=0.05)) as server, connected(server) as bot:
        await server.gateway.wait_for("HEARTBEAT", 4)
        assert bot.latency < 1


async def test_a_ready_that_a_client_does_not_survive() -> None:
    """A switch for programs that must live on when one of their platforms crashes."""
    async with FakeDiscord(switches=Switches(broken_ready=True)) as server:
        with pointed_at(server):
            async with Bot() as bot:
                with pytest.raises(KeyError, match="session_id"):
                    await bot.start(server.token)
