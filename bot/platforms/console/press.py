"""Buttons and secrets as the command lines that they are."""

from bot.cards import Button, Card, Listing, Secret


def pressable(card: Card | None) -> tuple[Button, ...]:
    """Every button of a card in the order of its number: those of rows first."""
    if card is None:
        return ()
    rows = tuple(row.button for row in card.rows if row.button) if isinstance(card, Listing) else ()
    return rows + card.buttons


def pressed(text: str, buttons: tuple[Button, ...]) -> str | None:
    """The command line of the button with that number, if the text is the number of one."""
    number = text.strip()
    if not (number.isascii() and number.isdigit() and len(number) <= len(str(len(buttons)))):
        return None
    index = int(number)
    return f"/{buttons[index - 1].command}" if 1 <= index <= len(buttons) else None


def secret_command(question: Secret, answer: str) -> str:
    """What the answer to a secret question says. Always a command: it must not reach a model as a message."""
    return f"/{question.command.removeprefix('/')} {answer.strip()}"
