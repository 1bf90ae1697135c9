"""Lists of models that follow their states: the last one in a chat, for ten minutes, within what a chat bears."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.assistant import Assistant
from bot.cards import Card, Listing
from bot.panels import ALIVE, GROUP, MOST, PRIVATE, Panels
from bot.surface import Incoming, Post, Surface
from core.conversation import ChatRef
from core.model import ModelState
from tests.bot.talk import Talk, talking
from tests.fakes.clock import FakeClock, settle
from tests.fakes.provider import FakeLoader, a_model
from tests.fakes.surface import FakeSurface

NOVA = a_model("acme/nova-8b")
ANA = ChatRef("console", "ana")


@dataclass
class Room:
    """Chats in which lists stand, and a host whose models change."""

    talk: Talk
    host: FakeLoader
    clock: FakeClock
    panels: Panels
    assistant: Assistant
    changes: list[tuple[str, tuple[str, ...], str, Card]] = field(default_factory=list)
    broken: bool = False

    async def say(self, text: str, *messages: str, chat: ChatRef = ANA, private: bool = True) -> Card:
        """Say it; the last card stands in those messages."""
        incoming = Incoming(chat, "ana", text, private=private)
        last: Card | None = None
        async for card in self.assistant.respond(incoming):
            last = card
        assert last is not None
        await self.assistant.landed(incoming, last, messages)
        return last

    async def becomes(self, state: ModelState) -> None:
        """The host has it so from now on, and the list is read."""
        self.host.put(NOVA.key, state)
        await self.talk.engine.catalog.sync()

    async def passes(self, seconds: float) -> None:
        """Time, and what the database needs in between."""
        await self.clock.advance(seconds)
        for _ in range(20):
            await asyncio.sleep(0.002)
            await settle()

    def place(self, chat: ChatRef, messages: Sequence[str], person: str) -> Surface:
        if self.broken:
            raise ValueError(chat)
        room = self

        class Standing(FakeSurface):
            async def post(self, card: Card) -> Post:
                room.changes.append((chat.chat, tuple(messages), person, card))
                return await super().post(card)

        return Standing(self.clock)

    @property
    def marks(self) -> list[str]:
        """What each change showed of the model."""
        return [card.rows[0].mark for _, _, _, card in self.changes if isinstance(card, Listing)]


@asynccontextmanager
async def room(folder: Path) -> AsyncIterator[Room]:
    clock, host = FakeClock(), FakeLoader([NOVA])
    async with talking(folder, host, clock=clock) as talk:
        made: Room

        def place(chat: ChatRef, messages: Sequence[str], person: str) -> Surface:
            return made.place(chat, messages, person)

        panels = Panels(place, clock)
        talk.engine.catalog.listeners.append(panels.changed)
        made = Room(talk, host, clock, panels, Assistant(talk.engine, panels))
        yield made
        await panels.aclose()


async def test_it_follows_the_states(tmp_path: Path) -> None:
    """Each change is shown in the same messages, with the asker's buttons; what does not change is not sent."""
    async with room(tmp_path) as r:
        await r.say("/models", "7")
        await r.passes(PRIVATE)
        assert r.changes == []
        await r.becomes(ModelState.LOADED)
        await r.passes(PRIVATE)
        await r.talk.engine.catalog.sync()
        await r.passes(PRIVATE)
        await r.becomes(ModelState.ON_DISK)
        await r.passes(PRIVATE)
        assert r.marks == ["✓", "💤"]
        assert {change[:3] for change in r.changes} == {("ana", ("7",), "console:ana")}


async def test_what_changes_together_is_shown_once(tmp_path: Path) -> None:
    """In a group four times a minute at most: the newest state counts."""
    async with room(tmp_path) as r:
        await r.say("/models", "7", private=False)
        await r.passes(GROUP)
        for state in (ModelState.LOADED, ModelState.ON_DISK, ModelState.LOADED):
            await r.becomes(state)
            await r.passes(GROUP / 5)
        assert r.marks == []
        await r.passes(GROUP)
        assert r.marks == ["✓"]


async def test_ten_minutes(tmp_path: Path) -> None:
    """After that it stays as it is; the button reads it anew."""
    async with room(tmp_path) as r:
        listing = await r.say("/models", "7")
        assert isinstance(listing, Listing)
        assert [b.command for b in listing.buttons] == ["models p1"]
        await r.passes(PRIVATE)
        await r.passes(ALIVE)
        await r.becomes(ModelState.LOADED)
        await r.passes(60)
        assert r.changes == []


async def test_the_last_list_of_a_chat_alone(tmp_path: Path) -> None:
    """An older one stays as it is, and so does one whose message has become something else."""
    async with room(tmp_path) as r:
        await r.say("/models", "7")
        await r.say("/models", "9")
        await r.say("/help", "11")
        await r.becomes(ModelState.LOADED)
        await r.passes(PRIVATE)
        assert [change[1] for change in r.changes] == [("9",)]
        await r.say("/use nova", "9")
        await r.becomes(ModelState.ON_DISK)
        await r.passes(60)
        assert len(r.changes) == 1


async def test_a_chat_that_cannot_be_reached(tmp_path: Path) -> None:
    """Its list ends; others and later ones follow on."""
    async with room(tmp_path) as r:
        await r.say("/models", "7")
        await r.passes(PRIVATE)
        r.broken = True
        await r.becomes(ModelState.LOADED)
        await r.passes(PRIVATE)
        r.broken = False
        await r.say("/models", "8")
        await r.becomes(ModelState.ON_DISK)
        await r.passes(PRIVATE)
        assert [change[1] for change in r.changes] == [("8",)]


async def test_so_many_at_once(tmp_path: Path) -> None:
    """The oldest give way; a platform without messages has none."""
    async with room(tmp_path) as r:
        await r.say("/models")
        for number in range(MOST + 1):
            await r.say("/models", "1", chat=replace(ANA, chat=str(number)))
        assert len(r.panels._panels) == MOST
        assert replace(ANA, chat="0") not in r.panels._panels
