"""A model's Markdown as Discord's Markdown: what Discord draws stays, the rest becomes blocks of code.

The text is held without its fences, with a `pre` where they were: so a cut can close a fence and open
it again, and its price is known. `extra` of such a `pre` is the line that opens it.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from markdown_it.token import Token

from bot.clean import clean
from bot.markdown import math, tables
from bot.markdown.fences import told_by_empty
from bot.markdown.parse import LONGEST, parser
from bot.markdown.spans import Kind, Rendered, Span, Weaver, joined, ordered

_FENCE = "```"
_SPLIT_FENCE = "`\u200b`\u200b`"  # a fence in the code would end the block
_QUOTE = re.compile(r"\s{0,3}>")
_PREFIX = re.compile(r"(?:[ \t>]|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))+")
# Bounded everywhere: a thousand open brackets must not look for a thousand ends.
_UNCUT = re.compile(
    r"\[[^\]\n]{0,500}\]\([^)\n]{0,1500}\)|(`{1,3})[^`\n]{1,500}\1|\*\*[^*\n]{1,500}\*\*|__[^_\n]{1,500}__"
    r"|~~[^~\n]{1,500}~~|\|\|[^|\n]{1,500}\|\||<[^<>\s]{1,1500}>"
)
_FENCE_LINE = re.compile(r"[\s>]*(?:`{3,}|~{3,})\s*")
_NOTHING = re.compile(r"[\s>]*")
_TICKS = re.compile(r"`{3,}")


def source(markdown: str) -> Rendered:
    """Any Markdown as Discord's, its fences taken out and marked."""
    text = clean(markdown)
    text, beyond = text[:LONGEST], text[LONGEST:]
    made = _Rewrite(text.split("\n"), parser().parse(text)).done()
    return joined(made, "", Rendered(beyond.strip()))


def fenced(piece: Rendered) -> str:
    """The source with its fences put back."""
    out, last = [], 0
    for box in (s for s in piece.spans if s.kind is Kind.PRE):
        out += [piece.text[last : box.start], box.extra, "\n", piece.text[box.start : box.end], _closing(box)]
        last = box.end
    return "".join([*out, piece.text[last:]])


def price(box: Span) -> int:
    """What the fences of a block cost."""
    return len(box.extra) + 1 + len(_closing(box))


def _closing(box: Span) -> str:
    return f"\n{box.extra[: box.extra.index(_FENCE)]}{_FENCE}"


class _Rewrite:
    def __init__(self, lines: list[str], tokens: Sequence[Token]) -> None:
        self._lines = lines
        self._tokens = tokens
        self._made = Weaver()

    def done(self) -> Rendered:
        line = 0
        for place, token in enumerate(self._tokens):
            if token.map is None:
                continue
            if token.type == "inline" and token.children and line <= token.map[0]:
                self._formulas(token, token.children)
            code = self._code(place, token)
            if code is not None:
                self._copy(line, token.map[0])
                self._box(code, token)
                line = self._end(token.map)
        self._copy(line, len(self._lines))
        return _protected(self._made.done())

    def _end(self, lines: list[int]) -> int:
        """Where the block ends. One that nobody closed takes lines below it for its own, or not, as it comes.

        Of those a blank one is left to what follows, and one with marks of a quotation alone is nobody's.
        """
        start, end = lines
        if end > start + 1 and _FENCE_LINE.fullmatch(self._lines[end - 1]):
            return end
        while end > start + 1 and _NOTHING.fullmatch(self._lines[end - 1]):
            end -= 1
        while end < len(self._lines) and ">" in (line := self._lines[end]) and _NOTHING.fullmatch(line):
            end += 1
        return end

    def _code(self, place: int, token: Token) -> str | None:
        """What is to stand in a fence, if the token is such."""
        if token.type == "table_open":
            return tables.lines(self._tokens, place + 1)[0]
        if token.type in ("fence", "code_block"):
            return token.content.rstrip().strip("\n")
        return None

    def _copy(self, start: int, end: int) -> None:
        for line in self._lines[start:end]:
            self._copy_text(_without_stray_fence(line))

    def _box(self, code: str, token: Token) -> None:
        first = self._lines[token.map[0]] if token.map else ""
        quote = "> " if token.level and _QUOTE.match(first) else ""
        self._above(first, token)
        info = token.info.strip()
        language = info.split()[0] if info else ""
        if not code:
            language = "" if token.type != "fence" or told_by_empty(token, self._lines) else language
        if info != language:
            self._copy_text(quote + _without_stray_fence(info))
        if not code:
            return
        body = "\n".join(quote + line for line in code.replace(_FENCE, _SPLIT_FENCE).split("\n"))
        self._copy_text("")
        start = self._made.at
        self._made.add(body)
        self._made.mark(Kind.PRE, start, f"{quote}{_FENCE}{language.replace('`', '')}")

    def _above(self, first: str, token: Token) -> None:
        """The mark of a list item whose first line the block begins on."""
        prefix = _PREFIX.match(first)
        if token.level and prefix and prefix[0].strip(" \t>"):
            self._copy_text(prefix[0].rstrip())

    def _copy_text(self, text: str) -> None:
        self._made.add(("\n" if self._made.at else "") + text)

    def _formulas(self, token: Token, words: Sequence[Token]) -> None:
        """Set the formulas of a paragraph as code, where its source stands."""
        assert token.map is not None
        start, end = token.map
        text, at = "\n".join(self._lines[start:end]), 0
        for word in words:
            if word.type != "code_inline" or (found := text.find(word.content, at)) < 0:
                continue
            at = found + len(word.content)
            if word.markup == math.MARK and "\n" not in word.content and "`" not in word.content:
                text = f"{text[:found]}`{word.content}`{text[at:]}"
                at += 2
        self._lines[start:end] = text.split("\n")


def _without_stray_fence(line: str) -> str:
    """Discord opens a block at three ticks anywhere: single ones that are only text are made text for it."""
    runs = _TICKS.findall(line)
    if len(runs) % 2 == 0 and len(set(runs)) <= 1:
        return line
    return _TICKS.sub(lambda run: "\\`" * len(run[0]), line)


def _protected(made: Rendered) -> Rendered:
    """What loses its meaning when it is cut, marked as code outside of blocks."""
    boxes = [s for s in made.spans if s.kind is Kind.PRE]
    spans = list(made.spans)
    for start, end in _outside(boxes, len(made.text)):
        spans += [
            Span(Kind.CODE, m.start(), m.end() - m.start()) for m in _UNCUT.finditer(made.text, start, end)
        ]
    return Rendered(made.text, ordered(spans))


def _outside(boxes: Sequence[Span], length: int) -> Iterator[tuple[int, int]]:
    borders = [0, *(edge for box in boxes for edge in (box.start, box.end)), length]
    yield from list(pairwise(borders))[::2]
