"""What `show()` promises of cards, over a surface of every platform that ships."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from bot.cards import Card, Notice, Progress, Reply, Tone
from bot.platforms.console import ConsolePlatform
from bot.platforms.telegram import TelegramPlatform
from bot.showing import show
from bot.surface import Limits, Post, SlowDown, Surface, SurfaceDown
from core.clock import Clock
from core.conversation import ChatRef
from tests.bot.platforms.discord.running import Bilingual, running
from tests.fakes.clock import FakeClock
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.responder import FakeResponder
from tests.fakes.telegram.server import FakeTelegram

Trouble = Callable[[str], None]
Read = Callable[[], list[str]]
LAST = [
    pytest.param(Reply("palavra " * 40 + "fim.", done=True), id="words"),
    pytest.param(Notice(Tone.SUCCESS, "Pronto, fim."), id="notice"),
]


@dataclass
class Place:
    """A chat of a platform's, what stands there now, and a way to let the next calls go wrong."""

    surface: Surface
    clock: Clock
    read: Read
    trouble: Trouble


@asynccontextmanager
async def on_telegram(*, group: bool = False) -> AsyncIterator[Place]:
    async with FakeTelegram() as server:
        clock = FakeClock(rushing=True)
        platform = TelegramPlatform(server.token, server.url, clock=clock)
        task = asyncio.create_task(platform.run(FakeResponder()))
        await server.wait_arrived("getUpdates")
        ana = server.person(42)
        chat = server.group([ana]) if group else server.private(ana)

        def trouble(kind: str) -> None:
            for method in ("sendMessage", "sendMessageDraft", "editMessageText"):
                server.fault(method, kind, times=2)

        surface = platform.surface(ChatRef("telegram", str(chat.id)))
        yield Place(surface, clock, lambda: [m.text for m in chat.answers], trouble)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert server.violations == []


@asynccontextmanager
async def on_discord() -> AsyncIterator[Place]:
    async with FakeDiscord() as server:
        chat = server.private(server.person("Ana"))
        clock = FakeClock(rushing=True)

        def trouble(kind: str) -> None:
            for route in ("POST /channels/*/messages", "PATCH /channels/*/messages/*"):
                server.fault(route, kind, times=2)

        async with running(server, Bilingual(), clock=clock) as platform:
            surface = platform.surface(ChatRef("discord", str(chat.id)))
            yield Place(surface, clock, lambda: [m.text for m in chat.answers], trouble)


@asynccontextmanager
async def on_the_console() -> AsyncIterator[Place]:
    out = io.StringIO()
    platform = ConsolePlatform(stdin=io.StringIO(), stdout=out, stderr=io.StringIO())
    surface = platform.surface(ChatRef("console", "local"))
    yield Place(
        surface, FakeClock(rushing=True), lambda: [out.getvalue()] if out.getvalue() else [], _nothing
    )


def _nothing(_: str) -> None:
    """Nothing goes wrong on the way to one's own screen."""


PLACES: dict[str, Callable[[], AbstractAsyncContextManager[Place]]] = {
    "telegram": on_telegram,
    "telegram group": partial(on_telegram, group=True),
    "discord": on_discord,
    "console": on_the_console,
}


class Watched:
    """Looks on while cards go to a surface. Nothing else is promised to be called one at a time."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._under_way = 0
        self.shown: list[Card] = []
        self.refused: list[type[Exception]] = []
        self.most_at_once = 0

    @property
    def limits(self) -> Limits:
        return self._surface.limits

    async def busy(self) -> None:
        await self._surface.busy()

    async def post(self, card: Card) -> Post:
        return await self._watch(card, self._surface.post(card))

    async def edit(self, post: Post, card: Card) -> Post:
        return await self._watch(card, self._surface.edit(post, card))

    async def _watch(self, card: Card, call: object) -> Post:
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            made = await call  # type: ignore[misc]  # one of the two above
        except (SlowDown, SurfaceDown) as refused:
            self.refused.append(type(refused))
            raise
        finally:
            self._under_way -= 1
        self.shown.append(card)
        assert isinstance(made, Post)
        return made


async def _poured(cards: Sequence[Card]) -> AsyncIterator[Card]:
    for card in cards:
        yield card
        await asyncio.sleep(0.001)  # a model's own pace


def growing(last: Card) -> list[Card]:
    """A load, then an answer that grows, then its end."""
    load: list[Card] = [Progress("Carregando", step / 20) for step in range(20)]
    words = [Reply("palavra " * (1 + n), done=False) for n in range(20) for _ in range(3)]
    return [*load, *words, last]


@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize("name", PLACES)
async def test_the_newest_card_wins_and_the_last_one_stays(name: str, last: Card) -> None:
    """In their order, one call at a time, none twice, stale ones dropped; in the end the last one stands alone."""
    cards = growing(last)
    async with PLACES[name]() as place:
        watched = Watched(place.surface)
        assert await show(_poured(cards), watched, place.clock) == last
        assert watched.most_at_once == 1
        assert watched.shown[-1] == last
        order = [cards.index(card) for card in watched.shown]
        assert order == sorted(set(order))
        assert name == "console" or len(order) < len(set(cards))
        assert len(place.read()) == 1
        assert "fim." in place.read()[0]
        assert "Carregando" not in place.read()[0]


@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize("kind", ["status:429:0.2", "drop", "lost"])
@pytest.mark.parametrize("name", [name for name in PLACES if name != "console"])
async def test_the_last_card_lands_after_refusals_and_broken_connections(
    name: str, kind: str, last: Card
) -> None:
    """Pauses that were asked for and connections that break, at the beginning, in the middle, at the end: it stands.

    Once, but for a message that Telegram takes without that its answer arrives: no call of Telegram's knows a
    nonce, and rather twice than never. Such a copy says what was to be shown at that moment.
    """
    async with PLACES[name]() as place:
        place.trouble(kind)
        watched = Watched(place.surface)
        assert await show(_poured(growing(last)), watched, place.clock) == last
        assert kind == "status:429:0.2" or watched.refused  # discord.py waits out a limit by itself
        assert len(set(watched.shown)) == len(watched.shown)
        *copies, standing = place.read()
        assert "fim." in standing
        assert len(copies) == (2 if kind == "lost" and name.startswith("telegram") else 0)


async def test_every_platform_has_a_place_here() -> None:
    """A further platform is held to the same: it must be added above."""
    from bot.app import KNOWN  # noqa: PLC0415  # the composition root is not needed by the others

    assert {name.partition(" ")[0] for name in PLACES} == set(KNOWN)


@pytest.mark.parametrize("name", PLACES)
async def test_who_stops_reading_stops_the_source(name: str) -> None:
    """Cancelled in the middle, the source is closed: the model stops."""
    closed = asyncio.Event()
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[Card]:
        try:
            number = 0
            while True:
                number += 1
                yield Reply(f"{number}", done=False)
                begun.set()
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    async with PLACES[name]() as place:
        showing = asyncio.create_task(show(endless(), place.surface, place.clock))
        await begun.wait()
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
        assert closed.is_set()
