"""The line to one chat: every call takes its turn, and every answer of Telegram's means one of a few things."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions, MessageEntity, ReplyParameters
from telegram.constants import ChatAction
from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.platforms.telegram.hearing import Spot
from bot.platforms.telegram.pace import DRAFT, GROUP, PRIVATE, TYPING, Pace
from bot.ranks import Rank
from bot.surface import SlowDown, SurfaceDown

log = structlog.get_logger(__name__)

T = TypeVar("T")
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
# Telegram's words for what ends an answer quietly: nobody can read there any more.
_NOBODY = (
    "chat not found",
    "thread not found",
    "topic_closed",
    "topic_deleted",
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "user not found",
    "peer_id_invalid",
    "chat_write_forbidden",
    "group chat was",
)
_LOST = ("message to edit not found", "message can't be edited", "message_id_invalid", "message is not found")
_ENTITIES = ("can't parse entities", "can't parse messageentity", "entity_", "entities")


class Gone(Exception):
    """Nobody reads there any more: blocked, thrown out, deleted."""


class Refused(Exception):
    """Telegram takes the call neither now nor later."""


class Unknown(Refused):
    """The server does not know the method."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message: a text of at most 4096 UTF-16 units, and how it is set."""

    text: str
    entities: tuple[MessageEntity, ...] = ()


class Line:
    """Speaks to one chat. May raise SlowDown, SurfaceDown and Gone."""

    def __init__(self, bot: Bot, spot: Spot, pace: Pace) -> None:
        self._bot = bot
        self._spot = spot
        self._pace = pace
        self._replies_to = spot.replies_to
        self.gap = PRIVATE if spot.private else GROUP

    async def send(self, part: Part, keyboard: InlineKeyboardMarkup | None, rank: Rank) -> int:
        """A new message; its number. The first one in a group replies to the question, if that still stands."""
        to = self._replies_to
        reply = None if to is None else ReplyParameters(to, allow_sending_without_reply=True)

        async def call(entities: tuple[MessageEntity, ...] | None) -> int:
            sent = await self._bot.send_message(
                self._spot.chat,
                part.text,
                entities=entities or None,
                message_thread_id=self._spot.thread,
                reply_markup=keyboard,
                reply_parameters=reply,
                link_preview_options=_NO_PREVIEW,
            )
            self._replies_to = None
            return sent.message_id

        return await self._set(call, part, rank)

    async def edit(self, message: int, part: Part, keyboard: InlineKeyboardMarkup | None, rank: Rank) -> bool:
        """Change a message; False if it is not there any more."""

        async def call(entities: tuple[MessageEntity, ...] | None) -> bool:
            await self._bot.edit_message_text(
                part.text,
                self._spot.chat,
                message,
                entities=entities or None,
                reply_markup=keyboard,
                link_preview_options=_NO_PREVIEW,
            )
            return True

        return await self._changed(lambda: self._set(call, part, rank))

    async def _changed(self, edit: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await edit()
        except Refused as refused:
            words = str(refused).lower()
            if "not modified" in words:
                return True
            if any(one in words for one in _LOST):
                return False
            raise

    async def send_rich(self, source: str, keyboard: InlineKeyboardMarkup | None, rank: Rank) -> int:
        """A new message of Markdown that Telegram sets itself (Bot API 10.1, which the library does not know); its number."""
        to = self._replies_to
        wanted: dict[str, Any] = {"chat_id": self._spot.chat, "rich_message": {"markdown": source}}
        if self._spot.thread is not None:
            wanted["message_thread_id"] = self._spot.thread
        if keyboard is not None:
            wanted["reply_markup"] = keyboard
        if to is not None:
            wanted["reply_parameters"] = ReplyParameters(to, allow_sending_without_reply=True)
        sent = await self._call(
            lambda: self._bot.do_api_request("sendRichMessage", api_kwargs=wanted), rank, self.gap
        )
        self._replies_to = None
        return int(sent["message_id"])

    async def edit_rich(
        self, message: int, source: str, keyboard: InlineKeyboardMarkup | None, rank: Rank
    ) -> bool:
        """Turn a message into such a one; False if it is not there any more."""
        wanted: dict[str, Any] = {
            "chat_id": self._spot.chat,
            "message_id": message,
            "rich_message": {"markdown": source},
        }
        if keyboard is not None:
            wanted["reply_markup"] = keyboard

        async def edit() -> bool:
            # In small letters: under its usual name the library would have its own method called, which wants a text.
            await self._bot.do_api_request("editmessagetext", api_kwargs=wanted)
            return True

        return await self._changed(lambda: self._call(edit, rank, self.gap))

    async def photo(
        self, png: bytes, caption: Part, keyboard: InlineKeyboardMarkup | None, rank: Rank
    ) -> int:
        """A new message that is a picture; its number."""

        async def call(entities: tuple[MessageEntity, ...] | None) -> int:
            sent = await self._bot.send_photo(
                self._spot.chat,
                png,
                caption=caption.text or None,
                caption_entities=entities or None,
                message_thread_id=self._spot.thread,
                reply_markup=keyboard,
            )
            return sent.message_id

        return await self._set(call, caption, rank)

    async def delete(self, message: int) -> None:
        """Take a message away; one that cannot be taken away stays."""
        try:
            await self._call(lambda: self._bot.delete_message(self._spot.chat, message), Rank.FINAL, self.gap)
        except Refused as refused:
            log.info("message stays", chat=str(self._spot.ref), why=str(refused))

    async def draft(self, number: int, part: Part, rank: Rank) -> None:
        """A preview that only lives for half a minute; its stop button comes back as an update."""

        async def call(entities: tuple[MessageEntity, ...] | None) -> bool:
            return await self._bot.send_message_draft(
                self._spot.chat,
                number,
                part.text,
                message_thread_id=self._spot.thread,
                entities=entities or None,
                api_kwargs={"can_stop": True},
            )

        await self._set(call, part, rank, DRAFT)

    async def typing(self) -> None:
        """Show that somebody is at work, for five seconds. It stands in line: edits would leave it no turn."""
        chat, thread = self._spot.chat, self._spot.thread

        async def call() -> bool:
            return await self._bot.send_chat_action(chat, ChatAction.TYPING, message_thread_id=thread)

        await self._call(call, Rank.FIRST, TYPING)

    async def _set(
        self,
        call: Callable[[tuple[MessageEntity, ...] | None], Awaitable[T]],
        part: Part,
        rank: Rank,
        gap: float | None = None,
    ) -> T:
        """With its entities or, if Telegram does not take them, as plain text."""
        gap = self.gap if gap is None else gap
        try:
            return await self._call(lambda: call(part.entities), rank, gap)
        except Refused as refused:
            if not part.entities or not any(one in str(refused).lower() for one in _ENTITIES):
                raise
            log.warning("entities refused", chat=str(self._spot.ref), why=str(refused))
        return await self._call(
            lambda: call(None), max(Rank.FIRST, rank) if rank is Rank.PROGRESS else rank, gap
        )

    async def _call(self, call: Callable[[], Awaitable[T]], rank: Rank, gap: float) -> T:
        await self._pace.turn(rank, gap)
        try:
            return await call()
        except RetryAfter as asked:
            seconds = asked._retry_after.total_seconds()  # noqa: SLF001  # the public one has two types by a setting
            self._pace.pause(seconds)
            log.info("telegram asks for a pause", chat=str(self._spot.ref), seconds=seconds)
            raise SlowDown(seconds) from None
        except (Forbidden, ChatMigrated) as gone:
            raise Gone(gone.message) from None
        except (
            InvalidToken,
            EndPointNotFound,
        ) as unknown:  # what a server says that does not know the method
            raise Unknown(unknown.message) from None
        except BadRequest as bad:
            words = bad.message.lower()
            if any(one in words for one in _NOBODY):
                raise Gone(bad.message) from None
            raise Refused(bad.message) from None
        except (NetworkError, TelegramError) as down:
            raise SurfaceDown(type(down).__name__) from None
        finally:
            self._pace.answered(gap)
