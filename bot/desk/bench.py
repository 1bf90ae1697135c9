"""/bench: how fast a model is, by the same short prompt for all of them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import replace

from bot import present
from bot.cards import Button, Card, Progress
from bot.desk.ask import Ask
from bot.desk.models import named
from bot.desk.picking import suggestion
from bot.trouble import report
from core.conversation import Conversation, Delta, Done, ReplyOptions, Thinking, Usage, Waiting
from core.errors import EmptyAnswer, Problem, StorageFailed
from core.model import Model, ModelState, Ready
from core.storage.benches import BenchQueries
from core.summary import Bench

PROMPT = "Write the whole numbers from one to one hundred in words, separated by commas. Write nothing else."
TOKENS = 128  # enough for a steady pace, a few seconds of work
HISTORY = 5


async def bench(ask: Ask) -> AsyncGenerator[Card]:
    """Measure a model, on each host where it is awake; where it sleeps everywhere it is loaded first."""
    model: Model | None = None
    try:
        async with aclosing(named(ask, "bench", ask.argument.strip())) as steps:
            async for step in steps:
                if isinstance(step, Model):
                    model = step
                else:
                    yield step
        assert model is not None  # `named` ends with a model or raises
        await ask.afford(model)
        places = await ask.engine.lifecycle.places(model)
        results: list[Bench] = []
        for place in [p for p in places if p.state is ModelState.LOADED] or places[:1]:
            async with aclosing(_measured(ask, place)) as cards:
                async for card in cards:
                    if isinstance(card, Bench):
                        results.append(card)
                    else:
                        yield card
    except Problem as problem:
        report(problem, "not measured")
        offer = await suggestion(ask, model, because=problem) if model else None
        yield present.trouble(problem, ask.t, model=model, suggestion=offer)
        return
    yield await _told(ask, model, results)


async def _measured(ask: Ask, place: Model) -> AsyncGenerator[Card | Bench]:
    """Load if needed, ask, and keep the result, which comes last."""
    async with aclosing(ask.engine.lifecycle.ensure(place, by_hand=True)) as events:
        async for event in events:
            if isinstance(event, Ready):
                place = event.model
            elif (card := present.loading(event, ask.t)) is not None:
                yield card
    stop = (Button(ask.t("button.stop"), "stop"),)
    yield Progress(ask.t("bench.running", model=place.name), None, place.host, stop)
    with ask.engine.lifecycle.answering(place):
        result = await _asked(ask, place)
    with suppress(StorageFailed):  # the figures themselves are here
        await BenchQueries.over(ask.engine.store).add(result)
    yield result


async def _asked(ask: Ask, place: Model) -> Bench:
    """One answer, timed from when its turn has come. It is kept in no conversation, and counts as use like any other."""
    chat, clock = ask.engine.chat, ask.engine.clock
    question = replace(chat.passing(PROMPT), parent=0)
    options = ReplyOptions(temperature=0.0, max_tokens=TOKENS, person=ask.person)
    began, first, usage = clock.monotonic(), None, Usage()
    async with aclosing(chat.stream(Conversation(ask.incoming.chat), place, question, options)) as events:
        async for event in events:
            match event:
                case Waiting():
                    began = clock.monotonic()
                case Delta() | Thinking() if first is None:
                    first = clock.monotonic() - began
                case Done():
                    usage = event.usage
                case _:
                    continue
    if first is None:
        raise EmptyAnswer(place)
    writing = clock.monotonic() - began - first
    speed = usage.tokens_out / writing if usage.tokens_out and writing > 0 else None
    return Bench(clock.time(), place.id, first, speed, usage.tokens_out)


async def _told(ask: Ask, model: Model, results: list[Bench]) -> Card:
    queries, names = BenchQueries.over(ask.engine.store), {m.id: m for m in ask.engine.catalog.models()}
    newest: list[Bench] = []
    earlier: dict[str, list[Bench]] = {}
    with suppress(StorageFailed):
        newest = await queries.newest()
        earlier = {one.model_id: (await queries.history(one.model_id, HISTORY))[1:] for one in results}
    visible = {m.id for m in (await ask.sight()).of(ask.engine.catalog.models())}
    newest = [one for one in newest if one.model_id in visible]
    return present.benches(model, results, earlier, newest, names=names, t=ask.t)
