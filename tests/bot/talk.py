"""A conversation with the assistant over a real engine, whose providers are fakes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bot.assistant import Assistant
from bot.cards import Card, Listing, Reply, plain
from bot.surface import Incoming
from core.conversation import ChatRef, Turn
from core.engine import Engine, open_engine
from core.providers.base import Provider
from core.settings import Settings
from tests.bot.checks import sound
from tests.fakes.clock import FakeClock

PATIENCE = 20.0  # real seconds after which a test that waits has failed


class Saying:
    """A message under way: its cards so far, and the task that takes them, as a platform would."""

    def __init__(self, cards: AsyncIterator[Card]) -> None:
        self.cards: list[Card] = []
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._take(cards))

    async def _take(self, cards: AsyncIterator[Card]) -> None:
        try:
            async for card in cards:
                self.cards.append(card)
                self._news.set()
        finally:
            self._news.set()

    async def until(self, wanted: str | Callable[[Card], bool]) -> Card:
        """The first card, come or to come, that has that text in it or passes that test."""
        test = (lambda card: wanted in plain(card)) if isinstance(wanted, str) else wanted
        seen = 0
        async with asyncio.timeout(PATIENCE):
            while True:
                self._news.clear()
                for card in self.cards[seen:]:
                    if test(card):
                        return card
                seen = len(self.cards)
                assert not self.task.done(), [plain(card) for card in self.cards]
                await self._news.wait()

    async def last(self) -> Card:
        """The card that stays."""
        async with asyncio.timeout(PATIENCE):
            await self.task
        sound(self.cards)
        return self.cards[-1]

    @property
    def texts(self) -> list[str]:
        """Every card as plain text."""
        return [plain(card) for card in self.cards]


class Talk:
    """Says things to the assistant. Chats are named by a word."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.assistant = Assistant(engine)
        self.draws = False  # as in a terminal
        self._said: list[Saying] = []

    @staticmethod
    def ref(chat: str) -> ChatRef:
        return ChatRef("console", chat)

    def asker(self, chat: str = "ana") -> Incoming:
        """Who types a command and has not sent it."""
        return Incoming(self.ref(chat), chat, "")

    def begin(self, text: str, chat: str = "ana", language: str | None = None) -> Saying:
        """Say it and do not wait for the answer."""
        incoming = Incoming(self.ref(chat), chat, text, language=language, draws=self.draws)
        saying = Saying(self.assistant.respond(incoming))
        self._said.append(saying)
        return saying

    async def say(self, text: str, chat: str = "ana", language: str | None = None) -> Card:
        """Say it; the card that stays."""
        return await self.begin(text, chat, language).last()

    async def reply(self, text: str, chat: str = "ana") -> Reply:
        """Say it; the card that stays is a reply."""
        card = await self.say(text, chat)
        assert isinstance(card, Reply), plain(card)
        return card

    async def listing(self, text: str, chat: str = "ana") -> Listing:
        """Say it; the card that stays is a listing."""
        card = await self.say(text, chat)
        assert isinstance(card, Listing), plain(card)
        return card

    async def turns(self, chat: str = "ana") -> list[Turn]:
        """What is remembered of that chat."""
        return await self.engine.store.turns(self.ref(chat))

    async def end(self) -> None:
        """Leave whatever still runs."""
        for saying in self._said:
            saying.task.cancel()
        await asyncio.gather(*(saying.task for saying in self._said), return_exceptions=True)


def settings(folder: Path, **changes: object) -> Settings:
    """Settings that nothing in the environment disturbs."""
    fields: dict[str, object] = {
        "platforms": ("console",),
        "lmstudio_urls": (),
        "lmstudio_token": None,
        "embedded": "off",
        "embedded_models": (),
        "data_dir": folder,
        "prefer": "external",
        "language": "pt-BR",
        "sync_every": 3600.0,
        "load_timeout": 60.0,
        **changes,
    }
    return Settings.model_validate(fields)


@asynccontextmanager
async def talking(
    folder: Path, *providers: Provider, clock: FakeClock | None = None, **changes: object
) -> AsyncIterator[Talk]:
    """An engine on that folder; opening it again is a restart of the program."""
    opened = open_engine(settings(folder, **changes), clock=clock or FakeClock(), providers=providers)
    async with opened as engine:
        engine.start()
        await engine.catalog.settled.wait()
        talk = Talk(engine)
        try:
            yield talk
        finally:
            await talk.end()
