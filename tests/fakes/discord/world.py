"""Everything the server knows: people, guilds, channels and what stands there."""

from typing import TYPE_CHECKING, Any, cast

from simcord.backend import models

from tests.fakes.discord.guests import Place
from tests.fakes.discord.stage import Stage, Watched
from tests.fakes.discord.switches import Switches
from tests.fakes.telegram.bell import Bell

if TYPE_CHECKING:
    from simcord.env import Env

    from tests.fakes.discord.channels import Channel
    from tests.fakes.discord.messages import Message
    from tests.fakes.discord.people import Person


class World:
    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.bell = Bell()
        self.backend = Watched()
        self.stage = Stage(self.backend, switches, self.bell.ring)
        self.backend.watchers.append(self._saw)
        self.people: dict[int, Person] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.foreign: dict[int, Place] = {}  # channels where the bot is only as an app of one person
        self.typing: list[int] = []

    @property
    def env(self) -> "Env":
        """The stage, as simcord's people know it."""
        return cast("Any", self.stage)  # type: ignore[no-any-return]  # it plays the part they need

    @property
    def bot_id(self) -> int:
        return self.backend.bot_user.id

    def channel(self, channel_id: int) -> "Channel":
        """A channel or thread, also one that the bot has opened."""
        from tests.fakes.discord.channels import Channel  # noqa: PLC0415  # they know each other

        return self.channels.setdefault(channel_id, Channel(self, channel_id))

    def _saw(self, what: str, stored: models.Message) -> None:
        from tests.fakes.discord.messages import Message  # noqa: PLC0415  # same

        message = self.messages.get(stored.id)
        if message is None:
            message = self.messages[stored.id] = Message(self.channel(stored.channel_id), stored)
        elif what == "changed":
            message.note_change()
        else:
            message.deleted = True
        self.bell.ring()
