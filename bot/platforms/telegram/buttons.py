"""A button is a command line; on Telegram it also remembers whose it is, so that a restart forgets nothing.

The data of a button, at most 64 bytes: `.` if pressing turns the message itself into the answer (pages of a
list, options of a question), `@OWNER:` in groups (OWNER in base 36), then the command line.
"""

import re
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.cards import LONGEST_COMMAND, Button, Card, Choice, Listing

WIDTH = 32  # characters that stand side by side without being cut on a telephone
LONGEST_LABEL = 60
ROWS = 50  # Telegram takes a hundred buttons
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_DATA = re.compile(
    r"(?P<turns>\.)?(?:@(?P<owner>[0-9a-z]{1,13}):)?(?P<command>[^\W\d_]\w*(?:\s.*)?)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Press:
    """What a button says. `owner` = the only one who may press it; `None` = anybody."""

    command: str
    owner: int | None = None
    turns: bool = False


def written(press: Press) -> str | None:
    """The data of a button; without the wish to turn the message if that is too long, `None` if all of it is."""
    owner = "" if press.owner is None else f"@{_base36(press.owner)}:"
    for turns in (".", "") if press.turns else ("",):
        data = f"{turns}{owner}{press.command}"
        if len(data.encode()) <= LONGEST_COMMAND:
            return data
    return None


def read(data: str | None) -> Press | None:
    """What a button said; `None` if it is none of ours."""
    found = _DATA.fullmatch(data or "")
    if found is None:
        return None
    owner = int(found["owner"], 36) if found["owner"] else None
    return Press(found["command"], owner, found["turns"] is not None)


def keyboard(card: Card, owner: int | None) -> InlineKeyboardMarkup | None:
    """The buttons of a card, those of rows first; short ones side by side."""
    own = tuple(row.button for row in card.rows if row.button) if isinstance(card, Listing) else ()
    turns = isinstance(card, Listing | Choice)
    rows: list[list[InlineKeyboardButton]] = []
    width = WIDTH + 1
    for button in own + card.buttons:
        drawn = _drawn(button, owner, turns=turns)
        if drawn is None:
            continue
        label = len(drawn.text) + 4
        if rows and width + label <= WIDTH:
            rows[-1].append(drawn)
            width += label
        else:
            rows.append([drawn])
            width = label
    return InlineKeyboardMarkup(rows[:ROWS]) if rows else None


def _drawn(button: Button, owner: int | None, *, turns: bool) -> InlineKeyboardButton | None:
    data = written(Press(button.command.removeprefix("/"), owner, turns))
    label = button.label if len(button.label) <= LONGEST_LABEL else button.label[: LONGEST_LABEL - 1] + "…"
    return None if data is None or not label else InlineKeyboardButton(label, callback_data=data)


def _base36(number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
