"""The words of one block: from the parser's tokens to text and spans."""

from collections.abc import Sequence

from markdown_it.token import Token

from bot.markdown.links import linkable, spelled
from bot.markdown.spans import Kind, Rendered, Weaver

_STYLES = {"strong": Kind.BOLD, "em": Kind.ITALIC, "s": Kind.STRIKE}


def inline(tokens: Sequence[Token], *, spell: bool = False) -> Rendered:
    """`spell`: links are to be read as text, because the place they go to bears no links."""
    return _Words(spell=spell).of(tokens)


class _Words:
    def __init__(self, *, spell: bool) -> None:
        self._spell = spell
        self._made = Weaver()
        self._open: list[int] = []
        self._links: list[tuple[Token, int]] = []

    def of(self, tokens: Sequence[Token]) -> Rendered:
        for token in tokens:
            self._take(token)
        return self._made.done()

    def _take(self, token: Token) -> None:
        match token.type:
            case "softbreak" | "hardbreak":
                self._made.add("\n")
            case "code_inline":
                start = self._made.at
                self._made.add(token.content)
                self._made.mark(Kind.CODE, start)
            case "image":
                self._link(token, self._made.at, inline(token.children or [], spell=True).text)
            case "link_open":
                self._links.append((token, self._made.at))
            case "link_close":
                opened, start = self._links.pop()
                self._link(opened, start)
            case _ if token.nesting > 0:
                self._open.append(self._made.at)
            case _ if token.nesting < 0:
                self._made.mark(_STYLES[token.tag], self._open.pop())
            case _:
                self._made.add(token.content)

    def _link(self, token: Token, start: int, label: str | None = None) -> None:
        if label is None:
            label = self._made.since(start)
        else:
            self._made.add(label)
        address = str(token.attrs.get("href") or token.attrs.get("src") or "")
        if token.markup == "autolink":
            pass  # the address stands there already
        elif label.strip() and linkable(address) and not (self._spell or self._links):
            self._made.mark(Kind.LINK, start, address)
        else:
            self._made.add(spelled(label, address))
        if title := str(token.attrs.get("title") or ""):
            self._made.add(f" ({title})")
