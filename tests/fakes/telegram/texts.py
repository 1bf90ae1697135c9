"""Texts and their entities as Telegram keeps them; TDLib is the judge of both."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tdjson

from tests.fakes.telegram.wire import Json, bad

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
_LONGEST_INPUT = 1 << 15  # bytes, before parsing

_KINDS = {
    "mention": "Mention",
    "hashtag": "Hashtag",
    "cashtag": "Cashtag",
    "bot_command": "BotCommand",
    "url": "Url",
    "email": "EmailAddress",
    "phone_number": "PhoneNumber",
    "bank_card_number": "BankCardNumber",
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "blockquote": "BlockQuote",
    "expandable_blockquote": "ExpandableBlockQuote",
    "code": "Code",
    "pre": "Pre",
    "text_link": "TextUrl",
    "text_mention": "MentionName",
    "custom_emoji": "CustomEmoji",
    "date_time": "DateTime",
}
_NAMES = {kind: name for name, kind in _KINDS.items()} | {"PreCode": "pre"}
FOUND_BY_TELEGRAM = frozenset(list(_KINDS)[:8])
_MAY_OVERLAP = frozenset(
    ("bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote")
)
_PERSON = "https://person.invalid/"  # a text mention has no place in TDLib without its user database
# TDLib normalises only where it reads Markdown too: what is special there stands aside meanwhile.
_ASIDE = {ord(mark): 0xF5D0 + place for place, mark in enumerate("*_~|`[")}
_BACK = {code: mark for mark, code in _ASIDE.items()}


@dataclass(frozen=True, slots=True)
class Formatted:
    text: str = ""
    entities: tuple[Json, ...] = ()

    @property
    def units(self) -> int:
        return units(self.text)

    def covered(self, kind: str) -> list[str]:
        """The pieces of text under all entities of a kind."""
        raw = self.text.encode("utf-16-le")
        return [
            raw[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le")
            for e in self.entities
            if e["type"] == kind
        ]


def units(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _execute(query: Json) -> Json:
    answer = tdjson.td_execute(json.dumps(query).encode())
    if answer is None:
        raise RuntimeError(f"TDLib does not answer {query['@type']}")
    parsed: Json = json.loads(answer)
    if parsed["@type"] == "error":
        raise bad(_as_told(str(parsed["message"])))
    return parsed


_execute({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0})


def _as_told(message: str) -> str:
    """A Bot API server begins TDLib's errors with a small letter, unless they are CODES."""
    return message if message[1:2].isupper() or message[1:2] == "_" else message[:1].lower() + message[1:]


def _to_td(entity: Json) -> Json:
    name = str(entity["type"])
    kind = _KINDS.get(name)
    if kind is None:
        raise bad("can't parse MessageEntity: Unsupported type specified")
    inner: Json = {"@type": f"textEntityType{kind}"}
    try:
        if name == "pre" and entity.get("language"):
            inner = {"@type": "textEntityTypePreCode", "language": entity["language"]}
        elif name == "text_link":
            inner["url"] = entity["url"]
        elif name == "text_mention":
            inner = {"@type": "textEntityTypeTextUrl", "url": f"{_PERSON}{entity['user']['id']}"}
        elif name == "custom_emoji":
            inner["custom_emoji_id"] = entity["custom_emoji_id"]
        elif name == "date_time":
            inner["unix_time"] = entity["unix_time"]
    except KeyError as missing:
        raise bad(f"can't parse MessageEntity: Can't find field {missing}") from None
    return {"@type": "textEntity", "offset": entity["offset"], "length": entity["length"], "type": inner}


def _from_td(entity: Json) -> Json:
    inner = entity["type"]
    kind = str(inner["@type"]).removeprefix("textEntityType")
    told: Json = {"offset": entity["offset"], "length": entity["length"], "type": _NAMES[kind]}
    if kind == "MentionName":
        told["user"] = {"id": inner["user_id"]}
    elif kind == "TextUrl" and str(inner["url"]).startswith(_PERSON):
        told |= {"type": "text_mention", "user": {"id": int(inner["url"].removeprefix(_PERSON))}}
    else:
        told |= {name: inner[name] for name in ("language", "url", "custom_emoji_id") if name in inner}
        if "unix_time" in inner:
            told["unix_time"] = inner["unix_time"]
    return told


def _plain(formatted: Json) -> Formatted:
    return Formatted(formatted["text"], tuple(_from_td(entity) for entity in formatted["entities"]))


def _normalise(given: Formatted) -> Formatted:
    """Clean, sort, split and merge as every client and server of Telegram does."""
    text = {
        "@type": "formattedText",
        "text": given.text.translate(_ASIDE),
        "entities": [_to_td(entity) for entity in given.entities],
    }
    fixed = _plain(_execute({"@type": "parseMarkdown", "text": text}))
    return Formatted(fixed.text.translate(_BACK), fixed.entities)


def _trim(given: Formatted) -> Formatted:
    """Without white space at the end, nor at the beginning before the first entity."""
    text = given.text.rstrip()
    length = units(text)
    first = given.entities[0]["offset"] if given.entities else length
    left = 0
    while left < min(first, len(text)) and text[left] in " \n":
        left += 1
    kept = []
    for entity in given.entities:
        end = min(entity["offset"] + entity["length"], length)
        if entity["offset"] < length:
            kept.append(entity | {"offset": entity["offset"] - left, "length": end - entity["offset"]})
    return Formatted(text[left:], tuple(kept))


def _overlap(one: Json, other: Json) -> bool:
    ends = (one["offset"] + one["length"], other["offset"] + other["length"])
    return bool(one["offset"] < ends[1] and other["offset"] < ends[0])


def _detect(given: Formatted) -> Formatted:
    """With the commands, mentions, links and so on that Telegram finds by itself."""
    found = [
        _from_td(entity) for entity in _execute({"@type": "getTextEntities", "text": given.text})["entities"]
    ]
    solid = [entity for entity in given.entities if entity["type"] not in _MAY_OVERLAP]
    new = [entity for entity in found if not any(_overlap(entity, other) for other in solid)]
    return _normalise(Formatted(given.text, (*given.entities, *new))) if new else given


def _parse(text: str, parse_mode: str) -> Formatted:
    modes: dict[str, Json] = {
        "markdown": {"@type": "textParseModeMarkdown", "version": 1},
        "markdownv2": {"@type": "textParseModeMarkdown", "version": 2},
        "html": {"@type": "textParseModeHTML"},
    }
    mode = modes.get(parse_mode.lower())
    if mode is None:
        raise bad("unsupported parse_mode")
    return _plain(_execute({"@type": "parseTextEntities", "text": text, "parse_mode": mode}))


def formatted(
    text: str, entities: Sequence[Json] = (), parse_mode: str | None = None, *, detect: bool = True
) -> Formatted:
    """A text as it is stored; empty if nothing visible is left of it. Entities yield to a parse mode."""
    if len(text.encode("utf-8", "surrogatepass")) > _LONGEST_INPUT:
        raise bad("text is too long")
    if text and parse_mode and parse_mode.lower() != "none":
        given = _parse(text, parse_mode)
    else:
        given = Formatted(text, tuple(e for e in entities if e["type"] not in FOUND_BY_TELEGRAM))
    fixed = _trim(_normalise(given))
    return _detect(fixed) if detect and fixed.text else fixed


def message_text(parameters: Json, too_long: str = "message is too long") -> Formatted:
    """The text of a message from a bot's parameters."""
    text = str(parameters.get("text") or "")
    if not text:
        raise bad("message text is empty")
    made = formatted(text, parameters.get("entities") or (), parameters.get("parse_mode"))
    if not made.text:
        raise bad("text must be non-empty")
    if made.units > LONGEST_TEXT:
        raise bad(too_long)
    return made


def caption(parameters: Json) -> Formatted:
    """The caption of a photo or document from a bot's parameters; may be empty."""
    made = formatted(
        str(parameters.get("caption") or ""),
        parameters.get("caption_entities") or (),
        parameters.get("parse_mode"),
    )
    if made.units > LONGEST_CAPTION:
        raise bad("message caption is too long")
    return made


def names(formatted_text: Formatted, who: Callable[[int], Json | None]) -> Formatted:
    """With the users of text mentions filled in; a stranger cannot be mentioned."""
    filled = []
    for entity in formatted_text.entities:
        if entity["type"] != "text_mention":
            filled.append(entity)
        elif (person := who(entity["user"]["id"])) is not None:
            filled.append(entity | {"user": person})
    return Formatted(formatted_text.text, tuple(filled))
