"""A fence with nothing in it: `~~~~word~~~~` in a quote is one, and its word would be lost with it."""

from markdown_it.token import Token

from bot.markdown import math


def told_by_empty(token: Token, lines: list[str]) -> str:
    """What an empty block of code says: the words behind its fence.

    Nothing while code may still come: such a fence stands at the top level, and no line closes it. (What it stands
    in could end at any line, and would render differently then.)
    """
    if token.markup == math.MARK or token.map is None:
        return ""
    start, end = token.map
    open_still = not token.level and not any(line.strip() for line in lines[start + 1 : end])
    return "" if open_still else token.info.strip()
