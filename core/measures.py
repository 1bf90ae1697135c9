"""What was measured: kept, added up, and asked for: how long will it take, which model is the fastest."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from statistics import fmean

import structlog

from core.clock import Clock
from core.errors import StorageFailed
from core.figures import AnswerFigure, Figure, Listener, LoadFigure
from core.model import LoadPath, Model, ModelState
from core.storage import LoadRecord, Store
from core.storage.measures import MeasureQueries
from core.summary import AnswerRecord, Summary, summary

log = structlog.get_logger(__name__)

REMEMBERED = 5  # newest loads of a model that its expected time is the mean of
DAY = 86_400.0
TAKEN_WITHIN = 3600.0  # seconds after which a choice owes nothing to a suggestion
USUAL_ANSWER = 200  # tokens by which models are compared
PACE_DAYS = 30
TOO_LONG = "too-long"  # such a request is sent again, shorter: no answer of its own


class Measures:
    """Keeps and answers figures. A figure that cannot be stored is logged and disturbs nobody."""

    def __init__(self, store: Store, clock: Clock, *, zone: tzinfo | None = None) -> None:
        self._store = store
        self._queries = MeasureQueries.over(store)
        self._clock = clock
        self._zone = zone
        self._listeners: list[Listener] = []
        self._unwritten: list[AnswerRecord] = []
        self._writing: asyncio.Task[None] | None = None

    def listen(self, listener: Listener) -> None:
        """From now on `listener` hears of every load and answer; it must be quick and never fail."""
        self._listeners.append(listener)

    def tell(self, figure: Figure) -> None:
        """Something was measured."""
        for listener in self._listeners:
            listener(figure)
        if isinstance(figure, AnswerFigure) and figure.outcome != TOO_LONG:
            self._unwritten.append(_record(figure, self._clock.time()))
            if self._writing is None or self._writing.done():
                # Not awaited by whoever answers: a slow disk must not hold a reader up.
                self._writing = asyncio.create_task(self._write(), name="measures")

    async def _write(self) -> None:
        while self._unwritten:
            records, self._unwritten = self._unwritten, []
            try:
                await self._queries.add_answers(records)
            except StorageFailed as full:  # the answers themselves are as they are
                log.warning("answers not measured", n=len(records), problem=str(full))

    async def flush(self) -> None:
        """Until everything is written that was told."""
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def loaded(self, model: Model, seconds: float, via: LoadPath) -> None:
        """A load went well."""
        await self._record(model, seconds, via, "ok")

    async def failed(self, model: Model, kind: str) -> None:
        """A load failed for that reason."""
        await self._record(model, 0.0, None, kind)

    async def _record(self, model: Model, seconds: float, via: LoadPath | None, outcome: str) -> None:
        self.tell(LoadFigure(model, seconds, outcome))
        record = LoadRecord(
            at=self._clock.time(),
            model_id=model.id,
            host=model.host,
            seconds=seconds,
            size_bytes=model.size_bytes,
            context=model.loaded_context,
            via=via,
            outcome=outcome,
        )
        try:
            await self._store.add_load(record)
        except StorageFailed as full:  # the load itself is as it is
            log.warning("load not recorded", problem=str(full))

    async def expected_seconds(self, model: Model) -> float | None:
        """How long the load should take, by this host's earlier loads; `None` if there were none."""
        past = await self._store.loads(model.host)
        same = [r.seconds for r in past if r.model_id == model.id][:REMEMBERED]
        if same:
            return fmean(same)
        rates = [r.seconds / r.size_bytes for r in past if r.size_bytes]
        if rates and model.size_bytes:
            return fmean(rates[:REMEMBERED]) * model.size_bytes
        return None

    async def expectations(self, models: Iterable[Model]) -> dict[str, float]:
        """The expected seconds of those loads of which anything is known, by model id."""
        found = {m.id: await self.expected_seconds(m) for m in models}
        return {i: seconds for i, seconds in found.items() if seconds is not None}

    # ------------------------------------------------------------ suggestions

    async def suggested(self, chat: str, failed: Model | None, offered: Sequence[Model]) -> None:
        """Models were offered in that chat, instead of one that failed."""
        if not offered:
            return
        names = [model.pool for model in offered]
        try:
            await self._queries.add_suggestion(self._clock.time(), chat, failed.pool if failed else "", names)
        except StorageFailed as full:  # the offer stands all the same
            log.warning("suggestion not measured", problem=str(full))

    async def chosen(self, chat: str, model: Model) -> None:
        """Somebody chose a model there: if it had just been offered, the suggestion was taken."""
        try:
            await self._queries.take_suggestion(chat, self._clock.time() - TAKEN_WITHIN, model.pool)
        except StorageFailed as full:  # same
            log.warning("suggestion not measured", problem=str(full))

    # ------------------------------------------------------------ figures

    async def summary(self, days: float, *, chat: str = "", models: Sequence[str] = ()) -> Summary:
        """The last so many days, of a chat or of some model ids, else of everything. Raises StorageFailed."""
        await self.flush()
        since = self._clock.time() - days * DAY
        answers = await self._queries.answers(since, chat=chat, models=models)
        loads = [] if chat else await self._queries.loads(since, models=models)
        suggestions = [] if models else await self._queries.suggestions(since, chat=chat)
        return summary(answers, loads, suggestions, day_of=self._day_of)

    async def ever(self) -> int:
        """All answers that were ever given. Raises StorageFailed."""
        await self.flush()
        return await self._queries.ever()

    async def roll_up(self, keep: int) -> int:
        """Add up per day what is older than so many days; how many single figures went. Raises StorageFailed."""
        return await self._queries.roll_up(self._clock.time() - keep * DAY, self._day_of)

    async def paces(self, models: Iterable[Model]) -> dict[str, float]:
        """Seconds until a usual answer stands, by model id: its load, its first word, its writing; as measured."""
        known = await self._queries.paces(self._clock.time() - PACE_DAYS * DAY)
        found: dict[str, float] = {}
        for model in models:
            first, tokens, writing = known.get(model.id, (None, 0, 0.0))
            if not tokens or writing <= 0:
                continue
            load = await self.expected_seconds(model) if model.state is ModelState.ON_DISK else 0.0
            found[model.id] = (load or 0.0) + (first or 0.0) + USUAL_ANSWER * writing / tokens
        return found

    def _day_of(self, at: float) -> date:
        return datetime.fromtimestamp(at, self._zone).date()


def _record(figure: AnswerFigure, at: float) -> AnswerRecord:
    return AnswerRecord(
        at=at,
        model_id=figure.model.id,
        person=figure.person or "",
        chat=figure.chat,
        tokens_in=figure.usage.tokens_in,
        tokens_out=figure.usage.tokens_out,
        first=figure.first,
        seconds=figure.seconds,
        outcome=figure.outcome,
    )
