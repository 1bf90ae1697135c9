"""Lists of models that stay alive: the last one in a chat follows the states for ten minutes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from bot.cards import Card, Listing
from bot.desk.ask import Ask
from bot.desk.models import listed
from bot.showing import show
from bot.surface import Surface
from core.clock import Clock
from core.conversation import ChatRef

log = structlog.get_logger(__name__)

ALIVE = 600.0  # seconds
PRIVATE, GROUP = 3.0, 15.0  # seconds between two changes: answers need the rest of what a chat bears
MOST = 200  # at once; the oldest give way

Place = Callable[[ChatRef, Sequence[str], str], Surface]
"""Where standing messages of a chat are changed, with buttons of that person."""


@dataclass(eq=False)
class _Panel:
    """A list that stands in these messages."""

    ask: Ask
    card: Card
    messages: tuple[str, ...]
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None


class Panels:
    """`place` leads to the chats. `changed()` is called whenever a model's state may have changed."""

    def __init__(self, place: Place, clock: Clock) -> None:
        self._place = place
        self._clock = clock
        self._panels: dict[ChatRef, _Panel] = {}

    def changed(self) -> None:
        """A model's state may be another one."""
        for panel in self._panels.values():
            panel.news.set()

    def landed(self, ask: Ask, card: Card, messages: Sequence[str], *, models: bool) -> None:
        """A last card stands in those messages; `models` = it is a list of models. A chat has one live list."""
        chat = ask.incoming.chat
        standing = self._panels.get(chat)
        if standing is not None and (models or set(messages) & set(standing.messages)):
            self._end(chat)
        if not models or not isinstance(card, Listing) or not messages:
            return
        while len(self._panels) >= MOST:
            self._end(next(iter(self._panels)))
        panel = _Panel(ask, card, tuple(messages))
        panel.news.set()  # what changed while it was on its way
        self._panels[chat] = panel
        panel.task = asyncio.create_task(self._follow(chat, panel), name=f"panel {chat}")

    async def aclose(self) -> None:
        """Nothing is alive any more."""
        tasks = [panel.task for panel in self._panels.values() if panel.task is not None]
        for chat in list(self._panels):
            self._end(chat)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, chat: ChatRef) -> None:
        panel = self._panels.pop(chat)
        if panel.task is not None:
            panel.task.cancel()

    async def _follow(self, chat: ChatRef, panel: _Panel) -> None:
        end = asyncio.ensure_future(self._clock.sleep(ALIVE))
        pause = PRIVATE if panel.ask.incoming.private else GROUP
        try:
            while await _sooner(panel.news, end):
                await self._clock.sleep(pause)  # what changes together is shown together
                panel.news.clear()
                await self._redraw(chat, panel)
        except Exception as bug:  # noqa: BLE001  # a list that cannot follow any more stays as it is
            log.info("list no longer follows", chat=str(chat), why=type(bug).__name__)
        finally:
            end.cancel()
            if self._panels.get(chat) is panel:
                del self._panels[chat]

    async def _redraw(self, chat: ChatRef, panel: _Panel) -> None:
        ask = panel.ask
        ask.conversation = await ask.engine.store.conversation(chat)
        await ask.sight(anew=True)
        card = await listed(ask)
        if card == panel.card:
            return
        surface = self._place(chat, panel.messages, ask.person)
        await show(_one(card), surface, self._clock)
        panel.card = card


async def _sooner(news: asyncio.Event, end: "asyncio.Future[None]") -> bool:
    """Wait; whether there was news before the end."""
    waiting = asyncio.ensure_future(news.wait())
    both: set[asyncio.Future[Any]] = {waiting, end}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return not end.done()
    finally:
        waiting.cancel()


async def _one(card: Card) -> AsyncIterator[Card]:
    yield card
