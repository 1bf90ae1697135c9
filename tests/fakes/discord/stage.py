"""simcord's Discord without the bot inside it: real time, and everybody who looks is told of each change."""

import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from simcord._clock import Clock
from simcord.backend import Backend
from simcord.backend.models import Interaction, Message

from tests.fakes.discord.switches import Switches


class WallClock(Clock):
    """Real time, so that the bot's own clock agrees; `advance` puts it forward."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.elapsed)


class Watched(Backend):
    """Tells of each message that is put, changed or removed, also of those only one person sees."""

    def __init__(self) -> None:
        self.watchers: list[Callable[[str, Message], None]] = []
        super().__init__(clock=WallClock())

    def _tell(self, what: str, message: Message) -> None:
        for watcher in self.watchers:
            watcher(what, message)

    def commit_message(self, message: Message, *, broadcast: bool = True) -> Message:
        self._tell("put", message)  # before the event goes out: who hears of it finds it
        return super().commit_message(message, broadcast=broadcast)

    def edit_message(self, channel_id: int, message_id: int, fields: dict[str, Any]) -> Message:
        message = super().edit_message(channel_id, message_id, fields)
        self._tell("changed", message)
        return message

    def delete_message(self, channel_id: int, message_id: int) -> None:
        message = self.get_message(channel_id, message_id)
        super().delete_message(channel_id, message_id)
        self._tell("removed", message)


class Stage:
    """What simcord's people ask of the environment they play in. The bot is a client like any other."""

    bot = None
    strict_sync = True

    def __init__(self, backend: Watched, switches: Switches, ring: Callable[[], None]) -> None:
        self.backend = backend
        self._switches = switches
        self._ring = ring
        self._message_states: weakref.WeakSet[Any] = weakref.WeakSet()

    def _notify_dispatch_observers(self, interaction: Interaction) -> None:
        """Deadlines as the switches have them."""
        interaction.initial_response_deadline = self.backend.iso_after(self._switches.answer_seconds)
        interaction.expires_at = self.backend.iso_after(self._switches.token_seconds)

    async def _settle_internal(self, **_: Any) -> None:
        self._ring()

    def _begin_operation(self, _label: str) -> None:
        """Operations may overlap here: each bot's answer takes its own time."""

    def _end_operation(self) -> None:
        """See `_begin_operation`."""

    def _mark_mutation(self) -> None:
        self._ring()
