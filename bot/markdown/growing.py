"""A text that grows word by word: what is settled is rendered once and kept."""

import re

from bot.clean import clean
from bot.markdown.blocks import settled
from bot.markdown.render import render
from bot.markdown.source import source
from bot.markdown.spans import EMPTY, Kind, Rendered, joined
from bot.markdown.split import sources

_BLANK_LINE = re.compile(r"[ \t]*\n[ \t]*\n")
_LINE_ENDS = re.compile(r"(?:[ \t]*\n)+")


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


class GrowingSource:
    """`take` gives what `split` gives in code points, at the price of the last blocks."""

    def __init__(self, limit: int = 2000) -> None:
        self._limit = limit
        self._begin()

    def take(self, text: str) -> list[str]:
        """The next version of the text; another text than before begins anew."""
        text = clean(text)
        if not text.startswith(self._front):
            self._begin()
        tail = text[len(self._front) :]
        if length := settled(tail):
            self._kept = self._with(tail[:length])
            self._front += tail[:length]
            tail = tail[length:]
        return sources(self._with(tail), self._limit)

    def _begin(self) -> None:
        self._front = ""
        self._kept = EMPTY

    def _with(self, tail: str) -> Rendered:
        """Unlike what is rendered, a source has its blank lines as the model wrote them."""
        found = _LINE_ENDS.match(tail) if self._front else None
        gap = found[0] if found else ""
        rest = source(tail[len(gap) :])
        if any(s.kind is Kind.PRE and s.end == len(self._kept.text) for s in self._kept.spans):
            gap = gap.lstrip(" \t")  # they stood in the line that closed the block, which is not copied
        return joined(self._kept, gap, rest)
