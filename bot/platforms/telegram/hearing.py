"""What of all that is written is meant for the bot: a message of Telegram's to what was said. No I/O."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from telegram import Document, Message, MessageEntity, PhotoSize, User
from telegram.constants import ChatType

from core.conversation import ChatRef

NAME = "telegram"
LONGEST_QUOTE = 4096  # characters
NO_COMMAND = "\u2060"  # unseen: what begins with it is no command, and it goes before a model reads the words
_COMMAND = re.compile(r"/([^\W\d_]\w*)(?:@(\w+))?(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an answer goes. `owner` = who may press its buttons, in groups; `replies_to` = the message asked."""

    chat: int
    thread: int | None = None
    owner: int | None = None
    replies_to: int | None = None

    @property
    def private(self) -> bool:
        """A chat with one person. Groups have negative numbers."""
        return self.chat > 0

    @property
    def ref(self) -> ChatRef:
        """The conversation: a topic of a forum is one of its own."""
        return ChatRef(NAME, str(self.chat), str(self.thread or 0))


@dataclass(frozen=True, slots=True)
class Attached:
    """What hangs on a message; neither of both = something that no model can read."""

    photos: tuple[PhotoSize, ...] = ()
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that is meant for the bot."""

    spot: Spot
    message: int
    person: str
    text: str
    language: str | None
    attached: Attached | None = None
    reply_to: str | None = None
    name: str = ""
    reply_person: str = ""
    reply_name: str = ""


def spot_of(message: Message, asker: User) -> Spot:
    """Where the answer to a message goes."""
    thread = message.message_thread_id if message.is_topic_message else None
    if message.chat.type == ChatType.PRIVATE:
        return Spot(message.chat.id, thread)
    return Spot(message.chat.id, thread, asker.id, message.message_id)


def hear(message: Message, me: User, commands: Collection[str]) -> Heard | None:
    """What was said to the bot; `None` if it was said to others or by nobody."""
    sender = message.from_user
    anonymous = message.sender_chat is not None and message.sender_chat.id == message.chat.id
    if sender is None or message.chat.type == ChatType.CHANNEL or (sender.is_bot and not anonymous):
        return None
    attachment = message.effective_attachment
    words = message.text or message.caption or ""
    if not words and not attachment:  # somebody came, left, pinned something
        return None
    text, mentioned = _without_mentions(words, message.entities or message.caption_entities, me)
    forwarded = (
        message.forward_origin is not None
    )  # the words of somebody else, perhaps written to be passed on
    command = None if forwarded else _COMMAND.match(text)
    if command and command[2] and command[2].lower() != (me.username or "").lower():
        return None
    private = message.chat.type == ChatType.PRIVATE
    by_command = command is not None and (bool(command[2]) or command[1].lower() in commands)
    if not (private or mentioned or by_command or _answers(message, me)):
        return None
    text = f"/{command[1]}{text[command.end() :]}" if command else _with_quote(text, message, me)
    if forwarded and text.lstrip()[:1] == "/":
        text = NO_COMMAND + text
    return Heard(
        spot=spot_of(message, sender),
        message=message.message_id,
        person=f"{NAME}:{message.chat.id if anonymous else sender.id}",  # all of Telegram's have one account
        text=text.strip() or ("" if attachment else "/start"),  # only its name: it introduces itself
        language=sender.language_code,
        attached=attached_to(message),
        reply_to=_replied_to(message),
        name=(message.chat.title or "") if anonymous else sender.full_name,
        reply_person=f"{NAME}:{other.id}" if (other := _replied_person(message)) else "",
        reply_name=other.full_name if other else "",
    )


def moved_to(message: Message) -> tuple[ChatRef, ChatRef] | None:
    """Where a group goes on that has become a supergroup: the old id and the new one; both chats tell it."""
    here = message.chat.id
    if message.migrate_to_chat_id is not None:
        return Spot(here).ref, Spot(message.migrate_to_chat_id).ref
    if message.migrate_from_chat_id is not None:
        return Spot(message.migrate_from_chat_id).ref, Spot(here).ref
    return None


def attached_to(message: Message) -> Attached | None:
    """What hangs on a message, if anything does."""
    if not message.effective_attachment:
        return None
    return Attached(tuple(message.photo), message.document if message.animation is None else None)


def groups_of(spot: Spot) -> tuple[str, ...]:
    """The group in which something is said, as what the person belongs to."""
    return () if spot.private else (f"{NAME}:{spot.chat}",)


def _replied_to(message: Message) -> str | None:
    """The message that this one replies to; the beginning of a topic is none."""
    to = message.reply_to_message
    return None if to is None or to.forum_topic_created else str(to.message_id)


def _replied_person(message: Message) -> User | None:
    """Who wrote the message that this one replies to, if it was a person."""
    to = message.reply_to_message
    if to is None or to.forum_topic_created or to.sender_chat is not None:
        return None
    return None if to.from_user is None or to.from_user.is_bot else to.from_user


def _answers(message: Message, me: User) -> bool:
    """Whether it replies to a message of the bot. In a topic everything replies to its beginning."""
    to = message.reply_to_message
    return (
        to is not None
        and to.from_user is not None
        and to.from_user.id == me.id
        and not to.forum_topic_created
    )


def _with_quote(text: str, message: Message, me: User) -> str:
    """A message that answers somebody else's is about that one: a model cannot look it up. Its own it knows."""
    to = message.reply_to_message
    if to is None or to.forum_topic_created or (to.from_user is not None and to.from_user.id == me.id):
        return text
    quoted = message.quote.text if message.quote else to.text or to.caption or ""
    lines = "\n".join(f"> {line}" for line in quoted[:LONGEST_QUOTE].splitlines())
    return "\n\n".join(filter(None, (lines, text)))


def _without_mentions(text: str, entities: tuple[MessageEntity, ...], me: User) -> tuple[str, bool]:
    """The text without the bot's name in it, and whether it was there. Telegram counts UTF-16 units."""
    raw = text.encode("utf-16-le")
    found = False
    for entity in sorted(entities, key=lambda e: -e.offset):
        start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
        name = raw[start:end].decode("utf-16-le", "replace")
        by_name = entity.type == MessageEntity.MENTION and name.lower() == f"@{me.username}".lower()
        by_person = (
            entity.type == MessageEntity.TEXT_MENTION and entity.user is not None and entity.user.id == me.id
        )
        if by_name or by_person:
            before, after = raw[:start].decode("utf-16-le").rstrip(), raw[end:].decode("utf-16-le")
            after = after.lstrip() if before and before[-1] not in ",:" else after.lstrip(" ,:\n")
            gap = " " if before and after and after[0] not in ",.;:!?" else ""
            raw = f"{before}{gap}{after}".encode("utf-16-le")
            found = True
    return raw.decode("utf-16-le"), found
