"""The library's bot, watched: what becomes of its polling is told in the log, with what to do about it."""

import asyncio
from typing import Any

import structlog
from telegram import Update
from telegram.error import Conflict, InvalidToken, TelegramError
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

log = structlog.get_logger(__name__)

POLL = 30  # seconds that Telegram holds a call for updates
CONNECT = 10.0
PATIENCE = 20.0
CALLS_AT_ONCE = 64


class WatchedBot(ExtBot[None]):
    """Knows whether Telegram answers, and whether it still takes the token."""

    def __init__(self, token: str, api_root: str) -> None:
        calls = HTTPXRequest(
            connection_pool_size=CALLS_AT_ONCE,
            read_timeout=PATIENCE,
            write_timeout=PATIENCE,
            connect_timeout=CONNECT,
            pool_timeout=PATIENCE,
        )
        polling = HTTPXRequest(connection_pool_size=2, read_timeout=CONNECT, connect_timeout=CONNECT)
        super().__init__(
            token,
            base_url=f"{api_root}/bot",
            base_file_url=f"{api_root}/file/bot",
            request=calls,
            get_updates_request=polling,
        )
        self._rejected = asyncio.Event()
        self._trouble = ""

    async def until_rejected(self) -> None:
        """Return when the token is no longer taken."""
        await self._rejected.wait()

    async def get_updates(self, *args: Any, **kwargs: Any) -> tuple[Update, ...]:
        """See the library; every change from well to ill and back is told once."""
        try:
            updates = await super().get_updates(*args, **kwargs)
        except InvalidToken:
            self._rejected.set()
            raise
        except TelegramError as trouble:
            self.ill(trouble)
            raise
        self.well()
        return updates

    @property
    def trouble(self) -> str:
        """What is wrong with the line to Telegram, in a word or few; empty while all is well."""
        return self._trouble

    def suffers(self, word: str) -> None:
        """The line does not work, and somebody has said so."""
        self._trouble = word

    def well(self) -> None:
        """The line works; said once after it did not."""
        if self._trouble:
            self._trouble = ""
            log.info("telegram answers again")

    def ill(self, trouble: TelegramError) -> None:
        """The line does not work; each way of it is said once, with what to do."""
        kind = type(trouble).__name__
        if self._trouble == kind:
            return
        self._trouble = kind
        if isinstance(trouble, Conflict):
            hooked = "webhook" in trouble.message.lower()
            log.error(
                "another program takes this bot's messages",
                by="a web hook" if hooked else "getUpdates",
                remedy="stop the other program that runs with this TELEGRAM_BOT_TOKEN"
                f"{' (a restart of this one removes its web hook)' if hooked else ''}, "
                "or make a new token with @BotFather (/revoke)",
            )
        else:
            log.warning(
                "telegram does not answer", why=kind, remedy="nothing to do: it is tried until it does"
            )
