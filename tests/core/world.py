"""A host and a vendor with the catalogue and the lifecycle over them, and conversations that wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.admission import Admission
from core.catalog import Catalog
from core.errors import LoadFailed
from core.lifecycle import Lifecycle
from core.measures import Measures
from core.model import LoadEvent, Loading, Model, ModelState, Ready
from core.storage import Store
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, FakeProvider, a_model

GB = 1024**3
NOVA = a_model(size_bytes=8 * GB)
MINI = a_model("acme/mini-1b", size_bytes=2 * GB)


@dataclass
class World:
    lifecycle: Lifecycle
    catalog: Catalog
    store: Store
    clock: FakeClock
    host: FakeLoader
    vendor: FakeProvider
    measures: Measures

    def watch(self, model: Model = NOVA, *, by_hand: bool = False) -> "Watcher":
        watcher = Watcher()
        watcher.task = asyncio.create_task(watcher.run(self.lifecycle, model, by_hand=by_hand))
        return watcher

    def state(self, model: Model = NOVA) -> ModelState:
        found = self.catalog.get(model.id)
        assert found is not None
        return found.state


@dataclass
class Watcher:
    """A conversation that waits for a model."""

    events: list[LoadEvent] = field(default_factory=list)
    task: "asyncio.Task[list[LoadEvent]] | None" = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, lifecycle: Lifecycle, model: Model, *, by_hand: bool) -> list[LoadEvent]:
        async with aclosing(lifecycle.ensure(model, by_hand=by_hand)) as events:
            async for event in events:
                self.events.append(event)
                self.news.set()
        return self.events

    async def sees(self, kind: type[LoadEvent], fraction: float | None = None) -> None:
        """Return once its newest event is of that kind (and of that fraction)."""
        async with asyncio.timeout(10):
            while not self.events or not (
                isinstance(last := self.events[-1], kind)
                and (fraction is None or getattr(last, "fraction", None) == fraction)
            ):
                self.news.clear()
                await self.news.wait()

    async def done(self) -> list[LoadEvent]:
        assert self.task is not None
        return await self.task

    async def leave(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    @property
    def ready(self) -> Ready:
        assert isinstance(self.events[-1], Ready)
        return self.events[-1]

    def fractions(self) -> list[float | None]:
        return [e.fraction for e in self.events if isinstance(e, Loading)]


@asynccontextmanager
async def a_world(tmp_path: Path) -> AsyncIterator[World]:
    clock, host, vendor = FakeClock(), FakeLoader([NOVA, MINI]), FakeProvider()
    async with Store.open(tmp_path / "db") as store:
        catalog = Catalog(store, clock)
        catalog.add(host)
        catalog.add(vendor)
        await catalog.sync()
        measures = Measures(store, clock)
        lifecycle = Lifecycle(catalog, store, measures, clock, admission=Admission(clock))
        yield World(lifecycle, catalog, store, clock, host, vendor, measures)
        await lifecycle.aclose()
        await catalog.aclose()


async def failing(watcher: Watcher) -> LoadFailed:
    with pytest.raises(LoadFailed) as caught:
        await watcher.done()
    return caught.value
