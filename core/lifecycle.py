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
from statistics import fmean
from typing import cast

import structlog

from core.catalog import Catalog
from core.clock import Clock
from core.errors import (
    LoadFailed,
    ModelAnswering,
    ModelUnavailable,
    ModelUnknown,
    Problem,
    StorageFailed,
    Unauthorized,
    Unreachable,
)
from core.model import Checking, FailureKind, LoadEvent, Loading, LoadPath, Model, ModelState, Queued, Ready
from core.providers.base import Loader
from core.storage import LoadRecord, Store

log = structlog.get_logger(__name__)

REMEMBERED = 5  # newest loads of a model that its expected time is the mean of


class _Flight:
    """One load under way, and those who watch it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.watchers = 0
        self.latest: LoadEvent = Checking(model)
        self.error: Problem | None = None
        self.task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def publish(self, event: LoadEvent) -> None:
        self.latest = event
        self._wake()

    def fail(self, error: Problem) -> None:
        self.error = error
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def watch(self) -> AsyncGenerator[LoadEvent]:
        """The newest event and every newer one, until the load ends."""
        seen: LoadEvent | None = None
        while True:
            news = self._news
            if self.error is not None:
                raise self.error.with_traceback(None)
            if self.latest is not seen:
                seen = self.latest
                yield replace(seen, watchers=self.watchers) if isinstance(seen, Loading) else seen
                if isinstance(seen, Ready):
                    return
                continue
            await news.wait()


class Lifecycle:
    """Brings models to life. Call `aclose()` at the end."""

    def __init__(self, catalog: Catalog, store: Store, clock: Clock) -> None:
        self._catalog = catalog
        self._store = store
        self._clock = clock
        self._flights: dict[str, _Flight] = {}
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
        if fresh.state is ModelState.INACTIVE and fresh.failure is not None:
            raise ModelUnavailable(fresh, fresh.failure)
        return fresh

    # ------------------------------------------------------------ load and wait

    async def ensure(self, model: Model, *, by_hand: bool = False) -> AsyncGenerator[LoadEvent]:
        """Make the model answer; the last event is Ready. Loads nothing that is loaded.

        `by_hand`: a person asks for exactly this load, so an earlier failure does not forbid the try.
        """
        yield Checking(model)
        try:
            fresh = await self.check(model)
        except ModelUnavailable as refused:
            if not by_hand:
                raise
            fresh = refused.model
        if fresh.state in {ModelState.LOADED, ModelState.EXTERNAL}:
            yield Ready(fresh, 0.0, LoadPath.ALREADY)
            return
        async with aclosing(self._watched(self._join(fresh))) as events:
            async for event in events:
                yield event

    async def _watched(self, flight: _Flight) -> AsyncGenerator[LoadEvent]:
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

    def _join(self, model: Model) -> _Flight:
        flight = self._flights.get(model.id)
        if flight is None:
            flight = self._flights[model.id] = _Flight(model)
            flight.task = asyncio.create_task(self._fly(flight), name=f"load {model.id}")
            self._tasks.add(flight.task)
            flight.task.add_done_callback(self._tasks.discard)
        return flight

    async def _fly(self, flight: _Flight) -> None:
        model = flight.model
        self._catalog.set_loading(model, loading=True)
        try:
            async with self._turn(flight):
                await self._load(flight)
        except LoadFailed as failed:
            failed.model = await self._failed(model, failed)
            flight.fail(failed)
        except Problem as problem:
            with suppress(Problem):  # a dead host: mark everything on it
                await self._catalog.refresh(model)
            flight.fail(problem)
        except asyncio.CancelledError:
            flight.fail(LoadFailed(model, FailureKind.CANCELLED))
            raise
        except Exception:
            log.exception("load broke", model=model.id)
            flight.fail(LoadFailed(model, FailureKind.UNKNOWN))
        finally:
            if self._flights.get(model.id, flight) is flight:  # else another one has begun already
                self._catalog.set_loading(model, loading=False)
                self._flights.pop(model.id, None)

    @asynccontextmanager
    async def _turn(self, flight: _Flight) -> AsyncGenerator[None]:
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

    async def _load(self, flight: _Flight) -> None:
        model = flight.model
        expected = None
        with suppress(StorageFailed):  # a load needs no memory of earlier ones
            expected = await self.expected_seconds(model)
        loader = cast("Loader", self._catalog.provider(model))  # only what must be loaded gets here
        async with aclosing(loader.load(model)) as events:
            async for event in events:
                if isinstance(event, Loading):
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
            await self._record(ready.model, ready.seconds, ready.via, "ok")

    async def _failed(self, model: Model, failed: LoadFailed) -> Model:
        marked = await self._catalog.mark_failed(model, failed.kind, failed.text)
        await self._record(model, 0.0, None, failed.kind.value)
        return marked

    async def _record(self, model: Model, seconds: float, via: LoadPath | None, outcome: str) -> None:
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
        loader = cast("Loader", self._catalog.provider(model))
        async with self._locks[_place(model)]:
            await loader.unload(model)
        log.info("model unloaded", model=model.id)
        try:
            return await self._catalog.refresh(model)
        except ModelUnknown:  # with just-in-time loading off an old build lists only what is loaded
            return replace(model, state=ModelState.ON_DISK, instance=None)

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
        elif isinstance(problem, Unreachable | Unauthorized):
            with suppress(Problem):
                await self._catalog.refresh(model)

    async def aclose(self) -> None:
        """Call every load back."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _place(model: Model) -> str:
    return f"{model.provider}|{model.host}"
