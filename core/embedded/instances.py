"""Which models are loaded: one engine per model, one load at a time, any number of chats waiting for it."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from core.embedded.models import Catalogue, Entry
from core.embedded.room import free_bytes
from core.embedded.runner import Gone, Json, LoadError, Log, Runner
from core.embedded.runtime import NO_ROOM, UNLOADED
from core.model import FailureKind

OnProgress = Callable[[float], None]
Open = Callable[[Entry, int, OnProgress], Awaitable[Runner]]

_GIB = 2**30


class Unknown(KeyError):
    """No model has this key and no instance this id."""


@dataclass(eq=False)
class Instance:
    """A loaded model. `load_seconds` it took; `last_used` in seconds since the epoch."""

    id: str
    entry: Entry
    runner: Runner
    load_seconds: float
    reference: str = field(default_factory=lambda: uuid.uuid4().hex)
    last_used: float | None = None
    active: int = 0
    closing: bool = False

    async def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[Json]:
        """Answer in chunks under this instance's name; see `Runner.stream`."""
        self._begin()
        try:
            async with aclosing(self.runner.stream({**self.entry.sampling, **body})) as chunks:
                async for chunk in chunks:
                    yield chunk | {"model": self.id}
        except Gone as gone:
            raise self._word(gone) from gone
        finally:
            self._end()

    async def complete(self, body: Mapping[str, Any]) -> Json:
        """Answer at once; see `Runner.complete`."""
        self._begin()
        try:
            return await self.runner.complete({**self.entry.sampling, **body}) | {"model": self.id}
        except Gone as gone:
            raise self._word(gone) from gone
        finally:
            self._end()

    def _begin(self) -> None:
        self.active += 1
        self.last_used = time.time()

    def _end(self) -> None:
        self.active -= 1
        self.last_used = time.time()

    def _word(self, gone: Gone) -> Gone:
        return Gone(UNLOADED, unloaded=True) if self.closing else gone


@dataclass(eq=False)
class _Flight:
    """A load under way and those who wait for it. `progress` never goes back and never repeats."""

    entry: Entry
    listeners: list[OnProgress] = field(default_factory=list)
    progress: float = -1.0
    task: asyncio.Task[Instance] | None = None
    waiting: int = 0

    def tell(self, fraction: float) -> None:
        if fraction > self.progress:
            self.progress = fraction
            for listener in list(self.listeners):
                listener(fraction)


@dataclass
class Instances:
    """The loaded models of one engine."""

    catalogue: Catalogue
    open: Open
    log: Log
    _loaded: dict[str, Instance] = field(default_factory=dict)
    _flights: dict[str, _Flight] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _closing: set[asyncio.Future[None]] = field(default_factory=set)

    def loaded(self) -> list[Instance]:
        """Every instance that answers, oldest first."""
        return list(self._loaded.values())

    def of(self, key: str) -> Instance | None:
        """Find the instance of a model."""
        return next((i for i in self._loaded.values() if i.entry.key == key), None)

    def by_id(self, name: str) -> Instance | None:
        """Find an instance by its id, or by its model's key."""
        return self._loaded.get(name) or self.of(name.lower())

    def loading(self, key: str) -> bool:
        """Whether the model is on its way."""
        return key in self._flights

    async def load(
        self,
        name: str,
        on_progress: OnProgress = lambda _: None,
        *,
        context: int | None = None,
        identifier: str | None = None,
    ) -> Instance:
        """Give the instance of a model, loading it if need be; many callers share one load.

        `on_progress` gets rising fractions 0..1, only if something is loaded. Raises `Unknown` or
        `LoadError`. Cancelling one caller leaves the load to the others; the last one ends it.
        """
        if instance := self.by_id(name):
            return instance
        entry = await self.catalogue.find(name)
        if entry is None:
            raise Unknown(name)
        if instance := self.of(entry.key):
            return instance
        flight = self._flights.get(entry.key) or self._take_off(entry, context, identifier)
        assert flight.task is not None
        flight.listeners.append(on_progress)
        if flight.progress >= 0:
            on_progress(flight.progress)
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            flight.listeners.remove(on_progress)
            if not flight.waiting and not flight.task.done():
                await _stop(flight.task)

    async def unload(self, name: str) -> Instance:
        """Free an instance's memory; running answers end with `Gone`. Raises `Unknown`."""
        instance = self._loaded.get(name) or self.of(name.lower())
        if instance is None:
            raise Unknown(name)
        del self._loaded[instance.id]
        instance.closing = True
        await instance.runner.aclose()
        self.log.info("embedded.unloaded", model=instance.entry.key)
        return instance

    async def aclose(self) -> None:
        """End every load and every engine, all at once."""
        flights = [f.task for f in self._flights.values() if f.task]
        await asyncio.gather(*(_stop(t) for t in flights))
        await asyncio.gather(*(self.unload(i) for i in list(self._loaded)), *self._closing)

    def _take_off(self, entry: Entry, context: int | None, identifier: str | None) -> _Flight:
        flight = _Flight(entry)
        flight.task = asyncio.create_task(self._fly(flight, context, identifier))
        flight.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._flights[entry.key] = flight
        return flight

    async def _fly(self, flight: _Flight, context: int | None, identifier: str | None) -> Instance:
        entry = flight.entry
        try:
            async with self._turn:
                began = time.monotonic()
                size = context or entry.usual_context
                runner = await self._open(entry, size, flight.tell)
                instance = Instance(self._name(entry, identifier), entry, runner, time.monotonic() - began)
        except LoadError as error:
            self.log.warning("embedded.load-failed", model=entry.key, kind=error.kind.value, text=error.text)
            raise
        finally:
            del self._flights[entry.key]
        self._loaded[instance.id] = instance
        runner.exited.add_done_callback(lambda why: self._crashed(instance, why))
        self.log.info(
            "embedded.loaded", model=entry.key, seconds=round(instance.load_seconds, 2), context=size
        )
        return instance

    async def _open(self, entry: Entry, context: int, tell: OnProgress) -> Runner:
        if not entry.present:
            raise LoadError(FailureKind.NOT_INSTALLED, "Model file not downloaded")
        if entry.broken:
            raise LoadError(FailureKind.NOT_INSTALLED, f"Model file damaged: {entry.broken}")
        if entry.header.embedding:
            raise LoadError(FailureKind.UNKNOWN, "Embedding models are not served by the embedded engine")
        needed = sum(entry.memory_bytes(context))
        if not fits(entry, context):
            text = (
                f"{NO_ROOM} Under the current settings, this model requires approximately "
                f"{needed / _GIB:.2f} GB of memory."
            )
            raise LoadError(FailureKind.NEEDS_ROOM, text)
        return await self.open(entry, context, tell)

    def _name(self, entry: Entry, identifier: str | None) -> str:
        return identifier if identifier and identifier not in self._loaded else entry.key

    def _crashed(self, instance: Instance, why: asyncio.Future[str]) -> None:
        if why.cancelled() or self._loaded.pop(instance.id, None) is None:
            return
        self.log.warning("embedded.crashed", model=instance.entry.key, text=why.result())
        closing = asyncio.ensure_future(instance.runner.aclose())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


def fits(entry: Entry, context: int) -> bool:
    """Whether the machine has the memory free; where it does not say, yes."""
    free = free_bytes()
    return free is None or sum(entry.memory_bytes(context)) <= free


async def _stop(task: asyncio.Task[Instance]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, LoadError):
        await task
