"""Stands between the platforms and the assistant: whose lines the log has, and how one takes leave."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from typing import Protocol

import structlog

from bot.cards import Card, Notice, Tone
from bot.surface import Completion, Incoming, MenuItem, Responder
from bot.texts import Speech, match
from core.conversation import ChatRef

log = structlog.get_logger(__name__)


class Interruptible(Responder, Protocol):
    """A Responder whose answers can be cut short for the program's own sake."""

    def interrupt(self, chat: ChatRef) -> None:
        """Stop what is under way in that chat; its last card says that the program ends."""
        ...


class Reception:
    """A Responder before another one. `language` is spoken to those of whom none is known."""

    def __init__(self, behind: Interruptible, language: str) -> None:
        self._behind = behind
        self._language = language
        self._answering: Counter[ChatRef] = Counter()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._leaving = False

    # ------------------------------------------------------------ the port

    def respond(self, incoming: Incoming) -> AsyncIterator[Card]:
        """See `Responder.respond`. Whoever asks has the conversation's id in every line of the log from now on."""
        structlog.contextvars.bind_contextvars(chat=str(incoming.chat))
        return self._answered(incoming, self._behind.respond(incoming))

    def greet(self, incoming: Incoming) -> AsyncIterator[Card]:
        """See `Responder.greet`."""
        structlog.contextvars.bind_contextvars(chat=str(incoming.chat))
        return self._answered(incoming, self._behind.greet(incoming))

    def menu(self, language: str | None) -> Sequence[MenuItem]:
        """See `Responder.menu`."""
        return self._behind.menu(language)

    async def complete(self, command: str, prefix: str, asker: Incoming) -> Sequence[Completion]:
        """See `Responder.complete`."""
        return await self._behind.complete(command, prefix, asker)

    def welcome(self, incoming: Incoming) -> bool:
        """See `Responder.welcome`."""
        return self._behind.welcome(incoming)

    def administers(self, incoming: Incoming) -> bool:
        """See `Responder.administers`."""
        return self._behind.administers(incoming)

    def listens(self, chat: ChatRef) -> bool:
        """See `Responder.listens`."""
        return self._behind.listens(chat)

    def cancel(self, chat: ChatRef, asker: str = "") -> bool:
        """See `Responder.cancel`."""
        return self._behind.cancel(chat, asker)

    async def moved(self, old: ChatRef, new: ChatRef) -> None:
        """See `Responder.moved`."""
        await self._behind.moved(old, new)

    async def landed(self, incoming: Incoming, card: Card, messages: Sequence[str]) -> None:
        """See `Responder.landed`."""
        await self._behind.landed(incoming, card, messages)

    # ------------------------------------------------------------ taking leave

    async def leave(self, within: float) -> None:
        """The program is about to end: nothing new begins, and what is under way has so many seconds.

        What is not over then is interrupted; its last card says so, with a button that asks again.
        """
        self._leaving = True
        log.info("leaving", answers=self._answering.total())
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._quiet.wait()
        for chat in list(self._answering):
            self._behind.interrupt(chat)

    async def _answered(self, incoming: Incoming, cards: AsyncIterator[Card]) -> AsyncIterator[Card]:
        if self._leaving:
            if self._behind.welcome(incoming):
                yield self._away(incoming)
            return
        self._answering[incoming.chat] += 1
        self._quiet.clear()
        try:
            async with aclosing(cards) as source:  # type: ignore[type-var]  # every async generator has aclose
                async for card in source:
                    yield card
        finally:
            self._answering[incoming.chat] -= 1
            self._answering += Counter()  # those at zero leave
            if not self._answering:
                self._quiet.set()

    def _away(self, incoming: Incoming) -> Card:
        t = Speech(match(incoming.language, self._language))
        return Notice(Tone.WARNING, t("leave.away"), t("leave.away_body"))
