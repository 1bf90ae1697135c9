"""Any card as messages of Telegram: the one place that knows how each looks there."""

from typing import assert_never

from telegram import InlineKeyboardMarkup, MessageEntity

from bot.cards import Card, Choice, Listing, Notice, Picture, Progress, Reply, Row, Secret, bar
from bot.markdown import Entity, Growing, Kind, Rendered, parts, utf16
from bot.markdown.spans import Weaver, joined, wrapped
from bot.platforms.telegram.buttons import keyboard
from bot.platforms.telegram.line import Part

LONGEST = 4096  # UTF-16 units of a message
LONGEST_CAPTION = 1024
BAR_CELLS = 16  # what a telephone shows in one line
LONGEST_THINKING = 2500  # characters; the rest is nobody's loss
EXPANDABLE = "expandable"  # what the span of folded thinking carries
NOTHING = "…"  # Telegram takes no empty message
_TYPES = {
    Kind.QUOTE: MessageEntity.BLOCKQUOTE,
    Kind.BOLD: MessageEntity.BOLD,
    Kind.ITALIC: MessageEntity.ITALIC,
    Kind.STRIKE: MessageEntity.STRIKETHROUGH,
    Kind.LINK: MessageEntity.TEXT_LINK,
    Kind.CODE: MessageEntity.CODE,
    Kind.PRE: MessageEntity.PRE,
}


class Renderer:
    """Draws the cards of one answer: of a text that grows only the end is parsed again."""

    def __init__(self) -> None:
        self._growing = Growing()

    def draw(self, card: Card, owner: int | None) -> tuple[list[Part], InlineKeyboardMarkup | None]:
        """The messages, at least one, and the buttons under the last."""
        limit = LONGEST_CAPTION if isinstance(card, Picture) else LONGEST
        return self._parts(self.render(card), limit), keyboard(card, owner)

    def plainly(self, text: str) -> list[Part]:
        """Words without any setting."""
        return self._parts(Rendered(text), LONGEST)

    def render(self, card: Card) -> Rendered:  # noqa: PLR0911  # one for each card
        """A card as a person reads it."""
        match card:
            case Reply():
                return self._reply(card)
            case Progress():
                drawn = (
                    "" if card.fraction is None else f"{bar(card.fraction, BAR_CELLS)} {card.fraction:.0%}"
                )
                details = "  ".join(filter(None, (drawn, card.detail)))
                return joined(_bold(card.title), "\n", Rendered(details))
            case Notice():
                return joined(_bold(card.title), "\n", Rendered(card.body))
            case Listing():
                return _listing(card)
            case Choice():
                return joined(_bold(card.question), "\n", Rendered(card.body))
            case Secret():
                return _bold(card.question)
            case Picture():
                return Rendered(card.caption)
            case _:
                assert_never(card)

    def _reply(self, card: Reply) -> Rendered:
        head = joined(_bold(card.header), "\n", _thinking(card))
        text = self._growing.take(card.text)
        foot = wrapped(Rendered(card.footnote), Kind.ITALIC)
        return joined(joined(head, "\n\n", text), "\n\n", foot)

    def _parts(self, rendered: Rendered, limit: int) -> list[Part]:
        return [_part(one) for one in parts(rendered, limit)] or [Part(NOTHING)]


def _bold(text: str) -> Rendered:
    return wrapped(Rendered(text), Kind.BOLD)


def _thinking(card: Reply) -> Rendered:
    """A line while the answer grows; folded above it when it is there."""
    if not card.thinking:
        return Rendered("")
    label = card.thinking_label
    if not card.done:
        return wrapped(Rendered(label), Kind.ITALIC)
    thought = (
        card.thinking if len(card.thinking) <= LONGEST_THINKING else card.thinking[:LONGEST_THINKING] + "…"
    )
    return wrapped(joined(_bold(label), "\n", Rendered(thought)), Kind.QUOTE, EXPANDABLE)


def _listing(card: Listing) -> Rendered:
    made = Weaver()
    made.add(_bold(card.title))
    if card.body:
        made.add(f"\n{card.body}")
    for row in card.rows:
        made.add("\n")
        _row(made, row)
    return made.done()


def _row(made: Weaver, row: Row) -> None:
    made.add(f"{'→ ' if row.current else ''}{row.mark} ".lstrip())
    made.add(_bold(row.name))
    if row.detail:
        made.add(f" — {row.detail}")
    if row.note:
        start = made.at + 1
        made.add(f"\n{row.note}")
        made.mark(Kind.ITALIC, start)


def _part(rendered: Rendered) -> Part:
    text, entities = utf16(rendered)
    return Part(text, tuple(_entity(one) for one in entities))


def _entity(one: Entity) -> MessageEntity:
    kind = _TYPES[one.kind]
    match one.kind:
        case Kind.LINK:
            return MessageEntity(kind, one.offset, one.length, url=one.extra)
        case Kind.PRE:
            return MessageEntity(kind, one.offset, one.length, language=one.extra or None)
        case Kind.QUOTE if one.extra == EXPANDABLE:
            return MessageEntity(MessageEntity.EXPANDABLE_BLOCKQUOTE, one.offset, one.length)
        case _:
            return MessageEntity(kind, one.offset, one.length)
