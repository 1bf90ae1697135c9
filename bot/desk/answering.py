"""An answer from question to last card: the model is brought to life, streams, and another is offered if it fails."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

import structlog

from bot import present
from bot.cards import Button, Card, Notice, Reply, Tone
from bot.desk.ask import Ask
from bot.desk.picking import chosen, suggestion
from bot.texts import Speech
from bot.trouble import report
from core.conversation import (
    Delta,
    Done,
    Reading,
    ReplyEvent,
    ReplyOptions,
    Restarted,
    Rethought,
    Thinking,
    Trimmed,
    Turn,
    Waiting,
)
from core.errors import (
    ContextTooLong,
    Interrupted,
    LoadFailed,
    ModelGone,
    ModelUnavailable,
    NothingAsked,
    NoVision,
    Problem,
    StorageFailed,
    Unauthorized,
    Unreachable,
)
from core.model import FailureKind, Model, Ready

log = structlog.get_logger(__name__)

SLOW = 2.0  # seconds of silence from which the card counts them


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person insists on: this model, and (`consent`) what may be done to make it fit."""

    model: Model | None = None
    consent: str = ""


_NO_WISH = Wish()


async def answer_again(ask: Ask, turn_id: int | None, wish: Wish) -> AsyncGenerator[Card]:
    """Answer an earlier question again."""
    question = await ask.engine.chat.again(ask.conversation, turn_id)
    if question is None:
        raise NothingAsked
    async with aclosing(answer(ask, question, wish)) as cards:
        async for card in cards:
            yield card


async def answer(ask: Ask, question: Turn, wish: Wish = _NO_WISH) -> AsyncGenerator[Card]:
    """Bring the model to life, stream its answer, and suggest another where it fails."""
    model = wish.model
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
        async with aclosing(_somewhere(ask, question, model, wish)) as cards:
            async for card in cards:
                yield card
    except Problem as problem:
        async with aclosing(_failed(ask, question, model, problem)) as cards:
            async for card in cards:
                yield card


async def _failed(ask: Ask, question: Turn, model: Model | None, problem: Problem) -> AsyncGenerator[Card]:
    report(problem, "no answer")
    await ask.engine.chat.failed(question)
    offer = await suggestion(ask, model, sees=bool(question.pictures), because=problem)
    yield present.trouble(problem, ask.t, model=model, suggestion=offer, question=question.id)


async def _somewhere(ask: Ask, question: Turn, model: Model, wish: Wish) -> AsyncGenerator[Card]:
    """Answer at the best host that has the model; before the first word, fail over to the next one."""
    await ask.afford(model)
    places = await ask.engine.lifecycle.places(model)
    note = ""
    for place, following in zip(places, [*places[1:], None], strict=True):
        try:
            async with aclosing(_converse(ask, question, place, wish, note)) as cards:
                async for card in cards:
                    yield card
        except Problem as problem:
            if following is None or not _of_the_place(problem):
                raise
            report(problem, "failing over", model=model.pool, failed=place.host, to=following.host)
            note = ask.t("reply.failover", host=following.host, failed=place.host)
        else:
            return


def _of_the_place(problem: Problem) -> bool:
    """Whether another host may do better. Nothing has been said yet when one of these is raised."""
    match problem:
        case LoadFailed(_, kind):
            return kind is not FailureKind.CANCELLED
        case Unreachable() | Unauthorized() | ModelUnavailable() | ModelGone():
            return True
        case _:
            return False


async def _converse(ask: Ask, question: Turn, model: Model, wish: Wish, note: str) -> AsyncGenerator[Card]:
    """Load and stream; once more from the start if the model was unloaded in between."""
    if question.pictures and not model.vision:
        raise NoVision(model)  # before a minute is spent on loading it
    header = ""
    for attempt in (1, 2):
        async with aclosing(_awake(ask, model, wish)) as steps:
            async for step in steps:
                if isinstance(step, Ready):
                    model = step.model
                    header = present.loaded_header(step, ask.t) or header
                else:
                    yield step
        if header:
            yield Notice(Tone.SUCCESS, header)
        growing = _begun(ask, model, header, note)
        try:
            async with aclosing(_stream(ask, question, model, growing, last=attempt == 2)) as cards:  # noqa: PLR2004  # the second and last try
                async for card in cards:
                    yield card
        except (ModelGone, LoadFailed) as problem:
            if attempt == 2 or not _may_pass(problem):  # noqa: PLR2004  # same
                raise
        else:
            return


async def _awake(ask: Ask, model: Model, wish: Wish) -> AsyncGenerator[Card | Ready]:
    """The load as cards; Ready comes last."""
    # What failed for the sake of the bot's key says nothing to who has a key of their own.
    known = ask.engine.catalog.get(model.id) or model  # what was picked is as this person sees it
    by_hand = wish.model is not None or (known.failure is not None and (await ask.sight()).lifts(known))
    loading = ask.engine.lifecycle.ensure(model, by_hand=by_hand, consent=wish.consent)
    async with aclosing(loading) as events:
        async for event in events:
            if isinstance(event, Ready):
                yield event
            elif (card := present.loading(event, ask.t)) is not None:
                yield card


@dataclass
class _Growing:
    """An answer as it grows."""

    t: Speech
    header: str
    demo: bool
    text: str = ""
    thinking: str = ""
    label: str = ""  # of the thinking: counted when it changes, not for each piece of the answer
    notes: list[str] = field(default_factory=list)
    trimmed: bool = False
    passing: bool = False  # nothing of it is kept, so that it cannot be asked again
    wordless: bool = False  # it has ended without a word of the answer

    def take(self, event: ReplyEvent) -> None:
        match event:
            case Delta(text):
                self.text += text
            case Thinking(text):
                self._think(text)
            case Rethought():
                self._think(self.text)
                self.text = ""
            case Trimmed():
                self.trimmed = True
                self.notes.append(self.t("reply.trimmed"))
            case Restarted():
                self.text = self.thinking = self.label = ""
                self.notes.append(self.t("reply.restarted"))
            case Done(reason):
                self._end(reason)
            case Waiting() | Reading():
                return

    def _end(self, reason: str) -> None:
        if reason == "length":
            self.notes.append(self.t("reply.length"))
        if reason == "refused":
            self.notes.append(self.t("reply.refused"))
        if self.demo:
            self.notes.append("🧪 " + self.t("reply.demo"))
        self.wordless = not self.text.strip()
        if self.wordless:
            self.text = self.t("reply.thought_only" if self.thinking else "reply.empty")
        if self.thinking:
            self.label = self.t("reply.thinking", words=len(self.thinking.split()))

    def _think(self, text: str) -> None:
        self.thinking += text
        # Spaces count quickly and nearly right; the words are counted when the answer is whole.
        words = self.thinking.count(" ") + self.thinking.count("\n") + 1
        self.label = self.t("reply.thinking", words=words) if self.thinking.strip() else ""

    def card(self, *, done: bool = False) -> Reply:
        buttons: tuple[Button, ...] = (Button(self.t("button.stop"), "stop"),)
        if done:
            buttons = () if self.passing else (Button(self.t("button.retry"), "retry"),)
        return Reply(
            text=self.text.strip("\n"),
            done=done,
            header=self.header,
            footnote="\n".join(self.notes) if done else "",
            thinking=self.thinking.strip(),
            thinking_label=self.label,
            buttons=buttons,
        )

    @property
    def spoke(self) -> bool:
        return bool(self.text or self.thinking)


def _begun(ask: Ask, model: Model, header: str, note: str) -> _Growing:
    growing = _Growing(ask.t, header, demo=model.demo and not model.by_name_only)
    growing.notes += [note] if note else []
    if ask.unremembered is not None:
        growing.passing = True
        growing.notes.append(present.not_remembered(ask.unremembered, ask.t))
    return growing


def _may_pass(problem: Problem) -> bool:
    """Whether loading and asking once more has a chance: the model was unloaded, or its engine crashed."""
    crashed = isinstance(problem, LoadFailed) and problem.kind is FailureKind.CRASHED
    return crashed or isinstance(problem, ModelGone)


async def _stream(
    ask: Ask, question: Turn, model: Model, growing: "_Growing", *, last: bool
) -> AsyncGenerator[Card]:
    if not growing.header:
        yield present.reading(model, None, ask.t)
    conversation = ask.conversation
    with ask.engine.lifecycle.answering(model):
        try:
            options = ReplyOptions(person=ask.person)
            async with aclosing(ask.engine.chat.stream(conversation, model, question, options)) as events:
                async for event in events:
                    if isinstance(event, Waiting | Reading):
                        if (card := _patience(event, model, ask.t)) is not None:
                            yield card
                        continue
                    if isinstance(event, Trimmed) and conversation.trimmed_told:
                        continue
                    growing.take(event)
                    if not isinstance(event, Done):
                        yield growing.card()
                        continue
                    await _well(ask, model, growing)
                    card = growing.card(done=True)
                    yield await _or_another(card, ask, question, model) if growing.wordless else card
        except Problem as problem:
            if not last and not growing.spoke and _may_pass(problem):
                raise
            # The answer failed; a load that fails is marked by its own flight, once.
            await ask.engine.lifecycle.failed_elsewhere(model, problem)
            if not growing.spoke:
                raise
            report(problem, "answer broken", model=model.id)
            yield await _broken(ask, question, model, growing, problem)


async def _well(ask: Ask, model: Model, growing: _Growing) -> None:
    """The answer is whole: what that changes."""
    if growing.trimmed:  # only what is shown counts
        with suppress(StorageFailed):  # the answer itself is here
            await ask.remember(trimmed_told=True)
    catalog = ask.engine.catalog
    # An API answers again: with a key that counts for everybody, that is good news for everybody.
    if not model.local and catalog.held(model) and model.provider not in (await ask.sight()).own:
        await catalog.mark_ready(model)
        await catalog.sync()


def _patience(event: Waiting | Reading, model: Model, t: Speech) -> Card | None:
    if isinstance(event, Waiting):
        return present.waiting(model, event, t)
    return present.reading(model, event.seconds, t) if event.seconds >= SLOW else None


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


async def _broken(ask: Ask, question: Turn, model: Model, growing: _Growing, problem: Problem) -> Reply:
    """What had come stays; below it what happened and what to do."""
    card = growing.card(done=True)
    footnote = ask.t("reply.interrupted", reason=_why_broken(problem, ask.t))
    if growing.passing:
        return replace(card, footnote=f"{footnote}\n{card.footnote}", failed=True)
    card = replace(card, footnote=footnote, failed=True)
    return await _or_another(card, ask, question, model, problem)


async def _or_another(
    card: Reply, ask: Ask, question: Turn, model: Model, because: Problem | None = None
) -> Reply:
    """With buttons that ask again: this model, or the one that is suggested in its place."""
    if not question.id:  # it is kept nowhere
        return card
    offer = await suggestion(ask, model, because=because)
    buttons = [Button(ask.t("button.retry"), f"use #{model.tag} ?{question.id}")]
    if offer.best is not None:
        name = present.short_name(offer.best)
        label = ask.t("button.use_and_answer", model=name)
        buttons.append(Button(label, f"use #{offer.best.tag} ?{question.id}"))
    return replace(card, buttons=tuple(buttons))
