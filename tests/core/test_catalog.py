"""Every known model with its state: read, judged, remembered, found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.catalog import Catalog
from core.cooling import LONGEST_COOL_DOWN
from core.errors import ModelUnknown, Problem, Unauthorized, Unreachable
from core.model import FailureKind, ModelState
from core.providers.base import Loader, Provider
from core.storage import Store
from tests.fakes.clock import FakeClock, settle
from tests.fakes.provider import FakeLoader, FakeProvider, a_model

DOWN = Unreachable("fake:1", "refused")
FAKES: tuple[Provider, Loader] = (FakeProvider(), FakeLoader())  # mypy holds them to the ports


@asynccontextmanager
async def opened(folder: Path, clock: FakeClock, *providers: Provider) -> AsyncIterator[Catalog]:
    """A catalogue over the store in that folder."""
    async with Store.open(folder / "db") as store:
        catalog = Catalog(store, clock)
        for provider in providers:
            catalog.add(provider)
        await catalog.open()
        try:
            yield catalog
        finally:
            await catalog.aclose()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def host() -> FakeLoader:
    return FakeLoader([a_model("acme/nova-8b", name="Nova 8B"), a_model("acme/mini-1b", name="Mini")])


@pytest.fixture
async def catalog(tmp_path: Path, clock: FakeClock, host: FakeLoader) -> AsyncIterator[Catalog]:
    async with opened(tmp_path, clock, host) as catalog:
        await catalog.sync()
        yield catalog


def states(catalog: Catalog) -> dict[str, ModelState]:
    return {m.key: m.state for m in catalog.models()}


# ---------------------------------------------------------------- reading


async def test_sync(catalog: Catalog, host: FakeLoader) -> None:
    """What the host lists is known, changes are taken over, what is gone is forgotten."""
    assert states(catalog) == {"acme/mini-1b": ModelState.ON_DISK, "acme/nova-8b": ModelState.ON_DISK}
    host.put("acme/nova-8b", ModelState.LOADED)
    del host.listed[1]
    await catalog.sync()
    assert states(catalog) == {"acme/nova-8b": ModelState.LOADED}


async def test_order(tmp_path: Path, clock: FakeClock) -> None:
    """Usable models first: external, loaded, loading, on disk, inactive; demonstrations at the very end."""
    listed = [a_model(s.name, s) for s in reversed(ModelState)] + [a_model("d", ModelState.LOADED, demo=True)]
    async with opened(tmp_path, clock, FakeLoader(listed)) as catalog:
        await catalog.sync()
        assert [m.key for m in catalog.models()] == [s.name for s in ModelState] + ["d"]


async def test_many_askers_one_reading(catalog: Catalog, host: FakeLoader) -> None:
    """Fifty who ask at once share one reading of the host."""
    model = catalog.find("nova")
    host.calls.clear()
    host.put(model.key, ModelState.LOADED)
    seen = await asyncio.gather(*(catalog.refresh(model) for _ in range(50)))
    assert host.calls["models"] == 1
    assert {m.state for m in seen} == {ModelState.LOADED}


async def test_an_asker_who_leaves_does_not_stop_the_reading(catalog: Catalog, host: FakeLoader) -> None:
    """The reading that others share goes on when the one who began it is cancelled."""
    host.hold = asyncio.Event()
    first = asyncio.create_task(catalog.refresh(catalog.find("nova")))
    second = asyncio.create_task(catalog.refresh(catalog.find("nova")))
    await settle()
    first.cancel()
    await settle()
    host.hold.set()
    assert (await second).key == "acme/nova-8b"


async def test_one_host_does_not_disturb_another(tmp_path: Path, clock: FakeClock) -> None:
    """A host that is down, or that breaks in a way nobody foresaw, hides nothing of the others."""
    broken, down, good = FakeLoader(host="b"), FakeLoader(host="d"), FakeLoader([a_model(host="g")], host="g")
    broken.problem, down.problem = RuntimeError("bug"), Unreachable("d")
    async with opened(tmp_path, clock, broken, down, good) as catalog:
        await catalog.sync()
        assert [m.host for m in catalog.models()] == ["g"]
        assert [h.reachable for h in catalog.health()] == [False, False, True]


async def test_health(catalog: Catalog, host: FakeLoader, clock: FakeClock) -> None:
    """How the host answered last, and when; a host that wants a token is there."""
    assert [(h.reachable, h.detail, h.checked_at) for h in catalog.health()] == [(True, "", clock.time())]
    host.problem = Unauthorized("fake:1", token_set=False)
    await catalog.sync()
    assert [(h.reachable, h.detail) for h in catalog.health()] == [(True, "401")]
    host.problem = DOWN
    await catalog.sync()
    assert [(h.reachable, h.detail) for h in catalog.health()] == [(False, "refused")]


async def test_refresh_raises(catalog: Catalog, host: FakeLoader) -> None:
    """Whoever asks for one model hears why its host does not answer, or that the model is gone."""
    model = catalog.find("nova")
    del host.listed[0]
    with pytest.raises(ModelUnknown) as caught:
        await catalog.refresh(model)
    assert [m.key for m in caught.value.near] == ["acme/mini-1b"]
    host.problem = DOWN
    with pytest.raises(Unreachable):
        await catalog.refresh(model)
    with pytest.raises(Unreachable, match="LMSTUDIO_URLS"):
        await catalog.refresh(a_model(host="elsewhere:1"))


async def test_shown_as_loading(catalog: Catalog) -> None:
    """A load of ours shows before its host says so."""
    model = catalog.find("nova")
    catalog.set_loading(model, loading=True)
    assert states(catalog)[model.key] is ModelState.LOADING
    assert (await catalog.refresh(model)).state is ModelState.LOADING
    catalog.set_loading(model, loading=False)
    assert states(catalog)[model.key] is ModelState.ON_DISK


# ---------------------------------------------------------------- failures


async def test_cool_down(catalog: Catalog, clock: FakeClock) -> None:
    """A model that fails is put aside for 30 s, twice as long each time, never longer than 30 min."""
    model = catalog.find("nova")
    pauses = []
    for times in range(1, 10):
        failed = await catalog.mark_failed(model, FailureKind.CRASHED, "boom")
        assert failed.failure is not None
        assert (failed.failure.times, failed.failure.at) == (times, clock.time())
        pauses.append(failed.failure.until - clock.time())
    assert pauses == [30, 60, 120, 240, 480, 960, 1800, 1800, LONGEST_COOL_DOWN]


async def test_cool_down_ends(catalog: Catalog, host: FakeLoader, clock: FakeClock) -> None:
    """While it lasts the list does not forgive; afterwards it does, and the next failure counts on."""
    model = catalog.find("nova")
    await catalog.mark_failed(model, FailureKind.CRASHED, "boom")
    await clock.advance(29)
    failed = await catalog.refresh(model)
    assert failed.state is ModelState.INACTIVE
    assert failed.failure is not None
    assert failed.failure.text == "boom"
    await clock.advance(1)
    assert (await catalog.refresh(model)).state is ModelState.ON_DISK
    again = await catalog.mark_failed(model, FailureKind.CRASHED, "boom")
    assert again.failure is not None
    assert again.failure.times == 2
    assert host.calls["load"] == 0


async def test_a_loaded_model_is_forgiven(catalog: Catalog, host: FakeLoader) -> None:
    """A model that its host has in memory works, whatever failed before."""
    model = catalog.find("nova")
    await catalog.mark_failed(model, FailureKind.NEEDS_ROOM, "")
    host.put(model.key, ModelState.LOADED)
    fresh = await catalog.refresh(model)
    assert (fresh.state, fresh.failure) == (ModelState.LOADED, None)


async def test_ready_forgets(catalog: Catalog) -> None:
    """A model that answered begins at 30 s again."""
    model = catalog.find("nova")
    await catalog.mark_failed(model, FailureKind.CRASHED, "")
    await catalog.mark_ready(a_model(model.key, ModelState.LOADED))
    failed = await catalog.mark_failed(model, FailureKind.CRASHED, "")
    assert failed.failure is not None
    assert failed.failure.times == 1


async def test_forgive(catalog: Catalog) -> None:
    """A reset takes every mark away and says how many there were."""
    await catalog.mark_failed(catalog.find("nova"), FailureKind.CRASHED, "")
    assert await catalog.forgive() == 1
    assert await catalog.forgive() == 0
    assert set(states(catalog).values()) == {ModelState.ON_DISK}


async def test_failures_survive_a_restart(tmp_path: Path, clock: FakeClock, host: FakeLoader) -> None:
    """After a restart a failed model is still aside, with its reason, and its count goes on."""
    async with opened(tmp_path, clock, host) as catalog:
        await catalog.sync()
        await catalog.mark_failed(catalog.find("nova"), FailureKind.CRASHED, "boom")
        await catalog.mark_ready(a_model("acme/mini-1b", ModelState.LOADED))
    async with opened(tmp_path, clock, host) as catalog:
        assert states(catalog) == {"acme/mini-1b": ModelState.ON_DISK, "acme/nova-8b": ModelState.INACTIVE}
        await catalog.sync()
        model = catalog.find("nova")
        assert model.failure is not None
        assert (model.state, model.failure.text) == (ModelState.INACTIVE, "boom")
        again = await catalog.mark_failed(model, FailureKind.CRASHED, "")
        assert again.failure is not None
        assert again.failure.times == 2


PROBLEMS: list[tuple[Problem, FailureKind]] = [
    (DOWN, FailureKind.UNREACHABLE),
    (Unauthorized("fake:1", token_set=True), FailureKind.UNAUTHORIZED),
]


@pytest.mark.parametrize(("problem", "kind"), PROBLEMS)
async def test_host_down(catalog: Catalog, host: FakeLoader, problem: Problem, kind: FailureKind) -> None:
    """A host that is down takes all its models along, and brings them back by itself."""
    host.put("acme/nova-8b", ModelState.LOADED)
    await catalog.sync()
    host.problem = problem
    await catalog.sync()
    assert {(m.state, m.failure.kind if m.failure else None) for m in catalog.models()} == {
        (ModelState.INACTIVE, kind)
    }
    host.problem = None
    await catalog.sync()
    assert states(catalog) == {"acme/nova-8b": ModelState.LOADED, "acme/mini-1b": ModelState.ON_DISK}
    assert not any(m.failure for m in catalog.models())


async def test_host_down_keeps_older_failures(catalog: Catalog, host: FakeLoader) -> None:
    """What failed before its host went away is still aside when the host is back."""
    await catalog.mark_failed(catalog.find("nova"), FailureKind.CRASHED, "boom")
    host.problem = DOWN
    await catalog.sync()
    host.problem = None
    await catalog.sync()
    assert states(catalog) == {"acme/mini-1b": ModelState.ON_DISK, "acme/nova-8b": ModelState.INACTIVE}


async def test_external_comes_back(tmp_path: Path, clock: FakeClock) -> None:
    """A vendor that was away is external again, not a model on disk."""
    vendor = FakeProvider()
    async with opened(tmp_path, clock, vendor) as catalog:
        await catalog.sync()
        vendor.problem = Unreachable("")
        await catalog.sync()
        assert states(catalog) == {"gpt-mini": ModelState.INACTIVE}
        vendor.problem = None
        await catalog.sync()
        assert states(catalog) == {"gpt-mini": ModelState.EXTERNAL}


async def test_disk_that_refuses(catalog: Catalog, host: FakeLoader) -> None:
    """What is known stays true when it cannot be written down."""
    await catalog._store._db.execute("PRAGMA query_only = 1")
    host.put("acme/nova-8b", ModelState.LOADED)
    await catalog.sync()
    assert states(catalog)["acme/nova-8b"] is ModelState.LOADED


async def test_close(tmp_path: Path, clock: FakeClock, host: FakeLoader) -> None:
    """A reading under way ends with the catalogue: nothing touches the store afterwards."""
    host.hold = asyncio.Event()
    async with opened(tmp_path, clock, host) as catalog:
        asking = asyncio.create_task(catalog.sync())
        await settle()
    await asyncio.gather(asking, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}
