"""An interaction: a command, a press, a choice or a filled form, from its beginning to the bot's answers."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simcord._modal import _modal_controls, _submit_modal
from simcord.backend.models import Interaction
from simcord.results import InteractionResult

from tests.fakes.discord.people import Person
from tests.fakes.discord.wire import Json

if TYPE_CHECKING:
    from tests.fakes.discord.messages import Message
    from tests.fakes.discord.world import World


@dataclass(eq=False)
class Press:
    world: "World"
    person: Person
    record: Interaction
    at: float = field(default_factory=time.monotonic)

    def _told(self) -> str:
        return f"the interaction has kind {self.record.response_kind}, message {self.record.message_id}"

    async def answered(self, timeout: float = 5.0) -> str:
        """How the bot answered first: message, deferred, deferred_update, update, modal, autocomplete."""
        record = self.record
        await self.world.bell.until(lambda: True if record.responded else None, timeout, self._told)
        return str(record.response_kind)

    @property
    def message(self) -> "Message | None":
        """The bot's first answer, once it is more than `thinking…`."""
        found = self.world.messages.get(self.record.message_id or 0)
        return None if found is None or found.thinking or found.deleted else found

    @property
    def follow_ups(self) -> "list[Message]":
        return [self.world.messages[each] for each in self.record.followup_ids]

    async def says(self, words: str, timeout: float = 5.0) -> "Message":
        """Wait until the answer, or what follows it, holds these words."""

        def look() -> "Message | None":
            first = self.message
            said = [*([first] if first is not None else []), *self.follow_ups]
            return next((message for message in said if words in message.text), None)

        def told() -> str:
            texts = [m.text for m in (self.message, *self.follow_ups) if m is not None]
            return f"no {words!r} in {texts}; {self._told()}"

        return await self.world.bell.until(look, timeout, told)

    async def modal(self, timeout: float = 5.0) -> Json:
        """The form that the bot shows."""
        return await self.world.bell.until(lambda: self.record.modal, timeout, self._told)

    async def fill(self, values: Mapping[str, Any] | str) -> "Press":
        """Send the form that the bot shows, by custom ids; a single text for a form with one field."""
        shown = await self.modal()
        fields = [control["custom_id"] for control in _modal_controls(shown)]
        given = {fields[0]: values} if isinstance(values, str) else dict(values)
        guild = self.world.channel(self.record.channel_id).guild
        result = InteractionResult(self.world.env, self.record)
        sent = await _submit_modal(self.person.actor(guild), result, given)
        return Press(self.world, self.person, sent._interaction)

    async def choices(self, timeout: float = 5.0) -> list[Json]:
        """What the bot offers for the option being typed."""
        return await self.world.bell.until(lambda: self.record.autocomplete_choices, timeout, self._told)
