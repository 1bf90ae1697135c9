"""A small language to steer the server from another process: one JSON object in, one out, line by line."""

from dataclasses import asdict
from typing import Any

from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.server import Chat, FakeTelegram, Person
from tests.fakes.telegram.wire import Json


def _seen(message: Message) -> Json:
    return {
        "id": message.id,
        "author": message.author.id,
        "by_bot": message.by_bot,
        "text": message.text,
        "entities": list(message.entities),
        "buttons": [list(row) for row in message.buttons],
        "edits": len(message.edits),
    }


class Control:
    def __init__(self, server: FakeTelegram) -> None:
        self._server = server

    async def obey(self, order: Json) -> Json:
        """Do what `{"do": …}` says; what goes wrong is told, never raised."""
        name = str(order.pop("do", ""))
        action = getattr(self, f"_do_{name}", None)
        if action is None:
            return {"error": f"unknown order {name!r}"}
        try:
            return {"ok": await action(**order)}
        except (TypeError, ValueError, LookupError, TimeoutError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _chat(self, chat: int) -> Chat:
        return self._server.world.chats[chat]

    def _person(self, person: int) -> Person:
        return self._server.world.people[person]

    def _message(self, chat: int, message: int) -> Message:
        found = self._chat(chat).find(message)
        if found is None:
            raise LookupError(f"no message {message} in chat {chat}")
        return found

    async def _do_person(self, **about: Any) -> int:
        return self._server.person(about.pop("id"), **about).id

    async def _do_private(self, *, person: int) -> int:
        return self._server.private(self._person(person)).id

    async def _do_group(self, *, members: list[int], admins: list[int], bot: str = "member") -> int:
        inside = [self._person(each) for each in members]
        return self._server.group(inside, [self._person(each) for each in admins], bot=bot).id

    async def _do_send(
        self, *, chat: int, person: int, text: str, reply_to: int | None = None, thread: int | None = None
    ) -> int:
        answered = None if reply_to is None else self._message(chat, reply_to)
        sent = await self._chat(chat).send(self._person(person), text, reply_to=answered, thread=thread)
        return sent.id

    async def _do_press(self, *, chat: int, message: int, person: int, button: str) -> str:
        return (await self._message(chat, message).press(self._person(person), button)).id

    async def _do_messages(self, *, chat: int) -> list[Json]:
        return [_seen(message) for message in self._chat(chat).messages]

    async def _do_drafts(self, *, chat: int) -> list[str]:
        return [frame.text for frame in self._chat(chat).drafts]

    async def _do_wait(self, *, chat: int, text: str, timeout: float = 5.0) -> Json:
        """The first message of the bot with this in its text."""
        return _seen(await self._chat(chat).wait_for(lambda m: m.by_bot and text in m.text, timeout=timeout))

    async def _do_fault(self, *, method: str, kind: str, times: int | None = 1, after: int = 0) -> bool:
        self._server.fault(method, kind, times, after)
        return True

    async def _do_calls(self) -> list[Json]:
        return [{"method": c.method, "chat": c.chat, "status": c.status} for c in self._server.calls]

    async def _do_violations(self) -> list[Json]:
        return [asdict(violation) for violation in self._server.violations]
