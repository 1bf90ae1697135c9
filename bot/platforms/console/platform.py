"""The platform: chooses between the terminal and plain lines, and says who speaks."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TextIO

from bot.cards import Card, Progress, Reply
from bot.platforms.console.piped import EDIT_EVERY, PipedSurface, PipedTalk
from bot.platforms.console.wording import ConsoleTexts
from bot.surface import Incoming, Limits, Post, Responder, Surface
from core.conversation import ChatRef

CHAT = ChatRef("console", "local")
PERSON = "local"


class ConsolePlatform:
    """One chat, with whoever sits at the machine.

    `failed` tells after `run` whether any final card was an error.
    """

    name = "console"

    def __init__(
        self,
        *,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        history_file: Path | None = None,
        texts: ConsoleTexts | None = None,
    ) -> None:
        self._stdin = stdin or sys.stdin
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        self._history_file = history_file
        self._texts = texts or ConsoleTexts()
        self._aside: Callable[[Card], Awaitable[None]] = self._print_plain
        self.failed = False

    async def run(self, responder: Responder) -> None:
        """Talk until the person leaves or the input ends."""
        self.failed = False
        if self._stdin.isatty() and self._stdout.isatty():
            await self._run_terminal(responder)
        else:
            await self._run_piped(responder)

    def surface(self, chat: ChatRef, standing: Sequence[str] = (), person: str = "") -> Surface:
        """Where news appear that nobody asked for just now; an answer under way is not disturbed.

        What was printed stays as it is: nothing can be `standing`.
        """
        del standing, person
        if chat != CHAT:
            raise ValueError(chat)
        return _Aside(self._print_aside)

    async def private(self, person: str) -> ChatRef | None:
        """See `Platform.private`."""
        return CHAT if person == f"{CHAT.platform}:{PERSON}" else None

    async def _run_terminal(self, responder: Responder) -> None:
        # Only here, so that pipes start quickly: this brings prompt-toolkit and rich.
        from bot.platforms.console.terminal import TerminalTalk  # noqa: PLC0415  # see above

        talk = TerminalTalk(
            responder,
            stdin=self._stdin,
            stdout=self._stdout,
            history_file=self._history_file,
            texts=self._texts,
            said=self._said,
        )
        self._aside = talk.print_aside
        try:
            await talk.run()
        finally:
            self._aside = self._print_plain
            self.failed = talk.failed

    async def _run_piped(self, responder: Responder) -> None:
        surface = PipedSurface(self._stdout, self._stderr)
        talk = PipedTalk(responder, self._stdin, self._stdout, surface)
        try:
            await talk.run(self._said)
        finally:
            self.failed = talk.failed

    def _said(self, text: str) -> Incoming:
        return Incoming(
            CHAT, PERSON, text, language=self._texts.language, local=True, private=True, draws=False
        )

    async def _print_aside(self, card: Card) -> None:
        await self._aside(card)

    async def _print_plain(self, card: Card) -> None:
        PipedSurface(self._stdout, self._stderr).end(card)


class _Aside:
    """Cards that stay as they are printed; those only on the way to another one are not printed."""

    limits = Limits(EDIT_EVERY)

    def __init__(self, printing: Callable[[Card], Awaitable[None]]) -> None:
        self._print = printing

    async def busy(self) -> None:
        """Nobody waits for it."""

    async def post(self, card: Card) -> Post:
        """Print it, once it is whole."""
        if not isinstance(card, Progress) and not (isinstance(card, Reply) and not card.done):
            await self._print(card)
        return Post("aside")

    async def edit(self, post: Post, card: Card) -> Post:
        """As `post`: printed lines cannot be taken back."""
        await self.post(card)
        return post
