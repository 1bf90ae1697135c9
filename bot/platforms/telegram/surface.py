"""One answer in one chat: cards become drafts and messages, and whatever was shown before turns into the next."""

import secrets
from dataclasses import dataclass

import structlog
from telegram import InlineKeyboardMarkup

from bot.cards import Card, Picture, Progress, Reply, plain
from bot.platforms.telegram.hearing import Spot
from bot.platforms.telegram.line import Gone, Line, Part, Refused, Unknown
from bot.platforms.telegram.pace import DRAFT
from bot.platforms.telegram.render import Renderer
from bot.platforms.telegram.rich import markdown
from bot.ranks import Rank
from bot.surface import Limits, NotThere, Post, SlowDown, SurfaceDown
from core.clock import Clock

log = structlog.get_logger(__name__)

POST = Post("telegram")
DRAFT_LIVES = 20.0  # seconds after which a draft that says nothing new is sent again: Telegram drops it at 30


@dataclass(slots=True)
class Sent:
    """A message that stands in the chat. `part` is `None` where nobody knows what it says."""

    message: int
    part: Part | None = None
    keyboard: InlineKeyboardMarkup | None = None


@dataclass(slots=True)
class Abilities:
    """What the server may do: an older one knows no drafts; rich messages are tried where the settings allow it."""

    drafts: bool = True
    rich: bool = False


class TelegramSurface:
    """Where one answer is shown. `turning` = messages that stand there already and become the answer.

    `held` = seconds for which nothing but words is shown: what the model says at once need not wait behind "reading".
    """

    def __init__(
        self,
        line: Line,
        spot: Spot,
        clock: Clock,
        abilities: Abilities | None = None,
        turning: tuple[int, ...] = (),
        *,
        held: float = 0.0,
    ) -> None:
        self._held_until = clock.monotonic() + held
        self._line = line
        self.spot = spot
        self._clock = clock
        self._abilities = abilities or Abilities()
        self._renderer = Renderer()
        self._sent = [Sent(message) for message in turning]
        self.in_place = False  # what is gone is not said anew, and nothing is added
        self._posting = bool(turning)
        self._draft: Part | None = None
        self._draft_at = 0.0
        self.draft_number = secrets.randbelow(2**31 - 1) + 1
        self.streaming = False
        self._rich_failed = False

    @property
    def limits(self) -> Limits:
        """Abilities may follow each other faster than edits."""
        return Limits(DRAFT if self.drafted else self._line.gap)

    @property
    def drafted(self) -> bool:
        """Whether a draft is all there is: it must be kept alive."""
        return self._draft is not None and not self._sent

    @property
    def messages(self) -> tuple[int, ...]:
        """What stands in the chat."""
        return tuple(sent.message for sent in self._sent)

    async def busy(self) -> None:
        """Show typing while nothing streams; a draft that would vanish is shown again.

        A group bears few calls: there typing is shown until something stands that changes.
        """
        if self._sent and not self.spot.private:
            return
        try:
            if self._draft is None or not self.drafted:
                await self._line.typing()
            elif self._clock.monotonic() - self._draft_at > DRAFT_LIVES:
                await self._line.draft(self.draft_number, self._draft, Rank.PROGRESS)
                self._draft_at = self._clock.monotonic()
        except (SlowDown, SurfaceDown, Refused, Gone) as missed:
            log.debug("typing not shown", chat=str(self.spot.ref), why=type(missed).__name__)

    async def post(self, card: Card) -> Post:
        """A new card; if the last try got half of it across, the other half."""
        if not self._posting:
            self._sent = []
        self._posting = True
        await self._bring(card)
        self._posting = False
        return POST

    async def edit(self, post: Post, card: Card) -> Post:
        """Turn what stands there into this card."""
        await self._bring(card)
        return post

    async def _bring(self, card: Card) -> None:
        growing = isinstance(card, Progress) or (isinstance(card, Reply) and not card.done)
        if growing and isinstance(card, Reply):
            self.streaming = True  # also while it waits for its turn: typing would take that away from it
        held = self._held_until - self._clock.monotonic()
        if held > 0 and isinstance(card, Progress):
            raise SlowDown(held, asked=False)
        try:
            parts, keyboard = self._renderer.draw(card, self.spot.owner)
        except Exception as bug:  # noqa: BLE001  # an answer that cannot be drawn can still be read
            log.error("card not drawn", card=type(card).__name__, bug=type(bug).__name__)  # noqa: TRY400  # quotes nobody
            parts, keyboard = self._renderer.plainly(plain(card)), None
        if growing:
            parts = parts[-1:]  # the end of what has come; all of it when it is whole
        if growing and await self._as_draft(card, parts[0]):
            self.streaming = isinstance(card, Reply)
            return
        if isinstance(card, Reply) and card.done and await self._as_rich(card, keyboard):
            self.streaming = False
            return
        rank = Rank.FINAL if not growing else Rank.PROGRESS if self._sent else Rank.FIRST
        if isinstance(card, Picture):
            await self._picture(card, parts[0], keyboard)
        else:
            await self._messages(parts, keyboard, rank)
        self.streaming = growing and isinstance(card, Reply)

    async def _as_draft(self, card: Card, part: Part) -> bool:
        """A draft carries no buttons but Telegram's own for stopping."""
        stoppable = all(button.command == "stop" for button in card.buttons)
        if not (self.spot.private and self._abilities.drafts and stoppable and not self._sent):
            return False
        try:
            await self._line.draft(self.draft_number, part, Rank.PROGRESS if self._draft else Rank.FIRST)
        except Refused as refused:
            self._abilities.drafts = False
            log.warning("no drafts", why=str(refused))
            return False
        self._draft = part
        self._draft_at = self._clock.monotonic()
        return True

    async def _as_rich(self, card: Reply, keyboard: InlineKeyboardMarkup | None) -> bool:
        """One message that Telegram sets itself, tables and formulas too; False if it has to be done by entities."""
        fitting = self._abilities.rich and not self._rich_failed and len(self._sent) <= 1
        source = markdown(card) if fitting else None
        if source is None:
            return False
        try:
            if not self._sent:
                self._sent.append(Sent(await self._line.send_rich(source, keyboard, Rank.FINAL)))
                return True
            return await self._line.edit_rich(self._sent[0].message, source, keyboard, Rank.FINAL)
        except Unknown:
            self._abilities.rich = False
            log.warning("no rich messages", why="this Bot API server does not know them")
        except Refused as refused:
            log.info("rich message refused", chat=str(self.spot.ref), why=str(refused))
        except SurfaceDown:
            self._rich_failed = True  # perhaps it is this message that the server cannot bear
            raise
        return False

    async def _messages(self, parts: list[Part], keyboard: InlineKeyboardMarkup | None, rank: Rank) -> None:
        """Each part its message, the buttons under the last; messages that nothing is left for go."""
        for place, part in enumerate(parts):
            below = keyboard if place == len(parts) - 1 else None
            if place < len(self._sent):
                await self._turn(self._sent[place], part, below, rank)
            elif self.in_place:
                raise NotThere
            else:
                self._sent.append(Sent(await self._line.send(part, below, rank), part, below))
        while len(self._sent) > len(parts):
            await self._line.delete(self._sent[-1].message)
            self._sent.pop()

    async def _turn(self, sent: Sent, part: Part, keyboard: InlineKeyboardMarkup | None, rank: Rank) -> None:
        if (sent.part, sent.keyboard) == (part, keyboard):
            return
        if not await self._line.edit(sent.message, part, keyboard, rank):
            if self.in_place:
                raise NotThere
            sent.message = await self._line.send(
                part, keyboard, Rank.FINAL if rank is Rank.FINAL else Rank.FIRST
            )
        sent.part, sent.keyboard = part, keyboard

    async def _picture(self, card: Picture, caption: Part, keyboard: InlineKeyboardMarkup | None) -> None:
        """A message of words cannot become one with a picture: the picture first, then the words go."""
        message = await self._line.photo(card.png, caption, keyboard, Rank.FINAL)
        old, self._sent = self._sent, [Sent(message, caption, keyboard)]
        for sent in old:
            await self._line.delete(sent.message)
