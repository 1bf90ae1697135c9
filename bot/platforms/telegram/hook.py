"""Updates by a web hook: Telegram posts them to the program's own HTTP server, with a secret that only it knows.

Telegram repeats what is not answered with 200, so an update may come twice; it is taken once.
"""

import hmac
import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from telegram import Update, WebhookInfo
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.opening import Web
from bot.platforms.telegram.bot import WatchedBot
from core.clock import Clock
from core.errors import SettingWrong

log = structlog.get_logger(__name__)

HEADER = "x-telegram-bot-api-secret-token"
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")  # what Telegram takes as one
LOOK_EVERY = 60.0  # seconds between two looks at how Telegram fares with the hook
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
REMEMBERED = 1000  # updates
TAKEN, UNREADABLE, FORBIDDEN = 200, 400, 403
_REACH = (
    "TELEGRAM_WEBHOOK_URL must lead from the internet to HTTP_PORT of this program, with a valid certificate"
)
_TAKEN_AWAY = "stop the other program that runs with this TELEGRAM_BOT_TOKEN, or make a new token with @BotFather (/revoke)"
Take = Callable[[Update], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class HookPlace:
    """The public address, the secret (any, if none is set: it is told to Telegram at every start), the server."""

    url: str
    web: Web
    secret: str = ""

    @property
    def path(self) -> str:
        """Where on our server the posts arrive: what follows the host in the address."""
        return urlsplit(self.url).path or "/"


class Hook:
    """The way in by posts. `kinds` = the updates that are wanted."""

    def __init__(self, place: HookPlace, bot: WatchedBot, kinds: list[str], clock: Clock) -> None:
        self._place = place
        self._secret = place.secret or secrets.token_urlsafe(32)
        self._bot = bot
        self._kinds = kinds
        self._clock = clock
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._stranger_at = float("-inf")
        self._told_at = 0  # the moment of the last failure that was told

    async def run(self, take: Take) -> None:
        """Take what comes until cancelled. Raises SettingWrong if Telegram refuses the address, InvalidToken."""

        async def receive(headers: Mapping[str, str], body: bytes) -> int:
            return await self._receive(headers, body, take)

        self._place.web.receive(self._place.path, receive)
        try:
            await self._set()
            log.info("telegram is ready", bot=f"@{self._bot.username}", web_hook=self._place.path)
            while True:
                await self._clock.sleep(LOOK_EVERY)
                await self._look()
        finally:
            self._place.web.receive(self._place.path, _closed)

    async def _receive(self, headers: Mapping[str, str], body: bytes, take: Take) -> int:
        """One post; the status to answer with."""
        if not hmac.compare_digest(headers.get(HEADER, "").encode(), self._secret.encode()):
            self._tell_of_stranger()
            return FORBIDDEN
        try:
            update = Update.de_json(json.loads(body), self._bot)
            number = update.update_id
        except (ValueError, TypeError, KeyError, AttributeError) as broken:
            log.error("post is no update", why=type(broken).__name__)  # noqa: TRY400  # its words may quote a person
            return UNREADABLE
        if number not in self._seen:
            self._seen[number] = None
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            await take(update)
        return TAKEN

    def _tell_of_stranger(self) -> None:
        """Once in a while: whoever finds the address could fill the log."""
        now = self._clock.monotonic()
        if now - self._stranger_at >= LOOK_EVERY:
            self._stranger_at = now
            log.warning(
                "post with a wrong secret refused",
                remedy="nothing to do unless Telegram's own posts fail: then a proxy drops the header "
                "X-Telegram-Bot-Api-Secret-Token",
            )

    async def _set(self) -> None:
        """Tell Telegram where to post, however long it is away."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._bot.set_webhook(
                    self._place.url, secret_token=self._secret, allowed_updates=self._kinds
                )
            except InvalidToken:
                raise
            except RetryAfter as asked:
                pause = asked._retry_after.total_seconds()  # noqa: SLF001  # the public one has two types by a setting
            except BadRequest as refused:
                raise SettingWrong("TELEGRAM_WEBHOOK_URL", refused.message) from None
            except Conflict:
                log.error("another program takes this bot's messages", remedy=_TAKEN_AWAY)  # noqa: TRY400  # its words say no more
            except TelegramError as trouble:
                self._bot.suffers(type(trouble).__name__)
                log.warning("web hook not set yet", why=self._bot.trouble, again_in=pause)
            else:
                self._bot.well()
                return
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _look(self) -> None:
        """Whether Telegram still posts here, and what it could not deliver."""
        try:
            info = await self._bot.get_webhook_info()
        except InvalidToken:
            raise
        except (NetworkError, TelegramError) as trouble:
            self._bot.ill(trouble)
            return
        if info.url != self._place.url:
            log.error("another program has taken the web hook away; it is set again", remedy=_TAKEN_AWAY)
            await self._set()
            return
        self._tell(info)

    def _tell(self, info: WebhookInfo) -> None:
        """A failure is told once; as long as messages wait because of it, it is a trouble of the platform."""
        at = int(info.last_error_date.timestamp()) if info.last_error_date else 0
        if at > self._told_at:
            self._told_at = at
            log.error("telegram cannot deliver to the web hook", why=info.last_error_message, remedy=_REACH)
        if at and info.pending_update_count:
            self._bot.suffers("web hook not reached")
        else:
            self._bot.well()


async def _closed(_: Mapping[str, str], __: bytes) -> int:
    """The platform has ended; Telegram keeps what it has to say."""
    return 503


def checked(url: str, secret: Any) -> tuple[str, str]:
    """Address and secret as the settings have them. Raises SettingWrong with the name, never the secret."""
    words = secret.get_secret_value() if secret is not None else ""
    if words and not SECRET.fullmatch(words):
        raise SettingWrong("TELEGRAM_WEBHOOK_SECRET", "A-Z a-z 0-9 _ -, 1–256")
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise SettingWrong("TELEGRAM_WEBHOOK_URL", "https://…")
    return url, words
