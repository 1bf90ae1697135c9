"""Between platforms and the assistant: whose lines the log has, and how one takes leave."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import structlog

from bot.cards import Card, Reply, plain
from bot.reception import Reception
from bot.surface import Incoming
from bot.watch import watching
from core.conversation import ChatRef
from tests.fakes.clock import settle
from tests.fakes.responder import FakeResponder

ANA = Incoming(ChatRef("telegram", "42"), "telegram:42", "oi", language="en")


class Behind(FakeResponder):
    """A responder that can be interrupted; its answers write into the log."""

    def __init__(self) -> None:
        super().__init__({"long": self.for_ever})
        self.interrupted: list[ChatRef] = []
        self.seen: list[object] = []

    async def for_ever(self, incoming: Incoming) -> AsyncIterator[Card]:
        self.seen.append(structlog.contextvars.get_contextvars().get("chat"))
        yield Reply(incoming.text, done=False)
        await self.until_cancelled()
        yield Reply("cut", done=True)

    def interrupt(self, chat: ChatRef) -> None:
        self.interrupted.append(chat)
        self._stop.set()


async def cards(reception: Reception, incoming: Incoming) -> list[str]:
    return [plain(card) async for card in reception.respond(incoming)]


async def test_each_task_has_its_conversation_in_the_log() -> None:
    """Two at once do not mix, and nothing is left over for whoever comes next."""
    behind = Behind()
    reception = Reception(behind, "pt-BR")
    asks = [replace(ANA, chat=ChatRef("telegram", str(n)), text="long") for n in range(2)]
    tasks = [asyncio.create_task(cards(reception, ask)) for ask in asks]
    await settle()
    await reception.leave(0.0)
    await asyncio.gather(*tasks)
    assert sorted(map(str, behind.seen)) == ["telegram:0:0", "telegram:1:0"]
    assert "chat" not in structlog.contextvars.get_contextvars()


async def test_leaving_with_nothing_under_way() -> None:
    """It does not wait."""
    behind = Behind()
    reception = Reception(behind, "pt-BR")
    assert await cards(reception, ANA) == ["`'oi'`"]
    async with asyncio.timeout(5):
        await reception.leave(100.0)
    assert behind.interrupted == []


async def test_who_comes_too_late_is_told() -> None:
    """In the person's language, and nobody is asked any more; arriving is the same."""
    behind = Behind()
    reception = Reception(behind, "pt-BR")
    await reception.leave(0.0)
    heard = len(behind.heard)
    told = await cards(reception, ANA)
    greeted = [plain(card) async for card in reception.greet(replace(ANA, language=None))]
    assert told == ["🔄 I am being restarted.\nPlease ask again in a minute."]
    assert greeted == ["🔄 Estou sendo reiniciado.\nPergunte de novo daqui a um minuto."]
    assert len(behind.heard) == heard


async def test_what_is_under_way_has_its_time() -> None:
    """An answer that ends by itself is not interrupted; one that does not is, once the time is over."""
    behind = Behind()
    reception = Reception(behind, "pt-BR")
    quick = asyncio.create_task(cards(reception, replace(ANA, text="long")))
    await settle()
    leaving = asyncio.create_task(reception.leave(100.0))
    await asyncio.sleep(0)
    assert not leaving.done()
    behind._stop.set()
    await leaving
    assert behind.interrupted == []
    assert await quick == ["long", "cut"]
    behind.seen.clear()
    reception = Reception(behind, "pt-BR")
    slow = asyncio.create_task(cards(reception, replace(ANA, text="long")))
    await settle()
    await reception.leave(0.05)
    assert behind.interrupted == [ANA.chat]
    assert await slow == ["long", "cut"]


async def test_the_rest_is_handed_on() -> None:
    """Menus, completions, stopping and landings reach whoever is behind."""
    behind = Behind()
    reception = Reception(behind, "pt-BR")
    assert list(reception.menu("en")) == []
    assert list(await reception.complete("use", "x", ANA)) == []
    assert reception.cancel(ANA.chat)
    await reception.landed(ANA, Reply("x", done=True), ["7"])
    assert behind.languages == ["en"]
    assert behind.cancelled == [ANA.chat]
    assert behind.landings == [(ANA, Reply("x", done=True), ("7",))]


@pytest.mark.parametrize("ends", [True, False])
async def test_until_quiet(*, ends: bool) -> None:
    """A delivery counts until it is over, also one that breaks."""
    watch = watching.get()
    with pytest.raises(ZeroDivisionError) if not ends else watch.delivery():
        if not ends:
            with watch.delivery():
                raise ZeroDivisionError
    async with asyncio.timeout(5):
        await watch.until_quiet()


async def test_strangers_are_told_nothing_on_leaving() -> None:
    """Whoever may not talk gets no card of ours either."""
    behind = Behind()
    behind.strangers = {ANA.who}
    reception = Reception(behind, "en")
    await reception.leave(0.0)
    assert await cards(reception, ANA) == []
