"""A finished answer as the Markdown of a rich message: Telegram sets tables, formulas and headings itself.

Only where nothing can get lost by it. What Telegram reads otherwise than a model means it (raw HTML, pictures, its
own addresses), and what is longer than a rich message may be, goes by entities as ever.
"""

import re

from bot.cards import Reply
from bot.clean import clean
from bot.platforms.telegram.render import LONGEST_THINKING

LONGEST = 32_768  # characters
_OTHERWISE = re.compile(r"<[A-Za-z/!?]|!\[|tg://|&[A-Za-z#]", re.IGNORECASE)
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>$=<&])")


def markdown(card: Reply) -> str | None:
    """The whole answer, or `None` if it is not for a rich message."""
    text = clean(card.text).strip()
    if not text or _OTHERWISE.search(text):
        return None
    fence = _open_fence(text)
    if fence:
        text = f"{text}\n{fence}"
    parts = [f"**{_words(card.header)}**" if card.header.strip() else "", _thinking(card), text]
    parts.append(f"_{_words(card.footnote)}_" if card.footnote.strip() else "")
    made = "\n\n".join(part for part in parts if part)
    return made if len(made) <= LONGEST else None


def _thinking(card: Reply) -> str:
    """What it thought, as a quote."""
    if not card.thinking.strip():
        return ""
    thought = card.thinking.strip()
    if len(thought) > LONGEST_THINKING:
        thought = thought[:LONGEST_THINKING] + "…"
    lines = [f"**{_words(card.thinking_label)}**", *(_words(line) for line in clean(thought).split("\n"))]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _words(text: str) -> str:
    """Words that are no Markdown."""
    return _MARKS.sub(r"\\\1", text.strip())


def _open_fence(text: str) -> str:
    """What closes a fence that the model left open: our footnote is no code."""
    opened = ""
    for line in text.split("\n"):
        mark = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if mark is None:
            continue
        if not opened:
            opened = mark[1]
        elif mark[1][0] == opened[0] and len(mark[1]) >= len(opened) and line.strip() == mark[1]:
            opened = ""
    return opened
