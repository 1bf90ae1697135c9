"""The conversation on a terminal: ask, answer, until the person leaves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TextIO

from rich.text import Text

from bot.cards import Button, Card, Reply, Secret, is_error
from bot.clean import clean
from bot.platforms.console.live import LiveAnswer, open_console
from bot.platforms.console.press import pressable, pressed, secret_command
from bot.platforms.console.prompt import Prompt
from bot.platforms.console.render import View, render
from bot.platforms.console.wording import ConsoleTexts
from bot.showing import show
from bot.surface import Incoming, Responder
from core.clock import Clock, SystemClock

TWICE = 2.0  # seconds within which a second Ctrl-C means it
GRACE = 2.0  # seconds an answer has to end by itself when the person leaves


class TerminalTalk:
    """One person, one terminal, one answer at a time."""

    def __init__(
        self,
        responder: Responder,
        *,
        stdin: TextIO,
        stdout: TextIO,
        history_file: Path | None,
        texts: ConsoleTexts,
        said: Callable[[str], Incoming],
        clock: Clock | None = None,
    ) -> None:
        self._responder = responder
        self._texts = texts
        self._said = said
        self._clock = clock or SystemClock()
        self._console = open_console(stdout)
        self._prompt = Prompt(
            responder,
            stdin=stdin,
            stdout=stdout,
            history_file=history_file,
            texts=texts,
            unfold=self._unfold,
            said=said,
        )
        self._buttons: tuple[Button, ...] = ()
        self._question: Secret | None = None
        self._thinking = ""
        self._leaving = False
        self._stopped_at: float | None = None
        self.failed = False

    async def run(self) -> None:
        """Greet, then answer until the person leaves."""
        with self._prompt.owning_keys():
            await self._answer(self._responder.greet(self._said("")))
            while not self._leaving:
                text = await self._next()
                if text is None:
                    break
                if text:
                    await self._answer(self._responder.respond(self._said(text)))
        self._console.print(Text(self._texts.goodbye, style="dim"))

    async def print_aside(self, card: Card) -> None:
        """Print news above the prompt, or above the answer under way."""
        self._prompt.above(lambda: self._console.print(render(card, View(self._texts))))

    async def _next(self) -> str | None:
        """What the person says next; empty for nothing, `None` for goodbye."""
        if self._question is not None:
            question, self._question = self._question, None
            answer = await self._prompt.ask_secret()
            return secret_command(question, answer) if answer and answer.strip() else ""
        text = await self._prompt.ask()
        if text is None or not text.strip():
            return None if text is None else ""
        return pressed(text, self._buttons) or text.strip("\r\n").rstrip()

    async def _answer(self, cards: AsyncIterator[Card]) -> None:
        surface = LiveAnswer(self._console, self._texts)
        self._stopped_at = None
        showing = asyncio.create_task(show(cards, surface, self._clock))
        try:
            with self._prompt.watching(lambda: self._stop(showing), lambda: self._leave(showing)):
                surface.begin()
                await asyncio.wait({showing})
            if showing.cancelled():
                surface.abandon()
                self._remember(None)
            else:
                last = showing.result()
                surface.finish(last)
                self._remember(last)
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
            surface.close()

    def _remember(self, card: Card | None) -> None:
        self._buttons = pressable(card)
        self._question = card if isinstance(card, Secret) else None
        self._thinking = card.thinking if isinstance(card, Reply) else ""
        self.failed |= card is not None and is_error(card)

    def _stop(self, showing: asyncio.Task[Card | None]) -> None:
        """Ask the responder to end the answer; when it does not and is asked again, end it ourselves."""
        now = self._clock.monotonic()
        again = self._stopped_at is not None and now - self._stopped_at <= TWICE
        self._stopped_at = now
        if again:
            showing.cancel()
        else:
            self._responder.cancel(self._said("").chat)

    def _leave(self, showing: asyncio.Task[Card | None]) -> None:
        if self._leaving:
            showing.cancel()
            return
        self._leaving = True
        self._responder.cancel(self._said("").chat)
        asyncio.get_running_loop().call_later(GRACE, showing.cancel)

    def _unfold(self) -> None:
        if self._thinking:
            self._console.print(Text(clean(self._thinking), style="dim italic"))
