"""A text that grows word by word: what is settled is rendered once and kept."""

import re

from bot.clean import clean
from bot.markdown.blocks import settled
from bot.markdown.render import render
from bot.markdown.spans import EMPTY, Rendered, joined

_BLANK_LINE = re.compile(r"[ \t]*\n[ \t]*\n")


class Growing:
    """`take` gives what `render` gives, at the price of the last blocks."""

    def __init__(self) -> None:
        self._begin()

    def take(self, text: str) -> Rendered:
        """The next version of the text; another text than before begins anew."""
        text = clean(text)
        if not text.startswith(self._front):
            self._begin()
        tail = text[len(self._front) :]
        if length := settled(tail):
            self._kept = self._with(tail[:length])
            self._front += tail[:length]
            tail = tail[length:]
        return self._with(tail)

    def _begin(self) -> None:
        self._front = ""
        self._kept = EMPTY

    def _with(self, tail: str) -> Rendered:
        gap = "\n\n" if _BLANK_LINE.match(tail) else "\n"
        return joined(self._kept, gap, render(tail))
