"""Any card as a rich renderable: the one place that knows how each looks on a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import assert_never

from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from bot.cards import Button, Card, Choice, Listing, Notice, Picture, Progress, Reply, Secret, Tone
from bot.platforms.console.clean import clean_card
from bot.platforms.console.wording import ConsoleTexts

BAR_WIDTH = 32
COLOURS = {Tone.INFO: "cyan", Tone.SUCCESS: "green", Tone.WARNING: "yellow", Tone.ERROR: "red"}


@dataclass(frozen=True, slots=True)
class View:
    """What a card is drawn with: the console's own words, and a spinner that keeps its beat between edits."""

    texts: ConsoleTexts = field(default_factory=ConsoleTexts)
    spinner: Spinner = field(default_factory=lambda: Spinner("dots", style="cyan"))


def render(card: Card, view: View) -> RenderableType:
    """A card as a person sees it; its texts cannot steer the terminal."""
    card = clean_card(card)
    match card:
        case Reply():
            parts = [*_reply(card, view), *_numbered(card.buttons, view)]
        case Progress():
            parts = [*_progress(card, view), *_numbered(card.buttons, view)]
        case Notice():
            parts = [_notice(card), *_numbered(card.buttons, view)]
        case Listing():
            parts = [*_listing(card, view)]
        case Choice():
            parts = [
                Text(card.question, style="bold"),
                *_words(card.body),
                *_numbered(card.options, view, lines=True),
            ]
        case Secret():
            parts = [Text(card.question, style="bold"), *_numbered(card.buttons, view)]
        case Picture():
            parts = [*_words(card.caption), *_numbered(card.buttons, view)]
        case _:
            assert_never(card)
    return Group(*parts)


def folded(card: Reply, texts: ConsoleTexts) -> Text:
    """The line that stands for the thinking of a model."""
    number = len(card.thinking.split())
    words = texts.one_word if number == 1 else texts.words.format(count=number)
    label = (card.thinking_label or texts.thinking).removeprefix("💭").strip()
    return Text(f"💭 {label} ({words}) · {texts.unfold_hint}", style="dim")


def _reply(card: Reply, view: View) -> Iterator[RenderableType]:
    yield from _words(card.header, "bold")
    if card.thinking:
        yield folded(card, view.texts)
    if card.text.strip():
        # Markdown brings a parser and a highlighter: not before there is something to render.
        from bot.platforms.console.markdown import Markdown  # noqa: PLC0415  # see above

        yield Markdown(card.text)
    yield from _words(card.footnote, "red" if card.failed else "dim")


def _progress(card: Progress, view: View) -> Iterator[RenderableType]:
    if card.fraction is None:
        view.spinner.update(text=Text(card.title, style="bold"))
        yield view.spinner
        yield from _words(card.detail, "dim")
        return
    yield from _words(card.title, "bold")
    fraction = max(0.0, min(1.0, card.fraction))
    row = Table.grid(padding=(0, 1))
    row.add_row(
        ProgressBar(total=1.0, completed=fraction, width=BAR_WIDTH),
        Text(f"{fraction:.0%}"),
        Text(card.detail, style="dim"),
    )
    yield row


def _notice(card: Notice) -> Panel:
    colour = COLOURS[card.tone]
    # The title stands inside: on the frame it would be cut off when it is long.
    return Panel(Group(Text(card.title, style=f"bold {colour}"), *_words(card.body)), border_style=colour)


def _listing(card: Listing, view: View) -> Iterator[RenderableType]:
    pages = f" ({card.page}/{card.pages})" if card.pages > 1 else ""
    yield Text(card.title + pages, style="bold")
    yield from _words(card.body)
    numbers = count(1)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in range(4):
        table.add_column(overflow="fold")
    for row in card.rows:
        number = f"[{next(numbers)}] " if row.button else ""
        table.add_row(
            Text(f"{'→' if row.current else ' '} {number}{row.mark}"),
            Text(row.name, style="" if row.current else "bold"),
            Text(row.detail, style="" if row.current else "dim"),
            Text(row.note, style="italic"),
            style="bold cyan" if row.current else "",
        )
    if card.rows:
        yield table
    yield from _numbered(card.buttons, view, first=next(numbers), hint=any(row.button for row in card.rows))


def _numbered(
    buttons: tuple[Button, ...], view: View, *, first: int = 1, lines: bool = False, hint: bool = False
) -> Iterator[RenderableType]:
    labels = [
        Text.assemble((f"[{number}]", "bold cyan"), f" {button.label}")
        for number, button in enumerate(buttons, first)
    ]
    if labels and lines:
        yield from labels
    elif labels:
        yield Columns(labels, padding=(0, 3))
    if labels or hint:
        yield Text(view.texts.press_number, style="dim")


def _words(text: str, style: str = "") -> Iterator[Text]:
    if text:
        yield Text(text, style=style)


@dataclass(frozen=True, slots=True)
class LastLines:
    """The end of something taller than the screen: what scrolled off a terminal cannot be redrawn."""

    inner: RenderableType
    spare: int = 1

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As many lines as fit, the last ones."""
        lines = console.render_lines(self.inner, options.update(height=None), pad=False)
        for line in lines[-max(1, options.size.height - self.spare) :]:
            yield from line
            yield Segment.line()
