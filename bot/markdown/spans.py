"""A text with marks on it, that no platform has had a say in: `Rendered`, and how two become one."""

from bisect import bisect_left
from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """What a stretch of text is. Where two cover the same stretch, the one named first is outside."""

    QUOTE = "quote"
    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"
    LINK = "link"
    CODE = "code"
    PRE = "pre"


_RANK = {kind: rank for rank, kind in enumerate(Kind)}
_FLUSH = (Kind.PRE, Kind.QUOTE)  # drawn as boxes of their own: an indentation would stand outside the box


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch, counted in code points. `extra` is the address of a link, the language of a `pre`."""

    kind: Kind
    start: int
    length: int
    extra: str = ""

    @property
    def end(self) -> int:
        """The first position behind it."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a person reads, and how it is set. Spans are sorted; of two, one holds the other or they are apart."""

    text: str
    spans: tuple[Span, ...] = ()


EMPTY = Rendered("")


def ordered(spans: list[Span]) -> tuple[Span, ...]:
    """The spans that cover anything, outer ones first."""
    return tuple(
        sorted((s for s in spans if s.length > 0), key=lambda s: (s.start, -s.length, _RANK[s.kind]))
    )


class Weaver:
    """Puts a `Rendered` together, piece by piece."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._spans: list[Span] = []
        self.at = 0

    def add(self, piece: str | Rendered) -> None:
        """Append a text, or a text with its spans."""
        if isinstance(piece, Rendered):
            self._spans += (
                [replace(s, start=s.start + self.at) for s in piece.spans] if self.at else piece.spans
            )
            piece = piece.text
        self._parts.append(piece)
        self.at += len(piece)

    def mark(self, kind: Kind, start: int, extra: str = "") -> None:
        """Set everything from `start` to here as `kind`."""
        self._spans.append(Span(kind, start, self.at - start, extra))

    def since(self, start: int) -> str:
        """The text from `start` to here."""
        return "".join(self._parts)[start:]

    def done(self) -> Rendered:
        """What came of it."""
        return Rendered("".join(self._parts), ordered(self._spans))


def wrapped(inner: Rendered, kind: Kind, extra: str = "") -> Rendered:
    """The whole of it set as `kind`."""
    return Rendered(inner.text, ordered([Span(kind, 0, len(inner.text), extra), *inner.spans]))


def joined(first: Rendered, gap: str, second: Rendered) -> Rendered:
    """One below the other; a gap only where there is something on either side."""
    if not first.text or not second.text:
        return second if not first.text else first
    shift = len(first.text) + len(gap)
    moved = tuple(replace(s, start=s.start + shift) for s in second.spans)
    return Rendered(first.text + gap + second.text, first.spans + moved)


def sliced(whole: Rendered, start: int, end: int) -> Rendered:
    """A stretch of it, without blanks at its end; a span that is cut goes on in both halves."""
    text = whole.text[start:end].rstrip()
    end = start + len(text)
    spans = []
    for span in whole.spans:
        low, high = max(span.start, start), min(span.end, end)
        if low < high:
            spans.append(replace(span, start=low - start, length=high - low))
    return Rendered(text, ordered(spans))


def indented(inner: Rendered, by: int) -> Rendered:
    """Every line but the first moved to the right, except in boxes and where it is blank."""
    boxes = [s for s in inner.spans if s.kind in _FLUSH]
    text = inner.text
    breaks = [
        at
        for at, character in enumerate(text)
        if character == "\n"
        and text[at + 1 : at + 2] != "\n"
        and not any(b.start <= at + 1 < b.end for b in boxes)
    ]
    if not breaks:
        return inner
    made, last = [], 0
    for at in breaks:
        made += [text[last : at + 1], " " * by]
        last = at + 1

    def moved(position: int) -> int:
        return position + by * bisect_left(breaks, position)

    spans = [replace(s, start=moved(s.start), length=moved(s.end) - moved(s.start)) for s in inner.spans]
    return Rendered("".join([*made, text[last:]]), ordered(spans))
