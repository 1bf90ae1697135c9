"""What must hold of every card, whoever made it."""

import re
from collections.abc import Iterable

from bot.cards import Button, Card, Listing, plain
from bot.commands import BY_NAME


def buttons(card: Card) -> tuple[Button, ...]:
    """Every button of a card, those of rows too."""
    rows = tuple(r.button for r in card.rows if r.button) if isinstance(card, Listing) else ()
    return rows + card.buttons


def command(card: Card, label: str) -> str:
    """What is sent by pressing the button whose label has that in it."""
    found = [b.command for b in buttons(card) if label in b.label]
    assert len(found) == 1, f"{label!r} in {[b.label for b in buttons(card)]}"
    return f"/{found[0]}"


def sound(cards: Iterable[Card]) -> None:
    """No card has an unfilled hole, and each button is a command that exists and fits every platform."""
    for card in cards:
        text = plain(card)
        assert text.strip()
        assert not re.search(r"\{[a-z_]+\}", text)
        for button in buttons(card):
            assert button.label.strip()
            assert len(button.command.encode()) <= 64, button  # what Telegram bears
            assert button.command.split()[0] in BY_NAME, button
