"""/stats: how often, how fast, what failed; of this conversation, of a model, or of everything."""

from collections.abc import AsyncGenerator, Mapping

import structlog

from bot import charts, present
from bot.cards import Card, Picture
from bot.desk.ask import Ask
from bot.desk.models import found
from core.model import Model
from core.summary import Summary

log = structlog.get_logger(__name__)

DAYS = 30
EVERYTHING = frozenset({"all", "tudo"})


def whole(argument: str) -> bool:
    """Whether the figures of everybody are asked for."""
    return argument.strip().lower() in EVERYTHING


async def stats(ask: Ask) -> AsyncGenerator[Card]:
    """The last thirty days."""
    wanted = ask.argument.strip()
    engine, t = ask.engine, ask.t
    names = {model.id: model for model in engine.catalog.models()}
    people, ever = None, None
    if whole(wanted):
        title, figures = t("stats.all"), await engine.measures.summary(DAYS)
        people = {grant.who: grant.label for grant in engine.access.grants()}
        ever = await engine.measures.ever()
    elif wanted:
        model = await found(ask, wanted, "stats")
        places = [place.id for place in engine.catalog.places(model)] or [model.id]
        title, figures = (
            t("stats.model", model=model.name),
            await engine.measures.summary(DAYS, models=places),
        )
    else:
        title = t("stats.chat")
        figures = await engine.measures.summary(DAYS, chat=str(ask.incoming.chat))
    png = await _picture(ask, title, figures, names) if ask.incoming.draws else None
    words = present.figures(title, figures, names, t, DAYS, people=people, ever=ever, bars=png is None)
    yield words if png is None else Picture(png, f"{words.title}\n{words.body}")


async def _picture(ask: Ask, title: str, figures: Summary, names: Mapping[str, Model]) -> bytes | None:
    """The figures drawn; `None` where there is nothing to draw or nothing to draw with."""
    try:
        return await charts.drawn(
            present.drawing(title, figures, names, ask.t, now=ask.engine.clock.time(), days=DAYS)
        )
    except charts.NoCharts as missing:
        log.info("no picture", missing=str(missing), remedy="pip install -r requirements.txt")
    except Exception as bug:  # noqa: BLE001  # the figures can be read without it; its words may quote a name
        log.error("no picture", bug=type(bug).__name__)  # noqa: TRY400  # see above
    return None
