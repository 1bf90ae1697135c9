"""A table as lines of text with straight columns, for places that draw none."""

from collections.abc import Sequence

from markdown_it.token import Token
from wcwidth import wcswidth

from bot.markdown.inline import inline

_WIDEST = 40  # columns that are filled up to: a longer cell sticks out instead of widening every line

Row = list[str]


def lines(tokens: Sequence[Token], at: int) -> tuple[str, int]:
    """The table whose first token follows `table_open`, and the place behind its last one."""
    rows: list[Row] = []
    aligns: list[str] = []
    while (token := tokens[at]).type != "table_close":
        match token.type:
            case "tr_open":
                rows.append([])
            case "th_open":
                aligns.append(str(token.attrs.get("style") or ""))
            case "inline":
                rows[-1].append(inline(token.children or [], spell=True).text.replace("\t", " "))
        at += 1
    return _drawn(rows, aligns), at + 1


def _drawn(rows: list[Row], aligns: list[str]) -> str:
    widths = [max(1, *(min(_WIDEST, _width(cell)) for cell in column)) for column in zip(*rows, strict=True)]
    head, *body = [_line(row, widths, aligns) for row in rows]
    return "\n".join([head, "-+-".join("-" * width for width in widths), *body])


def _line(row: Row, widths: list[int], aligns: list[str]) -> str:
    return " | ".join(map(_filled, row, widths, aligns)).rstrip()


def _filled(cell: str, width: int, align: str) -> str:
    room = max(0, width - _width(cell))
    before = room if align.endswith("right") else room // 2 if align.endswith("center") else 0
    return " " * before + cell + " " * (room - before)


def _width(cell: str) -> int:
    return max(0, wcswidth(cell))
