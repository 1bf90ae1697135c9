"""A small language to steer the server from another process: one JSON object in, one out, line by line."""

from dataclasses import asdict
from typing import Any

from simcord.backend.errors import BackendError, SetupError

from tests.fakes.discord.messages import Message
from tests.fakes.discord.server import FakeDiscord, Person
from tests.fakes.discord.wire import Json


def _seen(message: Message) -> Json:
    return {
        "id": message.id,
        "by_bot": message.by_bot,
        "text": message.text,
        "buttons": message.labels,
        "options": message.options,
        "ephemeral": message.ephemeral,
        "edits": len(message.edits),
    }


class Control:
    def __init__(self, server: FakeDiscord) -> None:
        self._server = server

    async def obey(self, order: Json) -> Json:
        """Do what `{"do": …}` says; what goes wrong is told, never raised."""
        name = str(order.pop("do", ""))
        action = getattr(self, f"_do_{name}", None)
        if action is None:
            return {"error": f"unknown order {name!r}"}
        try:
            return {"ok": await action(**order)}
        except (TypeError, ValueError, LookupError, TimeoutError, SetupError, BackendError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _person(self, person: int) -> Person:
        return self._server.world.people[person]

    async def _do_person(self, *, name: str, locale: str = "pt-BR") -> int:
        return self._server.person(name, locale=locale).id

    async def _do_private(self, *, person: int) -> int:
        return self._server.private(self._person(person)).id

    async def _do_guild(self, *, name: str, members: list[int], channel: str) -> int:
        guild = self._server.guild(name, *(self._person(each) for each in members))
        return guild.channel(channel).id

    async def _do_send(self, *, channel: int, person: int, text: str) -> int:
        return (await self._server.world.channel(channel).send(self._person(person), text)).id

    async def _do_slash(self, *, channel: int, person: int, name: str, options: Json | None = None) -> int:
        place = self._server.world.channel(channel)
        return (await place.slash(self._person(person), name, **(options or {}))).record.id

    async def _do_press(self, *, message: int, person: int, label: str) -> int:
        return (await self._server.world.messages[message].press(self._person(person), label)).record.id

    async def _do_messages(self, *, channel: int) -> list[Json]:
        return [_seen(message) for message in self._server.world.channel(channel).messages]

    async def _do_wait(self, *, channel: int, text: str, timeout: float = 5.0) -> Json:
        """The first message of the bot with this in its text."""
        return _seen(await self._server.world.channel(channel).says(text, timeout))

    async def _do_fault(self, *, route: str, kind: str, times: int | None = 1, after: int = 0) -> bool:
        self._server.fault(route, kind, times, after)
        return True

    async def _do_close(self, *, code: int = 4000) -> bool:
        await self._server.gateway.close(code)
        return True

    async def _do_calls(self) -> list[Json]:
        return [{"route": c.route, "status": c.status} for c in self._server.calls]

    async def _do_violations(self) -> list[Any]:
        return [asdict(violation) for violation in self._server.violations]
