"""A conversation with a model: history fitted to the context that is really loaded, streamed, remembered.

Every question is stored before it is asked and every answer when it ends, however it ends: a killed
program, a stopped answer and a dead host lose nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from core.abandoned import Abandoned
from core.admission import Admission, Ticket, queue_of
from core.attempt import Answer, Attempt
from core.catalog import Catalog
from core.clock import Clock
from core.conversation import (
    ChatRef,
    Conversation,
    Done,
    Outcome,
    Picture,
    Reading,
    ReplyEvent,
    ReplyOptions,
    Restarted,
    Role,
    Trimmed,
    Turn,
    Waiting,
)
from core.errors import BadRequest, ContextTooLong, EmptyAnswer, NoVision, Problem, StorageFailed
from core.figures import timed
from core.fitting import ANSWER_ROOM, UNKNOWN_CONTEXT, Fitting
from core.measures import Measures
from core.model import Model
from core.storage import Store
from core.storage.branches import BranchQueries

log = structlog.get_logger(__name__)

PARALLEL = 4  # LM Studio's default of "Max Concurrent Predictions"
BREATH = 1.0  # seconds before a request that failed right after an abandoned one is sent again


@dataclass(frozen=True, slots=True)
class Said:
    """How a question came: its pictures, its message on the platform, and the message that it replies to."""

    pictures: tuple[Picture, ...] = ()
    message: str = ""
    reply_to: str | None = None


_NOWHERE = Said()


class Spend(Protocol):
    """Takes down the tokens that somebody has used."""

    async def __call__(self, person: str, tokens: int, *, external: bool) -> None:
        """So many more, of an external API or of a local model."""
        ...


class Chat:
    """Asks models on behalf of conversations. `spend` is told what each answer took, however it ends."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        clock: Clock,
        *,
        admission: Admission,
        mlx_parallel: int = 1,
        spend: Spend | None = None,
        measures: Measures | None = None,
    ) -> None:
        self._store = store
        self._branches = BranchQueries.over(store)
        self._catalog = catalog
        self._clock = clock
        self._admission = admission
        self._mlx_parallel = mlx_parallel
        self._tell = measures.tell if measures is not None else lambda _: None
        self._abandoned = Abandoned(admission, clock)
        self._fitting = Fitting()
        self._spend = spend

    async def asked(self, conversation: Conversation, text: str, said: Said = _NOWHERE) -> Turn:
        """Remember a question before anything is done about it.

        It continues the question that it replies to, else the newest one of the conversation. A message that
        was asked before (somebody has edited it) takes the place of the earlier question.
        """
        chat = conversation.chat
        earlier = await self._branches.question_of(chat, said.message) if said.message else None
        replaced = await self._store.turn(chat, earlier) if earlier else None
        answered = await self._branches.question_of(chat, said.reply_to) if said.reply_to else None
        if replaced is not None:
            parent = replaced.parent
        else:
            parent = answered or await self._branches.head(chat, after=conversation.began)
        now = self._clock.time()
        question = Turn(Role.USER, text, outcome=Outcome.OPEN, at=now, pictures=said.pictures, parent=parent)
        question = await self._store.add_turn(chat, question)
        if said.message:
            await self._branches.stands_in(chat, question.id, [said.message])
        return question

    async def stands_in(self, chat: ChatRef, question: int, messages: Iterable[str]) -> None:
        """The answer to that question stands in those messages: a reply to one of them continues from there."""
        await self._branches.stands_in(chat, question, messages)

    async def question_of(self, chat: ChatRef, message: str) -> int | None:
        """The question that stands in that message, or is answered there."""
        return await self._branches.question_of(chat, message)

    def passing(self, text: str, pictures: tuple[Picture, ...] = ()) -> Turn:
        """A question that cannot be remembered: it is answered all the same, and leaves no trace."""
        return Turn(Role.USER, text, outcome=Outcome.OPEN, at=self._clock.time(), pictures=pictures)

    async def again(self, conversation: Conversation, turn_id: int | None = None) -> Turn | None:
        """The question to answer again: the last one, or that one; `None` if there is none.

        What followed the last question is forgotten, since it is about to be said anew. An older
        question is asked once more where it stood: it continues what it continued then.
        """
        turns = await self._store.turns(conversation.chat, after=conversation.began)
        questions = [t for t in turns if t.role is Role.USER]
        if not questions:
            return None
        last = questions[-1]
        if turn_id is None or turn_id == last.id:
            await self._store.drop_turns(conversation.chat, after=last.id)
            await self._store.settle_turn(last.id, Outcome.OPEN)
            return replace(last, pictures=await self._store.pictures(last.id))
        older = await self._store.turn(conversation.chat, turn_id)
        if older is None or older.role is not Role.USER:
            return None
        pictures = await self._store.pictures(older.id)
        now = self._clock.time()
        once_more = replace(older, id=0, outcome=Outcome.OPEN, at=now, pictures=pictures)
        return await self._store.add_turn(conversation.chat, once_more)

    async def failed(self, question: Turn) -> None:
        """The question got no answer at all; it can still be asked again."""
        if question.id:
            await self._store.settle_turn(question.id, Outcome.FAILED)

    async def stream(
        self, conversation: Conversation, model: Model, question: Turn, options: ReplyOptions | None = None
    ) -> AsyncGenerator[ReplyEvent]:
        """Answer the question. Trimmed comes first when old turns are left out, Done last.

        A prompt that the server finds too long is cut further and sent again; ContextTooLong is raised only
        when the question alone is too long. Closing the iterator stops the model and keeps what had come.
        """
        if question.pictures and not model.vision:
            raise NoVision(model)
        history = await self._history(conversation, question)
        budget = self._fitting.budget(model)
        spared = False
        while True:
            prompt = self._fitting.fit(conversation.system, history, question, model, budget)
            attempt = Attempt(conversation, model, question, prompt, options or ReplyOptions(), alone=spared)
            try:
                async with aclosing(self._twice(attempt)) as events:
                    async for event in events:
                        yield event
            except ContextTooLong:
                if attempt.company > 1 and not spared and self._fitting.tokens(prompt.turns, model) <= budget:
                    # A neighbour on the shared context was too long and took this answer along: once more, alone.
                    spared = True
                    yield Restarted()
                    continue
                if attempt.answer.spoke:
                    await self._keep(conversation.chat, question, attempt.answer, Outcome.BROKEN)
                    raise
                if prompt.left_out >= len(history):
                    raise
                budget = min(budget, self._fitting.tokens(prompt.turns, model)) * 2 // 3
                log.info("prompt cut further", model=model.id, budget=budget)
            else:
                return

    async def _twice(self, attempt: Attempt) -> AsyncGenerator[ReplyEvent]:
        """The request after an abandoned one may be refused or cut for its sake: then it is sent once more."""
        for last in (False, True):
            try:
                async with aclosing(self._queued(attempt)) as events:
                    async for event in events:
                        yield event
            except (BadRequest, EmptyAnswer):
                if last or attempt.answer.spoke or not self._abandoned.just_now(queue_of(attempt.model)):
                    raise
                attempt.over = False
                await self._clock.sleep(BREATH)
            else:
                return

    async def _queued(self, attempt: Attempt) -> AsyncGenerator[ReplyEvent]:
        """Stand in the instance's queue, then ask. External APIs have queues of their own."""
        model = attempt.model
        if not model.local:
            async with aclosing(self._stream(attempt)) as events:
                async for event in events:
                    yield event
            return
        ticket = self._enter(attempt)
        try:
            async with aclosing(self._admission.wait(ticket)) as places:
                async for place in places:
                    yield Waiting(place.position, place.expected)
            async with aclosing(self._stream(attempt)) as events:
                async for event in events:
                    yield event
        finally:
            attempt.company = ticket.company
            self._leave(ticket, attempt)

    def _enter(self, attempt: Attempt) -> Ticket:
        model = attempt.model
        mlx = model.format == "mlx"
        context = model.loaded_context or UNKNOWN_CONTEXT
        room = min(ANSWER_ROOM, context // 4)
        return self._admission.enter(
            queue_of(model),
            str(attempt.conversation.chat),
            slots=self._mlx_parallel if mlx else model.parallel or PARALLEL,
            tokens=context
            if attempt.alone
            else min(context, self._fitting.tokens(attempt.prompt.turns, model) + room),
            context=None if mlx else context,
        )

    def _leave(self, ticket: Ticket, attempt: Attempt) -> None:
        """Give the slot back; after an abort in mid-prompt only when the host has really stopped."""
        residents = getattr(self._catalog.provider(attempt.model), "residents", None)
        unread = ticket.admitted and attempt.asked and not attempt.answer.spoke and not attempt.over
        if unread and residents is not None:
            self._abandoned.hold(ticket, attempt.model.instance or attempt.model.key, residents)
        else:
            self._admission.leave(ticket)

    async def aclose(self) -> None:
        """Give every slot back that is still held."""
        await self._abandoned.aclose()

    async def _stream(self, attempt: Attempt) -> AsyncGenerator[ReplyEvent]:
        model, prompt, answer = attempt.model, attempt.prompt, attempt.answer
        chat = attempt.conversation.chat
        outcome, done = Outcome.STOPPED, None
        provider = self._catalog.provider(model)
        try:
            attempt.asked = True
            reply = provider.reply(model, prompt.turns, attempt.options)
            who = (attempt.options.person, str(chat))
            async with aclosing(timed(reply, model, who, self._clock, self._tell)) as events:
                async for event in events:
                    if isinstance(event, Reading):
                        yield event
                        continue
                    if prompt.left_out and not answer.began:
                        yield Trimmed(prompt.left_out)
                    answer.take(event)
                    if isinstance(event, Done):
                        outcome, done = Outcome.DONE, event
                        self._fitting.learn(prompt, model, event)
                        await self._keep(chat, attempt.question, answer, outcome)
                    yield event
        except ContextTooLong:
            attempt.over = True  # whether what had come is kept, or said anew, is decided by `stream`
            raise
        except Problem:
            outcome = Outcome.BROKEN
            raise
        finally:
            if answer.began and outcome is not Outcome.DONE and not attempt.over:
                await self._keep(chat, attempt.question, answer, outcome)
            if answer.began or (outcome is Outcome.STOPPED and not attempt.over):
                await self._count(attempt, done)
            attempt.over = attempt.over or outcome is not Outcome.STOPPED

    async def _count(self, attempt: Attempt, done: Done | None) -> None:
        """Whoever stops an answer has used what came, and the prompt."""
        person, model = attempt.options.person, attempt.model
        if self._spend is None or person is None:
            return
        tokens = self._fitting.used(attempt.prompt, attempt.answer.turn(), model, done)
        await _surely(self._spend(person, tokens, external=not model.local))

    async def _keep(self, chat: ChatRef, question: Turn, answer: Answer, outcome: Outcome) -> None:
        """Also when cancelled meanwhile: what had come must not be lost, and the store may be closed right after."""
        if not question.id:
            return
        await _surely(self._write(chat, question, answer, outcome))

    async def _write(self, chat: ChatRef, question: Turn, answer: Answer, outcome: Outcome) -> None:
        said = replace(answer.turn(), outcome=outcome, at=self._clock.time(), parent=question.id)
        try:
            await self._store.settle_turn(question.id, Outcome.DONE)
            await self._store.add_turn(chat, said)
        except StorageFailed as full:  # the reader has the answer; only the memory of it is lost
            log.error("answer not stored", chat=str(chat), problem=str(full))  # noqa: TRY400  # the Problem says all

    async def _history(self, conversation: Conversation, question: Turn) -> list[Turn]:
        """What the question continues, with its answers; what was never answered confuses chat templates."""
        chat = conversation.chat
        parent = question.parent
        if parent is None:
            parent = await self._branches.head(chat, after=conversation.began)
        turns = await self._branches.line(chat, parent) if parent else []
        answers = {t.parent: t for t in turns if t.role is Role.ASSISTANT and t.text}
        pairs = [(t, answers.get(t.id)) for t in turns if t.role is Role.USER]
        return [one for asked, said in pairs if said is not None for one in (asked, said)]


async def _surely(what: Coroutine[Any, Any, None]) -> None:
    """To its end, also when cancelled meanwhile."""
    doing = asyncio.ensure_future(what)
    try:
        await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.shield(doing)
        raise
