"""The platform: logs in, takes updates until it is told to end, and leaves within seconds."""

import asyncio
import contextvars
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

import structlog
from telegram import Update
from telegram.error import InvalidToken, RetryAfter, TelegramError
from telegram.ext import Application, ApplicationBuilder, TypeHandler

from bot.platforms.telegram.bot import POLL, WatchedBot
from bot.platforms.telegram.hearing import NAME, Spot
from bot.platforms.telegram.hook import Hook, HookPlace
from bot.platforms.telegram.menu import set_menus
from bot.platforms.telegram.talk import Talk
from bot.platforms.telegram.wording import Speak, in_portuguese
from bot.surface import Responder, Surface
from core.clock import Clock, SystemClock
from core.conversation import ChatRef
from core.errors import SettingWrong

log = structlog.get_logger(__name__)

UPDATES = ["message", "edited_message", "callback_query", "stopped_message_generation"]
LEAVE_WITHIN = 3.0
LONGEST_PAUSE = 30.0
App = Application[Any, Any, Any, Any, Any, Any]


class TelegramPlatform:
    """One bot on Telegram, or on another server that speaks its Bot API (`api_root`, without `/bot`).

    With a `hook` it is told of messages, else it fetches them. `rich` = finished answers are tried as rich messages.
    """

    name = NAME

    def __init__(
        self,
        token: str,
        api_root: str,
        *,
        speak: Speak = in_portuguese,
        clock: Clock | None = None,
        hook: HookPlace | None = None,
        rich: bool = False,
    ) -> None:
        self._token = token
        self._api_root = api_root
        self._speak = speak
        self._clock = clock or SystemClock()
        self._hook = hook
        self._rich = rich
        self._bot: WatchedBot | None = None
        self._talk: Talk | None = None

    @property
    def trouble(self) -> str:
        """What is wrong with the line to Telegram; empty while all is well."""
        return "" if self._bot is None else self._bot.trouble

    async def run(self, responder: Responder) -> None:
        """Answer people until cancelled. Raises SettingWrong if Telegram does not take the token."""
        bot = self._bot = WatchedBot(self._token, self._api_root)
        app = ApplicationBuilder().bot(bot).job_queue(None).concurrent_updates(True).build()  # noqa: FBT003  # the library's own
        app.add_error_handler(_told)
        try:
            await self._log_in(app, bot)
            await self._serve(app, bot, responder)
        except InvalidToken:
            raise SettingWrong("TELEGRAM_BOT_TOKEN", self._speak(None).rejected) from None
        finally:
            self._talk = None
            await _leave(app)

    def surface(self, chat: ChatRef, standing: Sequence[str] = (), person: str = "") -> Surface:
        """Where news appear that nobody asked for just now, in place of the `standing` messages."""
        if self._talk is None or chat.platform != NAME:
            raise ValueError(chat)
        thread = int(chat.thread)
        owner = int(person.partition(":")[2]) if person and int(chat.chat) < 0 else None
        spot = Spot(int(chat.chat), thread or None, owner)
        surface = self._talk.answers.surface(spot, tuple(int(one) for one in standing))
        surface.in_place = bool(standing)
        return surface

    async def private(self, person: str) -> ChatRef | None:
        """See `Platform.private`: a private chat has the number of its person."""
        platform, _, number = person.partition(":")
        return ChatRef(NAME, number) if platform == NAME and number.isdigit() else None

    async def _log_in(self, app: App, bot: WatchedBot) -> None:
        """Until Telegram answers, however long it is away."""
        pause = 1.0
        while True:
            try:
                await app.initialize()
            except InvalidToken:
                raise
            except RetryAfter as asked:
                pause = asked._retry_after.total_seconds()  # noqa: SLF001  # the public one has two types by a setting
            except TelegramError as trouble:
                bot.suffers(type(trouble).__name__)
                log.warning("telegram does not answer", why=bot.trouble, again_in=pause)
            else:
                return bot.well()
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _serve(self, app: App, bot: WatchedBot, responder: Responder) -> None:
        tasks: set[asyncio.Task[None]] = set()
        context = contextvars.copy_context()  # posts come in one of the HTTP server's

        def spawn(what: Coroutine[Any, Any, None]) -> None:
            task = asyncio.create_task(what, context=context.copy())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        self._talk = Talk(
            bot, bot.bot, responder, speak=self._speak, clock=self._clock, spawn=spawn, rich=self._rich
        )
        try:
            spawn(set_menus(bot, responder, self._clock))
            if self._hook is None:
                await self._poll(app, bot, self._talk)
            else:
                await Hook(self._hook, bot, UPDATES, self._clock).run(self._talk.take)
        finally:
            running = list(tasks)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _poll(self, app: App, bot: WatchedBot, talk: Talk) -> None:
        """Fetch updates; a web hook that was set before is taken away by the library."""
        assert app.updater is not None
        app.add_handler(TypeHandler(Update, talk.take))
        await app.start()
        await app.updater.start_polling(
            timeout=POLL, bootstrap_retries=-1, allowed_updates=UPDATES, error_callback=_heard_already
        )
        log.info("telegram is ready", bot=f"@{bot.username}")
        await bot.until_rejected()
        raise InvalidToken


async def _leave(app: App) -> None:
    """Stop polling and close every connection; a server that hangs is not waited for."""
    steps = [app.updater.stop] if app.updater is not None and app.updater.running else []
    steps += [app.stop] if app.running else []
    try:
        async with asyncio.timeout(LEAVE_WITHIN):
            for step in [*steps, app.shutdown, app.bot.shutdown]:  # the last also where login failed
                with suppress(TelegramError, RuntimeError):
                    await step()
    except TimeoutError:
        log.warning("telegram left without a good-bye")


def _heard_already(_: TelegramError) -> None:
    """The bot itself tells of its polling."""


async def _told(_: object, context: Any) -> None:
    """Never the library's own report: it quotes the update."""
    log.error("update failed", bug=type(context.error).__name__)
