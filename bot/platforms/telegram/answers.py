"""Answers under way: each is a task of its own that shows cards, types, and can be asked anew."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog
from telegram import Bot

from bot.cards import Card, Notice
from bot.platforms.telegram.hearing import Spot
from bot.platforms.telegram.line import Gone, Line, Refused
from bot.platforms.telegram.pace import GROUP_MINUTE, Pace
from bot.platforms.telegram.surface import Abilities, TelegramSurface
from bot.showing import show
from bot.surface import Incoming, Responder, SurfaceDown
from core.clock import Clock

log = structlog.get_logger(__name__)

HELD = 0.35  # seconds in which a loaded model mostly says its first words
TYPING_EVERY = 4.0  # Telegram shows it for five seconds
TYPING_AFTER = 0.7  # what answers sooner needs no typing
REMEMBERED = 1000  # answers whose question may still be edited
PACES = 5000


@dataclass(eq=False)
class Answer:
    """One answer, and the question as it was asked."""

    text: str
    surface: TelegramSurface
    task: "asyncio.Task[object] | None"


class Answers:
    """Every answer of the platform, by the message that asked for it."""

    def __init__(self, bot: Bot, responder: Responder, clock: Clock, *, rich: bool = False) -> None:
        self._bot = bot
        self._responder = responder
        self._clock = clock
        self._abilities = Abilities(rich=rich)
        self._paces: dict[int, Pace] = {}
        self._live: dict[int, Spot] = {}  # by the number of the draft that each may have
        self._answers: OrderedDict[tuple[int, int], Answer] = OrderedDict()

    def surface(self, spot: Spot, turning: tuple[int, ...] = (), held: float = 0.0) -> TelegramSurface:
        """A place for one answer."""
        line = Line(self._bot, spot, self._pace(spot.chat))
        return TelegramSurface(line, spot, self._clock, self._abilities, turning, held=held)

    def called(self, chat: int) -> None:
        """Something else was called for that chat: it counts as well."""
        self._pace(chat).called()

    async def answer(
        self,
        incoming: Incoming,
        spot: Spot,
        question: tuple[int, str] | None = None,
        turning: tuple[int, ...] = (),
    ) -> Card | None:
        """Answer until the last card has landed. `question` = the message that may be edited, and its words."""
        surface = self.surface(spot, turning, HELD)
        if question is not None:
            message, text = question
            self._remember((spot.chat, message), Answer(text, surface, asyncio.current_task()))
        self._live[surface.draft_number] = spot
        typing = asyncio.create_task(self._type(surface), name="typing")
        try:
            last = await self._show(self._responder.respond(incoming), surface, spot)
            if last is not None:
                await self._responder.landed(incoming, last, [str(one) for one in surface.messages])
            return last
        finally:
            del self._live[surface.draft_number]
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)

    async def tell(self, card: Notice, spot: Spot) -> None:
        """A card of the platform's own."""

        async def cards() -> AsyncIterator[Card]:
            yield card

        await self._show(cards(), self.surface(spot), spot)

    async def take_back(self, chat: int, question: int, text: str) -> tuple[int, ...] | None:
        """The question was edited: end its answer; the messages that may become the next.

        `None` if it says what it said: Telegram tells of edits that nobody made, too.
        """
        answer = self._answers.get((chat, question))
        if answer is None:
            return ()
        if answer.text == text:
            return None
        if answer.task is not None and not answer.task.done():
            answer.task.cancel()
            await asyncio.wait({answer.task})
        return answer.surface.messages

    def drafted(self, number: int) -> Spot | None:
        """Where the answer is shown whose draft has that number; `None` if it is over."""
        return self._live.get(number)

    async def _show(self, cards: AsyncIterator[Card], surface: TelegramSurface, spot: Spot) -> Card | None:
        try:
            return await show(cards, surface, self._clock)
        except Gone as gone:
            log.info("nobody reads the answer", chat=str(spot.ref), why=str(gone))
        except Refused as refused:
            log.error("answer refused", chat=str(spot.ref), why=str(refused))  # noqa: TRY400  # Telegram's own words
        except SurfaceDown:
            log.error("answer not delivered", chat=str(spot.ref))  # noqa: TRY400  # the network was away
        return None

    async def _type(self, surface: TelegramSurface) -> None:
        await self._clock.sleep(TYPING_AFTER)
        while True:
            if not surface.streaming or surface.drafted:
                await surface.busy()
            await self._clock.sleep(TYPING_EVERY)

    def _remember(self, key: tuple[int, int], answer: Answer) -> None:
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)

    def _pace(self, chat: int) -> Pace:
        if len(self._paces) > PACES:
            self._paces = {chat: pace for chat, pace in self._paces.items() if not pace.idle}
        return self._paces.setdefault(chat, Pace(self._clock, None if chat > 0 else GROUP_MINUTE))
