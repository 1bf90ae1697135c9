"""Any card as messages of Discord: the one place that knows how each looks there.

Answers are words, so that they can be copied, quoted and answered; everything else is drawn with components.
"""

from typing import assert_never

import discord
from discord.ui import LayoutView, View

from bot.cards import Card, Choice, Listing, Notice, Picture, Progress, Reply, Secret, Tone, bar
from bot.markdown import GrowingSource
from bot.platforms.discord import buttons as made
from bot.platforms.discord.boxes import Box, pieces, plainly
from bot.platforms.discord.parts import Part
from bot.platforms.discord.wording import DiscordTexts

LONGEST = 2000  # characters (code points) of a message of words
CUT = 1900  # where an answer is cut: room for what is ours before and after it
LONGEST_OURS = 80
LONGEST_THOUGHT = 600
MOST = 8  # messages of one answer; what is longer comes as a file, too
BAR_CELLS = 16
NOTHING = "…"  # Discord takes no empty message
BUTTONS = 25
PICTURE = "picture.png"
_COLOURS = {Tone.INFO: 0x5865F2, Tone.SUCCESS: 0x3BA55C, Tone.WARNING: 0xF0B232, Tone.ERROR: 0xED4245}
_WAITING = 0x5865F2


class Renderer:
    """Draws the cards of one answer: of a text that grows only the end is parsed again. `most` = how many messages there may be."""

    def __init__(self, texts: DiscordTexts, owner: int | None, most: int = MOST) -> None:
        self._texts = texts
        self._owner = owner
        self._most = most
        self._growing = GrowingSource(CUT)

    def draw(self, card: Card) -> list[Part]:  # noqa: PLR0911  # one for each card
        """The messages, at least one."""
        match card:
            case Reply():
                return self._reply(card)
            case Progress():
                drawn = (
                    ""
                    if card.fraction is None
                    else f"`{bar(card.fraction, BAR_CELLS)}` **{card.fraction:.0%}**"
                )
                return self._box(card, _WAITING, card.title, [drawn, _small(card.detail)])
            case Notice():
                return self._box(card, _COLOURS[card.tone], card.title, pieces(plainly(card.body)))
            case Choice():
                return self._box(card, _WAITING, card.question, pieces(plainly(card.body)))
            case Listing():
                return self._listing(card)
            case Secret():
                box = Box(self._texts.choose, _WAITING)
                box.text(f"### 🔑 {plainly(card.field)}")
                box.text(plainly(card.question))
                box.row([made.form_button(card, self._owner, 0)])
                return [Part(view=one) for one in box.done()]
            case Picture():
                return self._picture(card)
            case _:
                assert_never(card)

    def brief(self, card: Progress) -> list[Part]:
        """A word of what goes on, which can turn into an answer in words: components never could."""
        return [Part(_bold(card.title) or NOTHING, self._below(card))]

    def plain(self, text: str) -> list[Part]:
        """Words without any setting."""
        return [Part(piece) for piece in pieces(plainly(text), CUT)] or [Part(NOTHING)]

    # ------------------------------------------------------------ words

    def _reply(self, card: Reply) -> list[Part]:
        texts = self._growing.take(card.text)
        whole = len(texts) > self._most
        if whole:
            texts = texts[: self._most] if card.done else [*texts[: self._most - 1], texts[-1]]
        texts = texts or [""]
        head = _head(card, LONGEST - len(texts[0]))
        texts[0] = _below(head, texts[0])
        if card.done and card.thinking:
            texts[0] = _with_thought(texts[0], head, card.thinking)
        note = self._texts.whole if whole and card.done else ""
        foot = made.clipped(_small(_below(note, card.footnote)), CUT)
        if len(texts[-1]) + len(foot) < LONGEST:
            texts[-1] = _below(texts[-1], foot)
        else:
            texts.append(foot)
        files = ((self._texts.whole_name, card.text.encode()),) if whole and card.done else ()
        parts = [Part(text.strip() or NOTHING) for text in texts]
        parts[-1] = Part(parts[-1].content, self._below(card), files)
        return parts

    def _below(self, card: Card) -> View | None:
        """Buttons under words."""
        found = made.buttons(card, self._owner)[:BUTTONS]
        if not found:
            return None
        view = View(timeout=None)
        for one in found:
            view.add_item(one)
        return view

    # ------------------------------------------------------------ components

    def _box(self, card: Card, colour: int, title: str, texts: list[str]) -> list[Part]:
        box = Box(self._texts.choose, colour)
        if title:
            box.text(f"### {plainly(title)}")
        for text in texts:
            box.text(text)
        box.buttons(card, self._owner)
        return [Part(view=one) for one in box.done()]

    def _listing(self, card: Listing) -> list[Part]:
        box = Box(self._texts.choose, _WAITING)
        box.text(f"### {plainly(card.title)}")
        for piece in pieces(plainly(card.body)):
            box.text(piece)
        box.rows(card.rows, self._owner)
        box.buttons(card, self._owner)
        return [Part(view=one) for one in box.done()]

    def _picture(self, card: Picture) -> list[Part]:
        box = Box(self._texts.choose, _WAITING)
        for piece in pieces(plainly(card.caption)):
            box.text(piece)
        box.add(discord.ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{PICTURE}")))
        box.buttons(card, self._owner)
        views: list[LayoutView] = box.done()
        files = ((PICTURE, card.png),)
        return [
            Part(view=one, files=files if place == len(views) - 1 else ()) for place, one in enumerate(views)
        ]


def _bold(text: str) -> str:
    return f"**{plainly(_short(text))}**" if text else ""


def _short(text: str) -> str:
    return made.clipped(" ".join(text.split()), LONGEST_OURS)


def _small(text: str) -> str:
    return "\n".join(f"-# {line}" for line in plainly(text).splitlines() if line.strip())


def _below(first: str, second: str) -> str:
    return "\n".join(filter(None, (first, second)))


def _head(card: Reply, room: int) -> str:
    """What is ours above an answer, as far as there is room for it."""
    head = ""
    for line in (_bold(card.header), _small(_short(card.thinking_label)) if card.thinking else ""):
        if line and len(head) + len(line) + 2 <= room:
            head = _below(head, line)
    return head


def _with_thought(text: str, head: str, thinking: str) -> str:
    """The thought under its label, covered until somebody wants to see it; only as much as there is room for."""
    room = min(LONGEST_THOUGHT, LONGEST - len(text) - 8)
    thought = made.clipped(" ".join(thinking.split()), max(0, room))
    shown = plainly(thought)
    if room < len(shown) or not thought:
        return text
    return f"{head}\n||{shown}||\n{text[len(head) :].lstrip()}"
