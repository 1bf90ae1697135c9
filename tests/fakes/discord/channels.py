"""A channel, a thread or a private chat, as people use it: what they do here becomes an event for the bot."""

from collections.abc import Callable, Sequence
from typing import Any

from simcord.actors import _autocomplete_result, _component_click, _component_select, _slash
from simcord.backend import models
from simcord.backend.models import Overwrite
from simcord.builders import ChannelHandle, GuildHandle
from simcord.enums import OverwriteType
from simcord.results import InteractionResult

from tests.fakes.discord import guests
from tests.fakes.discord.messages import Message
from tests.fakes.discord.people import Person
from tests.fakes.discord.presses import Press
from tests.fakes.discord.world import World


class Channel:
    def __init__(self, world: World, channel_id: int) -> None:
        self.world = world
        self.id = channel_id

    @property
    def stored(self) -> models.Channel:
        return self.world.backend.get_channel(self.id)

    @property
    def name(self) -> str:
        return self.stored.name or ""

    @property
    def guild(self) -> models.Guild | None:
        guild_id = self.stored.guild_id
        return None if guild_id is None else self.world.backend.get_guild(guild_id)

    def _handle(self) -> ChannelHandle:
        guild = self.guild
        return ChannelHandle(
            self.world.env, None if guild is None else GuildHandle(self.world.env, guild), self.stored
        )

    # ------------------------------------------------------------ saying

    async def send(
        self,
        person: Person,
        text: str = "",
        *,
        reply_to: Message | None = None,
        files: Sequence[tuple[str, bytes]] = (),
    ) -> Message:
        """A person writes, if they may."""
        backend = self.world.backend
        permission = "send_messages_in_threads" if self.stored.is_thread else "send_messages"
        backend.require_permissions(self.stored.guild_id, person.id, self.id, permission)
        reference = None if reply_to is None else {"message_id": str(reply_to.id), "channel_id": str(self.id)}
        stored = backend.create_message(
            self.id,
            person.id,
            text,
            reference=backend.normalize_message_reference(self.id, reference),
            attachments=backend.store_attachments(self.id, files),
        )
        return self.world.messages[stored.id]

    async def edit(self, message: Message, text: str) -> None:
        """Whoever wrote a message changes it."""
        self.world.backend.edit_message(self.id, message.id, {"content": text})

    async def delete(self, message: Message) -> None:
        self.world.backend.delete_message(self.id, message.id)

    async def open_thread(self, person: Person, name: str, message: Message | None = None) -> "Channel":
        """A person opens a thread, from a message or not."""
        thread = self.world.backend.create_thread(
            self.id, name, person.id, message_id=None if message is None else message.id
        )
        return self.world.channel(thread.id)

    @property
    def threads(self) -> "list[Channel]":
        """The threads under it, oldest first."""
        below = [each for each in self.world.backend.channels.values() if each.parent_id == self.id]
        return [self.world.channel(each.id) for each in below if each.is_thread]

    def forbid(self, who: int, permissions: int) -> None:
        """Take permissions from a member or the bot in this channel."""
        self.world.backend.set_overwrite(self.id, Overwrite(who, OverwriteType.MEMBER, 0, permissions))

    # ------------------------------------------------------------ commands and components

    async def slash(self, person: Person, name: str, /, **options: Any) -> Press:
        """A person runs a command of the menu; it must be there, and so must its options."""
        if self.id in self.world.foreign:
            return Press(self.world, person, guests.slash(self.world, self.id, person.user, name, options))
        return self._press(person, await _slash(person.actor(self.guild), self._handle(), name, options))

    async def autocomplete(self, person: Person, name: str, option: str, typed: str) -> Press:
        """A person types into an option."""
        if self.id in self.world.foreign:
            record = guests.autocomplete(self.world, self.id, person.user, name, option=option, typed=typed)
            return Press(self.world, person, record)
        actor = person.actor(self.guild)
        return self._press(person, await _autocomplete_result(actor, self._handle(), name, option, typed, {}))

    async def press(self, person: Person, message: Message, custom_id: str) -> Press:
        if self.id in self.world.foreign:
            return Press(self.world, person, guests.click(self.world, message.stored, person.user, custom_id))
        actor = person.actor(self.guild)
        result = await _component_click(actor, message.seen(), label=None, custom_id=custom_id)
        return self._press(person, result)

    async def choose(self, person: Person, message: Message, custom_id: str, values: list[str]) -> Press:
        actor = person.actor(self.guild)
        return self._press(
            person, await _component_select(actor, message.seen(), values, custom_id=custom_id)
        )

    def _press(self, person: Person, result: InteractionResult) -> Press:
        return Press(self.world, person, result._interaction)

    # ------------------------------------------------------------ what stands there

    @property
    def messages(self) -> list[Message]:
        found = [each for each in self.world.messages.values() if each.channel is self and not each.deleted]
        return sorted(found, key=lambda message: message.at)

    @property
    def answers(self) -> list[Message]:
        """What the bot has said."""
        return [
            message for message in self.messages if message.by_bot and message.stored.type in (0, 19, 20, 23)
        ]

    def _seen(self) -> str:
        lines = [f"{m.stored.author_id}: {m.text!r} {m.labels}" for m in self.messages[-8:]]
        return f"in channel {self.id} stands:\n" + "\n".join(lines)

    async def wait_for(self, wanted: Callable[[Message], bool], *, timeout: float = 5.0) -> Message:
        """The first message for which `wanted` is true, as soon as it is, by sending or by editing."""
        return await self.world.bell.until(
            lambda: next((message for message in self.messages if wanted(message)), None), timeout, self._seen
        )

    async def says(self, words: str, timeout: float = 5.0) -> Message:
        """Wait until the bot has said these words."""
        return await self.wait_for(lambda m: m.by_bot and words in m.text, timeout=timeout)

    async def wait_gone(self, message: Message, *, timeout: float = 5.0) -> None:
        """Return once a message is deleted."""
        await self.world.bell.until(lambda: True if message.deleted else None, timeout, self._seen)

    async def wait_typing(self, *, timeout: float = 5.0) -> None:
        """Return once the bot has shown that it is busy."""
        typing = self.world.typing
        await self.world.bell.until(lambda: True if self.id in typing else None, timeout, self._seen)
