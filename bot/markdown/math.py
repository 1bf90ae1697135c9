r"""LaTeX in Markdown: `$…$`, `$$…$$`, `\(…\)`, `\[…\]` stay as they are written, as code.

No chat platform draws formulas, so the source is what can be read; as code, its underscores and
asterisks are not taken for emphasis. It becomes the tokens of code, so that whoever draws code
draws formulas. A formula holds no blank line (TeX forbids it too): what is above one is settled.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

MARK = "$"  # the markup of the tokens made here
_CLOSED_BY = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}
_LONGEST = 60  # lines of one formula
# Not `$ 5`, not `5 $`, not `$5 e R$10`: money stays money.
_DOLLAR = re.compile(r"\$(?![\s$])([^$]*[^\s$])\$(?![\d$])")
_LOOKS_LIKE_MATH = re.compile(r"[\\^_=+*/<>{}|-]")


def install(md: MarkdownIt) -> None:
    """Teach a parser formulas."""
    md.inline.ruler.before("escape", "math", _inline)
    ends = ["paragraph", "reference", "blockquote", "list"]  # a formula may end these
    md.block.ruler.before("fence", "math_block", _block, {"alt": ends})


def _inline(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # the signature of every rule of the parser
    end = _end(state.src, state.pos)
    if not end:
        return False
    if not silent:
        token = state.push("code_inline", "code", 0)
        token.markup = MARK
        token.content = state.src[state.pos : end]
    state.pos = end
    return True


def _end(source: str, at: int) -> int:
    """Where the formula that begins here ends; 0 when none does."""
    opener = source[at : at + 2]
    if opener in _CLOSED_BY:
        close = source.find(_CLOSED_BY[opener], at + 2)
        return close + 2 if close > 0 and source[at + 2 : close].strip() else 0
    found = _DOLLAR.match(source, at)
    if not found or (at and source[at - 1].isalnum()):
        return 0
    inside = found[1]
    prose = any(c.isspace() for c in inside) and not _LOOKS_LIKE_MATH.search(inside)
    return 0 if prose else found.end()


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001  # the signature of every rule of the parser
    if state.is_code_block(start):
        return False
    after = _last_line(state, start, end)
    if not after:
        return False
    if not silent:
        token = state.push("fence", "code", 0)
        token.info = "latex"
        token.markup = MARK
        token.content = state.getLines(start, after, state.sCount[start], keepLastLF=False)
        token.map = [start, after]
        state.line = after
    return True


def _last_line(state: StateBlock, start: int, end: int) -> int:
    """The line behind the formula that stands alone from this line on; 0 when it is not closed so."""
    first = _line(state, start)
    closer = _CLOSED_BY.get(first[:2])
    if closer is None or closer == "\\)":
        return 0
    inside = ""
    for line in range(start, min(end, start + _LONGEST)):
        text = first[2:] if line == start else _line(state, line)
        if line > start and (not text or state.sCount[line] < state.blkIndent):
            return 0
        inside += text
        place = text.find(closer)
        if place >= 0:
            alone = place == len(text) - len(closer)
            return line + 1 if alone and inside.removesuffix(closer).strip() else 0
    return 0


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip()
