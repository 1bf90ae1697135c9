"""A message as it stands in a channel, for a person to see and to press."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simcord.backend import models
from simcord.components import walk_components
from simcord.enums import SELECT_TYPES, ComponentType
from simcord.results import ResponseMessage

from tests.fakes.discord.wire import Json

if TYPE_CHECKING:
    from tests.fakes.discord.channels import Channel
    from tests.fakes.discord.people import Person
    from tests.fakes.discord.presses import Press


@dataclass(frozen=True, slots=True)
class Edit:
    at: float
    text: str


@dataclass(eq=False)
class Message:
    channel: "Channel"
    stored: models.Message
    at: float = field(default_factory=time.monotonic)
    edits: list[Edit] = field(default_factory=list)
    deleted: bool = False

    def note_change(self) -> None:
        self.edits.append(Edit(time.monotonic(), self.text))

    @property
    def id(self) -> int:
        return self.stored.id

    @property
    def by_bot(self) -> bool:
        return self.stored.author_id == self.channel.world.bot_id

    @property
    def ephemeral(self) -> bool:
        return self.stored.is_ephemeral

    @property
    def thinking(self) -> bool:
        """A deferred answer that has not come yet."""
        return bool(self.stored.flags & (1 << 7))

    @property
    def text(self) -> str:
        """All that can be read in it: its content, and the texts of its components."""
        texts = [part["content"] for part in self._parts(ComponentType.TEXT_DISPLAY)]
        return "\n".join(filter(None, [self.stored.content, *texts]))

    @property
    def colour(self) -> int | None:
        """The accent of its container."""
        return next((part.get("accent_color") for part in self._parts(ComponentType.CONTAINER)), None)

    @property
    def buttons(self) -> list[Json]:
        return list(self._parts(ComponentType.BUTTON))

    @property
    def labels(self) -> list[str]:
        return [str(button.get("label")) for button in self.buttons]

    @property
    def selects(self) -> list[Json]:
        return list(self._parts(*SELECT_TYPES))

    @property
    def options(self) -> list[str]:
        """The labels in its select menus."""
        return [str(option["label"]) for menu in self.selects for option in menu.get("options", [])]

    @property
    def files(self) -> dict[str, bytes]:
        """Names and contents of what came with it."""
        cdn = self.channel.world.backend.cdn
        return {each["filename"]: cdn.get(each["url"]) or b"" for each in self.stored.attachments}

    @property
    def reply_to(self) -> int | None:
        reference = self.stored.reference
        return int(reference["message_id"]) if reference else None

    @property
    def pings(self) -> list[int]:
        """Whom it made a sound for."""
        return [*self.stored.ping_user_ids, *self.stored.ping_role_ids]

    def _parts(self, *kinds: int) -> Iterator[Json]:
        return (part for part in walk_components(self.stored.components) if part.get("type") in kinds)

    def seen(self) -> ResponseMessage:
        """As simcord's people know it."""
        return ResponseMessage(self.channel.world.env, self.stored)

    async def press(self, person: "Person", label: str) -> "Press":
        """Press the button with this label or custom id."""
        found = [b for b in self.buttons if label in (b.get("label"), b.get("custom_id"))]
        if not found:
            raise LookupError(f"no button {label!r} among {self.labels} under {self.text!r}")
        return await self.channel.press(person, self, found[0]["custom_id"])

    async def choose(self, person: "Person", *labels: str, menu: int = 0) -> "Press":
        """Choose options of a select menu by their labels or values."""
        options = self.selects[menu].get("options", [])
        values = [o["value"] for label in labels for o in options if label in (o["label"], o["value"])]
        if len(values) != len(labels):
            raise LookupError(f"no options {labels} among {self.options}")
        return await self.channel.choose(person, self, self.selects[menu]["custom_id"], values)
