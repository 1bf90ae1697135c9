"""Progress for readers who cannot see a bar move: one line for each step worth a line."""

from dataclasses import replace

from bot.cards import Progress, plain
from bot.clean import clean

STEPS = 10


class Steps:
    """Remembers which step was told last."""

    def __init__(self) -> None:
        self._told: tuple[str, int | None] | None = None

    def line(self, card: Progress) -> str | None:
        """The line to print, or `None` when neither the title nor the step is another one."""
        step = None if card.fraction is None else round(card.fraction * STEPS)
        if self._told == (card.title, step):
            return None
        self._told = (card.title, step)
        return " · ".join(clean(plain(replace(card, buttons=()))).split("\n"))
