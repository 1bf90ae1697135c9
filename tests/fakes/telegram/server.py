"""The fake Telegram itself: starts, stops, dies, has people and chats, and shows a test what happened."""

from collections.abc import Sequence
from itertools import count
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.drafts import Draft
from tests.fakes.telegram.faults import Fault, Faults
from tests.fakes.telegram.journal import Call, Journal, Violation
from tests.fakes.telegram.listening import Listener
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.people import Person
from tests.fakes.telegram.presses import Press
from tests.fakes.telegram.profile import Profile
from tests.fakes.telegram.rooms import people_of
from tests.fakes.telegram.serving import Desk
from tests.fakes.telegram.switches import TOKEN, Switches
from tests.fakes.telegram.webhook import Webhook
from tests.fakes.telegram.world import World

__all__ = [
    "TOKEN",
    "Call",
    "Chat",
    "Draft",
    "FakeTelegram",
    "Message",
    "Person",
    "Press",
    "Switches",
    "Violation",
]

_NAMES = ("Ana", "Bia", "Caio", "Duda", "Enzo", "Flor", "Gil", "Hugo", "Iara", "Joca")


class FakeTelegram:
    """A Bot API server on 127.0.0.1. `async with FakeTelegram() as server: … server.url …`.

    It ends with an AssertionError if anybody called what the Bot API does not have; `strict=False` for tests that
    do so on purpose.
    """

    def __init__(self, *, switches: Switches | None = None, port: int = 0, strict: bool = True) -> None:
        self._strict = strict
        self.switches = switches or Switches()
        self.world = World(self.switches)
        self.journal = Journal(self.world.bell)
        self.faults = Faults()
        self._desk = Desk(self.world, self.journal, self.faults)
        self._listener = Listener(self._answer, port)
        self._group_ids = count(1)

    # ------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()
        if self._strict and kind is None:
            assert self.violations == []

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def url(self) -> str:
        """What a bot is told as the root of the API; calls go to `{url}/bot{token}/…`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return self.switches.token

    async def start(self) -> None:
        """Listen: on any free port the first time, on the same one ever after."""
        if await self._listener.start():
            await self.webhook.start()

    async def stop(self) -> None:
        """Stop serving: calls under way are let go; chats and updates stay."""
        await self.webhook.stop()
        await self._listener.stop()

    async def kill(self) -> None:
        """As `stop`, with every connection reset."""
        await self.webhook.stop()
        await self._listener.kill()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._desk.answer(request)

    # ------------------------------------------------------------ who and where

    @property
    def bot(self) -> Person:
        return self.world.bot

    def person(
        self,
        user_id: int,
        first_name: str = "",
        *,
        language_code: str = "",
        username: str = "",
        last_name: str = "",
        is_bot: bool = False,
    ) -> Person:
        name = first_name or _NAMES[user_id % len(_NAMES)]
        person = Person(user_id, name, last_name, username, language_code, is_bot)
        self.world.people[user_id] = person
        return person

    def private(self, person: Person, *, started: bool = True) -> Chat:
        """A private chat; before the person wrote (`started=False`) the bot may not write."""
        chat = Chat(self.world, person.id, "private")
        chat.statuses = {person.id: "member", self.bot.id: "member" if started else "left"}
        return self._open(chat)

    def group(
        self,
        members: Sequence[Person] = (),
        admins: Sequence[Person] = (),
        *,
        title: str = "Group",
        bot: str = "member",
        kind: str = "supergroup",
        forum: bool = False,
    ) -> Chat:
        """A group; the first of the administrators made it. `bot="administrator"` lets the bot see all."""
        number = next(self._group_ids)
        chat_id = -1_002_000_000_000 - number if kind == "supergroup" else -4_000_000 - number
        chat = Chat(self.world, chat_id, kind, title=title, forum=forum)
        chat.statuses = people_of(members, "member") | people_of(admins, "administrator") | {self.bot.id: bot}
        if admins:
            chat.statuses[admins[0].id] = "creator"
        return self._open(chat)

    async def forum(
        self,
        members: Sequence[Person],
        admins: Sequence[Person] = (),
        *,
        topics: Sequence[str] = ("Alpha", "Beta"),
        bot: str = "member",
    ) -> Chat:
        """A group with topics, besides the general one; `chat.topic(name)` is a topic's identifier."""
        chat = self.group(members, admins, title="Forum", bot="left", forum=True)
        for name in topics:
            await chat.open_topic((*admins, *members)[0], name)
        chat.statuses[self.bot.id] = bot
        return chat

    def _open(self, chat: Chat) -> Chat:
        self.world.chats[chat.id] = chat
        return chat

    # ------------------------------------------------------------ what a test does

    def fault(
        self,
        method: str,
        kind: str,
        times: int | None = 1,
        after: int = 0,
        *,
        chat: Chat | None = None,
        text: str = "Internal Server Error",
    ) -> Fault:
        """Let calls of a method (or pattern) go wrong: see `faults.Fault`."""
        rule = Fault(method, kind, times, after, None if chat is None else chat.id, text)
        self.faults.rules.append(rule)
        return rule

    # ------------------------------------------------------------ what a test sees

    @property
    def calls(self) -> list[Call]:
        return self.journal.calls

    @property
    def violations(self) -> list[Violation]:
        return self.journal.violations

    @property
    def profile(self) -> Profile:
        return self.world.profile

    @property
    def webhook(self) -> Webhook:
        return self.world.webhook

    def count(self, method: str = "", *, chat: Chat | None = None, status: int | None = None) -> int:
        return len(self.journal.matching(method, chat=chat.id if chat else None, status=status))

    async def wait_for(
        self,
        method: str,
        n: int = 1,
        *,
        timeout: float = 5.0,
        chat: Chat | None = None,
        status: int | None = None,
    ) -> list[Call]:
        """Return the answered calls of a method once there are `n` of them, counted from the start."""
        return await self.journal.wait_for(method, n, timeout, chat=chat.id if chat else None, status=status)

    async def wait_arrived(self, method: str, n: int = 1, *, timeout: float = 5.0) -> None:
        """Return once `n` calls of a method have come in, answered or not."""
        await self.journal.wait_arrived(method, n, timeout)

    async def wait_taken(self, *, timeout: float = 5.0) -> None:
        """Return once the bot has taken, and confirmed, all updates."""
        await self.world.bell.until(
            lambda: None if self.world.updates.pending else True,
            timeout,
            lambda: f"still waiting: {[update.kind for update in self.world.updates.pending]}",
        )
