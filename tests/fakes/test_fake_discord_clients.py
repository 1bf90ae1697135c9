"""discord.py, the library as it is, talks to the fake Discord: messages, files, threads, rights."""

import io

import discord
import pytest

from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord_client import Bot, connected, pointed_at


async def test_a_private_message_is_heard_and_answered() -> None:
    """A person writes; the bot hears the words, answers and edits; every edit is kept, and who typed."""
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with connected(server) as bot:
            asked = await chat.send(ana, "oi")
            await bot.until(lambda: bot.heard)
            assert [m.content for m in bot.heard] == ["oi"]
            async with bot.heard[0].channel.typing():
                sent = await bot.heard[0].reply("olá <@1>")
            await sent.edit(content="olá!")
            await chat.wait_typing()
        answer = chat.answers[0]
        assert (answer.text, [edit.text for edit in answer.edits]) == ("olá!", ["olá!"])
        assert (answer.reply_to, answer.pings) == (asked.id, [])
        assert server.violations == []


async def test_a_file_goes_both_ways() -> None:
    """An attachment can be fetched by its address; a file of the bot's is there to read."""
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with connected(server) as bot:
            await chat.send(ana, "veja", files=[("a.txt", b"abc")])
            await bot.until(lambda: bot.heard)
            assert await bot.heard[0].attachments[0].read() == b"abc"
            await bot.heard[0].channel.send("pronto", file=discord.File(io.BytesIO(b"longa"), "resposta.md"))
        assert chat.answers[0].files == {"resposta.md": b"longa"}
        assert server.calls[-1].files == ("resposta.md",)
        assert server.violations == []


async def test_a_guild_with_threads_and_what_is_closed_to_the_bot() -> None:
    """Members write; the bot opens a thread and talks there; in a channel closed to it, it may not."""
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        guild = server.guild("Casa", ana)
        general = guild.channel("geral")
        closed = guild.channel("segredo", hidden_from=[server.bot.id])
        async with connected(server) as bot:
            asked = await general.send(ana, f"<@{server.bot.id}> oi")
            await bot.until(lambda: bot.heard)
            heard = bot.heard[0]
            assert (heard.content, [m.id for m in heard.mentions]) == (asked.text, [server.bot.id])
            thread = await heard.create_thread(name="conversa")
            await thread.send("aqui")
            assert [t.name for t in general.threads] == ["conversa"]
            await general.threads[0].send(ana, "sim")
            await bot.until(lambda: len(bot.heard) == 2)
            assert isinstance(bot.heard[1].channel, discord.Thread)
            with pytest.raises(discord.Forbidden, match="50001"):
                await bot.get_partial_messageable(closed.id).send("alô")
        assert [m.text for m in general.threads[0].answers] == ["aqui"]
        assert server.violations == []


async def test_without_the_content_intent_only_what_concerns_the_bot_is_readable() -> None:
    """A mention is readable, other words of a guild are not; private chats are."""
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        general = server.guild("Casa", ana).channel("geral")
        async with connected(server, Bot(content=False)) as bot:
            await general.send(ana, "nada")
            await general.send(ana, f"oi <@{server.bot.id}>")
            await server.private(ana).send(ana, "a sós")
            await bot.until(lambda: len(bot.heard) == 3)
            assert [m.content for m in bot.heard] == ["", f"oi <@{server.bot.id}>", "a sós"]


async def test_a_wrong_token_and_an_intent_that_is_not_allowed() -> None:
    """401 over HTTP, 4014 at the gateway: both end the client as they do at Discord."""
    async with FakeDiscord() as server:
        with pointed_at(server):
            async with Bot() as bot:
                with pytest.raises(discord.LoginFailure):
                    await bot.start("wrong.token.here")
            server.switches.privileged.clear()
            async with Bot() as bot:
                with pytest.raises(discord.PrivilegedIntentsRequired):
                    await bot.start(server.token)
        assert server.gateway.log.count("IDENTIFY 0/1") == 1


async def test_a_body_that_discord_does_not_take_is_a_violation() -> None:
    """Too many characters and unknown fields are refused with 50035, and written down."""
    async with FakeDiscord() as server:
        chat = server.private(server.person("Ana"))
        async with connected(server) as bot:
            route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=chat.id)
            for body in ({"content": "x" * 2001}, {"contents": "x"}):
                with pytest.raises(discord.HTTPException, match="50035"):
                    await bot.http.request(route, json=body)
        assert len(server.violations) == 2
        assert "2001 characters" in server.violations[0].problem
        assert "'contents' was unexpected" in server.violations[1].problem
