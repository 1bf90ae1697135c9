"""An answer in messages that fit a platform."""

from typing import Literal, overload

from bot.markdown.cut import Measure, cut
from bot.markdown.render import render
from bot.markdown.source import fenced, price, source
from bot.markdown.spans import Rendered, sliced


def discord(markdown: str) -> str:
    """The Markdown as Discord draws it: tables as straight text in a fence, every fence closed."""
    return fenced(source(markdown))


@overload
def split(markdown: str, limit: int = 4096, *, units: Literal["utf16"]) -> list[Rendered]: ...
@overload
def split(markdown: str, limit: int = 2000, *, units: Literal["codepoints"]) -> list[str]: ...
def split(
    markdown: str, limit: int | None = None, *, units: Literal["utf16", "codepoints"]
) -> list[Rendered] | list[str]:
    """`utf16`: what is read, for Telegram. `codepoints`: the source, for Discord. No part is blank."""
    if units == "utf16":
        return parts(render(markdown), limit or 4096)
    return sources(source(markdown), limit or 2000)


def sources(made: Rendered, limit: int = 2000) -> list[str]:
    """What `source` made, in parts of at most `limit` characters, each with whole fences."""
    measure = Measure(limit, lambda _: 1, price)
    made = sliced(made, 0, len(made.text.rstrip()))  # a blank at the end must not cost a message
    return [fenced(part) for part in cut(made, measure)]


def parts(rendered: Rendered, limit: int = 4096) -> list[Rendered]:
    """What is rendered already, in parts of at most `limit` UTF-16 units."""
    return cut(rendered, Measure(limit, lambda c: 1 if c <= "\uffff" else 2, lambda _: 0))
