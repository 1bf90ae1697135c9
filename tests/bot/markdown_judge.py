"""Telegram's own library as the judge of entities, and what "nothing is lost" means.

Nothing is lost: the letters, digits and pictures of the source are those that are shown, in the same
order. Shown are also the address of a link (behind its label) and the language of a block of code
(before it). Not letters of the text are: the `x` of a ticked box, the name of a character reference
(the character counts), the `mailto:` before an address that stays text, and the language of a fence
that has nothing in it yet.
"""

import html
import json
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Any

import tdjson

from bot.clean import clean
from bot.markdown import Entity, Kind, Rendered, parts, utf16

LIMIT = 4096
_NAMES = {
    Kind.BOLD: "Bold",
    Kind.ITALIC: "Italic",
    Kind.STRIKE: "Strikethrough",
    Kind.CODE: "Code",
    Kind.PRE: "PreCode",
    Kind.LINK: "TextUrl",
    Kind.QUOTE: "BlockQuote",
}
_KINDS = {f"textEntityType{name}": kind for kind, name in _NAMES.items()} | {
    "textEntityTypePre": Kind.PRE,
    "textEntityTypeMentionName": Kind.LINK,  # what `tg://user?id=` becomes
}
_STYLES = {Kind.BOLD, Kind.ITALIC, Kind.STRIKE}
_MARKS = re.compile(r"[*_~|`\[\]]")
_DRAWN = "•☐☑─\ufffd"
_REFERENCE = re.compile(r"&(?:#[xX][0-9a-fA-F]{1,6}|#[0-9]{1,7}|[A-Za-z0-9]+);")
_TICKED = re.compile(r"^([ \t>\d.)*+-]*[-*+.)][ \t]+)\[[xX]\] (?=\S)", re.MULTILINE)
_EMPTY_FENCE = re.compile(r"(^|\n)([^\n`~]*)(`{3,}|~{3,})[^\n`]*[\s>]*\Z")


@cache
def _quiet() -> None:
    tdjson.td_execute(b'{"@type":"setLogVerbosityLevel","new_verbosity_level":0}')


def _ask(text: str, entities: Iterable[Entity]) -> Any:
    """The text and entities after everything that TDLib does to a message before it is sent.

    TDLib takes Markdown from the text too on this way: its signs are masked, so that only ours is judged.
    """
    _quiet()
    asked = {"@type": "parseMarkdown", "text": {"@type": "formattedText", "text": _MARKS.sub("x", text)}}
    asked["text"]["entities"] = [  # type: ignore[index]  # JSON
        {"@type": "textEntity", "offset": e.offset, "length": e.length, "type": _type(e)} for e in entities
    ]
    answer = tdjson.td_execute(json.dumps(asked).encode())
    assert answer is not None
    return json.loads(answer)


def _type(entity: Entity) -> dict[str, str]:
    made = {"@type": f"textEntityType{_NAMES[entity.kind]}"}
    if entity.kind is Kind.LINK:
        made["url"] = entity.extra
    if entity.kind is Kind.PRE:
        made["language"] = entity.extra
    return made


def length(text: str) -> int:
    """As Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def accepts(rendered: Rendered) -> None:
    """TDLib takes every part of it as it is: no error, no entity changed, no text touched."""
    for part in parts(rendered, LIMIT):
        text, entities = utf16(part)
        assert text.strip()
        assert length(text) <= LIMIT
        assert len(entities) <= 100
        answer = _ask(text, entities)
        assert answer["@type"] == "formattedText", (answer, text, entities)
        assert letters(answer["text"]) == letters(_MARKS.sub("x", text))
        if length(answer["text"]) == length(text):
            _same(entities, answer["entities"])


def _same(ours: list[Entity], theirs: list[dict[str, Any]]) -> None:
    """Boxes, links and code stand where we put them; every character has the styles that we gave it."""
    taken = [
        Entity(_KINDS[e["type"]["@type"]], e["offset"], e["length"], e["type"].get("language", ""))
        for e in theirs
    ]
    assert _boxes(ours) == _boxes(taken)
    for style in _STYLES:
        assert _covered(ours, style) == _covered(taken, style)


def _boxes(entities: Iterable[Entity]) -> set[tuple[Kind, int, int, str]]:
    return {
        (e.kind, e.offset, e.length, e.extra if e.kind is Kind.PRE else "")
        for e in entities
        if e.kind not in _STYLES
    }


def _covered(entities: Iterable[Entity], kind: Kind) -> set[int]:
    return {at for e in entities if e.kind is kind for at in range(e.offset, e.offset + e.length)}


def letters(text: str) -> str:
    """Letters, digits and pictures, without what is drawn by us."""
    return "".join(c for c in text if c.isalnum() or (unicodedata.category(c) == "So" and c not in _DRAWN))


def keeps(markdown: str, rendered: Rendered) -> None:
    """Nothing of the source is lost, nothing comes twice, nothing moves."""
    source = _TICKED.sub(r"\1", clean(markdown))
    shown = letters(_read(_spoken(rendered)))
    assert shown in (letters(_read(source)), letters(_read(_EMPTY_FENCE.sub(r"\1\2", source))))


def _spoken(rendered: Rendered) -> str:
    """The text with what its spans say."""
    said = []
    for span in rendered.spans:
        covered = rendered.text[span.start : span.end]
        if span.kind is Kind.LINK:
            said.append((span.end, span.extra))
        if span.kind is Kind.PRE and not _said_already(rendered.text[: span.start], covered, span.extra):
            said.append((span.start, span.extra))
    text = rendered.text
    for at, extra in sorted(said, reverse=True):
        text = f"{text[:at]} {extra} {text[at:]}"
    return text


def _said_already(above: str, code: str, language: str) -> bool:
    """A formula is LaTeX without being called so; of several words behind a fence all are shown above it."""
    formula = language == "latex" and code.startswith(("$$", "\\["))
    return formula or above.rstrip("\n").rpartition("\n")[2].lstrip().startswith(f"{language} ")


def _read(text: str) -> str:
    """With its character references read, those that a reference gave as well."""
    text = text.replace("mailto:", "")
    while (read := _REFERENCE.sub(lambda m: html.unescape(m[0]), text)) != text:
        text = read
    return text
