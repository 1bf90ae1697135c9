"""A person who talks to the program over a real engine and LM Studios on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.assistant import Assistant
from bot.cards import Card, plain
from bot.surface import Incoming
from core.clock import Clock
from core.conversation import ChatRef, Picture
from core.engine import Engine, open_engine
from core.providers.lmstudio import LMStudio
from core.settings import Settings
from tests.fakes.lmstudio.server import FakeLMStudio

PATIENCE = 20.0  # real seconds; only a broken program takes so long


class Saying:
    """A message under way: the cards so far."""

    def __init__(self, assistant: Assistant, incoming: Incoming) -> None:
        self.cards: list[Card] = []
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._take(assistant, incoming))

    async def _take(self, assistant: Assistant, incoming: Incoming) -> None:
        try:
            async for card in assistant.respond(incoming):
                self.cards.append(card)
                self._news.set()
        finally:
            self._news.set()

    async def shows(self, words: str) -> str:
        """Wait until a card holds these words."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self._news.clear()
                found = [text for text in self.texts if words in text]
                if found:
                    return found[0]
                assert not self._task.done(), self.texts
                await self._news.wait()

    async def end(self) -> str:
        """The last card, as text."""
        async with asyncio.timeout(PATIENCE):
            await self._task
        return self.texts[-1]

    @property
    def texts(self) -> list[str]:
        return [plain(card) for card in self.cards]

    @property
    def last(self) -> Card:
        return self.cards[-1]


class Person:
    """One chat with the program."""

    def __init__(self, engine: Engine, assistant: Assistant, name: str = "ana") -> None:
        self.engine = engine
        self.assistant = assistant
        self.name = name

    def begin(self, text: str, *pictures: Picture) -> Saying:
        """Say something and do not wait for the answer."""
        chat = ChatRef("console", self.name)
        return Saying(self.assistant, Incoming(chat, self.name, text, pictures=pictures))

    async def says(self, text: str, *pictures: Picture) -> str:
        """Say something; the last card, as text."""
        return await self.begin(text, *pictures).end()

    def stop(self) -> bool:
        """Press ✖ or ⏹."""
        return self.assistant.cancel(ChatRef("console", self.name))

    def friend(self, name: str) -> "Person":
        """Somebody else in a chat of their own."""
        return Person(self.engine, self.assistant, name)


def pressed(card: str, label: str) -> str:
    """The command line of the button with that label in a card's text."""
    line = next(line for line in card.splitlines() if line.startswith("[") and label in line)
    return line.partition("] ")[2]


@asynccontextmanager
async def person(
    data_dir: Path, *hosts: FakeLMStudio, clock: Clock | None = None, **settings: object
) -> AsyncIterator[Person]:
    """The program over these hosts, started and settled. `settings` by their lower-case names."""
    given: dict[str, object] = {"data_dir": data_dir, "embedded": "off", **settings}
    if hosts:
        given.setdefault("lmstudio_urls", tuple(host.url for host in hosts))
    made = Settings(_env_file=None, **given)  # type: ignore[arg-type]  # settings by name
    async with open_engine(made, clock=clock) as engine:
        engine.start()
        async with asyncio.timeout(PATIENCE):
            await engine.catalog.settled.wait()
        yield Person(engine, Assistant(engine))


def lmstudio(engine: Engine) -> list[LMStudio]:
    """The clients behind an engine."""
    return [provider for provider in engine.catalog.providers if isinstance(provider, LMStudio)]
