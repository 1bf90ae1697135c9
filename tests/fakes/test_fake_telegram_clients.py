"""Two real clients against the fake: python-telegram-bot and aiogram, over sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiogram
import pytest
import telegram as ptb
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError, TelegramRetryAfter
from telegram.error import BadRequest, Conflict, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.ext import Application, CallbackQueryHandler, MessageHandler, TypeHandler, filters

from tests.fakes.calling import PNG, telegram
from tests.fakes.telegram.server import FakeTelegram

App = Application[Any, Any, Any, Any, Any, Any]


@asynccontextmanager
async def _ptb(server: FakeTelegram) -> AsyncIterator[App]:
    builder = Application.builder().token(server.token)
    app: App = builder.base_url(f"{server.url}/bot").base_file_url(f"{server.url}/file/bot").build()
    async with app:
        await app.start()
        try:
            yield app
        finally:
            if app.updater is not None and app.updater.running:
                await app.updater.stop()
            await app.stop()


@asynccontextmanager
async def _aiogram(server: FakeTelegram) -> AsyncIterator[aiogram.Bot]:
    api = TelegramAPIServer.from_base(server.url)
    async with aiogram.Bot(server.token, session=AiohttpSession(api=api)) as bot:
        yield bot


# ---------------------------------------------------------------- python-telegram-bot


async def _echo(update: ptb.Update, _context: object) -> None:
    message = update.effective_message
    assert message is not None
    keys = ptb.InlineKeyboardMarkup([[ptb.InlineKeyboardButton("Go", callback_data="go:1")]])
    await message.reply_text(f"heard: {message.text}", reply_markup=keys, do_quote=True)


async def _pressed(update: ptb.Update, _context: object) -> None:
    query = update.callback_query
    assert query is not None
    await query.answer("fine")
    await query.edit_message_text(f"pressed {query.data}")


async def test_ptb_polls_sends_edits_and_answers() -> None:
    """A whole turn by long polling: message, reply with button, press, answer, edit."""
    async with telegram() as (server, _), _ptb(server) as app:
        app.add_handlers([MessageHandler(filters.TEXT, _echo), CallbackQueryHandler(_pressed)])
        assert app.updater is not None
        await app.updater.start_polling()
        ana = server.person(1, language_code="pt-br")
        chat = server.private(ana)
        asked = await chat.send(ana, "hello")
        answer = await chat.wait_for(lambda m: m.text == "heard: hello")
        press = await answer.press(ana, "Go")
        assert (await press.answered()).text == "fine"
        await chat.wait_for(lambda m: m.text == "pressed go:1")
        assert answer.reply_to is asked
        assert answer.buttons == ()
        assert server.violations == []


async def test_ptb_takes_a_webhook_update_as_json() -> None:
    """The update a webhook gets is one the client can read and work on."""
    async with telegram() as (server, line), _ptb(server) as app:
        app.add_handler(MessageHandler(filters.TEXT, _echo))
        ana = server.person(1)
        group = server.group([ana])
        await group.send(ana, f"/ask@{server.bot.username} hi")
        body = (await line.ok("getUpdates"))[0]
        await app.process_update(ptb.Update.de_json(body, app.bot))
        await group.wait_for(lambda m: m.text.startswith("heard: /ask"))


async def test_ptb_drafts_and_stop_button() -> None:
    """Drafts with the newest parameters pass the judge; the stop of a draft arrives as an update."""
    async with telegram() as (server, _), _ptb(server) as app:
        stopped: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def any_update(update: ptb.Update, _context: object) -> None:
            stopped.set_result(update.api_kwargs["stopped_message_generation"])

        app.add_handler(TypeHandler(ptb.Update, any_update))
        assert app.updater is not None
        await app.updater.start_polling(allowed_updates=["stopped_message_generation"])
        chat = server.private(server.person(1))
        bold = [ptb.MessageEntity("bold", 0, 3)]
        await app.bot.send_message_draft(1, 9, "Hel", entities=bold, api_kwargs={"can_stop": True})
        assert chat.drafts[0].content.covered("bold") == ["Hel"]
        await chat.stop_draft()
        assert (await asyncio.wait_for(stopped, 5))["draft_id"] == 9
        assert server.violations == []


async def test_ptb_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each error arrives as the client's own class, with what it carries."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # the client's newer way, without its deprecation warning
    async with telegram() as (server, _), _ptb(server) as app:
        chat = server.private(server.person(1))
        sent = await app.bot.send_message(1, "x")
        with pytest.raises(BadRequest, match=r"(?i)message is not modified"):
            await sent.edit_text("x")
        server.fault("sendMessage", "status:429:7")
        with pytest.raises(RetryAfter) as wait:
            await app.bot.send_message(1, "x")
        for kind, error in (
            ("status:502", NetworkError),
            ("drop", NetworkError),
            ("lost", NetworkError),
            ("html", TelegramError),
        ):
            server.fault("sendMessage", kind)
            with pytest.raises(error):
                await app.bot.send_message(1, "x")
        await chat.block()
        with pytest.raises(Forbidden, match="blocked"):
            await app.bot.send_message(1, "x")
    assert wait.value.retry_after == timedelta(seconds=7)


async def test_ptb_conflict_reaches_the_first_poller() -> None:
    """A second poller makes the first one's error callback get a Conflict."""
    async with telegram() as (server, line), _ptb(server) as app:
        failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        assert app.updater is not None
        await app.updater.start_polling(
            error_callback=lambda error: None if failed.done() else failed.set_result(error)
        )
        await server.wait_arrived("getUpdates")
        second = asyncio.create_task(line.call("getUpdates", timeout=30))
        error = await asyncio.wait_for(failed, 5)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
    assert isinstance(error, Conflict)


async def test_ptb_files_both_ways() -> None:
    """A person's document is downloaded, a photo and a document of the bot are uploaded."""
    async with telegram() as (server, line), _ptb(server) as app:
        ana = server.person(1)
        chat = server.private(ana)
        await chat.document(ana, "notes.txt", b"hello", "text/plain")
        body = (await line.ok("getUpdates"))[0]["message"]["document"]
        file = await app.bot.get_file(body["file_id"])
        assert bytes(await file.download_as_bytearray()) == b"hello"
        await app.bot.send_photo(1, PNG, caption="photo")
        await app.bot.send_document(1, b"text", filename="a.md")
        assert [message.file for message in chat.answers] == [PNG, b"text"]
        assert server.violations == []


async def test_ptb_profile_and_the_rest() -> None:
    """Commands, descriptions, members, topics, actions and deletion pass the judge."""
    async with telegram() as (server, _), _ptb(server) as app:
        ana = server.person(1)
        forum = await server.forum([ana], bot="administrator")
        await app.bot.set_my_commands(
            [("help", "Help")], scope=ptb.BotCommandScopeChat(forum.id), language_code="en"
        )
        await app.bot.set_my_description("About")
        topic = forum.topic("Alpha")
        await app.bot.send_chat_action(forum.id, "typing", message_thread_id=topic)
        sent = await app.bot.send_message(forum.id, "x", message_thread_id=topic)
        await sent.delete()
        member = await app.bot.get_chat_member(forum.id, 1)
        admins = await app.bot.get_chat_administrators(forum.id)
        full = await app.bot.get_chat(forum.id)
        assert server.profile.commands_for("chat", "en", chat_id=forum.id) == {"help": "Help"}
        assert server.violations == []
    assert (member.status, [admin.user.id for admin in admins]) == ("member", [server.bot.id])
    assert full.is_forum


# ---------------------------------------------------------------- aiogram


async def test_aiogram_polls_sends_and_edits() -> None:
    """The library whose models judge is itself content with the answers."""
    async with telegram() as (server, _), _aiogram(server) as bot:
        ana = server.person(1)
        chat = server.private(ana)
        me = await bot.get_me()
        polling = asyncio.create_task(bot.get_updates(timeout=20))
        await server.wait_arrived("getUpdates")
        await chat.send(ana, "/start")
        updates = await polling
        sent = await bot.send_message(1, "<b>one</b>", parse_mode="HTML")
        edited = await bot.edit_message_text("two", chat_id=1, message_id=sent.message_id)
        await bot.send_photo(1, aiogram.types.BufferedInputFile(PNG, "a.png"))
        assert chat.answers[1].file == PNG
        assert server.violations == []
    assert me.username == server.bot.username
    assert updates[0].message is not None
    assert updates[0].message.text == "/start"
    assert isinstance(edited, aiogram.types.Message)
    assert edited.text == "two"


Calls = Callable[[aiogram.Bot], Awaitable[object]]


@pytest.mark.parametrize(
    ("fault", "call", "error"),
    [
        ("status:429:5", lambda bot: bot.send_message(1, "x"), TelegramRetryAfter),
        ("", lambda bot: bot.send_message(9, "x"), TelegramBadRequest),
        ("", lambda bot: bot.get_updates(timeout=20), TelegramConflictError),
    ],
)
async def test_aiogram_errors(fault: str, call: Calls, error: type[Exception]) -> None:
    """Errors arrive as aiogram's own classes too."""
    async with telegram() as (server, line), _aiogram(server) as bot:
        server.private(server.person(1))
        if fault:
            server.fault("sendMessage", fault)
        if error is TelegramConflictError:
            await line.ok("setWebhook", url="http://127.0.0.1:9/hook")
        with pytest.raises(error):
            await call(bot)
