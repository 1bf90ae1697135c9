"""Components put together, never more than a message holds: what does not fit begins the next one."""

from collections.abc import Sequence
from typing import Any

import discord
from discord.ui import ActionRow, Container, Item, LayoutView, Section, TextDisplay

from bot.cards import Card, Choice, Row
from bot.platforms.discord import buttons as made

COMPONENTS = 40  # of one message, whatever they are in
CHARACTERS = 4000  # of all texts of one message
PIECE = 3500
WIDTH = 5  # buttons side by side
SECTIONS = 8  # rows with a button beside each; more rows become a menu
ROW_PLACE, MENU_PLACE = 30, 90  # what the ids of their buttons begin with
MENU_FROM = 11  # options of a question that are easier to choose from a menu


class Box:
    """Containers of one colour, filled from top to bottom."""

    def __init__(self, placeholder: str, colour: int) -> None:
        self._placeholder = placeholder
        self._colour = colour
        self._done: list[LayoutView] = []
        self._begin()

    def text(self, text: str) -> None:
        """A paragraph."""
        if text.strip():
            self._room(1, len(text))
            self._box.add_item(TextDisplay(text))

    def add(self, item: Item[Any]) -> None:
        """Anything that counts as one."""
        self._room(1, 0)
        self._box.add_item(item)

    def row(self, items: Sequence[Item[Any]]) -> None:
        """Buttons side by side, or a menu."""
        if items:
            self._room(1 + len(items), 0)
            self._box.add_item(ActionRow(*items))

    def buttons(self, card: Card, owner: int | None) -> None:
        """The buttons of a card; the many options of a question as a menu."""
        if isinstance(card, Choice) and len(card.options) >= MENU_FROM:
            self._menus([(one, "") for one in card.options], owner)
            return
        found = made.buttons(card, owner)[: WIDTH * WIDTH]
        for start in range(0, len(found), WIDTH):
            self.row(found[start : start + WIDTH])

    def rows(self, rows: Sequence[Row], owner: int | None) -> None:
        """The rows of a list: each with its button, or all of them and a menu."""
        pressed = [row for row in rows if row.button is not None]
        beside = len(pressed) <= SECTIONS
        for row in rows:
            text = _row(row)
            place = ROW_PLACE + (pressed.index(row) if row.button else 0)
            button = made.row_button(row.button, owner, place) if row.button and beside else None
            if button is not None:
                self._room(3, len(text))
                self._box.add_item(Section(text, accessory=button))
            else:
                self.text(text)
        if not beside:
            self._menus([(row.button, _about(row)) for row in pressed if row.button], owner)

    def done(self) -> list[LayoutView]:
        """The messages."""
        self._end()
        return self._done

    def _menus(self, options: list[tuple[Any, str]], owner: int | None) -> None:
        for place, start in enumerate(range(0, len(options), made.OPTIONS)):
            menu = made.menu(
                options[start : start + made.OPTIONS], owner, MENU_PLACE + place, self._placeholder
            )
            if menu is not None:
                self.row([menu])

    def _begin(self) -> None:
        self._box: Container[Any] = Container(accent_colour=self._colour)
        self._components = 1
        self._characters = 0

    def _end(self) -> None:
        if self._box.children:
            view = LayoutView(timeout=None)
            view.add_item(self._box)
            self._done.append(view)

    def _room(self, components: int, characters: int) -> None:
        if self._components + components > COMPONENTS or self._characters + characters > CHARACTERS:
            self._end()
            self._begin()
        self._components += components
        self._characters += characters


def plainly(text: str) -> str:
    """Words that are no Markdown, as Discord's Markdown."""
    return discord.utils.escape_markdown(text)


def pieces(text: str, longest: int = PIECE) -> list[str]:
    """A long text in pieces, cut between lines where that is possible."""
    found: list[str] = []
    while len(text) > longest:
        cut = text.rfind("\n", 1, longest)
        cut = cut if cut > 0 else longest
        found.append(text[:cut])
        text = text[cut:].lstrip("\n")
    return [*found, text] if text.strip() else found


def _row(row: Row) -> str:
    first = f"{'→ ' if row.current else ''}{row.mark} **{plainly(row.name)}**".lstrip()
    if row.detail:
        first += f" — {plainly(row.detail)}"
    note = "\n".join(f"-# {line}" for line in plainly(row.note).splitlines() if line.strip())
    return made.clipped("\n".join(filter(None, (first, note))), PIECE)


def _about(row: Row) -> str:
    return " ".join(filter(None, (row.name, row.detail)))
