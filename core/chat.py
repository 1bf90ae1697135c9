"""A conversation with a model: history fitted to the context that is really loaded, streamed, remembered.

Every question is stored before it is asked and every answer when it ends, however it ends: a killed
program, a stopped answer and a dead host lose nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog

from core.catalog import Catalog
from core.clock import Clock
from core.conversation import (
    ChatRef,
    Conversation,
    Delta,
    Done,
    Outcome,
    ReplyEvent,
    ReplyOptions,
    Rethought,
    Role,
    Thinking,
    Trimmed,
    Turn,
)
from core.errors import ContextTooLong, Problem, StorageFailed
from core.model import Model
from core.storage import Store

log = structlog.get_logger(__name__)

UNKNOWN_CONTEXT = 4096  # tokens; the smallest that LM Studio loads by itself
ANSWER_ROOM = 1024  # tokens kept free for the answer, at most a quarter of the context
CHARS_PER_TOKEN = 3.0  # on the safe side for Portuguese and code; corrected by what servers count
TURN_TOKENS = 8  # what a chat template adds to each turn


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent: turns that fit, and how many earlier ones do not."""

    turns: tuple[Turn, ...]
    left_out: int


class Chat:
    """Asks models on behalf of conversations."""

    def __init__(self, store: Store, catalog: Catalog, clock: Clock) -> None:
        self._store = store
        self._catalog = catalog
        self._clock = clock
        self._density: dict[str, float] = {}  # model id -> characters per token, as measured

    async def asked(self, chat: ChatRef, text: str) -> Turn:
        """Remember a question before anything is done about it."""
        return await self._store.add_turn(
            chat, Turn(Role.USER, text, outcome=Outcome.OPEN, at=self._clock.time())
        )

    async def again(self, conversation: Conversation, turn_id: int | None = None) -> Turn | None:
        """The question to answer again: the last one, or that one; `None` if there is none.

        What followed the last question is forgotten, since it is about to be said anew. An older
        question is asked once more at the end.
        """
        turns = await self._store.turns(conversation.chat, after=conversation.began)
        questions = [t for t in turns if t.role is Role.USER]
        if not questions:
            return None
        last = questions[-1]
        if turn_id is None or turn_id == last.id:
            await self._store.drop_turns(conversation.chat, after=last.id)
            await self._store.settle_turn(last.id, Outcome.OPEN)
            return last
        older = await self._store.turn(conversation.chat, turn_id)
        return await self.asked(conversation.chat, older.text) if older and older.role is Role.USER else None

    async def failed(self, question: Turn) -> None:
        """The question got no answer at all; it can still be asked again."""
        await self._store.settle_turn(question.id, Outcome.FAILED)

    async def stream(
        self, conversation: Conversation, model: Model, question: Turn, options: ReplyOptions | None = None
    ) -> AsyncGenerator[ReplyEvent]:
        """Answer the question. Trimmed comes first when old turns are left out, Done last.

        A prompt that the server finds too long is cut further and sent again; ContextTooLong is raised only
        when the question alone is too long. Closing the iterator stops the model and keeps what had come.
        """
        history = await self._history(conversation, question)
        budget = self.budget(model)
        began = False
        while True:
            prompt = self.fit(conversation.system, history, question, model, budget)
            try:
                async with aclosing(
                    self._stream(conversation, model, question, prompt, options or ReplyOptions())
                ) as events:
                    async for event in events:
                        began = True
                        yield event
            except ContextTooLong:
                if began or prompt.left_out >= len(history):
                    raise
                budget = min(budget, self._tokens(prompt.turns, model)) * 2 // 3
                log.info("prompt cut further", model=model.id, budget=budget)
            else:
                return

    async def _stream(
        self, conversation: Conversation, model: Model, question: Turn, prompt: Prompt, options: ReplyOptions
    ) -> AsyncGenerator[ReplyEvent]:
        answer = _Answer(model)
        outcome = Outcome.STOPPED
        provider = self._catalog.provider(model)
        try:
            async with aclosing(provider.reply(model, prompt.turns, options)) as events:
                async for event in events:
                    if prompt.left_out and not answer.began:
                        yield Trimmed(prompt.left_out)
                    answer.take(event)
                    if isinstance(event, Done):
                        outcome = Outcome.DONE
                        self._learn(prompt, model, event)
                        await self._keep(conversation.chat, question, answer, outcome)
                    yield event
        except Problem:
            outcome = Outcome.BROKEN
            raise
        finally:
            if outcome is not Outcome.DONE and answer.began:
                await self._keep(conversation.chat, question, answer, outcome)

    async def _keep(self, chat: ChatRef, question: Turn, answer: "_Answer", outcome: Outcome) -> None:
        """Also when cancelled meanwhile: what had come must not be lost, and the store may be closed right after."""
        keeping = asyncio.ensure_future(self._write(chat, question, answer, outcome))
        try:
            await asyncio.shield(keeping)
        except asyncio.CancelledError:
            await asyncio.shield(keeping)
            raise

    async def _write(self, chat: ChatRef, question: Turn, answer: "_Answer", outcome: Outcome) -> None:
        said = replace(answer.turn(), outcome=outcome, at=self._clock.time())
        try:
            await self._store.settle_turn(question.id, Outcome.DONE)
            await self._store.add_turn(chat, said)
        except StorageFailed as full:  # the reader has the answer; only the memory of it is lost
            log.error("answer not stored", chat=str(chat), problem=str(full))  # noqa: TRY400  # the Problem says all

    # ------------------------------------------------------------ fitting

    async def _history(self, conversation: Conversation, question: Turn) -> list[Turn]:
        """Earlier questions with their answers; what was never answered confuses chat templates."""
        turns = await self._store.turns(conversation.chat, after=conversation.began)
        pairs: list[Turn] = []
        asked: Turn | None = None
        for turn in turns:
            if turn.id >= question.id:
                break
            if turn.role is Role.USER:
                asked = turn
            elif asked is not None and turn.text:
                pairs += [asked, turn]
                asked = None
        return pairs

    def budget(self, model: Model) -> int:
        """Tokens for the prompt in the context that is loaded."""
        context = model.loaded_context or model.max_context or UNKNOWN_CONTEXT
        return context - min(ANSWER_ROOM, context // 4)

    def fit(self, system: str, history: Sequence[Turn], question: Turn, model: Model, budget: int) -> Prompt:
        """The newest whole pairs that fit with the system prompt and the question."""
        fixed = [Turn(Role.SYSTEM, system)] if system else []
        room = budget - self._tokens([*fixed, question], model)
        kept = len(history)
        for start in range(len(history) - 2, -1, -2):
            room -= self._tokens(history[start : start + 2], model)
            if room < 0:
                break
            kept = start
        return Prompt((*fixed, *history[kept:], question), kept)

    def _tokens(self, turns: Sequence[Turn], model: Model) -> int:
        chars = sum(len(turn.text) for turn in turns)
        return int(chars / self._density.get(model.id, CHARS_PER_TOKEN)) + TURN_TOKENS * len(turns)

    def _learn(self, prompt: Prompt, model: Model, done: Done) -> None:
        """Correct the estimate by what the server counted, if the prompt is long enough to tell."""
        counted = done.usage.tokens_in
        chars = sum(len(turn.text) for turn in prompt.turns)
        if counted and chars > 400:  # noqa: PLR2004  # below it the template's own tokens blur the figure
            overhead = TURN_TOKENS * len(prompt.turns)
            self._density[model.id] = min(CHARS_PER_TOKEN * 1.5, chars / max(1, counted - overhead))


class _Answer:
    """What has come so far."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._text: list[str] = []
        self._thinking: list[str] = []
        self.began = False

    def take(self, event: ReplyEvent) -> None:
        self.began = True
        match event:
            case Delta(text):
                self._text.append(text)
            case Thinking(text):
                self._thinking.append(text)
            case Rethought():
                self._thinking += self._text
                self._text.clear()
            case _:
                return

    def turn(self) -> Turn:
        return Turn(
            Role.ASSISTANT, "".join(self._text), thinking="".join(self._thinking), model_id=self._model.id
        )
