"""A button is a command line; on Discord it also remembers whose it is, so that a restart forgets nothing.

The id of a button, at most 100 characters: `k`, its place in the message (Discord takes no id twice), `.` if
pressing turns the message itself into the answer (pages of a list, options of a question) or `-`, the owner in
base 36 or `*` for anybody, a colon, the command line. A menu is `s` and the same without a command: its options
are the commands. `f` opens a form whose words go to the command; the form itself is `m`.
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol, Self

import discord
from discord.ui import Button, DynamicItem, Select

from bot import cards

LONGEST_LABEL = 80
LONGEST_OPTION = 100
OPTIONS = 25
LONGEST_ID = 100
FIELD = "secret"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID = r"(?P<kind>[kfsm])(?P<place>\d{1,2})(?P<turns>[.-])(?P<owner>[0-9a-z]{1,13}|\*):(?P<command>%s)"
COMMAND = re.compile(_ID.replace("kfsm", "k") % "(?s:.+)")
FORM = re.compile(_ID.replace("kfsm", "f") % "(?s:.+)")
MENU = re.compile(_ID.replace("kfsm", "s") % "")
ANY = re.compile(_ID % "(?s:.*)")


@dataclass(frozen=True, slots=True)
class Press:
    """What a button or a menu says. `owner` = the only one who may press it; `None` = anybody."""

    kind: str
    command: str
    owner: int | None = None
    turns: bool = False


class Desk(Protocol):
    """Who takes what is pressed."""

    async def pressed(self, interaction: "discord.Interaction[Any]", press: Press) -> None:
        """A button, or an option of a menu."""
        ...


def written(press: Press, place: int = 0) -> str:
    """The id of a button."""
    owner = "*" if press.owner is None else _base36(press.owner)
    return f"{press.kind}{place}{'.' if press.turns else '-'}{owner}:{press.command}"


def read(custom_id: str) -> Press | None:
    """What a button said; `None` if it is none of ours."""
    found = ANY.fullmatch(custom_id)
    if found is None:
        return None
    owner = None if found["owner"] == "*" else int(found["owner"], 36)
    return Press(found["kind"], found["command"], owner, found["turns"] == ".")


class CommandButton(DynamicItem[Button[Any]], template=COMMAND):
    """A button of a card."""

    def __init__(self, label: str, custom_id: str) -> None:
        super().__init__(Button(label=clipped(label, LONGEST_LABEL), custom_id=custom_id))

    @classmethod
    async def from_custom_id(cls, _: "discord.Interaction[Any]", item: Any, match: re.Match[str], /) -> Self:
        """The same button after a restart."""
        return cls(item.label or "", match.string)

    async def callback(self, interaction: "discord.Interaction[Any]") -> None:
        """It was pressed."""
        await _take(interaction, self.custom_id)


class FormButton(CommandButton, template=FORM):
    """A button that opens a form; its label names what is asked for."""


class CommandMenu(DynamicItem[Select[Any]], template=MENU):
    """Buttons that are too many: a menu."""

    def __init__(self, placeholder: str, options: list[discord.SelectOption], custom_id: str) -> None:
        super().__init__(Select(placeholder=placeholder, options=options, custom_id=custom_id))

    @classmethod
    async def from_custom_id(cls, _: "discord.Interaction[Any]", item: Any, match: re.Match[str], /) -> Self:
        """The same menu after a restart."""
        return cls(item.placeholder or "", item.options, match.string)

    async def callback(self, interaction: "discord.Interaction[Any]") -> None:
        """Something was chosen."""
        await _take(interaction, self.custom_id)


ITEMS: tuple[type[DynamicItem[Any]], ...] = (CommandButton, FormButton, CommandMenu)


async def _take(interaction: "discord.Interaction[Any]", custom_id: str) -> None:
    press = read(custom_id)
    assert press is not None  # the library has matched it
    if press.kind == "s":
        data: Any = interaction.data
        press = Press("k", str(data["values"][0]), press.owner, press.turns)
    desk: Desk = interaction.client.desk
    await desk.pressed(interaction, press)


def buttons(card: cards.Card, owner: int | None) -> list[CommandButton]:
    """The buttons under a card."""
    turns = isinstance(card, cards.Listing | cards.Choice)
    return [
        CommandButton(one.label, custom_id)
        for place, one in enumerate(card.buttons)
        if one.label and (custom_id := _id(one, owner, place, turns=turns)) is not None
    ]


def row_button(button: cards.Button, owner: int | None, place: int) -> CommandButton | None:
    """The button beside a row of a list."""
    custom_id = _id(button, owner, place, turns=True)
    return None if custom_id is None else CommandButton(button.label, custom_id)


def menu(
    options: list[tuple[cards.Button, str]], owner: int | None, place: int, placeholder: str
) -> CommandMenu | None:
    """Buttons as a menu, each with a word about it."""
    seen: dict[str, discord.SelectOption] = {}
    for button, detail in options:
        command = button.command.removeprefix("/")
        if button.label and len(command) <= LONGEST_OPTION:
            label = clipped(button.label, LONGEST_OPTION)
            about = clipped(detail, LONGEST_OPTION) or None
            seen.setdefault(command, discord.SelectOption(label=label, value=command, description=about))
    if not seen:
        return None
    custom_id = written(Press("s", "", owner, turns=True), place)
    return CommandMenu(placeholder, list(seen.values())[:OPTIONS], custom_id)


def form_button(card: cards.Secret, owner: int | None, place: int) -> FormButton:
    """The button that opens the form of a question for a secret."""
    command = card.command.removeprefix("/")
    return FormButton(card.field, written(Press("f", command, owner), place)[:LONGEST_ID])


class Form(discord.ui.Modal):
    """A form for one secret; what is written in it comes back as an interaction of its own."""

    def __init__(self, card: cards.Secret) -> None:
        field = clipped(card.field, cards.LONGEST_FIELD)
        command = card.command.removeprefix("/")
        super().__init__(title=field, custom_id=written(Press("m", command))[:LONGEST_ID], timeout=900)
        if card.question:
            self.add_item(discord.ui.TextDisplay(clipped(card.question, 3000)))
        box: discord.ui.TextInput[Any] = discord.ui.TextInput(custom_id=FIELD)
        self.add_item(discord.ui.Label(text=field, component=box))

    async def on_submit(self, _: "discord.Interaction[Any]") -> None:
        """Nothing: the platform takes every form that is sent, also one that was opened before a restart."""

    async def on_timeout(self) -> None:
        """Nothing: nobody waits for it."""


def clipped(text: str, longest: int) -> str:
    """At most so many characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _id(button: cards.Button, owner: int | None, place: int, *, turns: bool) -> str | None:
    custom_id = written(Press("k", button.command.removeprefix("/"), owner, turns), place)
    return custom_id if len(custom_id) <= LONGEST_ID else None


def _base36(number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
