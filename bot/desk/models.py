"""The models: list, choose, load, unload, suggest, reset."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from bot import present
from bot.cards import LONGEST_COMMAND, Button, Card, Choice, Listing, Notice, Progress, Row, Tone
from bot.desk.answering import Wish, answer_again
from bot.desk.ask import Ask
from bot.desk.picking import chosen, settled, suggestion
from bot.trouble import report
from core.conversation import Outcome, Role
from core.errors import ModelUnknown, Problem
from core.model import Model, ModelState, Ready
from core.pool import Pooled
from core.sight import EVERYTHING

PAGE = 20
_IN_MEMORY = frozenset({ModelState.LOADED, ModelState.LOADING})
_PAGE = re.compile(r"(?:^|\s)p(\d{1,3})$", re.IGNORECASE)  # as buttons say it
_NUMBER = re.compile(r"(?:^|\s)(\d{1,3})$")
_QUESTION = re.compile(r"\s\?(\d{1,15})$")
_CONSENT = re.compile(r"\s(room|anyway)$")


async def models(ask: Ask) -> AsyncGenerator[Card]:
    """List the models, all or those that match; the last word may be a page number."""
    async for card in settled(ask):
        yield card
    await asyncio.gather(ask.engine.catalog.sync(), ask.meet())
    yield await listed(ask)


async def listed(ask: Ask) -> Listing:
    """The models as they are known now; nobody is asked."""
    rows = [
        r
        for r in ask.engine.catalog.rows(await ask.sight(anew=True))
        if not r.best.by_name_only or _current(ask, r.best)
    ]
    wanted, page, found = _searched(ask.argument.strip(), rows)
    return _listing(ask, wanted, found, page)


def _words(row: Pooled) -> str:
    hosts = " ".join(f"{m.provider} {present.place(m)}" for m in row.places)
    return f"{row.best.key} {row.best.name} {hosts}".lower()


def _current(ask: Ask, model: Model) -> bool:
    return model.pool == ask.conversation.model_id


def _searched(argument: str, rows: list[Pooled]) -> tuple[str, int, list[Pooled]]:
    """What is looked for, the page, and what is found. A number at the end is a page, unless it is of a name."""
    if (page := _PAGE.search(argument)) is not None:
        wanted = argument[: page.start()].strip()
        return wanted, max(1, int(page[1])), _matching(wanted, rows)
    number, found = _NUMBER.search(argument), _matching(argument, rows)
    if number is None:
        return argument, 1, found
    wanted = argument[: number.start()].strip()
    alone = re.compile(rf"(?<!\d){number[1]}(?!\d)")
    if wanted and any(alone.search(_words(row)) for row in found):
        return argument, 1, found
    return wanted, max(1, int(number[1])), _matching(wanted, rows)


def _matching(wanted: str, rows: list[Pooled]) -> list[Pooled]:
    words = wanted.lower().split()
    return [row for row in rows if all(word in _words(row) for word in words)]


def _listing(ask: Ask, wanted: str, found: list[Pooled], page: int) -> Listing:
    t = ask.t
    pages = max(1, -(-len(found) // PAGE))
    page = min(page, pages)
    title = t("models.title_filter", filter=wanted) if wanted else t("models.title")
    if pages > 1:
        title += f" ({t('models.page', page=page, pages=pages)})"
    empty = t("models.empty_filter", filter=wanted) if wanted else t("models.empty")
    rows = tuple(_row(ask, m) for m in found[(page - 1) * PAGE : page * PAGE])
    turning = [(t("button.previous"), page - 1)] if page > 1 else []
    turning += [(t("button.next"), page + 1)] if page < pages else []
    turning += [(t("button.refresh"), page)]
    buttons = tuple(Button(label, " ".join(["models", *wanted.split(), f"p{to}"])) for label, to in turning)
    fitting = tuple(b for b in buttons if len(b.command.encode()) <= LONGEST_COMMAND)
    return Listing(title, rows, t("models.hint") if found else empty, page, pages, fitting)


def _row(ask: Ask, row: Pooled) -> Row:
    model = row.best
    note = present.reason(model, model.failure, ask.t) if model.failure else ""
    return Row(
        mark=present.mark(model, ask.t),
        name=model.key,
        detail=present.model_detail(model, ask.t, row.places),
        note=note,
        current=_current(ask, model),
        button=Button(ask.t("button.use", model=present.short_name(model)), f"use #{model.tag}"),
    )


def question_of(argument: str) -> int | None:
    """The question that `/use MODEL ?TURN` is about."""
    match = _QUESTION.search(_consented(argument)[0])
    return int(match[1]) if match else None


def anyway(argument: str) -> bool:
    """Whether a model is to be loaded though it does not fit: that may bring the whole machine down."""
    return _consented(argument)[1] == "anyway"


def forced(argument: str) -> bool:
    """Whether `/unload` is to cut the answer that somebody gets."""
    return argument.split()[-1:] == ["force"]


async def use(ask: Ask) -> AsyncGenerator[Card]:
    """Choose a model; `MODEL ?TURN` (from a button) also answers that question with it.

    A last word `room` or `anyway` is a person's consent where the model does not fit.
    """
    name, consent = _consented(ask.argument)
    question = _QUESTION.search(name)
    if question is not None:
        name = name[: question.start()].strip()
    async for card in settled(ask):
        yield card
    if not name:
        yield await _choice(
            ask, "use", [r.best for r in ask.engine.catalog.rows(await ask.sight()) if r.best.usable]
        )
        return
    model = await found(ask, name, "use")
    await ask.engine.measures.chosen(str(ask.incoming.chat), model)
    await ask.remember(model_id=model.pool)
    if question is None:
        yield await _now_used(ask, model)
        return
    async with aclosing(answer_again(ask, int(question[1]), Wish(model, consent))) as cards:
        async for card in cards:
            yield card


def _consented(argument: str) -> tuple[str, str]:
    consent = _CONSENT.search(argument.rstrip())
    return (argument[: consent.start()].strip(), consent[1]) if consent else (argument.strip(), "")


async def _now_used(ask: Ask, model: Model) -> Notice:
    t = ask.t
    title = t("use.done", model=model.name)
    try:
        fresh = await ask.engine.lifecycle.check(model)
    except Problem as refused:
        why = present.unusable(refused, model)
        if why is None:
            raise
        report(refused, "chosen all the same")
        body = t("use.inactive", reason=present.reason(*why, t))
        return Notice(Tone.WARNING, title, body, (Button(t("button.again"), f"load #{model.tag}"),))
    if fresh.state is ModelState.EXTERNAL:
        return Notice(Tone.SUCCESS, title)
    if fresh.state is ModelState.LOADED:
        return Notice(Tone.SUCCESS, title, t("use.loaded"))
    button = Button(t("button.load_now"), f"load #{model.tag}")
    return Notice(Tone.SUCCESS, title, t("use.not_loaded"), (button,))


async def found(ask: Ask, name: str, verb: str) -> Model:
    """The model meant, also among those that only this person has a key for; by its tag in any case."""
    try:
        return ask.engine.catalog.find(name, verb, await ask.sight())
    except ModelUnknown:
        await ask.meet()
    sight = EVERYTHING if name.startswith("#") else await ask.sight()
    return ask.engine.catalog.find(name, verb, sight)


async def _choice(ask: Ask, verb: str, found: list[Model]) -> Card:
    listed = [m for m in found if not m.by_name_only][:8]
    if not listed:
        return present.offers(await suggestion(ask, None), None, ask.t)
    named = zip(present.told_apart(listed), listed, strict=True)
    options = tuple(Button(f"{present.mark(m, ask.t)} {name}", f"{verb} #{m.tag}") for name, m in named)
    return Choice(ask.t(f"{verb}.ask"), options)


async def named(ask: Ask, verb: str, name: str) -> AsyncGenerator[Card | Model]:
    """The model named in the argument, or the conversation's own, as last item."""
    async for card in settled(ask):
        yield card
    if name:
        yield await found(ask, name, verb)
        return
    async with aclosing(chosen(ask)) as steps:
        async for step in steps:
            yield step


async def load(ask: Ask) -> AsyncGenerator[Card]:
    """Load a model by hand, even one that failed before."""
    name, consent = _consented(ask.argument)
    model: Model | None = None
    try:
        async with aclosing(named(ask, "load", name)) as steps:
            async for step in steps:
                if isinstance(step, Model):
                    model = step
                else:
                    yield step
        assert model is not None  # `named` ends with a model or raises
        model = (await ask.engine.lifecycle.places(model))[0]
        async with aclosing(ask.engine.lifecycle.ensure(model, by_hand=True, consent=consent)) as events:
            async for event in events:
                if isinstance(event, Ready):
                    yield present.loaded(event, ask.t)
                elif (card := present.loading(event, ask.t)) is not None:
                    yield card
    except Problem as problem:
        report(problem, "not loaded")
        offer = await suggestion(ask, model, because=problem) if model else None
        yield present.trouble(problem, ask.t, model=model, suggestion=offer)


async def unload(ask: Ask) -> AsyncGenerator[Card]:
    """Unload a model wherever it is loaded; with `force` also one that is answering."""
    t = ask.t
    words = ask.argument.split()
    force = forced(ask.argument)
    name = " ".join(words[:-1] if force else words)
    catalog = ask.engine.catalog
    async for card in settled(ask):
        yield card
    if name:
        model = catalog.find(name, "unload")
    else:
        await catalog.sync()
        loaded = [r.best for r in catalog.rows() if r.best.state in _IN_MEMORY]
        own = [m for m in loaded if _current(ask, m)]
        if len(loaded) != 1 and not own:
            yield await _choice(ask, "unload", loaded) if loaded else Notice(Tone.INFO, t("unload.nothing"))
            return
        model = (own or loaded)[0]
    yield Progress(t("progress.unloading", model=model.name), None)
    yield await _unloaded(ask, model, force=force)


async def _unloaded(ask: Ask, model: Model, *, force: bool) -> Notice:
    t = ask.t
    if model.state is ModelState.EXTERNAL:
        return Notice(Tone.INFO, t("unload.external", model=model.name))
    await ask.engine.catalog.refresh(model)
    places = [m for m in ask.engine.catalog.places(model) if m.state in _IN_MEMORY]
    if not places:
        return Notice(Tone.INFO, t("unload.not_loaded", model=model.name))
    for place in places:
        await ask.engine.lifecycle.unload(place, force=force)
    if await _back(ask, model):
        return Notice(Tone.WARNING, t("unload.back", model=model.name), t("unload.back_body"))
    return Notice(Tone.SUCCESS, t("unload.done", model=model.name), t("unload.done_body"))


async def _back(ask: Ask, model: Model) -> bool:
    """Whether it is in memory again: another program's request may load it at once."""
    if not any(m.state in _IN_MEMORY for m in ask.engine.catalog.places(model)):
        return False
    await ask.engine.catalog.sync()  # the look after the unloading may have shared one from before
    return any(m.state in _IN_MEMORY for m in ask.engine.catalog.places(model))


async def suggest(ask: Ask) -> AsyncGenerator[Card]:
    """Offer other models; if the last question went unanswered, a tap answers it too."""
    async for card in settled(ask):
        yield card
    await ask.engine.catalog.sync()
    current = ask.engine.catalog.get(ask.conversation.model_id)
    turns = await ask.engine.store.turns(ask.incoming.chat, after=ask.conversation.began, limit=2)
    waiting = [t for t in turns[-1:] if t.role is Role.USER and t.outcome is not Outcome.DONE]
    question = waiting[0].id if waiting else None
    yield present.offers(await suggestion(ask, current), question, ask.t)


async def reset(ask: Ask) -> AsyncGenerator[Card]:
    """Clear every failure mark and look at every host again."""
    yield Progress(ask.t("progress.verifying"), None)
    marks = await ask.engine.lifecycle.reset()
    known = [m for m in (await ask.sight()).of(ask.engine.catalog.models()) if not m.by_name_only]
    usable = sum(m.usable for m in known)
    body = ask.t("reset.body", marks=marks, usable=usable, total=len(known))
    yield Notice(Tone.SUCCESS, ask.t("reset.done"), body, (Button(ask.t("button.models"), "models"),))
