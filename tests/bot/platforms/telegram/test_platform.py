"""The platform with a scripted responder, against a Bot API server on a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.cards import Card, Notice, Reply, Tone
from bot.platforms.telegram import TelegramPlatform
from bot.showing import show
from bot.surface import MenuItem, NotThere
from core.conversation import ChatRef
from core.errors import SettingWrong
from tests.fakes.clock import FakeClock
from tests.fakes.responder import FakeResponder
from tests.fakes.telegram.server import FakeTelegram

MENU = (MenuItem("key", (), "Guardar uma chave", "FORNECEDOR"),)


@asynccontextmanager
async def running(telegram: FakeTelegram, responder: FakeResponder) -> AsyncIterator[TelegramPlatform]:
    platform = TelegramPlatform(telegram.token, telegram.url)
    task = asyncio.create_task(platform.run(responder))
    try:
        await telegram.wait_arrived("getUpdates")
        yield platform
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert telegram.violations == []


async def test_a_message_can_be_taken_away() -> None:
    """Whoever answers may have the message deleted, and learns whether it is gone."""
    responder = FakeResponder({"sk-canary": [Notice(Tone.INFO, "lida")]}, commands=MENU)
    async with FakeTelegram() as telegram, running(telegram, responder):
        ana = telegram.person(42, language_code="pt-br")
        chat = telegram.private(ana)
        for gone in (True, False):
            if not gone:
                telegram.fault("deleteMessage", "status:400", text="Bad Request: message can't be deleted")
            told = await chat.send(ana, "sk-canary")
            await telegram.wait_for("sendMessage", 1 if gone else 2)
            heard = responder.heard[-1]
            assert heard.private
            assert heard.door == f"https://t.me/{telegram.bot.username}?start={{}}"
            assert heard.erase is not None
            assert await heard.erase() is gone
            assert told.deleted is gone
            assert await heard.erase() is True, "what is not there any more is gone"


async def test_news_that_nobody_asked_for() -> None:
    """A chat is reached by its name, topics too; a chat of another platform is none."""
    responder = FakeResponder()
    async with FakeTelegram() as telegram, running(telegram, responder) as platform:
        ana = telegram.person(42)
        telegram.private(ana)
        forum = await telegram.forum([ana])

        async def news() -> AsyncIterator[Notice]:
            yield Notice(Tone.INFO, "notícia")

        await show(news(), platform.surface(ChatRef("telegram", str(forum.id), str(forum.topic("Beta")))))
        assert [(m.text, m.thread) for m in forum.answers] == [("notícia", forum.topic("Beta"))]
        with pytest.raises(ValueError, match="discord"):
            platform.surface(ChatRef("discord", "1"))


async def test_a_mistake_with_one_update_does_not_end_the_others() -> None:
    """A responder that raises is told in the log, and the next message is answered."""

    async def broken(_: object) -> AsyncIterator[Reply]:
        yield Reply("", done=False)
        raise RuntimeError

    responder = FakeResponder({"quebra": broken})
    async with FakeTelegram() as telegram, running(telegram, responder):
        ana = telegram.person(42)
        chat = telegram.private(ana)
        await chat.send(ana, "quebra")
        await chat.send(ana, "oi")
        await chat.wait_for(lambda m: m.by_bot and "oi" in m.text)


async def test_telegram_is_away_at_the_start() -> None:
    """It is tried until it answers, less and less often."""
    async with FakeTelegram() as telegram:
        telegram.fault("getMe", "status:502", times=3)
        clock = FakeClock(rushing=True)
        platform = TelegramPlatform(telegram.token, telegram.url, clock=clock)
        task = asyncio.create_task(platform.run(FakeResponder()))
        await telegram.wait_arrived("getUpdates")
        assert clock.slept[:3] == [1.0, 2.0, 4.0]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("when", ["login", "later"])
async def test_a_token_that_is_not_taken(when: str) -> None:
    """At the start, or when it is revoked while the bot runs: the setting is named, its value is not."""
    async with FakeTelegram() as telegram:
        platform = TelegramPlatform(telegram.token if when == "later" else "1:canary", telegram.url)
        task = asyncio.create_task(platform.run(FakeResponder()))
        if when == "later":
            await telegram.wait_arrived("getUpdates")
            telegram.fault("getUpdates", "status:401", text="Unauthorized")
            ana = telegram.person(42)
            await telegram.private(ana).send(ana, "oi")
        with pytest.raises(SettingWrong) as told:
            async with asyncio.timeout(10):
                await task
        assert told.value.name == "TELEGRAM_BOT_TOKEN"
        assert "canary" not in str(told.value)


async def test_nothing_of_a_stranger_is_fetched() -> None:
    """Files are not downloaded, and what cannot be read gets no card of the platform's own: the responder decides."""
    responder = FakeResponder({text: [Notice(Tone.INFO, "Bot particular")] for text in ("veja", "e isto")})
    responder.strangers = {"telegram:42"}
    async with FakeTelegram() as telegram, running(telegram, responder):
        ana = telegram.person(42)
        chat = telegram.private(ana)
        await chat.document(ana, "programa.exe", b"MZ", caption="veja")
        await chat.document(ana, "notas.txt", b"x", caption="e isto")
        await telegram.wait_for("sendMessage", 2)
        assert {heard.text for heard in responder.heard} == {"veja", "e isto"}
        assert [answer.text for answer in chat.answers] == ["Bot particular"] * 2
        assert telegram.count("getFile") == 0


async def test_what_stood_there_and_is_gone_is_not_said_anew() -> None:
    """News for a message that somebody deleted are for nobody: a list that follows must not be posted again."""
    async with FakeTelegram() as telegram, running(telegram, FakeResponder()) as platform:
        ana = telegram.person(42)
        chat = telegram.private(ana)
        where = ChatRef("telegram", "42")
        await show(_only(Notice(Tone.INFO, "lista")), platform.surface(where))
        (listed,) = chat.answers
        await show(_only(Notice(Tone.INFO, "nova")), platform.surface(where, (str(listed.id),)))
        assert [m.text for m in chat.answers] == ["nova"]
        await chat.delete(listed)
        with pytest.raises(NotThere):
            await show(_only(Notice(Tone.INFO, "outra")), platform.surface(where, (str(listed.id),)))
        assert chat.answers == []


async def _only(card: Card) -> AsyncIterator[Card]:
    yield card
