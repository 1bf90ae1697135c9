"""What was measured: how long loads took, so that the next one can be told how long it will take."""

from collections.abc import Iterable
from statistics import fmean

import structlog

from core.clock import Clock
from core.errors import StorageFailed
from core.figures import Figure, Listener, LoadFigure
from core.model import LoadPath, Model
from core.storage import LoadRecord, Store

log = structlog.get_logger(__name__)

REMEMBERED = 5  # newest loads of a model that its expected time is the mean of


class Measures:
    """Keeps and answers figures. A figure that cannot be stored is logged and disturbs nobody."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """From now on `listener` hears of every load and answer; it must be quick and never fail."""
        self._listeners.append(listener)

    def tell(self, figure: Figure) -> None:
        """Something was measured."""
        for listener in self._listeners:
            listener(figure)

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
