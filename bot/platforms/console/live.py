"""The answer under way: one card that changes in place, its settled front handed to the scrollback."""

import asyncio
from dataclasses import replace
from typing import TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from bot.cards import Card, Notice, Progress, Reply
from bot.clean import clean
from bot.markdown.blocks import Flow, shortened
from bot.platforms.console.clean import SafeFile
from bot.platforms.console.piped import EDIT_EVERY
from bot.platforms.console.render import LastLines, View, render
from bot.platforms.console.steps import Steps
from bot.platforms.console.wording import ConsoleTexts
from bot.surface import Limits, Post

BEAT = 0.1  # seconds between two pictures of a spinner


def open_console(stdout: TextIO) -> Console:
    """A console that takes texts as they are: no markup, no emoji codes, no guessed colours."""
    file = cast("TextIO", SafeFile(stdout))
    return Console(file=file, markup=False, emoji=False, highlight=False)


class LiveAnswer:
    """The surface of one answer; `begin`, then cards, then `finish` or `abandon`, then `close`."""

    limits = Limits(EDIT_EVERY)

    def __init__(self, console: Console, texts: ConsoleTexts) -> None:
        self._console = console
        self._texts = texts
        rich_signs = (console.encoding or "").startswith("utf")
        self._view = View(texts, Spinner("dots" if rich_signs else "line", style="cyan"))
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="visible",
        )
        self._steps = Steps()
        self._flow = Flow()
        self._head_printed = False
        self._shown: Card | None = None
        self._beat: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Show at once that the message has arrived."""
        self._live.start()
        self._view.spinner.update(text="")
        self._draw(self._view.spinner)
        self._beat = asyncio.create_task(self._keep_moving())

    async def busy(self) -> None:
        """The spinner says it already."""

    async def post(self, card: Card) -> Post:
        """Draw the first card."""
        self._show(card)
        return Post("live")

    async def edit(self, post: Post, card: Card) -> Post:
        """Draw the next card in the place of the last one."""
        self._show(card)
        return post

    def finish(self, card: Card | None) -> None:
        """Print the final card for good."""
        with self._console:  # one write: the drawing goes and the print comes without a flicker
            self._live.update(Text(""), refresh=True)
            if isinstance(card, Reply):
                self._print_rest(card)
            elif card is not None:
                self._leave_reply()
                self._console.print(render(card, self._view))
            self.close()
            if card is not None:
                self._console.print()

    def abandon(self) -> None:
        """The answer will not come to its end: keep what is seen of it, and say so."""
        last = self._shown
        with self._console:
            self.finish(last if isinstance(last, Reply) else None)
            self._console.print(Text(self._texts.stopped, style="dim"))

    def close(self) -> None:
        """Give the terminal back, with its cursor."""
        if self._beat is not None:
            self._beat.cancel()
        self._live.stop()

    def _show(self, card: Card) -> None:
        if isinstance(card, Progress | Reply | Notice):
            card = replace(card, buttons=())  # a number can be typed only at the prompt; Ctrl-C stops
        with self._console:
            if isinstance(card, Reply):
                self._show_reply(card)
            else:
                self._leave_reply()
                self._draw(render(card, self._view))
            self._shown = card
            if self._console.is_dumb_terminal and isinstance(card, Progress):
                self._print_step(card)

    def _show_reply(self, card: Reply) -> None:
        step = self._flow.take(_text_of(card))
        if step.rewritten:
            self._begin_anew()
        piece = self._part(card, step.settled, last=False) if step.settled else None
        self._head_printed |= piece is not None
        tail = shortened(step.tail, self._console.size.height)
        self._draw(self._part(card, tail, last=True), above=piece)

    def _print_rest(self, card: Reply) -> None:
        step = self._flow.end(_text_of(card))
        if step.rewritten:
            self._begin_anew()
        self._console.print(self._part(card, step.tail, last=True))

    def _leave_reply(self) -> None:
        """Another kind of card comes: a sentence half in the scrollback must not lose its other half."""
        if self._head_printed and isinstance(self._shown, Reply):
            self._live.update(Text(""))
            self._print_rest(replace(self._shown, buttons=()))
        self._flow = Flow()
        self._head_printed = False

    def _begin_anew(self) -> None:
        self._console.print(Text(self._texts.rewritten, style="dim"))
        self._head_printed = False

    def _part(self, card: Reply, text: str, *, last: bool) -> RenderableType:
        """A stretch of a reply: what stands above it only on the first one, what stands below on the last."""
        head = not self._head_printed
        drawn = render(
            replace(
                card,
                text=text,
                header=card.header if head else "",
                thinking=card.thinking if head else "",
                footnote=card.footnote if last else "",
                buttons=card.buttons if last else (),
            ),
            self._view,
        )
        return drawn if head or not text.strip() else Group(Text(""), drawn)

    def _draw(self, view: RenderableType, above: RenderableType | None = None) -> None:
        hint = Text(self._texts.stop_hint, style="dim")
        self._live.update(LastLines(Group(view, hint)))
        if above is None:
            self._live.refresh()
        else:
            self._console.print(above)  # draws what is live anew below it

    def _print_step(self, card: Progress) -> None:
        line = self._steps.line(card)
        if line is not None:
            self._console.print(Text(line))

    async def _keep_moving(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            if self._shown is None or (isinstance(self._shown, Progress) and self._shown.fraction is None):
                self._live.refresh()


def _text_of(card: Reply) -> str:
    """The text from its first written line on: blank ones come and go while an answer is trimmed."""
    lines = clean(card.text).split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    return "\n".join(lines)
