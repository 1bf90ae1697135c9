"""Models come and go by the clock: loaded before they are wanted, unloaded when nobody uses them.

Neither ever takes something from anybody: what is loaded beforehand goes only into room that is free, and only
what this bot loaded and nobody uses is unloaded.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import datetime, tzinfo
from typing import cast

import structlog

from core.catalog import Catalog
from core.clock import Clock
from core.errors import ModelAmbiguous, ModelUnknown, Problem
from core.figures import AnswerFigure, Figure
from core.lifecycle import Lifecycle
from core.model import Model, ModelState, Resident
from core.providers.base import Loader
from core.storage import Store
from core.timetable import Preloads, Sleeper, Wish, ahead, to_retire, wishes

log = structlog.get_logger(__name__)

WEEKS = 4  # of use that the hour of a weekday is judged by
_AWAKE = frozenset({ModelState.LOADED, ModelState.LOADING})
Uses = Callable[[datetime, float], Awaitable[Mapping[str, int]]]
"""Answers by model id at that hour of that weekday, since a moment (seconds since the epoch)."""


class Schedule:
    """`preload()` and `retire()` are called every minute or so. `preloads` and `idle_unload` (minutes) may change."""

    def __init__(
        self,
        catalog: Catalog,
        lifecycle: Lifecycle,
        store: Store,
        clock: Clock,
        *,
        uses: Uses,
        zone: tzinfo | None = None,
    ) -> None:
        self._catalog = catalog
        self._lifecycle = lifecycle
        self._store = store
        self._clock = clock
        self._uses = uses
        self._zone = zone
        self._began = clock.time()
        self._used: dict[str, float] = {}  # model id -> when it was last used, as far as this program knows
        self._times: Counter[str] = Counter()
        self._tried: dict[str, set[str]] = {}  # window -> models that were tried in it
        self._counted: tuple[datetime, Mapping[str, int]] | None = None
        self.preloads = Preloads()
        self.idle_unload: float | None = None

    def heard(self, figure: Figure) -> None:
        """A listener of the measures: who is used, and when."""
        self._used[figure.model.id] = self._clock.time()
        if isinstance(figure, AnswerFigure):
            self._times[figure.model.id] += 1

    def now(self) -> datetime:
        """The local time."""
        return datetime.fromtimestamp(self._clock.time(), self._zone).astimezone(self._zone)

    # ------------------------------------------------------------ load beforehand

    async def preload(self) -> list[str]:
        """Load what this time of the week wants, each once in its time; the keys that were loaded.

        One that cannot be loaded keeps no other from it; then it raises the Problem of the first such.
        """
        wanted = await self._wishes()
        self._tried = {
            window: done for window, done in self._tried.items() if window in {w.window for w in wanted}
        }
        loaded, failed = [], list[Problem]()
        for wish in wanted:
            model = self._meant(wish)
            done = self._tried.setdefault(wish.window, set())
            if model is None or model.pool in done:
                continue
            try:
                if await self._bring(model, done):
                    loaded.append(model.key)
            except Problem as problem:
                failed.append(problem)
        if failed:
            raise failed[0]
        return loaded

    async def _wishes(self) -> list[Wish]:
        now = self.now()
        used: Mapping[str, int] = {}
        if self.preloads.auto:
            used = _by_pool(await self._uses_at(ahead(now)))
            known = {m.pool for m in self._catalog.models() if m.local and not m.by_name_only}
            used = {pool: times for pool, times in used.items() if pool in known}
        return wishes(self.preloads, now, used)

    async def _uses_at(self, moment: datetime) -> Mapping[str, int]:
        """Read once for each hour: weeks of answers are no question for every minute."""
        hour = moment.replace(minute=0, second=0, microsecond=0)
        if self._counted is None or self._counted[0] != hour:
            since = self._clock.time() - WEEKS * 7 * 86400
            self._counted = (hour, await self._uses(hour, since))
        return self._counted[1]

    def _meant(self, wish: Wish) -> Model | None:
        found = self._catalog.get(wish.model)
        if found is None:
            try:
                found = self._catalog.find(wish.model)
            except (ModelUnknown, ModelAmbiguous):
                log.warning("PRELOAD names no model", model=wish.model)
                return None
        return found if found.local and found.usable else None

    async def _bring(self, model: Model, done: set[str]) -> bool:
        """Load it where there is room; whether it was loaded. What a person unloads later stays unloaded."""
        if any(place.state in _AWAKE for place in self._catalog.places(model)):
            done.add(model.pool)
            return False
        place = (await self._lifecycle.places(model))[0]
        if place.state is not ModelState.ON_DISK or self._lifecycle.loading(place.host):
            return False
        if not await self._free(place):
            return False  # it is looked at again, as long as its time lasts
        done.add(model.pool)
        log.info("loading beforehand", model=place.id)
        async with aclosing(self._lifecycle.ensure(place)) as events:
            async for _ in events:
                pass
        return True

    async def _free(self, model: Model) -> bool:
        """Whether its host has room for it as it is. One that cannot say must be empty."""
        loader = self._loader(model)
        estimate = await loader.estimate(model)
        return estimate.fits if estimate is not None else not await loader.residents()

    # ------------------------------------------------------------ unload what sleeps

    async def retire(self) -> list[str]:
        """Unload what this bot loaded and nobody has used for so long; the instances that left."""
        if self.idle_unload is None:
            return []
        left = []
        spared = {m.pool for w in await self._wishes() if (m := self._meant(w)) is not None}
        for provider in self._catalog.providers:
            if not hasattr(provider, "residents"):
                continue
            try:
                left += await self._retire_on(cast("Loader", provider), self.idle_unload * 60, spared)
            except Problem as away:  # the other hosts have sleepers too
                log.info("nothing retired there", host=provider.host, problem=str(away))
        return left

    async def _retire_on(self, loader: Loader, after: float, spared: set[str]) -> list[str]:
        ours = await self._store.ours(loader.host)
        here = [r for r in await loader.residents() if r.instance in ours and not r.busy] if ours else []
        models = {r.instance: self._catalog.get(f"{loader.name}|{loader.host}|{r.key}") for r in here}
        sleepers = [
            self._sleeper(r, model)
            for r in here
            if (model := models[r.instance]) is not None and model.pool not in spared
        ]
        by_instance = {r.instance: r for r in here}
        left = []
        for sleeper in to_retire(sleepers, after):
            model = models[sleeper.instance]
            if model is not None and await self._lifecycle.retire(model, by_instance[sleeper.instance]):
                left.append(sleeper.instance)
        return left

    def _sleeper(self, resident: Resident, model: Model) -> Sleeper:
        """How long it has slept: by what this program saw and, if the host tells, by what others did too."""
        own = self._clock.time() - self._used.get(model.id, self._began)
        idle = min(own, own if resident.idle is None else resident.idle)
        return Sleeper(resident.instance, idle, self._times[model.id])

    def _loader(self, model: Model) -> Loader:
        return cast("Loader", self._catalog.provider(model))  # only asked of what must be loaded


def _by_pool(used: Mapping[str, int]) -> dict[str, int]:
    """Uses of a model wherever it ran."""
    found: Counter[str] = Counter()
    for model_id, times in used.items():
        provider, _, rest = model_id.partition("|")
        found[f"{provider}|{rest.partition('|')[2]}"] += times
    return dict(found)
