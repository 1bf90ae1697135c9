"""What people do on Telegram: they write, correct what they wrote, and press buttons."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from telegram import Bot, CallbackQuery, Message, Update, User
from telegram.constants import ChatMemberStatus
from telegram.error import TelegramError

from bot.documents import Documents
from bot.platforms.telegram.albums import Album, Albums
from bot.platforms.telegram.answers import Answers
from bot.platforms.telegram.buttons import Press, read
from bot.platforms.telegram.files import bring
from bot.platforms.telegram.hearing import NAME, Heard, Spot, groups_of, hear, moved_to, spot_of
from bot.platforms.telegram.menu import names
from bot.platforms.telegram.wording import Speak
from bot.surface import Brought, Incoming, Responder
from core.clock import Clock

log = structlog.get_logger(__name__)

CORRECTED_WITHIN = 60.0  # seconds after which an edit is no new question
_ADMINISTRATORS = (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
Spawn = Callable[[Coroutine[Any, Any, None]], object]


class Talk:
    """Takes updates, each in a task of its own: an answer of minutes holds nobody else up."""

    def __init__(
        self,
        bot: Bot,
        me: User,
        responder: Responder,
        *,
        speak: Speak,
        clock: Clock,
        spawn: Spawn,
        rich: bool = False,
    ) -> None:
        self._bot = bot
        self._me = me
        self._responder = responder
        self._speak = speak
        self._clock = clock
        self._spawn = spawn
        self._commands = names(responder.menu(None))
        self._door = f"https://t.me/{me.username}?start={{}}"
        self.answers = Answers(bot, responder, clock, rich=rich)
        self._documents = Documents()
        self._albums = Albums(clock)

    async def take(self, update: Update, _: object = None) -> None:
        """One update; returns at once."""
        if update.message is not None:
            self._spawn(self._guarded(self._message(update.message)))
        elif update.edited_message is not None:
            self._spawn(self._guarded(self._corrected(update.edited_message)))
        elif update.callback_query is not None:
            self._spawn(self._guarded(self._pressed(update.callback_query)))
        # Telegram's own stop button on a draft; the library does not know it yet
        elif (stopped := update.api_kwargs.get("stopped_message_generation")) is not None:
            spot = self.answers.drafted(stopped["draft_id"])
            if spot is not None:
                self._responder.cancel(spot.ref)

    async def _guarded(self, what: Coroutine[Any, Any, None]) -> None:
        """A mistake with one update must not end the others. Its words may quote a person."""
        try:
            await what
        except Exception as bug:  # noqa: BLE001  # see above
            lines = [f"{frame.f_code.co_filename.rpartition('/')[2]}:{line}" for frame, line in _frames(bug)]
            log.error("update failed", bug=type(bug).__name__, where=" ".join(lines))  # noqa: TRY400  # see above

    # ------------------------------------------------------------ words

    async def _message(self, message: Message) -> None:
        if (moved := moved_to(message)) is not None:
            await self._responder.moved(*moved)
            return
        heard = hear(message, self._me, self._commands)
        album = self._albums.of(message)
        asks = heard is not None if album is None else album.add(message, heard)
        if heard is not None and asks:
            await self._ask(heard, album)

    async def _erase(self, heard: Heard) -> bool:
        """Take a message away; whether it is gone. In a group that is for administrators."""
        try:
            await self._bot.delete_message(heard.spot.chat, heard.message)
        except TelegramError as refused:
            log.info("message stays", chat=str(heard.spot.ref), why=type(refused).__name__)
            return "not found" in refused.message.lower()
        finally:
            self.answers.called(heard.spot.chat)
        return True

    async def _corrected(self, message: Message) -> None:
        """A question that is edited within a minute is asked anew, in the same place."""
        heard = hear(message, self._me, self._commands)
        edited = message.edit_date or message.date
        if heard is None or (edited - message.date).total_seconds() > CORRECTED_WITHIN:
            return
        album = self._albums.of(message)
        if album is not None and not album.add(message, heard):
            return
        turning = await self.answers.take_back(heard.spot.chat, heard.message, heard.text)
        if turning is not None:
            await self._ask(heard, album, turning)

    async def _ask(self, heard: Heard, album: Album | None, turning: tuple[int, ...] = ()) -> None:
        incoming = Incoming(
            heard.spot.ref,
            heard.person,
            heard.text,
            language=heard.language,
            message=str(heard.message),
            reply_to=heard.reply_to,
            name=heard.name,
            private=heard.spot.private,
            groups=groups_of(heard.spot),
            reply_person=heard.reply_person,
            reply_name=heard.reply_name,
            erase=partial(self._erase, heard),
            door=self._door,
        )
        if heard.attached is not None and self._responder.welcome(incoming):
            incoming = replace(incoming, bring=partial(self._bring, heard, album))
        await self.answers.answer(incoming, heard.spot, (heard.message, heard.text), turning)

    async def _bring(self, heard: Heard, album: Album | None) -> Brought:
        """What came along, on this message or on the others of its album. Raises Unfit."""
        texts, words = self._speak(heard.language), ""
        attached = [heard.attached] if heard.attached else []
        if album is not None:
            words, attached = await album.whole()
        brought = await bring(self._bot, attached, self._documents, texts, self._clock)
        return replace(brought, text="\n\n".join(filter(None, (words, brought.text))))

    # ------------------------------------------------------------ buttons

    async def _pressed(self, query: CallbackQuery) -> None:
        texts = self._speak(query.from_user.language_code)
        press, message = read(query.data), query.message
        if press is None or message is None:
            await self._reply(query, texts.stale)
            return
        readable = message if isinstance(message, Message) else None  # an old one is only a number
        spot = Spot(message.chat.id, spot_of(readable, query.from_user).thread if readable else None)
        if not spot.private:  # a list stays with whoever asked for it, whoever turns its pages
            spot = replace(spot, owner=(press.turns and press.owner) or query.from_user.id)
        incoming = self._incoming(query, press, spot, message.message_id)
        if not spot.private and not await self._may(press, query.from_user.id, incoming, spot.chat):
            await self._reply(query, texts.stale if press.owner is None else texts.not_yours)
            return
        if press.command == "stop":
            asker = "" if press.owner is None else f"{NAME}:{press.owner}"
            stopped = self._responder.cancel(spot.ref, asker)
            await self._reply(query, texts.stopped if stopped else texts.nothing)
            return
        self._spawn(self._guarded(self._reply(query)))
        turning = (message.message_id,) if press.turns and readable else ()
        await self.answers.answer(incoming, spot, turning=turning)

    def _incoming(self, query: CallbackQuery, press: Press, spot: Spot, message: int) -> Incoming:
        """The command that the button stands for, as whoever presses it asks it."""
        return Incoming(
            spot.ref,
            f"{NAME}:{query.from_user.id}",
            f"/{press.command}",
            language=query.from_user.language_code,
            reply_to=str(message),
            name=query.from_user.full_name,
            private=spot.private,
            groups=groups_of(spot),
            door=self._door,
        )

    async def _may(self, press: Press, person: int, incoming: Incoming, chat: int) -> bool:
        """Whoever asked, or an administrator of the bot or of the group."""
        if press.owner == person or self._responder.administers(incoming):
            return True
        try:
            member = await self._bot.get_chat_member(chat, person)
        except TelegramError as unknown:
            log.info("administrator not known", why=type(unknown).__name__)
            return False
        return member.status in _ADMINISTRATORS

    async def _reply(self, query: CallbackQuery, text: str | None = None) -> None:
        """End the spinner on the button; a press from before a restart may be too old for it."""
        try:
            await self._bot.answer_callback_query(query.id, text)
        except TelegramError as late:
            log.info("press not acknowledged", why=type(late).__name__)


def _frames(bug: BaseException) -> list[tuple[Any, int]]:
    trace, frames = bug.__traceback__, []
    while trace is not None:
        frames.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return frames[-4:]
