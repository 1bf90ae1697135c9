"""The parser: Markdown as models write it, with nothing in it that would vanish or run away."""

from collections.abc import Callable
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block, table
from markdown_it.rules_block.table import escapedSplit, getLine
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from bot.markdown import math

LONGEST = 100_000  # characters that are read as Markdown; no answer is longer, and reading takes its time
_DEEPEST = 24  # levels of quotes and lists; what is deeper stays text
_NESTING = 40  # levels at which the parser drops blocks: more than it can meet here
_LONGEST_PARAGRAPH = 20_000  # characters; in a longer one marks are taken as text


class _Markdown(MarkdownIt):
    def normalizeLink(self, url: str) -> str:  # noqa: N802  # the name the parser calls
        """An address as it was written: a person may read it, and each platform encodes it itself."""
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802  # the name the parser calls
        """Same."""
        return link


@cache
def parser(*, images: bool = False) -> MarkdownIt:
    """Markdown as chats use it.

    HTML stays text, so that it is seen. Definitions of references stay text too: they would
    vanish, and change blocks that are shown already.
    """
    md = _made()
    md.core.ruler.at("inline", _inline)
    return md if images else md.disable("image")


@cache
def outline() -> MarkdownIt:
    """The same blocks, without a look into them."""
    return _made().disable(["inline", "text_join"])


def _made() -> MarkdownIt:
    md = _Markdown(options_update={"maxNesting": _NESTING}).enable(["strikethrough", "table"])
    md.disable(["html_block", "html_inline", "reference"])
    math.install(md)
    md.block.ruler.at(
        "blockquote", _shallow(blockquote), {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    md.block.ruler.at("list", _shallow(list_block), {"alt": ["paragraph", "reference", "blockquote"]})
    md.block.ruler.at("table", _whole_table, {"alt": ["paragraph", "reference"]})
    return md


_BlockRule = Callable[[StateBlock, int, int, bool], bool]


def _shallow(rule: _BlockRule) -> _BlockRule:
    def bounded(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001  # the signature of every rule of the parser
        return state.level < _DEEPEST and rule(state, start, end, silent)

    return bounded


def _inline(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline":
            token.children = token.children or []
            if len(token.content) > _LONGEST_PARAGRAPH:
                token.children.append(Token("text", "", 0, content=token.content))
            else:
                state.md.inline.parse(token.content, state.md, state.env, token.children)


def _whole_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001  # the signature of every rule of the parser
    """A table whose rows keep the cells they have too many: by the book those vanish."""
    first = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    row: list[Token] = []
    line = start
    for token in state.tokens[first:]:
        if token.type == "tr_open":
            row, line = [], token.map[0] if token.map else start
        elif token.type == "inline":
            row.append(token)
        elif token.type == "tr_close" and row:
            _keep_surplus(row, getLine(state, line))
    return True


def _keep_surplus(row: list[Token], line: str) -> None:
    cells = escapedSplit(line.strip())
    if cells and not cells[0]:
        del cells[0]
    if cells and not cells[-1]:
        del cells[-1]
    surplus = [cell.strip() for cell in cells[len(row) :]]
    if any(surplus):
        row[-1].content = " | ".join([row[-1].content, *surplus])
