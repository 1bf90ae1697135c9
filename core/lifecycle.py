"""The model's life: check, load, wait, unload, reset. One flight per model and host.

A flight is one load under way, in a task of its own. Any number of conversations watch it; each sees the
newest event; one leaving does not stop it. When the last one leaves, the load is cancelled where the host
can cancel: nobody waits for it any more.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import cast

import structlog

from core.admission import Admission, queue_of
from core.catalog import Catalog
from core.clock import Clock
from core.errors import (
    ApiProblem,
    LoadFailed,
    ModelAnswering,
    ModelUnavailable,
    ModelUnknown,
    Problem,
    StorageFailed,
    Unauthorized,
    Unreachable,
)
from core.eviction import Eviction
from core.flight import Flight
from core.measures import Measures
from core.model import (
    Checking,
    FailureKind,
    LoadEvent,
    Loading,
    LoadPath,
    Model,
    ModelState,
    Queued,
    Ready,
    Resident,
)
from core.pool import best_first
from core.providers.base import Loader
from core.room import MakeRoom
from core.storage import Store

log = structlog.get_logger(__name__)

CROWD = 50  # watchers above which not every step of a load is shown to each


class Lifecycle:
    """Brings models to life. Call `aclose()` at the end."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        measures: Measures,
        clock: Clock,
        *,
        admission: Admission,
        make_room: MakeRoom = MakeRoom.ASK,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._measures = measures
        self._clock = clock
        self._admission = admission
        self._eviction = Eviction(store, admission, make_room)
        self._flights: dict[str, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: Counter[str] = Counter()
        self._answering: Counter[str] = Counter()

    # ------------------------------------------------------------ check

    async def check(self, model: Model) -> Model:
        """How the model stands now. Raises the Problem that keeps it from answering, if there is one."""
        try:
            fresh = await self._catalog.refresh(model)
        except ModelUnknown as gone:
            raise LoadFailed(model, FailureKind.NOT_INSTALLED) from gone
        except ApiProblem:  # what it says is held against its models; one's own key may do all the same
            fresh = self._catalog.get(model.id) or model
        if fresh.state is ModelState.INACTIVE and fresh.failure is not None:
            raise ModelUnavailable(fresh, fresh.failure)
        return fresh

    # ------------------------------------------------------------ load and wait

    async def places(self, model: Model) -> list[Model]:
        """Where the model can answer, in the order in which to try: see `core.pool.best_first`."""
        found = self._catalog.places(model)
        if len(found) < 2:  # noqa: PLR2004  # nothing to choose between
            return found or [model]
        # A host known to be away is looked at by the schedule: its time-out must not delay every message.
        answering = [m for m in found if not _away(m)] or found
        await asyncio.gather(*(self._catalog.refresh(m) for m in answering), return_exceptions=True)
        found = self._catalog.places(model) or [model]
        awake = any(m.state in {ModelState.LOADED, ModelState.LOADING} for m in found)
        sleeping = [] if awake else [m for m in found if m.state is ModelState.ON_DISK]
        estimates = await asyncio.gather(*(self._loader(m).estimate(m) for m in sleeping))
        fits = {m.id: e.fits for m, e in zip(sleeping, estimates, strict=True) if e is not None}
        seconds = await self._measures.expectations(sleeping)
        return best_first(found, busy=self.busy, fits=fits, seconds=seconds)

    def busy(self, model: Model) -> int:
        """Requests in flight and waiting for that model on its host."""
        return self._admission.busy(queue_of(model))

    def _loader(self, model: Model) -> Loader:
        return cast("Loader", self._catalog.provider(model))  # only asked of what must be loaded

    async def ensure(
        self, model: Model, *, by_hand: bool = False, consent: str = ""
    ) -> AsyncGenerator[LoadEvent]:
        """Make the model answer; the last event is Ready. Loads nothing that is loaded.

        `by_hand`: a person asks for exactly this load, so an earlier failure does not forbid the try.
        `consent`: a person's word where the model does not fit: `room` = unload others first,
        `anyway` = try all the same. Without it DoesNotFit is raised.
        """
        yield Checking(model)
        try:
            fresh = await self.check(model)
        except ModelUnavailable as refused:
            if not by_hand:
                raise
            fresh = refused.model
        if not fresh.local:  # nothing is ever loaded there; by hand it is tried though it failed
            yield Ready(replace(fresh, state=ModelState.EXTERNAL, failure=None), 0.0, LoadPath.ALREADY)
            return
        if fresh.state is ModelState.LOADED:
            yield Ready(fresh, 0.0, LoadPath.ALREADY)
            return
        async with aclosing(self._watched(self._join(fresh, consent))) as events:
            async for event in events:
                yield event

    async def _watched(self, flight: Flight) -> AsyncGenerator[LoadEvent]:
        flight.watchers += 1
        try:
            async with aclosing(flight.watch()) as events:
                async for event in events:
                    yield event
        finally:
            flight.watchers -= 1
            if flight.watchers == 0 and flight.task is not None and not flight.task.done():
                # Nobody may join a flight that is being called back.
                self._flights.pop(flight.model.id, None)
                flight.task.cancel()

    def _join(self, model: Model, consent: str) -> Flight:
        flight = self._flights.get(model.id)
        if flight is None:
            flight = self._flights[model.id] = Flight(model, consent)
            flight.task = asyncio.create_task(self._fly(flight), name=f"load {model.id}")
            self._tasks.add(flight.task)
            flight.task.add_done_callback(self._tasks.discard)
        return flight

    async def _fly(self, flight: Flight) -> None:
        model = flight.model
        self._catalog.set_loading(model, loading=True)
        try:
            async with self._turn(flight):
                await self._eviction.make_room(flight, self._loader(model))
                await self._load(flight)
        except LoadFailed as failed:
            failed.model = await self._failed(model, failed)
            failed.offer = await self._eviction.could_leave(flight, self._loader(model), failed.kind)
            flight.fail(failed)
        except Problem as problem:
            with suppress(Problem):  # a dead host: mark everything on it
                await self._catalog.refresh(model)
            flight.fail(problem)
        except asyncio.CancelledError:
            flight.fail(LoadFailed(model, FailureKind.CANCELLED))
            raise
        except Exception:  # a bug here must not leave those who wait without an answer
            log.exception("load broke", model=model.id)
            flight.fail(LoadFailed(model, FailureKind.UNKNOWN))
        finally:
            if self._flights.get(model.id, flight) is flight:  # else another one has begun already
                self._catalog.set_loading(model, loading=False)
                self._flights.pop(model.id, None)

    @asynccontextmanager
    async def _turn(self, flight: Flight) -> AsyncGenerator[None]:
        """Loads on one host go one after the other: two at once thrash, and evict each other."""
        place = _place(flight.model)
        lock = self._locks[place]
        if lock.locked():
            self._waiting[place] += 1
            flight.publish(Queued(flight.model, self._waiting[place]))
            try:
                await lock.acquire()
            finally:
                self._waiting[place] -= 1
        else:
            await lock.acquire()
        try:
            yield
        finally:
            lock.release()

    async def _load(self, flight: Flight) -> None:
        model = flight.model
        expected = None
        with suppress(StorageFailed):  # a load needs no memory of earlier ones
            expected = await self._measures.expected_seconds(model)
        told = float("-inf")
        async with aclosing(self._loader(model).load(model)) as events:
            async for event in events:
                if isinstance(event, Loading):
                    # A hundred steps to a thousand watchers are no news but load: a second between is enough.
                    now = self._clock.monotonic()
                    if flight.watchers > CROWD and now - told < flight.watchers / 1000:
                        continue
                    told = now
                    flight.publish(replace(event, expected=expected))
                elif isinstance(event, Ready):
                    # The list knows it first, then whoever waits: nobody may find it unloaded afterwards.
                    await self._loaded(event)
                    flight.publish(event)
                else:
                    flight.publish(event)

    async def _loaded(self, ready: Ready) -> None:
        log.info("model ready", model=ready.model.id, seconds=round(ready.seconds, 2), via=ready.via.value)
        await self._catalog.mark_ready(ready.model)
        if ready.via not in {LoadPath.ALREADY, LoadPath.WAITED}:  # of a foreign load we saw a part only
            await self._measures.loaded(ready.model, ready.seconds, ready.via)
            with suppress(StorageFailed):  # then it is taken for somebody else's, and left alone
                instance = ready.model.instance or ready.model.key
                await self._store.claim(ready.model.host, instance, self._clock.time())

    async def _failed(self, model: Model, failed: LoadFailed) -> Model:
        marked = await self._catalog.mark_failed(model, failed.kind, failed.text)
        if failed.kind is FailureKind.HOST_SICK:
            self._catalog.mark_sick(marked)
        await self._measures.failed(model, failed.kind.value)
        return marked

    # ------------------------------------------------------------ unload and reset

    @contextmanager
    def answering(self, model: Model) -> Iterator[None]:
        """While inside, the model is not unloaded without a person's explicit word."""
        self._answering[model.id] += 1
        try:
            yield
        finally:
            self._answering[model.id] -= 1

    async def unload(self, model: Model, *, force: bool = False) -> Model:
        """Unload every instance; the model as it is afterwards. Raises ModelAnswering unless `force`."""
        if self._answering[model.id] and not force:
            raise ModelAnswering(model)
        flight = self._flights.get(model.id)
        if flight is not None and flight.task is not None:
            flight.task.cancel()
            await asyncio.gather(flight.task, return_exceptions=True)
        async with self._locks[_place(model)]:
            await self._loader(model).unload(model)
        if model.instance is not None:
            await self._store.disclaim(model.host, model.instance)
        log.info("model unloaded", model=model.id)
        try:
            return await self._catalog.refresh(model)
        except ModelUnknown:  # with just-in-time loading off an old build lists only what is loaded
            return replace(model, state=ModelState.ON_DISK, instance=None)

    async def retire(self, model: Model, resident: Resident) -> bool:
        """Unload that one instance if nobody uses it or waits for it at this moment; whether it left."""
        async with self._locks[_place(model)]:
            used = self._answering[model.id] or self._admission.busy(f"{model.host}|{resident.instance}")
            if used or model.id in self._flights:
                return False
            await self._loader(model).evict(resident)
            await self._store.disclaim(model.host, resident.instance)
        log.info("model retired", model=model.id, instance=resident.instance)
        with suppress(Problem):  # the next look at the host tells
            await self._catalog.refresh(model)
        return True

    def loading(self, host: str) -> bool:
        """Whether a load is under way or waits on that host."""
        return any(flight.model.host == host for flight in self._flights.values())

    async def reset(self) -> int:
        """Forget every failure and look at every host again; how many marks were taken away."""
        marks = await self._catalog.forgive()
        await self._catalog.sync()
        return marks

    async def verify_all(self) -> None:
        """Look at every host; what does not answer is marked."""
        await self._catalog.sync()

    async def failed_elsewhere(self, model: Model, problem: Problem) -> None:
        """An answer failed: put the model aside if its host says that it is broken."""
        if isinstance(problem, LoadFailed):
            # What a flight has marked already counts once; a load called back says nothing of the model.
            if problem.model.failure is None and problem.kind is not FailureKind.CANCELLED:
                problem.model = await self._failed(model, problem)
        elif isinstance(problem, ApiProblem):
            await self._catalog.api_failed(model, problem)
        elif isinstance(problem, Unreachable | Unauthorized):
            with suppress(Problem):
                await self._catalog.refresh(model)

    async def aclose(self) -> None:
        """Call every load back."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _away(model: Model) -> bool:
    return model.failure is not None and model.failure.kind is FailureKind.UNREACHABLE


def _place(model: Model) -> str:
    return f"{model.provider}|{model.host}"
