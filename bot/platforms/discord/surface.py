"""One answer in one chat: cards become messages, and whatever was shown before turns into the next.

Words become components by an edit, but never back: so a load card gives way to a new message with the answer.
That suits people: Discord tells of a new message, not of an edit, and who waited for a load learns that it is over.
What is over in a moment (the model reads the question) is said in words, and the answer grows in that message.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from bot.cards import Card, Progress, Reply, Secret, plain
from bot.platforms.discord.buttons import Form
from bot.platforms.discord.hearing import Spot
from bot.platforms.discord.line import Gone, Line, Refused
from bot.platforms.discord.pace import EDIT
from bot.platforms.discord.parts import Part
from bot.platforms.discord.render import Renderer
from bot.ranks import Rank
from bot.surface import Limits, NotThere, Post, SlowDown, SurfaceDown

log = structlog.get_logger(__name__)

POST = Post("discord")
_TELLING = (SlowDown, SurfaceDown, Gone, Refused)


@dataclass(slots=True)
class Sent:
    """A message that stands in the chat. `part` is `None` where nobody knows what it says.

    `components`: whether it is made of components; `None` where nobody knows.
    """

    message: int
    part: Part | None = None
    components: bool | None = None


class DiscordSurface:
    """Where one answer is shown. `turning` = messages that stand there already and become the answer."""

    def __init__(self, line: Line, spot: Spot, renderer: Renderer, turning: Sequence[Sent] = ()) -> None:
        self._line = line
        self.spot = spot
        self._renderer = renderer
        self._sent = list(turning)
        self._giving_way: list[Sent] = []
        self._born: list[int] = []  # messages that are not among `_sent` yet, or never will be
        self._nonce = _nonce()
        self._tried: list[Part] = []  # what was sent with this nonce, and may stand there
        self.streaming = False
        self.in_place = False  # what is gone is not said anew, and nothing is added

    @property
    def limits(self) -> Limits:
        """One edit in a bit more than a second."""
        return Limits(EDIT)

    @property
    def messages(self) -> tuple[int, ...]:
        """What stands in the chat."""
        return tuple(sent.message for sent in self._sent)

    async def standing(self) -> tuple[Sent, ...]:
        """All that is left of an answer that was cut, for one that turns it into itself."""
        await self._line.settled()
        born = [Sent(message) for message in self._born]
        return (*self._sent, *born, *self._giving_way)

    async def open(self) -> None:
        """Tell Discord in time that an answer will come."""
        try:
            await self._line.open()
        except _TELLING as late:
            log.info("not told in time", chat=str(self.spot.ref), why=type(late).__name__)

    async def withdraw(self) -> None:
        """There is nothing to say."""
        try:
            await self._line.withdraw()
        except _TELLING as missed:
            log.info("still shown as pending", chat=str(self.spot.ref), why=type(missed).__name__)

    async def busy(self) -> None:
        """Show typing while nothing streams."""
        try:
            await self._line.typing()
        except _TELLING as missed:
            log.debug("typing not shown", chat=str(self.spot.ref), why=type(missed).__name__)

    async def post(self, card: Card) -> Post:
        """A new card; if the last try got half of it across, the other half."""
        if not (isinstance(card, Secret) and await self._line.form(Form(card))):
            await self._show(card)
        return POST

    async def ask(self, field: str, command: str) -> None:
        """Show a form at once."""
        await self._line.form(Form(Secret("", field, command)))

    async def edit(self, post: Post, card: Card) -> Post:
        """Turn what stands there into this card."""
        await self._show(card)
        return post

    async def _show(self, card: Card) -> None:
        growing = isinstance(card, Progress) or (isinstance(card, Reply) and not card.done)
        try:
            parts = self._draw(card)
        except Exception as bug:  # noqa: BLE001  # an answer that cannot be drawn can still be read
            log.error("card not drawn", card=type(card).__name__, bug=type(bug).__name__)  # noqa: TRY400  # quotes nobody
            parts = self._renderer.plain(plain(card))
        rank = Rank.FINAL if not growing else Rank.PROGRESS if self._sent else Rank.FIRST
        await self._messages(parts, rank)
        self.streaming = growing and isinstance(card, Reply)

    def _draw(self, card: Card) -> list[Part]:
        in_words = all(sent.components is False for sent in self._sent)
        if isinstance(card, Progress) and card.fraction is None and not card.detail and in_words:
            return self._renderer.brief(card)
        return self._renderer.draw(card)

    async def _messages(self, parts: list[Part], rank: Rank) -> None:
        """Each part its message; messages that nothing is left for go."""
        for place, part in enumerate(parts):
            while True:
                if place == len(self._sent):
                    if self.in_place:
                        raise NotThere
                    self._sent.append(await self._new(part, rank, first=place == 0))
                if await self._turn(self._sent[place], part, rank):
                    break
                self._giving_way += self._sent[place:]
                del self._sent[place:]
        self._giving_way += self._sent[len(parts) :]
        del self._sent[len(parts) :]
        while self._giving_way:
            await self._line.delete(self._giving_way[-1].message)
            self._giving_way.pop()

    async def _new(self, part: Part, rank: Rank, *, first: bool) -> Sent:
        """A new message. An earlier try may have made it, with other words, and only its answer was lost."""
        self._tried.append(part)
        message = await self._line.send(part, rank, self._nonce, first=first, made=self._born.append)
        self._born.clear()
        tried, self._tried, self._nonce = self._tried, [], _nonce()
        if all(part.same(one) for one in tried):
            return Sent(message, part, part.components)
        kinds = {one.components for one in tried}
        return Sent(message, None, part.components if len(kinds) == 1 else None)

    async def _turn(self, sent: Sent, part: Part, rank: Rank) -> bool:
        """Make it say that; False if it has to give way to a new message."""
        if part.same(sent.part):
            return True
        was = sent.components
        if was and not part.components:
            return False
        # Whether it has come to that nobody knows if the answer is lost on its way.
        sent.part, sent.components = None, was if was is part.components else None
        try:
            there = await self._line.edit(sent.message, part, rank)
        except Refused:
            if was is part.components:
                raise
            return False
        sent.part, sent.components = part, part.components
        return there


def _nonce() -> int:
    return secrets.randbits(63)
