"""One text into parts that fit: nothing lost, nothing twice, cut where it hurts least."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.markdown import seams
from bot.markdown.spans import Kind, Rendered, Span, sliced

MOST_LINKS = 90  # of one part: an address that Telegram forgets for there being too many is lost
_UNCUT = (Kind.LINK, Kind.CODE)


@dataclass(frozen=True, slots=True)
class Measure:
    """How long things are on a platform: a character, and what a stretch of code costs besides itself."""

    limit: int
    character: Callable[[str], int]
    fence: Callable[[Span], int]


def cut(whole: Rendered, measure: Measure) -> list[Rendered]:
    """The parts, in order; none is blank. A span that is cut goes on in the next part."""
    return list(_Cutter(whole, measure).parts())


class _Cutter:
    def __init__(self, whole: Rendered, measure: Measure) -> None:
        self._whole = whole
        self._text = whole.text
        self._measure = measure
        self._boxes = _outermost(s for s in whole.spans if s.kind is Kind.PRE)
        self._uncut = _outermost(s for s in whole.spans if s.kind in _UNCUT)
        self._box_starts = {s.start for s in self._boxes}
        self._links = [s.start for s in whole.spans if s.kind is Kind.LINK]

    def parts(self) -> Iterator[Rendered]:
        start = 0
        while start < len(self._text):
            reach = self._reach(start)
            end = reach if reach == len(self._text) else self._best(start, reach)
            part = sliced(self._whole, start, end)
            if part.text.strip():
                yield part
            start = self._resume(end)

    def _reach(self, start: int) -> int:
        """The furthest end of a part that begins here: at least one character behind it."""
        room = self._measure.limit
        fences = {max(box.start, start): self._measure.fence(box) for box in self._boxes if box.end > start}
        links = [at for at in self._links if at >= start]
        furthest = links[MOST_LINKS] if len(links) > MOST_LINKS else len(self._text)
        for at in range(start, furthest):
            room -= self._measure.character(self._text[at]) + fences.get(at, 0)
            if room < 0:
                return max(at, start + 1)
        return max(furthest, start + 1)

    def _best(self, start: int, reach: int) -> int:
        """The best place in the second half of the room, else the last place that is any good."""
        half = start + (reach - start) // 2
        for seam in (seams.BLOCK, seams.LINE, seams.SENTENCE, seams.WORD):
            if place := self._last(seam, half, reach):
                return place
        for seam in (seams.LINE, seams.SENTENCE, seams.WORD):
            if place := self._last(seam, start, half):
                return place
        return self._anywhere(start, reach)

    def _last(self, seam: re.Pattern[str], low: int, high: int) -> int:
        places = [m.start() for m in seam.finditer(self._text, low, high + 1) if low < m.start() <= high]
        for place in reversed(places):
            in_box = seam is seams.BLOCK and _inside(self._boxes, place)
            if not in_box and not _inside(self._uncut, place) and self._is_good(low, place):
                return place
        return 0

    def _is_good(self, low: int, place: int) -> bool:
        """A mark may stand on a blank: the cut would take the blank from below it."""
        return bool(self._text[low:place].strip()) and seams.whole(self._text, place + 1)

    def _anywhere(self, start: int, reach: int) -> int:
        """Before what may not be cut, else between two characters, else in one longer than a part."""
        span = _inside(self._uncut, reach)
        if span and span.start > start:
            return span.start
        for place in range(reach, start, -1):
            if seams.whole(self._text, place):
                return place
        return reach

    def _resume(self, end: int) -> int:
        """Where the next part begins: behind the blanks of the cut; in code only one blank is the cut's."""
        if _inside(self._boxes, end):
            return end + 1 if self._text[end] in " \t\n" else end
        while end < len(self._text) and self._text[end].isspace() and end not in self._box_starts:
            end += 1
        return end


def _outermost(spans: Iterable[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in spans:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def _inside(spans: Sequence[Span], place: int) -> Span | None:
    """The span that a cut here would go through."""
    before = bisect_left(spans, place, key=lambda s: s.start) - 1
    return spans[before] if before >= 0 and place < spans[before].end else None
