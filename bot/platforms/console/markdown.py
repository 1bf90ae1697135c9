"""A model's Markdown on a terminal: rich's, with nothing cut off and nothing hidden."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown as RichMarkdown
from rich.markdown import MarkdownElement, TableDataElement
from rich.rule import Rule
from rich.segment import Segment

from bot.markdown.parse import parser


class _Line(MarkdownElement):
    """A rule with one blank line on either side, as every other block has."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Rule(style=console.get_style("markdown.hr", default="none"), characters="─")


class _Cell(TableDataElement):
    """A cell that breaks a long word instead of cutting it off."""

    def __init__(self, justify: Any) -> None:
        super().__init__(justify)
        self.content.overflow = "fold"


class Markdown(RichMarkdown):
    """Line breaks stay where the model made them; the address of a link stands behind its words."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **RichMarkdown.elements,
        "hr": _Line,
        "td_open": _Cell,
        "th_open": _Cell,
    }
    inlines: ClassVar[set[str]] = {*RichMarkdown.inlines, "link", "link_url"}  # type: ignore[misc]  # rich leaves it unannotated

    def __init__(self, text: str) -> None:
        super().__init__("", hyperlinks=False)
        self.markup = text
        self.parsed = parser().parse(text)
        for token in self.parsed:
            if token.children:
                token.children = list(_readable(token.children))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The blocks with one blank line between two; rich puts one above a first list or table as well."""
        parts = iter(super().__rich_console__(console, options))
        first = next(parts, None)
        if first is not None and first != Segment.line():
            yield first
        yield from parts


def _readable(tokens: Iterable[Token]) -> Iterator[Token]:
    address = ""
    label = ""
    for token in tokens:
        match token.type:
            case "softbreak":
                yield Token("hardbreak", "br", 0)
            case "link_open":
                address, label = str(token.attrs.get("href", "")), ""
                yield Token("link_label_open", "link", 1)
            case "link_close":
                yield Token("link_label_close", "link", -1)
                if address and address.removeprefix("mailto:") != label:
                    yield _text(" (")
                    yield Token("link_url_open", "link_url", 1)
                    yield _text(address)
                    yield Token("link_url_close", "link_url", -1)
                    yield _text(")")
            case _:
                label += token.content
                yield token


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
