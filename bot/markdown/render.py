"""A model's Markdown as text and spans: block after block, the blank lines between them as the model left them."""

from markdown_it.token import Token

from bot.clean import clean
from bot.markdown import tables
from bot.markdown.fences import told_by_empty
from bot.markdown.inline import inline
from bot.markdown.parse import LONGEST, parser
from bot.markdown.spans import Kind, Rendered, Weaver, indented, joined, wrapped

_RULE = "─" * 10
_TAB = 4  # Telegram makes one blank of a tab; code would lose its shape
_BOXES = {"[ ] ": "☐", "[x] ": "☑", "[X] ": "☑"}


def render(markdown: str) -> Rendered:
    """Any text, finished or not, as what a person is to read. Never raises."""
    text = clean(markdown)
    if len(text) > LONGEST:
        return joined(render(text[:LONGEST]), "", Rendered(text[LONGEST:].strip()))
    return _Walk(parser(images=True).parse(text), text.split("\n")).stack()


class _Walk:
    """Goes through the parser's tokens once; every method takes the tokens of what it is named after."""

    def __init__(self, tokens: list[Token], lines: list[str]) -> None:
        self._tokens = tokens
        self._lines = lines
        self._at = 0

    def stack(self) -> Rendered:
        """The blocks up to the end of what holds them."""
        made = Weaver()
        while (token := self._next()) is not None and token.nesting >= 0:
            block = self._block(token)
            if block.text:
                made.add(self._gap(token) if made.at else "")
                made.add(block)
        return made.done()

    def _next(self) -> Token | None:
        if self._at >= len(self._tokens):
            return None
        self._at += 1
        return self._tokens[self._at - 1]

    def _gap(self, token: Token) -> str:
        above = token.map[0] - 1 if token.map else 0
        return "\n\n" if not self._lines[above].strip(" \t>") else "\n"

    def _block(self, token: Token) -> Rendered:
        match token.type:
            case "paragraph_open":
                made = self._words()
            case "heading_open":
                made = wrapped(self._words(), Kind.BOLD)
            case "blockquote_open":
                made = wrapped(self.stack(), Kind.QUOTE)
            case "bullet_list_open" | "ordered_list_open":
                made = self._list(token)
            case "table_open":
                drawn, self._at = tables.lines(self._tokens, self._at)
                made = wrapped(Rendered(drawn), Kind.PRE)
            case "hr":
                made = Rendered(_RULE)
            case _:
                made = _code(token) if token.content.strip() else self._nothing(token)
        return made

    def _nothing(self, token: Token) -> Rendered:
        """A block of code with nothing in it: what stands behind its fence are words, unless code may still come."""
        return Rendered(told_by_empty(token, self._lines))

    def _words(self) -> Rendered:
        words = inline(self._tokens[self._at].children or [])
        self._at += 2  # the words, and the end of the block
        return words

    def _list(self, opened: Token) -> Rendered:
        made = Weaver()
        number = int(opened.attrs.get("start", 1)) if opened.type == "ordered_list_open" else None
        while (token := self._next()) is not None and token.nesting > 0:
            mark = "•" if number is None else f"{number}{token.markup}"
            made.add(self._gap(token) if made.at else "")
            made.add(self._item(mark))
            number = None if number is None else number + 1
        return made.done()

    def _item(self, mark: str) -> Rendered:
        box = self._box()
        body = self.stack()
        if box:
            mark = box if mark == "•" else f"{mark} {box}"
        boxed = bool(body.spans) and body.spans[0].kind is Kind.PRE and body.spans[0].start == 0
        made = Weaver()
        made.add(mark)
        made.add("\n" if boxed else " " if body.text else "")
        made.add(indented(body, 2 if mark[0] in "•☐☑" else 3))
        return made.done()

    def _box(self) -> str:
        """The box of a task, taken off its words."""
        words = self._tokens[self._at + 1 : self._at + 2]
        if not words or words[0].type != "inline" or self._tokens[self._at].type != "paragraph_open":
            return ""
        first = (words[0].children or [Token("", "", 0)])[0]
        box = _BOXES.get(first.content[:4], "") if first.type == "text" else ""
        if box:
            first.content = first.content[4:]
        return box


def _code(token: Token) -> Rendered:
    """A block of code. Of several words behind the fence (`python app.py`) all stand above it."""
    code = token.content.expandtabs(_TAB).strip("\n").rstrip()
    info = token.info.strip()
    language = info.split()[0] if info else ""
    made = Weaver()
    if info != language:
        made.add(info + "\n")
    start = made.at
    made.add(code)
    made.mark(Kind.PRE, start, language)
    return made.done()
