"""What went wrong since yesterday, told to the administrators in the morning; silence where all went well."""

from collections.abc import Sequence

from bot import present
from bot.announce import announce
from bot.cards import Listing, Row
from bot.surface import Platform
from bot.texts import Speech
from core.engine import Engine
from core.model import Failure, FailureKind, Model, ModelState
from core.storage.jobs import JobTable
from core.storage.measures import MeasureQueries

NAME = "digest"
HOUR = 9  # of the morning
DAY = 86_400.0
SHOWN = 20  # lines


async def digest(engine: Engine, platforms: Sequence[Platform]) -> None:
    """Tell every administrator what failed in the last day, if anything did."""
    since = engine.clock.time() - DAY
    await engine.measures.flush()
    loads = await JobTable.over(engine.store).failed_loads(since)
    answers = await MeasureQueries.over(engine.store).broken(since)
    if not loads and not answers:
        return
    t = Speech(engine.settings.language)
    rows = [_row(engine, t, model_id, kind, times) for model_id, kind, times in loads[:SHOWN]]
    rows += [_broken(engine, t, model_id, times) for model_id, times in answers[:SHOWN]]
    counted = {"loads": sum(times for _, _, times in loads), "answers": sum(times for _, times in answers)}
    await announce(Listing(t("digest.title"), tuple(rows), t("digest.body", **counted)), engine, platforms)


def _row(engine: Engine, t: Speech, model_id: str, kind: str, times: int) -> Row:
    model = engine.catalog.get(model_id) or _gone(model_id)
    why = present.reason(model, Failure(FailureKind(kind), "", 0.0), t)
    return Row("❌", model.name, t("digest.times", times=times, host=model.host or model.provider), why)


def _broken(engine: Engine, t: Speech, model_id: str, times: int) -> Row:
    model = engine.catalog.get(model_id) or _gone(model_id)
    return Row("✂️", model.name, t("digest.broken", times=times, host=model.host or model.provider))


def _gone(model_id: str) -> Model:
    """A model that is installed no more: its id still names it."""
    provider, _, rest = model_id.partition("|")
    host, _, key = rest.partition("|")
    return Model(provider=provider, host=host, key=key, name=key, state=ModelState.INACTIVE)
