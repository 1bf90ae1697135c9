"""A message as it stands in a chat, for a person to see and for the Bot API to tell."""

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.fakes.telegram.files import Stored
from tests.fakes.telegram.people import Person
from tests.fakes.telegram.texts import Formatted
from tests.fakes.telegram.wire import Json

if TYPE_CHECKING:
    from tests.fakes.telegram.chats import Chat
    from tests.fakes.telegram.presses import Press


@dataclass(frozen=True, slots=True)
class Media:
    """What a message carries besides text: the field of the Bot API, its value, and the file."""

    kind: str
    value: object
    file: Stored | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    at: float
    text: str
    entities: tuple[Json, ...]
    buttons: tuple[tuple[str, ...], ...]


@dataclass(eq=False)
class Message:
    chat: "Chat"
    id: int
    author: Person
    content: Formatted
    keyboard: Json | None = None
    reply_to: "Message | None" = None
    quote: Json | None = None
    thread: int | None = None
    media: Media | None = None
    service: Json = field(default_factory=dict)
    rich: Json | None = None
    group: str = ""
    at: float = field(default_factory=time.monotonic)
    date: int = field(default_factory=lambda: int(time.time()))
    edits: list[Edit] = field(default_factory=list)
    edit_date: int | None = None
    deleted: bool = False

    # ------------------------------------------------------------ what a person sees

    @property
    def text(self) -> str:
        return self.content.text

    @property
    def entities(self) -> tuple[Json, ...]:
        return self.content.entities

    @property
    def by_bot(self) -> bool:
        return self.author.is_bot

    @property
    def edited(self) -> list[float]:
        """When it was edited, on the monotonic clock."""
        return [edit.at for edit in self.edits]

    @property
    def file(self) -> bytes | None:
        """The file that came with it."""
        return self.media.file.data if self.media is not None and self.media.file is not None else None

    @property
    def inline_buttons(self) -> list[list[Json]]:
        rows: list[list[Json]] = (self.keyboard or {}).get("inline_keyboard", [])
        return rows

    @property
    def buttons(self) -> tuple[tuple[str, ...], ...]:
        """The labels under it, row by row."""
        return tuple(tuple(str(button["text"]) for button in row) for row in self.inline_buttons)

    @property
    def labels(self) -> list[str]:
        return [label for row in self.buttons for label in row]

    def covered(self, kind: str) -> list[str]:
        """The pieces of its text that carry an entity of a kind: `covered("bold")`."""
        return self.content.covered(kind)

    async def press(self, person: Person, button: str, *, shown: bool = True) -> "Press":
        """Press the button with this label or data; `shown=False` presses data that is no longer shown."""
        return self.chat.press(self, person, button, shown=shown)

    # ------------------------------------------------------------ what happens to it

    def change(self, content: Formatted, keyboard: Json | None) -> None:
        self.content = content
        self.keyboard = keyboard
        self.edit_date = int(time.time())
        self.edits.append(Edit(time.monotonic(), content.text, content.entities, self.buttons))

    # ------------------------------------------------------------ what the Bot API tells

    def told(self, *, with_reply: bool = True) -> Json:
        body: Json = {"message_id": self.id, "from": self.author.user(), "chat": self.chat.short()}
        body["date"] = self.date
        if self.edit_date is not None and self.edits:
            body["edit_date"] = self.edit_date
        if self.thread is not None:
            body["message_thread_id"] = self.thread
            if self.chat.is_forum:
                body["is_topic_message"] = True
        if with_reply and self.reply_to is not None and not self.reply_to.deleted:
            body["reply_to_message"] = self.reply_to.told(with_reply=False)
            if self.quote is not None:
                body["quote"] = self.quote
        if self.group:
            body["media_group_id"] = self.group
        body |= self._content() | self.service
        if self.inline_buttons:
            body["reply_markup"] = {"inline_keyboard": self.inline_buttons}
        return body

    def _content(self) -> Json:
        body: Json = {}
        if self.rich is not None:
            return {"rich_message": self.rich}
        if self.media is not None:
            body[self.media.kind] = self.media.value
            text, entities = "caption", "caption_entities"
        else:
            text, entities = "text", "entities"
        if self.content.text:
            body[text] = self.content.text
            if self.content.entities:
                body[entities] = list(self.content.entities)
        return body

    def same_as(self, content: Formatted, keyboard: Json | None) -> bool:
        after = replace(self, content=content, keyboard=keyboard)
        return self.content == content and self.inline_buttons == after.inline_buttons
