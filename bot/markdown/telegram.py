"""Spans as Telegram takes them: counted in UTF-16 units, and never one that it refuses or changes.

What TDLib does with entities was tried, not read: a style is split by the code in it, code is dropped
inside a link, whatever is in `pre` is dropped, quotes hold no quotes, an address that it does not like
is an error for the whole message.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from bot.markdown.spans import Kind, Rendered, Span, ordered

MOST_ENTITIES = 100  # of one message; the server forgets the rest
_STYLES = (Kind.BOLD, Kind.ITALIC, Kind.STRIKE)
_BOXES = (Kind.PRE, Kind.QUOTE)  # blanks at their edges are indentation
# What hurts most when it is missing comes first.
_WORTH = (Kind.LINK, Kind.PRE, Kind.CODE, Kind.QUOTE, Kind.BOLD, Kind.STRIKE, Kind.ITALIC)


class Entity(NamedTuple):
    """A span as the Bot API counts it. `extra`: the address of a link, the language of a `pre`."""

    kind: Kind
    offset: int
    length: int
    extra: str


def utf16(rendered: Rendered) -> tuple[str, list[Entity]]:
    """The text and its entities, sorted, outer ones first."""
    text = rendered.text
    spans = ordered(_important(s for s in _allowed(rendered.spans, text) if s.length > 0))
    wide = [at for at, character in enumerate(text) if character > "\uffff"]

    def unit(position: int) -> int:
        return position + bisect_left(wide, position)

    return text, [Entity(s.kind, unit(s.start), unit(s.end) - unit(s.start), s.extra) for s in spans]


def _allowed(spans: Iterable[Span], text: str) -> Iterable[Span]:
    """The spans without those that Telegram lets stand in no other; styles go around code."""
    spans = list(_apart(spans))
    code = [s for s in spans if s.kind in (Kind.CODE, Kind.PRE)]
    starts = [s.start for s in code]
    for span in spans:
        if span.kind in _STYLES:
            inside = code[bisect_left(starts, span.start) : bisect_left(starts, span.end)]
            yield from _around(span, inside, text)
        elif span.kind not in _BOXES:
            yield _trimmed(span, text)
        elif text[span.start : span.end].strip():
            yield span


def _apart(spans: Iterable[Span]) -> Iterable[Span]:
    """Without what stands in its like, and without code in links."""
    until = dict.fromkeys(Kind, 0)  # where the last one of each kind ends
    for span in spans:
        if span.start >= until[span.kind] and not (span.kind is Kind.CODE and span.start < until[Kind.LINK]):
            until[span.kind] = span.end
            yield span


def _around(span: Span, holes: Iterable[Span], text: str) -> Iterable[Span]:
    start = span.start
    for hole in holes:
        yield _trimmed(Span(span.kind, start, hole.start - start), text)
        start = hole.end
    yield _trimmed(Span(span.kind, start, span.end - start), text)


def _trimmed(span: Span, text: str) -> Span:
    """Without blanks at either end."""
    covered = text[span.start : span.end]
    words = covered.strip()
    start = span.start + len(covered) - len(covered.lstrip()) if words else span.start
    return Span(span.kind, start, len(words), span.extra)


def _important(spans: Iterable[Span]) -> list[Span]:
    return sorted(spans, key=lambda s: _WORTH.index(s.kind))[:MOST_ENTITIES]
