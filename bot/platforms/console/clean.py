"""Nothing that a model writes may steer the terminal, and nothing may fail to be printed."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TextIO, cast

from bot.cards import Card
from bot.clean import clean

# What is drawn around texts, for terminals without it: one cell for one cell, so that tables stay straight.
_POOR = {
    "•": "*",
    "▌": "|",
    "│": "|",
    "─": "-",
    "━": "-",
    "█": "#",
    "░": ".",
    "→": ">",
    "›": ">",
    "…": ".",
    "—": "-",
    "–": "-",
    "·": "-",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
}


def clean_card(card: Card) -> Card:
    """The card with every text in it cleaned."""
    return cast("Card", _cleaned(card))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _cleaned(getattr(value, f.name)) for f in fields(value)})
    return value


class SafeFile:
    """A text file to which every string can be written, whatever its encoding lacks."""

    def __init__(self, file: TextIO, poor: Mapping[str, str] | None = None) -> None:
        self._file = file
        self._poor = _POOR if poor is None else poor
        self.encoding = file.encoding or "utf-8"

    def write(self, text: str) -> int:
        """Write what the encoding has; draw the rest poorly."""
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError:
            text = "".join(self._drawn(character) for character in text)
        return self._file.write(text)

    def _drawn(self, character: str) -> str:
        try:
            character.encode(self.encoding)
        except UnicodeEncodeError:
            return self._poor.get(character, "?")
        return character

    def flush(self) -> None:
        """Send what was written on its way."""
        self._file.flush()

    def isatty(self) -> bool:
        """Whether a person reads it."""
        return self._file.isatty()

    def fileno(self) -> int:
        """The descriptor below."""
        return self._file.fileno()
