"""Plain messages, and what has to do with the conversation itself."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

import structlog

from bot import present
from bot.cards import Button, Card, Notice, Progress, Reply, Tone
from bot.desk.ask import Ask
from bot.desk.picking import chosen, suggestion
from bot.texts import Speech
from core.conversation import Delta, Done, ReplyEvent, Rethought, Thinking, Trimmed, Turn
from core.errors import ContextTooLong, Interrupted, ModelGone, NothingAsked, Problem, StorageFailed
from core.model import Model, Ready

log = structlog.get_logger(__name__)


async def talk(ask: Ask) -> AsyncGenerator[Card]:
    """Answer a plain message."""
    question = await ask.engine.chat.asked(ask.incoming.chat, ask.argument)
    async with aclosing(answer(ask, question)) as cards:
        async for card in cards:
            yield card


async def retry(ask: Ask) -> AsyncGenerator[Card]:
    """Answer the last question again."""
    async with aclosing(answer_again(ask, None, None)) as cards:
        async for card in cards:
            yield card


async def answer_again(ask: Ask, turn_id: int | None, model: Model | None) -> AsyncGenerator[Card]:
    """Answer an earlier question again; with `model` a person insists on that one."""
    question = await ask.engine.chat.again(ask.conversation, turn_id)
    if question is None:
        raise NothingAsked
    async with aclosing(answer(ask, question, model)) as cards:
        async for card in cards:
            yield card


async def answer(ask: Ask, question: Turn, wanted: Model | None = None) -> AsyncGenerator[Card]:
    """Bring the model to life, stream its answer, and suggest another where it fails."""
    model = wanted
    ask.question = question.id
    try:
        if model is None:
            async with aclosing(chosen(ask)) as steps:
                async for step in steps:
                    if isinstance(step, Model):
                        model = step
                    else:
                        yield step
        assert model is not None  # `chosen` ends with a model or raises
        async with aclosing(_converse(ask, question, model, by_hand=wanted is not None)) as cards:
            async for card in cards:
                yield card
    except Problem as problem:
        async with aclosing(_failed(ask, question, model, problem)) as cards:
            async for card in cards:
                yield card


async def _failed(ask: Ask, question: Turn, model: Model | None, problem: Problem) -> AsyncGenerator[Card]:
    log.info("no answer", chat=str(ask.incoming.chat), problem=str(problem))
    await ask.engine.chat.failed(question)
    yield present.trouble(
        problem, ask.t, model=model, suggestion=suggestion(ask, model), question=question.id
    )


async def _converse(ask: Ask, question: Turn, model: Model, *, by_hand: bool) -> AsyncGenerator[Card]:
    """Load and stream; once more from the start if the model was unloaded in between."""
    header = ""
    for attempt in (1, 2):
        async with aclosing(ask.engine.lifecycle.ensure(model, by_hand=by_hand)) as events:
            async for event in events:
                if isinstance(event, Ready):
                    model = event.model
                    header = present.loaded_header(event, ask.t) or header
                elif (card := present.loading(event, ask.t)) is not None:
                    yield card
        if header:
            yield Notice(Tone.SUCCESS, header)
        try:
            async with aclosing(_stream(ask, question, model, header)) as cards:
                async for shown in cards:
                    yield shown
        except ModelGone:
            if attempt == 2:  # noqa: PLR2004  # the second and last try
                raise
        else:
            return


@dataclass
class _Growing:
    """An answer as it grows."""

    t: Speech
    header: str
    demo: bool
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trimmed: bool = False

    def take(self, event: ReplyEvent) -> None:
        match event:
            case Delta(text):
                self.text.append(text)
            case Thinking(text):
                self.thinking.append(text)
            case Rethought():
                self.thinking += self.text
                self.text.clear()
            case Trimmed():
                self.trimmed = True
                self.notes.append(self.t("reply.trimmed"))
            case Done(reason):
                self._end(reason)

    def _end(self, reason: str) -> None:
        if reason == "length":
            self.notes.append(self.t("reply.length"))
        if self.demo:
            self.notes.append("🧪 " + self.t("reply.demo"))
        if not "".join(self.text).strip():
            key = "reply.thought_only" if self.thinking else "reply.empty"
            self.text = [self.t(key)]

    def card(self, *, done: bool = False) -> Reply:
        thought = "".join(self.thinking).strip()
        label = self.t("reply.thinking", words=len(thought.split())) if thought else ""
        buttons = (
            (Button(self.t("button.retry"), "retry"),) if done else (Button(self.t("button.stop"), "stop"),)
        )
        return Reply(
            text="".join(self.text).strip("\n"),
            done=done,
            header=self.header,
            footnote="\n".join(self.notes) if done else "",
            thinking=thought,
            thinking_label=label,
            buttons=buttons,
        )

    @property
    def spoke(self) -> bool:
        return bool(self.text or self.thinking)


async def _stream(ask: Ask, question: Turn, model: Model, header: str) -> AsyncGenerator[Card]:
    growing = _Growing(ask.t, header, model.demo and not model.by_name_only)
    if not header:
        reading = ask.t("progress.reading", model=model.name)
        yield Progress(reading, None, buttons=(Button(ask.t("button.stop"), "stop"),))
    conversation = ask.conversation
    with ask.engine.lifecycle.answering(model):
        try:
            async with aclosing(ask.engine.chat.stream(conversation, model, question)) as events:
                async for event in events:
                    if isinstance(event, Trimmed) and conversation.trimmed_told:
                        continue
                    growing.take(event)
                    if isinstance(event, Done) and growing.trimmed:  # only what is shown counts
                        with suppress(StorageFailed):  # the answer itself is here
                            await ask.remember(trimmed_told=True)
                    yield growing.card(done=isinstance(event, Done))
        except Problem as problem:
            # The answer failed; a load that fails is marked by its own flight, once.
            await ask.engine.lifecycle.failed_elsewhere(model, problem)
            if not growing.spoke:
                raise
            yield _broken(ask, question, model, growing, problem)


def _why_broken(problem: Problem, t: Speech) -> str:
    match problem:
        case Interrupted(text=text) if " " in text:  # words, not the name of an exception
            return text
        case ModelGone():
            return t("problem.interrupted_gone")
        case ContextTooLong():
            return t("problem.interrupted_context")
        case _:
            return t("problem.interrupted_reason")


def _broken(ask: Ask, question: Turn, model: Model, growing: _Growing, problem: Problem) -> Reply:
    """What had come stays; below it what happened and what to do."""
    offer = suggestion(ask, model)
    buttons = [Button(ask.t("button.retry"), f"use #{model.tag} ?{question.id}")]
    if offer.best is not None:
        name = present.short_name(offer.best)
        label = ask.t("button.use_and_answer", model=name)
        buttons.append(Button(label, f"use #{offer.best.tag} ?{question.id}"))
    card = growing.card(done=True)
    footnote = ask.t("reply.interrupted", reason=_why_broken(problem, ask.t))
    return replace(card, footnote=footnote, failed=True, buttons=tuple(buttons))


# ---------------------------------------------------------------- the conversation


async def new(ask: Ask) -> AsyncGenerator[Card]:
    """Begin anew: what was said before no longer counts."""
    turns = await ask.engine.store.turns(ask.incoming.chat, limit=1)
    await ask.remember(began=turns[-1].id if turns else 0, trimmed_told=False)
    yield Notice(Tone.SUCCESS, ask.t("new.done"))


async def stop(ask: Ask) -> AsyncGenerator[Card]:
    """Stop what is under way in this chat."""
    yield Notice(Tone.INFO, ask.t("stop.done" if ask.stop() else "stop.nothing"))


async def system(ask: Ask) -> AsyncGenerator[Card]:
    """Show, set or clear (`-`) the conversation's instruction."""
    text = ask.argument.strip()
    if not text:
        current = ask.conversation.system
        body = current or ask.t("system.none")
        yield Notice(Tone.INFO, ask.t("system.show"), body)
    elif text == "-":
        await ask.remember(system="")
        yield Notice(Tone.SUCCESS, ask.t("system.cleared"))
    else:
        await ask.remember(system=text)
        yield Notice(Tone.SUCCESS, ask.t("system.set"), text)
