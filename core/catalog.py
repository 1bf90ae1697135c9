"""Every known model with its state: read from the providers, joined with what failed, remembered on disk.

Reading never loads anything. Every change of a model goes through here, so that what /models shows,
what a message finds and what a restart finds again are the same.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from core import finding
from core.accounts import Accounts
from core.clock import Clock
from core.cooling import failure_of, pause
from core.errors import (
    ApiProblem,
    ApiUnreachable,
    KeyMissing,
    ModelUnknown,
    Problem,
    StorageFailed,
    Unauthorized,
    Unreachable,
)
from core.model import Failure, FailureKind, HostHealth, Model, ModelState
from core.pool import Pooled, best_first, pooled
from core.providers.base import Keyed, Provider
from core.sight import EVERYTHING, Sight
from core.storage import Store

log = structlog.get_logger(__name__)

# These say something of the host, not of the model: gone as soon as the host answers.
_OF_HOST = frozenset({FailureKind.UNREACHABLE, FailureKind.UNAUTHORIZED})


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
        self.accounts = Accounts(clock)
        self.settled = asyncio.Event()  # every host has been asked once since the start
        self.listeners: list[Callable[[], None]] = []  # hear that a model's state has changed

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
            return self._providers[_place_of(model)]
        except KeyError:
            raise Unreachable(model.host, "not in LMSTUDIO_URLS") from None

    # ------------------------------------------------------------ reading

    def models(self) -> tuple[Model, ...]:
        """Every model of the configured providers: usable ones first, then by name."""
        order = list(ModelState)
        found = [self._shown(m) for m in self._models.values() if _place_of(m) in self._providers]
        return tuple(
            sorted(found, key=lambda m: (m.demo, order.index(m.state), m.rank, m.key.lower(), m.host))
        )

    def rows(self, sight: Sight = EVERYTHING) -> list[Pooled]:
        """The models as people see them: one row each, with every host that has it."""
        return pooled(sight.of(self.models()))

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

    def find(self, text: str, verb: str = "use", sight: Sight = EVERYTHING) -> Model:
        """The one model meant, among those that are seen. Raises ModelUnknown or ModelAmbiguous."""
        return finding.find(sight.of(self.models()), text, verb)

    async def sight(self, person: str | None) -> Sight:
        """What that person (`None`: anybody) sees, by whose keys there are; asked of vendors with models alone."""
        listed = {m.provider for m in self._models.values()}
        return await self.accounts.sight(person, self.providers, listed)

    async def meet(self, person: str, *, anew: bool = True) -> None:
        """Read what this person's own keys list; without `anew` only where that is not known, and not for long."""
        listed = await self.accounts.meet(person, self.providers, anew=anew)
        known = self._models
        # What is held against a model for others' sake stays so: this person's sight lifts it.
        await self._keep([m for m in listed if m.id not in known or not known[m.id].failure])

    def health(self) -> list[HostHealth]:
        """How each provider answered last, without asking it again."""
        found = []
        for place, provider in self._providers.items():
            problem = self._problems.get(place)
            if isinstance(problem, KeyMissing):
                continue  # nobody wants anything of that vendor
            detail = problem.detail if isinstance(problem, Unreachable) else ("401" if problem else "")
            away = isinstance(problem, Unreachable | ApiUnreachable)
            reachable = place in self._checked and not away
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
            raise ModelUnknown(model.key, finding.near(model.key.lower(), self.models()))
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
        except KeyMissing as problem:  # it may be there for those who have a key of their own
            self._problems[place] = problem
            raise
        except (Unreachable, Unauthorized, ApiProblem) as problem:
            await self._host_failed(place, problem)
            raise
        if self._problems.pop(place, None) is not None:
            log.info("host answers again", place=place)
        self._checked[place] = self._clock.time()
        fresh = {m.id: self._judged(m) for m in listed}
        gone = [i for i in self._models if i.startswith(f"{place}|") and i not in fresh]
        if isinstance(provider, Keyed):
            self.accounts.note(provider.name, None, listed)
            held = self.accounts.held(provider.name)
            gone = [i for i in gone if self._models[i].key not in held]
        for one in gone:
            del self._models[one]
        await self._keep(fresh.values(), gone)

    async def _host_failed(self, place: str, problem: Unreachable | Unauthorized | ApiProblem) -> None:
        if place not in self._problems:
            log.warning("host does not answer", place=place, problem=str(problem))
        self._problems[place] = problem
        now = self._checked[place] = self._clock.time()
        why = failure_of(problem, now)
        down = [
            replace(
                m,
                state=ModelState.INACTIVE,
                instance=None,
                failure=m.failure or why,
            )
            for i, m in self._models.items()
            if i.startswith(f"{place}|") and m.state is not ModelState.INACTIVE
        ]
        await self._keep(down)

    def _judged(self, listed: Model) -> Model:
        """The listed model with its earlier failure, as long as that still counts."""
        if listed.failure is not None:
            return listed
        known = self._models.get(listed.id)
        own = known.failure if known and known.failure and known.failure.kind not in _OF_HOST else None
        reasons = [f for f in (own, self._sick.get(_place_of(listed))) if f is not None]
        failure = max(reasons, key=lambda f: f.until, default=None)
        if failure is None or listed.state is ModelState.LOADED or failure.until <= self._clock.time():
            return listed
        return replace(listed, state=ModelState.INACTIVE, failure=failure)

    def mark_sick(self, failed: Model) -> None:
        """The host refuses every load: put all of it aside for as long as this model."""
        if failed.failure is not None:
            place = _place_of(failed)
            times = self._strikes[place] = self._strikes.get(place, 0) + 1
            until = max(failed.failure.until, failed.failure.at + pause(times))
            log.warning("host is sick", place=place, text=failed.failure.text, times=times)
            self._sick[place] = replace(failed.failure, until=until)

    async def mark_failed(
        self, model: Model, kind: FailureKind, text: str, seconds: float | None = None
    ) -> Model:
        """Put a model aside with its reason, for `seconds`; else the cool-down doubles with each failure."""
        times = self._strikes[model.id] = self._strikes.get(model.id, 0) + 1
        now = self._clock.time()
        failure = Failure(kind, text, now, now + (pause(times) if seconds is None else seconds), times)
        log.warning("model inactive", model=model.id, kind=kind.value, text=text, times=times)
        failed = replace(model, state=ModelState.INACTIVE, instance=None, failure=failure)
        await self._keep([failed])
        return failed

    async def mark_ready(self, model: Model) -> None:
        """A model answers: whatever failed before is forgotten."""
        place = _place_of(model)
        for name in (model.id, place):
            self._strikes.pop(name, None)
        sick = self._sick.pop(place, None)
        alike = [m for m in self._models.values() if sick and m.failure == sick and _place_of(m) == place]
        lifted = [replace(m, state=_rested(m), failure=None) for m in alike if m.id != model.id]
        await self._keep([replace(model, failure=None), *lifted])

    def held(self, model: Model) -> bool:
        """Whether anything is held against it, or against all of its place."""
        known = self._models.get(model.id, model)
        return bool(known.failure) or model.id in self._strikes or _place_of(model) in self._sick

    async def api_failed(self, model: Model, problem: ApiProblem) -> None:
        """An API did not serve a question: put it aside, alone or with all of its vendor.

        What failed with a person's own key, or for want of one, says nothing to anybody else.
        """
        provider = self.provider(model)
        if problem.own or isinstance(problem, KeyMissing):
            return
        if isinstance(problem, ApiUnreachable) and isinstance(provider, Keyed):
            provider.forget()
        else:
            failed = await self.mark_failed(model, problem.kind, problem.text, problem.retry_after)
            if not problem.whole:
                return
            self.mark_sick(failed)
        with suppress(Problem):  # what it says now is held against every model of it
            await self.refresh(model)

    async def forgive(self) -> int:
        """Take every mark away; how many there were."""
        self._strikes.clear()
        self._sick.clear()
        for provider in self._providers.values():
            self.relist(provider)
        marked = [m for m in self._models.values() if m.failure is not None]
        await self._keep([replace(m, state=_rested(m), failure=None) for m in marked])
        return len(marked)

    def relist(self, provider: Provider) -> None:
        """A key has changed, or everything is to be looked at anew: nothing remembered of that vendor counts."""
        if isinstance(provider, Keyed):
            provider.forget()
            self.accounts.forget(provider.name)

    def set_loading(self, model: Model, *, loading: bool) -> None:
        """Show the model as loading while we load it, before its host says so."""
        if loading:
            self._loading.add(model.id)
        else:
            self._loading.discard(model.id)
        self._tell()

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()

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
        self._tell()
        try:
            await self._store.save_models(changed, gone)
        except StorageFailed as full:  # what is known stays true without its record
            log.warning("models not recorded", problem=str(full))


def _rested(model: Model) -> ModelState:
    return ModelState.ON_DISK if model.local else ModelState.EXTERNAL


def _place_of(model: Model) -> str:
    return f"{model.provider}|{model.host}"


def _place(provider: Provider) -> str:
    return f"{provider.name}|{provider.host}"
