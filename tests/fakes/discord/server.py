"""The fake Discord itself: starts, stops, dies, has people and guilds, and shows a test what happened."""

from types import TracebackType
from typing import Any, Self

from aiohttp import web
from simcord.backend import models

from tests.fakes.discord.channels import Channel
from tests.fakes.discord.faults import Fault, Faults
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.guests import Place
from tests.fakes.discord.guilds import Guild
from tests.fakes.discord.journal import Call, Journal, Violation
from tests.fakes.discord.messages import Message
from tests.fakes.discord.people import Person
from tests.fakes.discord.presses import Press
from tests.fakes.discord.serving import ROOT, Desk
from tests.fakes.discord.switches import TOKEN, Switches
from tests.fakes.discord.world import World
from tests.fakes.telegram.listening import Listener

__all__ = [
    "FIRST_PERSON",
    "TOKEN",
    "Call",
    "Channel",
    "FakeDiscord",
    "Guild",
    "Message",
    "Person",
    "Press",
    "Switches",
    "Violation",
]


FIRST_PERSON = 10**17


class FakeDiscord:
    """Discord on 127.0.0.1. `async with FakeDiscord() as server: … server.url, server.gateway_url …`."""

    def __init__(self, *, switches: Switches | None = None, port: int = 0) -> None:
        self.switches = switches or Switches()
        self.world = World(self.switches)
        self.journal = Journal(self.world.bell)
        self.faults = Faults()
        self.gateway = Gateway(self.world)
        self._desk = Desk(self.world, self.gateway, self.journal, self.faults)
        self._listener = Listener(self._answer, port)

    # ------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def url(self) -> str:
        """What a bot is told as the root of the API."""
        return f"http://127.0.0.1:{self.port}{ROOT}"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    @property
    def token(self) -> str:
        return self.switches.token

    async def start(self) -> None:
        """Listen: on any free port the first time, on the same one ever after."""
        if await self._listener.start():
            self.gateway.url = f"ws://127.0.0.1:{self.port}"
            self.gateway.cdn = f"http://127.0.0.1:{self.port}/cdn"

    async def kill(self) -> None:
        """Every connection is reset; people, messages and sessions stay."""
        await self._listener.kill()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._desk.answer(request)

    # ------------------------------------------------------------ who and where

    @property
    def bot(self) -> models.User:
        return self.world.backend.bot_user

    def person(self, name: str, *, locale: str = "pt-BR", bot: bool = False) -> Person:
        """Somebody; ids count from `FIRST_PERSON`, so that settings can name them beforehand."""
        backend = self.world.backend
        number = backend.reserve_id(FIRST_PERSON + len(self.world.people))
        user = models.User(id=number, name=name.lower(), global_name=name, bot=bot)
        backend.users[number] = user
        person = self.world.people[user.id] = Person(self.world, user, locale)
        return person

    def private(self, person: Person) -> Channel:
        """The private chat of a person with the bot."""
        return self.world.channel(self.world.backend.get_dm_channel(person.id).id)

    def foreign(self, *people: Person, place: Place = Place.PRIVATE) -> Channel:
        """A place of others, where the bot is only as an app that one of them has installed."""
        backend = self.world.backend
        made = backend.create_channel(None, None, type=1)
        made.recipient_ids = [person.id for person in people]
        self.world.foreign[made.id] = place
        return self.world.channel(made.id)

    def guild(
        self, name: str, *members: Person, owner: Person | None = None, shard: tuple[int, int] | None = None
    ) -> Guild:
        """A guild with the bot in it. `shard=(1, 2)`: one that belongs to the second of two shards."""
        number, count = shard or (None, 1)
        stored = self.world.backend.create_guild(
            name, owner_id=None if owner is None else owner.id, shard_id=number, shard_count=count
        )
        guild = Guild(self.world, stored)
        guild.add(*members)
        return guild

    def commands(self, guild: Guild | None = None) -> dict[str, dict[str, Any]]:
        """The commands that the bot has registered, by name."""
        found = self.world.backend.commands.get(None if guild is None else guild.id, {})
        return {name: command for (name, _), command in found.items()}

    # ------------------------------------------------------------ what a test does

    def fault(self, route: str, kind: str, times: int | None = 1, after: int = 0) -> Fault:
        """Let calls such as `PATCH /channels/*/messages/*` go wrong: see `faults.Fault`."""
        rule = Fault(route, kind, times, after)
        self.faults.rules.append(rule)
        return rule

    def advance(self, seconds: float) -> None:
        """Put Discord's clock forward: deadlines of interactions pass."""
        self.world.backend.advance_clock(seconds)

    # ------------------------------------------------------------ what a test sees

    @property
    def calls(self) -> list[Call]:
        return self.journal.calls

    @property
    def violations(self) -> list[Violation]:
        return self.journal.violations

    def count(self, route: str = "*", *, status: int | None = None) -> int:
        return len(self.journal.matching(route, status=status))

    async def wait_for(
        self, route: str, n: int = 1, *, timeout: float = 5.0, status: int | None = None
    ) -> list[Call]:
        """Return the answered calls of a route once there are `n` of them, counted from the start."""
        return await self.journal.wait_for(route, n, timeout, status=status)
