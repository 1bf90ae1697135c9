"""Every known model with its state: read from the providers, joined with what failed, remembered on disk.

Reading never loads anything. Every change of a model goes through here, so that what /models shows,
what a message finds and what a restart finds again are the same.
"""

import asyncio
import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace

import structlog

from core.clock import Clock
from core.errors import ModelAmbiguous, ModelUnknown, Problem, StorageFailed, Unauthorized, Unreachable
from core.model import Failure, FailureKind, HostHealth, Model, ModelState
from core.pool import Pooled, best_first, pooled
from core.providers.base import Provider
from core.storage import Store

log = structlog.get_logger(__name__)

COOL_DOWN = 30.0  # seconds after a first failure; doubles with each further one
LONGEST_COOL_DOWN = 1800.0
# These say something of the host, not of the model: gone as soon as the host answers.
_OF_HOST = frozenset({FailureKind.UNREACHABLE, FailureKind.UNAUTHORIZED})
NEAR = 3


class Catalog:
    """The models of all providers. `open()` first; `sync()` keeps it true."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._providers: dict[str, Provider] = {}
        self._models: dict[str, Model] = {}
        self._strikes: dict[str, int] = {}
        self._problems: dict[str, Problem] = {}  # host -> why it did not answer last time
        self._checked: dict[str, float] = {}
        self._syncing: dict[str, asyncio.Task[None]] = {}
        self._loading: set[str] = set()
        self._sick: dict[str, Failure] = {}  # place -> why every load is refused there, and until when
        self.settled = asyncio.Event()  # every host has been asked once since the start

    async def open(self) -> None:
        """Read what was known before the restart."""
        for model in await self._store.models():
            # Nothing is known to be loaded until a host has said so.
            stale = model.state in {ModelState.LOADED, ModelState.LOADING}
            self._models[model.id] = (
                replace(model, state=ModelState.ON_DISK, instance=None) if stale else model
            )
            if model.failure:
                self._strikes[model.id] = model.failure.times

    def add(self, provider: Provider) -> None:
        """Take a provider in; its models come with the next sync."""
        self._providers[_place(provider)] = provider

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Every provider, in the order of the settings."""
        return tuple(self._providers.values())

    def provider(self, model: Model) -> Provider:
        """Who serves that model; Unreachable if its host is no longer in the settings."""
        try:
            return self._providers[f"{model.provider}|{model.host}"]
        except KeyError:
            raise Unreachable(model.host, "not in LMSTUDIO_URLS") from None

    # ------------------------------------------------------------ reading

    def models(self) -> tuple[Model, ...]:
        """Every model of the configured providers: usable ones first, then by name."""
        order = list(ModelState)
        found = [self._shown(m) for m in self._models.values() if f"{m.provider}|{m.host}" in self._providers]
        return tuple(sorted(found, key=lambda m: (m.demo, order.index(m.state), m.key.lower(), m.host)))

    def rows(self) -> list[Pooled]:
        """The models as people see them: one row each, with every host that has it."""
        return pooled(self.models())

    def get(self, name: str | None) -> Model | None:
        """The model with that id, as last seen; by its pool, the best place that has it."""
        if name is None:
            return None
        if (model := self._models.get(name)) is not None:
            return self._shown(model)
        places = [m for m in self.models() if m.pool == name]
        return best_first(places)[0] if places else None

    def places(self, model: Model) -> list[Model]:
        """Every host's copy of that model."""
        return [m for m in self.models() if m.pool == model.pool]

    def _shown(self, model: Model) -> Model:
        if model.id in self._loading and model.state is ModelState.ON_DISK:
            return replace(model, state=ModelState.LOADING)
        return model

    def find(self, text: str, verb: str = "use") -> Model:
        """The one model meant by a `#tag`, a key, or a part of a name that only it has.

        Raises ModelUnknown with near names, or ModelAmbiguous. `verb` is the command to offer for them.
        """
        wanted = text.strip().lower()
        everything = self.models()
        if wanted.startswith("#"):
            named = [m for m in everything if m.tag == wanted[1:]]
        else:
            named = [m for m in everything if wanted in {m.key.lower(), m.name.lower(), m.id.lower()}]
            named = named or [m for m in everything if wanted == f"{m.key}@{m.quant}".lower()]
        visible = [m for m in everything if not m.by_name_only]
        if not named and wanted and not wanted.startswith("#"):
            words = wanted.split()
            named = [m for m in visible if all(word in _haystack(m) for word in words)]
        found = pooled(named)
        if len(found) == 1:
            return found[0].best
        if found:
            raise ModelAmbiguous(text, tuple(row.best for row in found), verb)
        raise ModelUnknown(text, _near(wanted, visible), verb)

    def health(self) -> list[HostHealth]:
        """How each provider answered last, without asking it again."""
        found = []
        for place, provider in self._providers.items():
            problem = self._problems.get(place)
            detail = problem.detail if isinstance(problem, Unreachable) else ("401" if problem else "")
            reachable = place in self._checked and not isinstance(problem, Unreachable)
            found.append(
                HostHealth(
                    provider.name,
                    provider.host,
                    reachable,
                    detail=detail,
                    checked_at=self._checked.get(place, 0),
                    sick_until=self._sick[place].until if place in self._sick else 0.0,
                )
            )
        return found

    # ------------------------------------------------------------ keeping it true

    async def sync(self) -> None:
        """Read every provider, all at once; one that fails does not disturb the others."""
        places = list(self._providers)
        results = await asyncio.gather(*(self._sync_once(p) for p in places), return_exceptions=True)
        for place, result in zip(places, results, strict=True):
            if isinstance(result, Problem | asyncio.CancelledError):
                continue  # kept in self._problems: whoever needs that host hears of it; or the end has come
            if isinstance(result, BaseException):
                log.error("sync failed", place=place, error=repr(result))

    async def refresh(self, model: Model) -> Model:
        """The model as its host has it now. Raises Unreachable, Unauthorized, or ModelUnknown if it is gone."""
        provider = self.provider(model)
        await self._sync_once(_place(provider))
        fresh = self._models.get(model.id)
        if fresh is None:
            raise ModelUnknown(model.key, _near(model.key.lower(), self.models()))
        return self._shown(fresh)

    async def _sync_once(self, place: str) -> None:
        """Many askers, one reading: whoever comes while one is under way shares it."""
        task = self._syncing.get(place)
        if task is None:
            task = self._syncing[place] = asyncio.create_task(self._read(place), name=f"sync {place}")
            task.add_done_callback(lambda _: self._syncing.pop(place, None))
        await asyncio.shield(task)

    async def _read(self, place: str) -> None:
        provider = self._providers[place]
        try:
            listed = await provider.models()
        except (Unreachable, Unauthorized) as problem:
            await self._host_failed(place, problem)
            raise
        if self._problems.pop(place, None) is not None:
            log.info("host answers again", place=place)
        self._checked[place] = self._clock.time()
        fresh = {m.id: self._judged(m) for m in listed}
        gone = [i for i in self._models if i.startswith(f"{place}|") and i not in fresh]
        for one in gone:
            del self._models[one]
        await self._keep(fresh.values(), gone)

    async def _host_failed(self, place: str, problem: Unreachable | Unauthorized) -> None:
        if place not in self._problems:
            log.warning("host does not answer", place=place, problem=str(problem))
        self._problems[place] = problem
        self._checked[place] = self._clock.time()
        unreachable = isinstance(problem, Unreachable)
        kind = FailureKind.UNREACHABLE if unreachable else FailureKind.UNAUTHORIZED
        text = problem.detail if isinstance(problem, Unreachable) else ""
        down = [
            replace(
                m,
                state=ModelState.INACTIVE,
                instance=None,
                failure=m.failure or Failure(kind, text, self._clock.time()),
            )
            for i, m in self._models.items()
            if i.startswith(f"{place}|") and m.state is not ModelState.INACTIVE
        ]
        await self._keep(down)

    def _judged(self, listed: Model) -> Model:
        """The listed model with its earlier failure, as long as that still counts."""
        if listed.failure is not None or listed.state is ModelState.EXTERNAL:
            return listed
        known = self._models.get(listed.id)
        own = known.failure if known and known.failure and known.failure.kind not in _OF_HOST else None
        reasons = [f for f in (own, self._sick.get(f"{listed.provider}|{listed.host}")) if f is not None]
        failure = max(reasons, key=lambda f: f.until, default=None)
        if failure is None or listed.state is ModelState.LOADED or failure.until <= self._clock.time():
            return listed
        return replace(listed, state=ModelState.INACTIVE, failure=failure)

    def mark_sick(self, failed: Model) -> None:
        """The host refuses every load: put all of it aside for as long as this model."""
        if failed.failure is not None:
            place = f"{failed.provider}|{failed.host}"
            times = self._strikes[place] = self._strikes.get(place, 0) + 1
            until = max(failed.failure.until, failed.failure.at + _pause(times))
            log.warning("host is sick", place=place, text=failed.failure.text, times=times)
            self._sick[place] = replace(failed.failure, until=until)

    async def mark_failed(self, model: Model, kind: FailureKind, text: str) -> Model:
        """Put a model aside with its reason; the cool-down doubles with each failure in a row."""
        times = self._strikes[model.id] = self._strikes.get(model.id, 0) + 1
        now = self._clock.time()
        failure = Failure(kind, text, now, now + _pause(times), times)
        log.warning("model inactive", model=model.id, kind=kind.value, text=text, times=times)
        failed = replace(model, state=ModelState.INACTIVE, instance=None, failure=failure)
        await self._keep([failed])
        return failed

    async def mark_ready(self, model: Model) -> None:
        """A model answers: whatever failed before is forgotten."""
        place = f"{model.provider}|{model.host}"
        for name in (model.id, place):
            self._strikes.pop(name, None)
        self._sick.pop(place, None)
        await self._keep([replace(model, failure=None)])

    async def forgive(self) -> int:
        """Take every mark away; how many there were."""
        self._strikes.clear()
        self._sick.clear()
        marked = [m for m in self._models.values() if m.failure is not None]
        await self._keep([replace(m, state=ModelState.ON_DISK, failure=None) for m in marked])
        return len(marked)

    def set_loading(self, model: Model, *, loading: bool) -> None:
        """Show the model as loading while we load it, before its host says so."""
        if loading:
            self._loading.add(model.id)
        else:
            self._loading.discard(model.id)

    async def aclose(self) -> None:
        """End what is being read: it must not outlive the store."""
        reading = list(self._syncing.values())
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    async def _keep(self, models: Iterable[Model], gone: Sequence[str] = ()) -> None:
        changed = [m for m in models if self._models.get(m.id) != m]
        for model in changed:
            self._models[model.id] = model
        if not changed and not gone:
            return
        try:
            await self._store.save_models(changed, gone)
        except StorageFailed as full:  # what is known stays true without its record
            log.warning("models not recorded", problem=str(full))


def _pause(times: int) -> float:
    """The cool-down after so many failures in a row."""
    return min(LONGEST_COOL_DOWN, COOL_DOWN * float(1 << min(times - 1, 10)))


def _place(provider: Provider) -> str:
    return f"{provider.name}|{provider.host}"


def _haystack(model: Model) -> str:
    return f"{model.key} {model.name} {model.host}".lower()


def _near(wanted: str, models: Iterable[Model]) -> tuple[Model, ...]:
    """Models whose name, or a word of it, resembles what was written."""

    def likeness(model: Model) -> float:
        names = [model.key.lower(), model.name.lower(), *model.key.lower().replace("/", "-").split("-")]
        return max(difflib.SequenceMatcher(None, wanted, name).ratio() for name in names)

    scored = sorted(
        ((likeness(m), m.key, m) for m in models if not m.by_name_only), key=lambda s: (-s[0], s[1])
    )
    return tuple(model for score, _, model in scored[:NEAR] if score > 0.4)  # noqa: PLR2004  # below it is noise
