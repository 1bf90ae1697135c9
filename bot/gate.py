"""Who may what, asked once for each message, command and button, before anything else is done about it."""

from dataclasses import replace

from bot.cards import Button, Card, Choice, Listing
from bot.commands import BY_NAME, Command
from bot.desk.ask import visitor as visitor_of
from bot.surface import Incoming
from core.access import Access
from core.people import Role
from core.refusals import MessageTooLong, NotAllowed, NothingSaid, Outside

LONGEST_MESSAGE = 1_000_000  # characters, with the files that came along
CLAIMING = "pair"
UNCOUNTED = frozenset({"stop"})  # to stop must always be possible


class Gate:
    """Lets in, or says why not."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def role(self, incoming: Incoming) -> Role:
        """What the person is to the bot."""
        return self._access.role(visitor_of(incoming))

    async def admit(self, incoming: Incoming, command: Command | None, argument: str) -> Role | None:
        """The role of who asks; `None` for a stranger who was told already today. Raises Refusal."""
        visitor = visitor_of(incoming)
        role = self._access.role(visitor)
        allowed = may(role, command, argument, incoming)
        if command is not None and command.name == CLAIMING and self._access.has_administrator:
            allowed = role >= Role.GUEST  # there is nothing to claim: for strangers the one card a day
        if role < Role.GUEST and not allowed:
            if not await self._access.knock(visitor):
                return None
            raise Outside(visitor.id, unclaimed=not self._access.has_administrator)
        if role >= Role.GUEST:
            await self._access.arrived(visitor)
        if command is None or command.name not in UNCOUNTED:
            self._access.pace(visitor.id, role)  # what is refused counts too
        if incoming.bring is None or not allowed:
            self.judge(incoming, command, argument, role)
        return role

    def judge(self, incoming: Incoming, command: Command | None, argument: str, role: Role) -> None:
        """Whether that may be asked, with all that came along. Raises Refusal."""
        if command is not None and not may(role, command, argument, incoming):
            raise NotAllowed(command.name, command.needs(argument))
        if command is None and not argument and not incoming.pictures:
            raise NothingSaid
        longest = command.longest if command else LONGEST_MESSAGE
        if len(argument) > longest:
            raise MessageTooLong(len(argument), longest)

    def shown(self, card: Card, role: Role, incoming: Incoming) -> Card:
        """The card without buttons that the reader may not press."""
        kept = tuple(button for button in card.buttons if _may_press(role, button, incoming))
        if isinstance(card, Listing) and any(row.button for row in card.rows):
            card = replace(
                card,
                rows=tuple(
                    row
                    if row.button is None or _may_press(role, row.button, incoming)
                    else replace(row, button=None)
                    for row in card.rows
                ),
            )
        if kept == card.buttons:
            return card
        return replace(card, options=kept) if isinstance(card, Choice) else replace(card, buttons=kept)


def may(role: Role, command: Command | None, argument: str, incoming: Incoming) -> bool:
    """Whether somebody in that role may ask this. Whoever manages a place may what concerns the place alone."""
    if command is None:
        return role >= Role.GUEST
    if command.place and incoming.manages and role > Role.DENIED:
        return True
    return role >= command.needs(argument)


def _may_press(role: Role, button: Button, incoming: Incoming) -> bool:
    name, _, argument = button.command.removeprefix("/").partition(" ")
    command = BY_NAME.get(name.lower())
    return command is None or may(role, command, argument, incoming)
