"""Answers under way: each is a task of its own that shows cards, types, and can be asked anew."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import discord
import structlog

from bot.cards import Card, Notice
from bot.platforms.discord.hearing import Spot
from bot.platforms.discord.line import Gone, Line, Refused
from bot.platforms.discord.pace import Pace, Whole
from bot.platforms.discord.render import MOST, Renderer
from bot.platforms.discord.surface import DiscordSurface, Sent
from bot.platforms.discord.wires import ChannelWire, InteractionWire, PrivateWire
from bot.platforms.discord.wording import DiscordTexts
from bot.showing import show
from bot.surface import Incoming, Responder, SurfaceDown
from core.clock import Clock

log = structlog.get_logger(__name__)

TYPING_EVERY = 8.0  # Discord shows it for ten seconds
TYPING_AFTER = 0.7  # what answers sooner needs no typing
OPEN_AFTER = 1.5  # seconds that a form may take; Discord waits three for the first sign
REMEMBERED = 1000  # answers whose question may still be edited
PACES = 5000
MOST_FOLLOWING = 4  # messages of an answer where five follow-ups are all there is: one is a load card's


@dataclass(eq=False)
class Answer:
    """One answer, and the question as it was asked."""

    text: str
    surface: DiscordSurface
    task: "asyncio.Task[object] | None"


class Answers:
    """Every answer of the platform, by the message that asked for it."""

    def __init__(self, client: discord.Client, responder: Responder, clock: Clock, whole: Whole) -> None:
        self._client = client
        self._responder = responder
        self._clock = clock
        self._whole = whole
        self._paces: dict[int, Pace] = {}
        self._answers: OrderedDict[int, Answer] = OrderedDict()

    def surface(
        self,
        spot: Spot,
        texts: DiscordTexts,
        turning: Sequence[Sent] = (),
        said: InteractionWire | None = None,
        *,
        beyond: bool = True,
    ) -> DiscordSurface:
        """A place for one answer. `beyond` = it may be written there also without the interaction."""
        channel: ChannelWire | PrivateWire | None = None
        if beyond:
            channel = ChannelWire(self._client, spot, self._whole)
        elif said is not None:
            channel = PrivateWire(self._client, said.person, self._whole)
        line = Line(spot, self._pace(spot.channel), channel, said)
        renderer = Renderer(texts, spot.owner, MOST if beyond else MOST_FOLLOWING)
        return DiscordSurface(line, spot, renderer, turning)

    async def answer(
        self,
        incoming: Incoming,
        surface: DiscordSurface,
        question: tuple[int, str] | None = None,
        *,
        late: bool = False,
    ) -> Card | None:
        """Answer until the last card has landed. `question` = the message that may be edited, and its words.

        `late` = the answer may be a form, which Discord takes as the first sign only.
        """
        if question is not None:
            message, text = question
            self._remember(message, Answer(text, surface, asyncio.current_task()))
        if not late:
            await surface.open()
        helpers = [asyncio.create_task(self._type(surface), name="typing")]
        helpers += [asyncio.create_task(self._open(surface), name="opening")] if late else []
        try:
            last = await self._show(self._responder.respond(incoming), surface)
            if last is not None:
                await self._responder.landed(incoming, last, [str(one) for one in surface.messages])
            else:
                await surface.withdraw()
            return last
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def tell(self, card: Notice, surface: DiscordSurface) -> bool:
        """A card of the platform's own; whether it has landed."""

        async def cards() -> AsyncIterator[Card]:
            yield card

        return await self._show(cards(), surface) is not None

    async def take_back(self, question: int, text: str) -> tuple[Sent, ...] | None:
        """The question was edited: end its answer; the messages that may become the next.

        `None` if it was not asked, or says what it said: Discord tells of edits that nobody made, too.
        """
        answer = self._answers.get(question)
        if answer is None or answer.text == text:
            return None
        if answer.task is not None and not answer.task.done():
            answer.task.cancel()
            await asyncio.wait({answer.task})
        return await answer.surface.standing()

    def asked(self, question: int) -> bool:
        """Whether that message is answered already: Discord may tell of it twice."""
        return question in self._answers

    async def _show(self, cards: AsyncIterator[Card], surface: DiscordSurface) -> Card | None:
        chat = str(surface.spot.ref)
        try:
            return await show(cards, surface, self._clock)
        except Gone as gone:
            log.info("nobody reads the answer", chat=chat, why=str(gone))
        except Refused as refused:
            log.error("answer refused", chat=chat, why=str(refused))  # noqa: TRY400  # Discord's own numbers
        except SurfaceDown:
            log.error("answer not delivered", chat=chat)  # noqa: TRY400  # the network was away
        return None

    async def _type(self, surface: DiscordSurface) -> None:
        await self._clock.sleep(TYPING_AFTER)
        while True:
            if not surface.streaming:
                await surface.busy()
            await self._clock.sleep(TYPING_EVERY)

    async def _open(self, surface: DiscordSurface) -> None:
        await self._clock.sleep(OPEN_AFTER)
        await surface.open()

    def _remember(self, question: int, answer: Answer) -> None:
        self._answers[question] = answer
        self._answers.move_to_end(question)
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)

    def _pace(self, channel: int) -> Pace:
        if len(self._paces) > PACES:
            self._paces = {number: pace for number, pace in self._paces.items() if not pace.idle}
        return self._paces.setdefault(channel, Pace(self._clock, self._whole))
