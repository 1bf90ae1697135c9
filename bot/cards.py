"""What can be shown: a handful of cards, chosen by meaning, in the reader's language already.

A button is a command line (`load #a1b2c3d4`): pressing it is the same as typing it,
so it survives a restart and fits Telegram's 64 bytes.
"""

from dataclasses import dataclass
from enum import Enum
from typing import assert_never

BAR_CELLS = 20
LONGEST_FIELD = 45  # characters of a form's title and of the name of what it asks for
LONGEST_COMMAND = 64  # bytes of a button's command that every platform bears


class Tone(Enum):
    """What kind of news a notice brings."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Button:
    """`label` for the eye, `command` without the slash, at most 64 bytes."""

    label: str
    command: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, growing until `done`. `text` is the model's Markdown.

    `header` and `footnote` are ours; `thinking` is shown folded under `thinking_label`.
    """

    text: str
    done: bool
    header: str = ""
    footnote: str = ""
    thinking: str = ""
    thinking_label: str = ""
    failed: bool = False
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """Something takes time. `fraction` 0..1, or `None` when unknown."""

    title: str
    fraction: float | None
    detail: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """News in a title and a body."""

    tone: Tone
    title: str
    body: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a listing: a mark, a name, and details of it. `current` = the one in use."""

    mark: str
    name: str
    detail: str = ""
    note: str = ""
    current: bool = False
    button: Button | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows under a title. `pages` > 1: only page `page` (from 1) is here."""

    title: str
    rows: tuple[Row, ...]
    body: str = ""
    page: int = 1
    pages: int = 1
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A question with buttons as its options."""

    question: str
    options: tuple[Button, ...]
    body: str = ""

    @property
    def buttons(self) -> tuple[Button, ...]:
        """The options."""
        return self.options


@dataclass(frozen=True, slots=True)
class Secret:
    """A question whose answer must not stay readable. The answer goes to `command` as its argument.

    `question` explains what happens with it; `field` names what is asked for in at most LONGEST_FIELD
    characters, as a form does. A platform with a form of its own (`Incoming.form`) hides what is typed there and
    sends it to the command; elsewhere the next words of the person who was asked are the answer. They are kept
    in no history and no log.
    """

    question: str
    field: str
    command: str
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn picture (PNG) with its words."""

    png: bytes
    caption: str
    buttons: tuple[Button, ...] = ()


Card = Reply | Progress | Notice | Listing | Choice | Secret | Picture


def is_error(card: Card) -> bool:
    """Whether the card, shown last, means that what was asked did not work."""
    match card:
        case Notice(tone=tone):
            return tone is Tone.ERROR
        case Reply(failed=failed):
            return failed
        case _:
            return False


def bar(fraction: float, cells: int = BAR_CELLS) -> str:
    """A bar in text: `█████░░░░░`."""
    full = round(max(0.0, min(1.0, fraction)) * cells)
    return "█" * full + "░" * (cells - full)


def plain(card: Card) -> str:
    """Any card as text, so that a new platform works before it is pretty."""
    match card:
        case Reply():
            parts = [card.header, card.text, card.footnote]
        case Progress():
            drawn = "" if card.fraction is None else f"{bar(card.fraction)} {card.fraction:.0%}"
            parts = [card.title, " ".join(filter(None, (drawn, card.detail)))]
        case Notice():
            parts = [card.title, card.body]
        case Listing():
            parts = [card.title, card.body, "\n".join(_row(r) for r in card.rows)]
        case Choice():
            parts = [card.question, card.body]
        case Secret():
            parts = [card.question]
        case Picture():
            parts = [card.caption]
        case _:
            assert_never(card)
    parts.append("\n".join(f"[{b.label}] /{b.command}" for b in card.buttons))
    return "\n".join(p for p in parts if p)


def _row(row: Row) -> str:
    words = f"{'→' if row.current else ' '} {row.mark} {row.name}"
    if row.detail:
        words += f" — {row.detail}"
    if row.note:
        words += f"\n      {row.note}"
    return words
