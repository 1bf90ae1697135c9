"""`/thread` where it cannot be done, and in channels of another kind."""

import discord

from tests.bot.platforms.discord.running import Bilingual, running
from tests.bot.platforms.discord.test_servers import house
from tests.fakes.discord.server import FakeDiscord

NEWS_THREAD = discord.ChannelType.news_thread.value


async def test_the_network_is_away() -> None:
    """Whoever asked for a thread hears that Discord was away, not that there can be none."""
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.guild("Casa", ana).channel("geral")
        async with running(server, Bilingual()):
            server.fault("POST /channels/*/messages/*/threads", "drop", times=None)
            await chat.send(ana, f"<@{server.bot.id}> /thread férias")
            await chat.says("O Discord não respondeu")
            assert chat.threads == []


async def test_in_a_channel_for_announcements() -> None:
    """Its threads are of a kind of their own, and Discord takes no other."""
    async with house() as h:
        news = h.guild.create_news_channel("novidades")
        await h.ana.slash(news, "thread", name="debate")
        # simcord knows no such threads, so what was asked for is all that can be looked at
        asked = [each.json for each in h.env.http_requests if each.path == f"/channels/{news.id}/threads"]
        assert [(each["name"], each["type"]) for each in asked if each] == [("debate", NEWS_THREAD)]
