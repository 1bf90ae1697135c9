"""Messages that hold a key, taken away before anything else is done about them, whoever sent them."""

from dataclasses import replace

from bot.cards import Card, Choice, Notice, Secret, Tone
from bot.commands import BY_NAME, Command
from bot.desk.keys import pasted
from bot.surface import Incoming
from bot.texts import Speech
from core.asked import Asked
from core.keyshape import looks_like_key, tells_key

SHORTEST_BESIDE_A_FORM = 12  # characters
PASTED = Command("", (), pasted, overtakes=True)


class Secrecy:
    """Keeps keys from models, and messages with keys from readers."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    async def kept(
        self, incoming: Incoming, command: Command | None, argument: str, text: str
    ) -> tuple[Incoming, Command | None, str]:
        """What is really said: the words after a question for a secret answer it, a bare key is no question.

        The message is taken away if a key is in it.
        """
        wanted = await self._asked.take(incoming.chat, incoming.who)
        if command is None and wanted and (not incoming.form or _one_odd_word(argument)):
            name, _, rest = wanted.partition(" ")
            command, argument = BY_NAME[name], f"{rest} {argument}"
        elif command is None and (looks_like_key(argument) or tells_key(argument)):
            command = PASTED
        return await self._erased(incoming, command, argument, text), command, argument

    async def brought(self, incoming: Incoming, command: Command | None, argument: str) -> Incoming:
        """The same for the words of a file that came along with a command."""
        return incoming if command is None else await self._erased(incoming, command, argument, argument)

    async def _erased(
        self, incoming: Incoming, command: Command | None, argument: str, text: str
    ) -> Incoming:
        if _holds_key(command, argument, text) and incoming.erased is None and incoming.erase is not None:
            return replace(incoming, erased=await incoming.erase())
        return incoming

    @staticmethod
    def told(incoming: Incoming, card: Card, t: Speech) -> Card:
        """The card with what became of a message that held a key, whatever else it says."""
        if incoming.erased is None or not isinstance(card, Notice | Choice):
            return card
        said = (t("key.erased"), t("key.not_erased"), t("key.seen_gone"), t("key.seen_there"))
        if any(line in card.body for line in said):
            return card
        return replace(card, body="\n".join(filter(None, (card.body, t(_fate(incoming))))))

    @staticmethod
    def alone(incoming: Incoming, t: Speech) -> Card | None:
        """Where nothing else is said to somebody: that the key still stands there."""
        return Notice(Tone.WARNING, t(_fate(incoming))) if incoming.erased is False else None

    async def shown(self, incoming: Incoming, card: Card) -> None:
        """A question for a secret is about to be shown; the console waits for its answer itself."""
        if isinstance(card, Secret) and not incoming.local:
            await self._asked.put(incoming.chat, incoming.who, card.command)


def _fate(incoming: Incoming) -> str:
    return "key.erased" if incoming.erased else "key.not_erased"


def _one_odd_word(text: str) -> bool:
    """What somebody may write instead of using the form: no sentence and no ordinary word."""
    mixed = any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    return mixed and len(text) >= SHORTEST_BESIDE_A_FORM and len(text.split()) == 1


def _holds_key(command: Command | None, argument: str, text: str) -> bool:
    """A command knows what it is given; where it is mistyped, what looks like a key is one."""
    if command is PASTED:
        return True
    if command is None:
        return False
    if command.secret is not None:
        return command.secret(argument)
    return command.name == "" and any(map(looks_like_key, text.split()))
