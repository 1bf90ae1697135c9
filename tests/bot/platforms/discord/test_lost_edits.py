"""An edit whose answer was lost may have made components of words: nobody knows, and the answer lands."""

import asyncio
from collections.abc import AsyncIterator

from bot.cards import Card, Progress, Reply
from bot.surface import Incoming
from tests.bot.platforms.discord.running import Bilingual, running
from tests.fakes.clock import FakeClock
from tests.fakes.discord.server import FakeDiscord

POST = "POST /channels/*/messages"
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


async def test_a_first_message_that_was_tried_as_words_and_as_components() -> None:
    """Which of the tries it stands there from nobody knows; the answer lands."""
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

        async def tried(words: str) -> None:
            await server.world.bell.until(
                lambda: any(words in str(c.body) for c in server.journal.matching(POST)) or None,
                5,
                lambda: words,
            )

        async with running(server, responder, clock=FakeClock(rushing=True)):
            server.fault(POST, "drop", times=None)
            await chat.send(ana, "oi")
            await tried("Lendo")
            slow.set()
            await tried("6 s")
            server.faults.rules.clear()
            server.fault(POST, "lost")
            server.fault(POST, "drop", times=None)
            await chat.says("6 s")
            done.set()
            await tried("Olá")
            server.faults.rules.clear()
            await chat.says("Olá")
            await responder.until_landed()
            assert [m.text for m in chat.answers] == ["Olá"]
