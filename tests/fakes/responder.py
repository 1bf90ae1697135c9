"""A responder that answers from a script and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from bot.cards import Card, Reply
from bot.surface import Completion, Incoming, MenuItem, Unfit
from core.conversation import ChatRef

Answer = Callable[[Incoming], AsyncIterator[Card]]


class FakeResponder:
    """`answers` by the exact text; any other text comes back as a reply that quotes it."""

    def __init__(
        self,
        answers: Mapping[str, Answer | Iterable[Card]] | None = None,
        *,
        greeting: Sequence[Card] = (),
        commands: Sequence[MenuItem] = (),
        arguments: Mapping[str, Sequence[Completion]] | None = None,
    ) -> None:
        self._answers = dict(answers or {})
        self._greeting = greeting
        self._commands = commands
        self._arguments = dict(arguments or {})
        self._stop = asyncio.Event()
        self._landing = asyncio.Event()
        self.heard: list[Incoming] = []
        self.greeted: list[Incoming] = []
        self.strangers: set[str] = set()
        self.administrators: set[str] = set()
        self.listening: set[ChatRef] = set()
        self.languages: list[str | None] = []
        self.cancelled: list[ChatRef] = []
        self.moves: list[tuple[ChatRef, ChatRef]] = []
        self.landings: list[tuple[Incoming, Card, tuple[str, ...]]] = []
        self.closed = 0  # answers whose iterator was closed or ran out

    async def respond(self, incoming: Incoming) -> AsyncIterator[Card]:
        self._stop.clear()
        if incoming.bring is not None:
            try:
                brought = await incoming.bring()
            except Unfit as unfit:
                yield unfit.card
                return
            words = "\n\n".join(filter(None, (incoming.text, brought.text)))
            self.heard.append(replace(incoming, text=words, pictures=brought.pictures))
        else:
            self.heard.append(incoming)
        answer = self._answers.get(incoming.text)
        if answer is None:
            answer = [Reply(f"`{incoming.text!r}`", done=True)]
        try:
            if callable(answer):
                async for card in answer(incoming):
                    yield card
            else:
                for card in answer:
                    yield card
                    await asyncio.sleep(0)
        finally:
            self.closed += 1

    async def until_cancelled(self) -> None:
        """For an answer that goes on until somebody stops it."""
        await self._stop.wait()

    def menu(self, language: str | None) -> Sequence[MenuItem]:
        self.languages.append(language)
        return self._commands

    async def complete(self, command: str, prefix: str, asker: Incoming) -> Sequence[Completion]:
        del asker
        return [c for c in self._arguments.get(command, ()) if c.value.startswith(prefix)]

    def welcome(self, incoming: Incoming) -> bool:
        return incoming.who not in self.strangers

    def administers(self, incoming: Incoming) -> bool:
        return incoming.who in self.administrators

    def listens(self, chat: ChatRef) -> bool:
        return chat in self.listening

    def cancel(self, chat: ChatRef, asker: str = "") -> bool:
        del asker  # there is one answer
        self.cancelled.append(chat)
        self._stop.set()
        return True

    async def greet(self, incoming: Incoming) -> AsyncIterator[Card]:
        self.greeted.append(incoming)
        for card in self._greeting:
            yield card

    async def moved(self, old: ChatRef, new: ChatRef) -> None:
        self.moves.append((old, new))

    async def landed(self, incoming: Incoming, card: Card, messages: Sequence[str]) -> None:
        self.landings.append((incoming, card, tuple(messages)))
        self._landing.set()

    async def until_landed(self, answers: int = 1) -> None:
        """Return once so many answers have landed."""
        async with asyncio.timeout(10):
            while len(self.landings) < answers:
                self._landing.clear()
                await self._landing.wait()
