"""A chat as people use it: what they do here becomes an update for the bot."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from tests.fakes.telegram.drafts import Draft
from tests.fakes.telegram.messages import Media, Message
from tests.fakes.telegram.oddments import oddment
from tests.fakes.telegram.people import Person
from tests.fakes.telegram.presses import Press
from tests.fakes.telegram.rooms import Room, Topic
from tests.fakes.telegram.texts import Formatted, formatted
from tests.fakes.telegram.wire import Json

PHOTO_SIZES = ((90, 67), (320, 240), (800, 600), (1280, 960))
_press_numbers = count(4_000_000_001)


class Chat(Room):
    # ------------------------------------------------------------ saying

    async def send(
        self,
        person: Person,
        text: str,
        *,
        reply_to: Message | None = None,
        thread: int | None = None,
        entities: Sequence[Json] = (),
        group: str = "",
    ) -> Message:
        """A person writes; commands, mentions and links get their entities as in every client."""
        content = formatted(text, entities)
        return self._say(person, content, None, reply_to=reply_to, thread=thread, group=group)

    async def edit(self, message: Message, text: str, *, entities: Sequence[Json] = ()) -> None:
        """Whoever wrote a message changes it."""
        message.change(formatted(text, entities), message.keyboard)
        self.world.bell.ring()
        if self._reaches_bot(message):
            self.world.tell("edited_message", message.told(), self.id)

    async def delete(self, message: Message) -> None:
        """A person deletes a message; bots are not told."""
        self.remove(message)

    async def photo(
        self,
        person: Person,
        data: bytes,
        *,
        sizes: Sequence[tuple[int, int]] = PHOTO_SIZES,
        contents: Mapping[tuple[int, int], bytes] | None = None,
        caption: str = "",
        reply_to: Message | None = None,
        thread: int | None = None,
        group: str = "",
    ) -> Message:
        """A photo, in several sizes; all hold `data` unless `contents` says otherwise."""
        told = []
        for size in sizes:
            stored = self.world.files.add((contents or {}).get(size, data), "photos", "photo.jpg")
            told.append(stored.named() | {"width": size[0], "height": size[1]})
        original = self.world.files.by_id(told[-1]["file_id"])
        media = Media("photo", told, original)
        return self._say(person, formatted(caption), media, reply_to=reply_to, thread=thread, group=group)

    async def document(
        self,
        person: Person,
        name: str,
        data: bytes,
        mime: str = "application/octet-stream",
        *,
        size: int | None = None,
        caption: str = "",
        reply_to: Message | None = None,
        thread: int | None = None,
    ) -> Message:
        """A file; `size` claims another size than it has."""
        stored = self.world.files.add(data, "documents", name, size)
        media = Media("document", stored.named() | {"file_name": name, "mime_type": mime}, stored)
        return self._say(person, formatted(caption), media, reply_to=reply_to, thread=thread)

    async def other(self, person: Person, kind: str, *, thread: int | None = None) -> Message:
        """Something else: a sticker, voice, video, audio, location, contact or dice."""
        return self._say(person, Formatted(), oddment(kind, self.world.files), thread=thread)

    def _say(
        self,
        person: Person,
        content: Formatted,
        media: Media | None,
        *,
        reply_to: Message | None = None,
        thread: int | None = None,
        group: str = "",
    ) -> Message:
        if self.kind == "private" and self.status(self.world.bot) != "member":
            self._bot_becomes("member", person)
        thread = thread if thread is not None else self.thread_of(reply_to)
        if reply_to is None and self.is_forum and thread is not None:
            reply_to = self.find(thread)  # a message in a topic answers the one that opened it
        message = Message(
            self, self.world.next_message_id(self), person, content,
            reply_to=reply_to, thread=thread, media=media, group=group,
        )  # fmt: skip
        self.put(message)
        if self._reaches_bot(message):
            self.world.tell("message", message.told(), self.id)
        return message

    def thread_of(self, reply_to: Message | None) -> int | None:
        """Where a reply goes: its topic, or in a supergroup the thread its first message began."""
        if reply_to is None or self.kind != "supergroup":
            return None
        if self.is_forum:
            return reply_to.thread
        return reply_to.thread if reply_to.thread is not None else reply_to.id

    def _reaches_bot(self, message: Message) -> bool:
        """Privacy mode: in groups a bot gets commands, replies to it and mentions of it."""
        bot = self.world.bot
        if not self.present(bot):
            return False
        if self.kind == "private" or not self.world.switches.privacy or self.administrates(bot):
            return True
        if message.reply_to is not None and message.reply_to.author is bot:
            return True
        commands = [command.partition("@") for command in message.covered("bot_command")]
        if any(not at or name.lower() == bot.username.lower() for _, at, name in commands):
            return True
        named = {mention.lower() for mention in message.covered("mention")}
        return f"@{bot.username}".lower() in named

    # ------------------------------------------------------------ pressing

    def press(self, message: Message, person: Person, button: str, *, shown: bool = True) -> Press:
        """A callback query for the button with this label or data."""
        buttons = [each for row in message.inline_buttons for each in row]
        found = [each for each in buttons if button in (each["text"], each.get("callback_data"))]
        if shown and (message.deleted or not found):
            raise LookupError(f"no button {button!r} among {message.labels} under {message.text!r}")
        data = str(found[0]["callback_data"]) if found else button
        press = Press(str(next(_press_numbers)), person, data, self.world.bell)
        self.world.new_press(press)
        body: Json = {
            "id": press.id,
            "from": person.user(),
            "chat_instance": str(self.id * 7919),
            "data": data,
        }
        if message.deleted:
            body["message"] = {"chat": self.short(), "message_id": message.id, "date": 0}
        else:
            body["message"] = message.told()
        self.world.tell("callback_query", body, self.id)
        return press

    async def stop_draft(self, draft: Draft | None = None) -> None:
        """The person presses the stop button of the draft that is shown."""
        draft = draft or self.draft
        if draft is None or not draft.can_stop:
            raise LookupError("no draft with a stop button is shown")
        self.draft_log.stop(draft)
        body: Json = {"chat": self.short(), "draft_id": draft.id}
        if draft.thread is not None:
            body["message_thread_id"] = draft.thread
        self.world.tell("stopped_message_generation", body, self.id)

    # ------------------------------------------------------------ coming and going

    async def join(self, person: Person, *, by: Person | None = None) -> None:
        """A person joins, or is added by another."""
        self._becomes(person, "member", by or person)
        await self._service(by or person, {"new_chat_members": [person.user()]})

    async def leave(self, person: Person, *, by: Person | None = None) -> None:
        """A person leaves, or is removed by another."""
        self._becomes(person, "left" if by is None else "kicked", by or person)
        await self._service(by or person, {"left_chat_member": person.user()})

    async def promote(self, person: Person, *, by: Person) -> None:
        self._becomes(person, "administrator", by)

    async def upgrade(self, by: Person, larger: "Chat") -> None:
        """The group becomes a supergroup, which has another number; both say so, and the old one is dead."""
        await self._service(by, {"migrate_to_chat_id": larger.id})
        await larger._service(by, {"migrate_from_chat_id": self.id})  # of its own kind
        self._bot_becomes("kicked", by)

    async def kick_bot(self, by: Person) -> None:
        """Somebody removes the bot from the group."""
        self._bot_becomes("kicked", by)

    async def add_bot(self, by: Person) -> None:
        """Somebody adds the bot to the group."""
        self._bot_becomes("member", by)
        await self._service(by, {"new_chat_members": [self.world.bot.user()]})

    async def block(self) -> None:
        """The person of a private chat blocks the bot."""
        self._bot_becomes("kicked", self.owner)

    async def unblock(self) -> None:
        self._bot_becomes("member", self.owner)

    async def open_topic(self, person: Person, name: str) -> int:
        """Open a forum topic; its identifier is that of the service message."""
        topic = Topic(self.world.next_message_id(self), name)
        self.topics[topic.id] = topic
        created = {"forum_topic_created": {"name": name, "icon_color": topic.icon_color}}
        self._announce(Message(self, topic.id, person, Formatted(), thread=topic.id, service=created))
        return topic.id

    async def close_topic(self, topic: int) -> None:
        self.topics[topic] = replace(self.topics[topic], closed=True)

    async def _service(self, person: Person, service: Json) -> None:
        self._announce(Message(self, self.world.next_message_id(self), person, Formatted(), service=service))

    def _announce(self, message: Message) -> None:
        """Service messages reach every bot of the group."""
        self.put(message)
        if self.present(self.world.bot):
            self.world.tell("message", message.told(), self.id)

    def _bot_becomes(self, status: str, by: Person) -> None:
        self._becomes(self.world.bot, status, by, kind="my_chat_member")

    def _becomes(self, person: Person, status: str, by: Person, kind: str = "chat_member") -> None:
        body: dict[str, Any] = {
            "chat": self.short(),
            "from": by.user(),
            "date": int(time.time()),
            "old_chat_member": self.member(person),
            "new_chat_member": self.member(person, status),
        }
        self.statuses[person.id] = status
        self.world.tell(kind, body, self.id)
