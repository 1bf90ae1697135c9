"""Markdown as a row of blocks that grows: which of them cannot change any more.

A Markdown document is read line by line, and a block that another one follows is closed for
good: whatever comes later, it renders the same. So an answer under way has a settled front, that
can be printed once and forgotten, and a tail, that is drawn again and again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it.token import Token

from bot.markdown import math
from bot.markdown.parse import outline

# Blocks that a blank line closes; lists and indented code may go on after one.
_CLOSED_BY_BLANK = {"paragraph_open", "table_open"}
_ONE_LINE = {"heading_open", "hr"}


@dataclass(frozen=True, slots=True)
class Block:
    """One block at the top level: its kind, and its lines as a range."""

    token: Token
    start: int
    end: int


def blocks(text: str) -> list[Block]:
    """The blocks of a text, in order."""
    return list(_blocks(text))


def _blocks(text: str) -> Iterator[Block]:
    for token in outline().parse(text):
        if token.level == 0 and token.map is not None and token.nesting >= 0:
            yield Block(token, token.map[0], token.map[1])


def settled(text: str) -> int:
    """How many characters at the front render the same whatever comes after them."""
    whole, _, _ = text.rpartition("\n")  # a line still being written could turn out to be anything
    lines = whole.split("\n")
    found = blocks(whole + "\n") if whole else []
    if not found:
        return 0
    last = found[-1]
    if _is_closed(last, lines):
        end = last.end
    elif len(found) > 1:
        end = last.start
    else:
        return 0
    return len("\n".join(lines[:end]).rstrip())


def _is_closed(block: Block, lines: list[str]) -> bool:
    kind = block.token.type
    if kind in _ONE_LINE:
        return True
    if kind in _CLOSED_BY_BLANK:
        return any(not line.strip() for line in lines[block.end :])
    if kind == "fence":
        return block.token.markup == math.MARK or _fence_is_closed(block, lines)
    return False


def _fence_is_closed(block: Block, lines: list[str]) -> bool:
    mark = block.token.markup
    closing = lines[min(block.end, len(lines)) - 1]
    return (
        block.end - block.start > 1
        and closing.strip(" \t").strip(mark[0]) == ""
        and closing.count(mark[0]) >= len(mark)
        and not closing.startswith(("    ", "\t"))
    )


def shortened(text: str, keep: int) -> str:
    """A tail for drawing when only its last `keep` lines are seen: the middle of a long last block left out.

    Laying out hundreds of rows and colouring thousands of lines of code several times a second would
    hold everything else up. What is printed for good in the end is never shortened.
    """
    lines = text.split("\n")
    if len(lines) <= keep + 2:
        return text
    tokens = outline().parse(text)
    last = max((n for n, t in enumerate(tokens) if t.level == 0 and t.map is not None), default=None)
    if last is None or (area := tokens[last].map) is None:
        return text
    begin = len(lines) - keep
    match tokens[last].type:
        case "fence":
            head = lines[area[0] : area[0] + 1]
        case "table_open":
            head = lines[area[0] : area[0] + 2]
        case "bullet_list_open" | "ordered_list_open":
            head = []
            items = [t.map[0] for t in tokens[last:] if t.type == "list_item_open" and t.level == 1 and t.map]
            begin = max(start for start in items if start <= max(begin, area[0]))
        case _:
            return text
    return "\n".join(head + lines[begin:]) if begin > area[0] + len(head) else text


@dataclass(frozen=True, slots=True)
class Step:
    """What an edit of a text asks for: begin anew?, a piece to print for good, a tail to draw."""

    rewritten: bool
    settled: str
    tail: str


class Flow:
    """A growing text, cut into pieces that are printed once and a tail."""

    def __init__(self) -> None:
        self.printed = ""

    def take(self, text: str) -> Step:
        """The next version of the text."""
        rewritten = self._follow(text)
        tail = text[len(self.printed) :]
        piece = tail[: settled(tail)]
        self.printed += piece
        return Step(rewritten, piece, tail[len(piece) :])

    def end(self, text: str) -> Step:
        """The last version: everything not printed yet is its tail."""
        rewritten = self._follow(text)
        return Step(rewritten, "", text[len(self.printed) :])

    def _follow(self, text: str) -> bool:
        """Make what is printed a front of the text; True when it is not one and all begins anew."""
        if text.startswith(self.printed):
            return False
        trimmed = self.printed.lstrip()  # whoever ends an answer may trim it
        rewritten = not text.startswith(trimmed)
        self.printed = "" if rewritten else trimmed
        return rewritten
