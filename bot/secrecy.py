"""Messages that hold a key, taken away before anything else is done about them, whoever sent them."""

from dataclasses import replace

from bot.commands import Command
from bot.desk.keys import pasted
from bot.surface import Incoming
from core.keyshape import looks_like_key

PASTED = Command("", (), pasted, overtakes=True)


async def kept_secret(
    incoming: Incoming, command: Command | None, argument: str, text: str
) -> tuple[Incoming, Command | None]:
    """The message, with what came of taking it away if a key is in it; a bare key is no question to a model."""
    if command is None and looks_like_key(argument):
        command = PASTED
    if not _holds_key(command, argument, text):
        return incoming, command
    if incoming.erased is None and incoming.erase is not None:
        incoming = replace(incoming, erased=await incoming.erase())
    return incoming, command


def _holds_key(command: Command | None, argument: str, text: str) -> bool:
    """A command knows what it is given; where it is mistyped, what looks like a key is one."""
    if command is PASTED:
        return True
    if command is None:
        return False
    if command.secret is not None:
        return command.secret(argument)
    return command.name == "" and any(map(looks_like_key, text.split()))
