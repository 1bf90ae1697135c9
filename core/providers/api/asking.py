"""One question to a vendor: tried again before the first word where that helps, never afterwards."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import httpx2

from core.clock import Clock
from core.conversation import Reading, ReplyEvent, Turn
from core.errors import ApiUnreachable, ContextTooLong, Overloaded, Problem, RateLimited
from core.model import Model
from core.providers import refusals
from core.providers.api.answer import Reply
from core.providers.api.calls import DONE, Calls, Said
from core.providers.api.retries import Retries
from core.providers.api.wires import WIRES, Question
from core.providers.patience import OutOfPatience, Silence, patient
from core.providers.refusals import Refusal
from core.providers.vendors import Meaning, Vendor

FIRST_WORD = 600.0  # seconds: models reason for minutes before the first byte
BETWEEN = 300.0  # seconds between two pieces
CHARS = 3.0  # characters of a token, for telling a prompt that is too long from a fault
_BROKEN = Refusal(0)  # the connection broke before anything was said: as good as overloaded


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose key it is: `own` = the person's. `good` asks whether the vendor accepts it elsewhere."""

    secret: str = field(repr=False)
    own: bool
    good: Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class Asking:
    """The question, and what it is sent with."""

    vendor: Vendor
    calls: Calls
    clock: Clock
    model: Model
    turns: Sequence[Turn]
    question: Question
    payer: Payer

    async def events(self) -> AsyncGenerator[ReplyEvent]:
        """The answer. Raises a Problem; closing it closes the connection."""
        retries = Retries(self.vendor)
        while True:
            reply = Reply(self.vendor, self.model, own=self.payer.own)
            try:
                async with aclosing(self._once(reply)) as events:
                    async for event in events:
                        yield event
            except Said as said:
                pause = await self._after_refusal(said.refusal, reply, retries)
            except (httpx2.RequestError, OutOfPatience) as error:
                pause = self._after_break(error, reply, retries)
            else:
                return
            await self.clock.sleep(pause)

    async def _once(self, reply: Reply) -> AsyncGenerator[ReplyEvent]:
        wire, question, secret = WIRES[self.vendor.wire], self.question, self.payer.secret
        frames = self.calls.events(question.path, wire.headers(secret), secret, question.body, ends=wire.ends)
        waiting = patient(frames, first=FIRST_WORD, between=BETWEEN, clock=self.clock)
        async with aclosing(waiting) as came:
            async for frame in came:
                if isinstance(frame, Silence):
                    if not reply.spoke:
                        yield Reading(frame.seconds)
                    continue
                if frame == DONE:
                    reply.over = True
                    break
                for piece in wire.pieces(frame):
                    for event in reply.take(piece):
                        yield event
        for event in reply.end():
            yield event

    async def _after_refusal(self, refusal: Refusal, reply: Reply, retries: Retries) -> float:
        """Seconds until the next try, or the Problem."""
        problem = await self._meant(refusal, reply)
        if not reply.spoke:
            if (less := refusal.without(self.question.body)) is not None:
                self.question = replace(self.question, body=less)
                return 0.0
            pause = retries.pause(refusal) if isinstance(problem, Overloaded | RateLimited) else None
            if pause is not None:
                return pause
        raise problem

    def _after_break(self, error: Exception, reply: Reply, retries: Retries) -> float:
        """Same, when the connection broke or nothing came for too long."""
        impatient = isinstance(error, OutOfPatience)
        words = str(error) if impatient else type(error).__name__
        if reply.spoke:
            raise reply.cut(words) from error
        if impatient:
            raise Overloaded(self.vendor.name, self.payer.own, words) from error
        pause = retries.pause(_BROKEN)
        if pause is None:
            raise ApiUnreachable(self.vendor.name, self.payer.own, words) from error
        return pause

    async def _meant(self, refusal: Refusal, reply: Reply) -> Problem:
        """What the refusal means for the person."""
        problem = refusals.problem(refusal, self.vendor, self.model, own=self.payer.own)
        if reply.spoke and not isinstance(problem, ContextTooLong):
            return reply.cut(refusal.text)
        if self.vendor.internal_is_length and "internal" in refusal.codes and self._long():
            return ContextTooLong(self.model, self.model.max_context)
        doubtful = self.vendor.doubtful_401 and refusal.meaning(self.vendor) is Meaning.KEY
        if doubtful and await self.payer.good():
            return Overloaded(self.vendor.name, self.payer.own, refusal.text)
        return problem

    def _long(self) -> bool:
        """Whether the prompt may fill the model's context."""
        tokens = sum(len(turn.text) for turn in self.turns) / CHARS
        return self.model.max_context is not None and tokens > self.model.max_context
