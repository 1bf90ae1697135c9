"""What of all that is written is meant for the bot: a message or a command of Discord's to what was said. No I/O."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import discord

from core.conversation import ChatRef

NAME = "discord"
LONGEST_QUOTE = 2000  # characters
NOWHERE = "0"
_NEW = (discord.MessageType.default, discord.MessageType.reply)
Interaction = discord.Interaction[Any]


def data_of(interaction: Interaction) -> dict[str, Any]:
    """What came with an interaction, as Discord wrote it."""
    return dict(interaction.data or {})


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an answer goes: a channel, a thread under `parent`, or a private chat.

    `owner` = who may press its buttons; `replies_to` = the message asked. `private` = with one person alone.
    """

    channel: int
    parent: int | None = None
    guild: int | None = None
    owner: int | None = None
    replies_to: int | None = None
    private: bool = False

    @property
    def ref(self) -> ChatRef:
        """The conversation: a thread is one of its own."""
        if self.parent is None:
            return ChatRef(NAME, str(self.channel), NOWHERE)
        return ChatRef(NAME, str(self.parent), str(self.channel))


def spot_at(chat: ChatRef) -> Spot:
    """The place of a conversation."""
    if chat.thread == NOWHERE:
        return Spot(int(chat.chat))
    return Spot(int(chat.thread), int(chat.chat))


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and what Discord says of them there."""

    id: int
    name: str
    language: str | None = None
    groups: tuple[str, ...] = ()
    manages: bool = False

    @property
    def person(self) -> str:
        """As the program knows a person."""
        return f"{NAME}:{self.id}"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that is meant for the bot."""

    spot: Spot
    message: int
    asker: Asker
    text: str
    attachments: tuple[discord.Attachment, ...] = ()
    reply_to: str | None = None
    reply_person: str = ""
    reply_name: str = ""
    called: bool = False  # by its name or by a reply: it would be heard without the message content, too


def hear(
    message: discord.Message, me: discord.ClientUser, listens: Callable[[ChatRef], bool]
) -> Heard | None:
    """What was said to the bot; `None` if it was said to others or by no person."""
    author = message.author
    if author.bot or message.webhook_id is not None or message.type not in _NEW:
        return None
    if (
        not message.content and not message.attachments
    ):  # a sticker, a poll, or words that Discord does not show
        return None
    spot = spot_of(message)
    text, mentioned = _without_mentions(message.content, _mentions_of(message, me))
    called = mentioned or _answers(message, me)
    if not (spot.private or called or _in_own_thread(message, me) or listens(spot.ref)):
        return None
    other = _replied_person(message)
    return Heard(
        spot=spot,
        message=message.id,
        asker=Asker(author.id, author.display_name, None, groups_of(author), manages(author)),
        text=_with_quote(text, message, me) or ("" if message.attachments else "/start"),  # only its name
        attachments=tuple(message.attachments),
        reply_to=_replied_to(message),
        reply_person=f"{NAME}:{other.id}" if other else "",
        reply_name=other.display_name if other else "",
        called=called,
    )


def spot_of(message: discord.Message) -> Spot:
    """Where the answer to a message goes."""
    channel = message.channel
    private = message.guild is None
    parent = channel.parent_id if isinstance(channel, discord.Thread) else None
    guild = None if message.guild is None else message.guild.id
    return Spot(channel.id, parent, guild, message.author.id, None if private else message.id, private)


def spot_of_press(interaction: Interaction) -> Spot:
    """Where the answer to a command or a press goes."""
    channel = interaction.channel
    assert interaction.channel_id is not None  # every interaction that we take comes from a channel
    parent = channel.parent_id if isinstance(channel, discord.Thread) else None
    private = interaction.guild_id is None and not interaction.context.private_channel
    return Spot(interaction.channel_id, parent, interaction.guild_id, interaction.user.id, private=private)


def asker_of(interaction: Interaction) -> Asker:
    """Who presses or commands; Discord itself says what they may in that channel."""
    user = interaction.user
    may = interaction.guild_id is not None and interaction.permissions.manage_guild
    return Asker(user.id, user.display_name, str(interaction.locale), groups_of(user), may)


def groups_of(person: discord.abc.User) -> tuple[str, ...]:
    """The server in which something is said and the person's roles there."""
    if not isinstance(person, discord.Member):
        return ()
    roles = [f"{NAME}:role:{role.id}" for role in person.roles if not role.is_default()]
    return (f"{NAME}:guild:{person.guild.id}", *roles)


def manages(person: discord.abc.User) -> bool:
    """Whether the person may manage the server in which they write."""
    return isinstance(person, discord.Member) and person.guild_permissions.manage_guild


def _mentions_of(message: discord.Message, me: discord.ClientUser) -> re.Pattern[str]:
    """The bot's name as it is written, and that of the role that Discord gives it."""
    role = message.guild.self_role if message.guild is not None else None
    own = f"|<@&{role.id}>" if role is not None else ""
    return re.compile(rf"<@!?{me.id}>{own}")


def _without_mentions(text: str, mention: re.Pattern[str]) -> tuple[str, bool]:
    """The text without the bot's name in it, and whether it was there."""
    found = False
    while (match := mention.search(text)) is not None:
        found = True
        before, after = text[: match.start()].rstrip(), text[match.end() :]
        after = after.lstrip() if before and before[-1] not in ",:" else after.lstrip(" ,:\n")
        gap = " " if before and after and after[0] not in ",.;:!?" else ""
        text = f"{before}{gap}{after}"
    return text, found


def _original(message: discord.Message) -> discord.Message | None:
    """The message that this one replies to, if it still stands."""
    to = message.reference.resolved if message.reference is not None else None
    return to if message.type is discord.MessageType.reply and isinstance(to, discord.Message) else None


def _replied_to(message: discord.Message) -> str | None:
    reference = message.reference
    if message.type is not discord.MessageType.reply or reference is None or reference.message_id is None:
        return None
    return str(reference.message_id)


def _replied_person(message: discord.Message) -> discord.abc.User | None:
    to = _original(message)
    return None if to is None or to.author.bot else to.author


def _answers(message: discord.Message, me: discord.ClientUser) -> bool:
    to = _original(message)
    return to is not None and to.author.id == me.id


def _in_own_thread(message: discord.Message, me: discord.ClientUser) -> bool:
    return isinstance(message.channel, discord.Thread) and message.channel.owner_id == me.id


def _with_quote(text: str, message: discord.Message, me: discord.ClientUser) -> str:
    """A message that answers somebody else's is about that one: a model cannot look it up. Its own it knows."""
    to = _original(message)
    if to is None or to.author.id == me.id or text.startswith("/"):
        return text
    lines = "\n".join(f"> {line}" for line in to.content[:LONGEST_QUOTE].splitlines())
    return "\n\n".join(filter(None, (lines, text)))
