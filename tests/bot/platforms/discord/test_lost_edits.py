"""An edit whose answer was lost may have made components of words: nobody knows, and the answer lands."""

import asyncio
from collections.abc import AsyncIterator

from bot.cards import Card, Progress, Reply
from bot.surface import Incoming
from tests.bot.platforms.discord.running import Bilingual, running
from tests.fakes.clock import FakeClock
from tests.fakes.discord.server import FakeDiscord

PATCH = "PATCH /channels/*/messages/*"


async def test_words_that_may_have_become_components() -> None:
    """The answer in words gets a message of its own, and what stood there goes."""
    slow, done = asyncio.Event(), asyncio.Event()

    async def answer(_: Incoming) -> AsyncIterator[Card]:
        yield Progress("Lendo", None)
        await slow.wait()
        yield Progress("Lendo", None, "6 s")
        await done.wait()
        yield Reply("Olá", done=True)

    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        responder = Bilingual({"oi": answer})
        async with running(server, responder, clock=FakeClock(rushing=True)):
            await chat.send(ana, "oi")
            card = await chat.says("Lendo")
            assert card.stored.content
            server.fault(PATCH, "lost", times=None)
            slow.set()
            await chat.says("6 s")
            assert not card.stored.content
            done.set()
            server.faults.rules.clear()
            await chat.says("Olá")
            await responder.until_landed()
            assert [m.text for m in chat.answers] == ["Olá"]
