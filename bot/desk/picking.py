"""Which model a conversation uses, and what to offer when it cannot."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from bot.cards import Card, Progress
from bot.desk.ask import Ask
from core import suggest
from core.errors import ApiProblem, LoadFailed, NoModel, Problem, StorageFailed
from core.model import FailureKind, Model, ModelState, Suggestion
from core.refusals import TokensSpent

PATIENCE = 20.0  # seconds that the first look at the hosts may take


async def settled(ask: Ask) -> AsyncGenerator[Card]:
    """Wait until every host has been asked once since the start."""
    ready = ask.engine.catalog.settled
    if not ready.is_set():
        yield Progress(ask.t("progress.searching"), None)
        try:
            async with asyncio.timeout(PATIENCE):
                await ready.wait()
        except TimeoutError:
            return


async def chosen(ask: Ask) -> AsyncGenerator[Card | Model]:
    """The conversation's model, as last item; picked by rank where nothing was chosen. Raises NoModel."""
    async for card in settled(ask):
        yield card
    model_id = ask.conversation.model_id
    known = ask.engine.catalog.get(model_id)
    if known is None and model_id is not None:
        await ask.meet()  # it may be of a vendor that only this person has a key for
        known = ask.engine.catalog.get(model_id)
    if known is not None:
        yield known
    elif model_id is not None:
        raise LoadFailed(_gone(model_id), FailureKind.NOT_INSTALLED)
    else:
        yield await pick(ask)


async def pick(ask: Ask) -> Model:
    """A model for a conversation that has not chosen. Raises NoModel."""
    model = await would_pick(ask)
    if model is None:  # LM Studio may have been started since the last look
        await ask.engine.look_again()
        await ask.meet()
        model = await would_pick(ask)
    if model is None:
        raise await _none(ask)
    if not model.demo:  # a demonstration is a stopgap: LM Studio takes over as soon as it answers
        with suppress(StorageFailed):  # then it is picked anew next time
            await ask.remember(model_id=model.pool)
    return model


async def would_pick(ask: Ask) -> Model | None:
    """The model that a first message would go to, by what is known now."""
    prefer_local = ask.engine.settings.prefer == "local"
    return suggest.entering(await _bests(ask), prefer_local=prefer_local)


async def suggestion(
    ask: Ask, failed: Model | None, *, sees: bool = False, because: Problem | None = None
) -> Suggestion:
    """What to offer instead of `failed`, by what is known now; with `sees` only models that see pictures. It counts.

    Where all of a vendor does not serve (`because`), nothing else of it is offered; where the day's tokens are
    used up, nothing else that they would pay for.
    """
    prefer_local = ask.engine.settings.prefer == "local"
    without = because.vendor if isinstance(because, ApiProblem) and because.whole else ""
    models = [m for m in await _bests(ask) if (m.vision or not sees) and m.provider != without]
    if isinstance(because, TokensSpent):
        own = (await ask.sight()).own
        models = [m for m in models if m.local is because.external or m.provider in own]
    seconds: dict[str, float] = {}
    with suppress(StorageFailed):  # then the others of the order decide
        seconds = await ask.engine.measures.paces(models)
    offer = suggest.after_failure(models, failed, seconds=seconds, prefer_local=prefer_local)
    await ask.engine.measures.suggested(str(ask.incoming.chat), failed, offer.models)
    return offer


async def _bests(ask: Ask) -> list[Model]:
    """Each model once, at the place that a message would go to."""
    return [row.best for row in ask.engine.catalog.rows(await ask.sight())]


def _gone(model_id: str) -> Model:
    """A model that was chosen and is no longer installed: its id still names it."""
    provider, _, key = model_id.partition("|")
    return Model(provider=provider, host="", key=key, name=key, state=ModelState.INACTIVE)


async def _none(ask: Ask) -> NoModel:
    engine = ask.engine
    hosts = [h for h in engine.catalog.health() if h.provider == "lmstudio"]
    names = tuple(h.host for h in hosts)
    models = [m for m in (await ask.sight()).of(engine.catalog.models()) if not m.by_name_only]
    embedded = [m for m in models if m.provider == "embedded" and m.failure is not None]
    if not any(h.reachable for h in hosts) and all(m.local for m in models):
        detail = "off" if engine.settings.embedded == "off" else engine.why_no_engine
        if embedded and embedded[0].failure is not None:
            detail = embedded[0].failure.text
        return NoModel("no-host", names, detail)
    if not models:
        return NoModel("no-models", names)
    return NoModel("all-inactive", names)
