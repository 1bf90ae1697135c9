"""What every loader promises by its port (`core.providers.base`), over each one that ships."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.errors import Problem
from core.model import Loading, LoadPath, Model, ModelState, Ready
from core.providers.base import Loader
from core.providers.embedded import Embedded
from core.providers.lmstudio import LMStudio
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel

Shop = tuple[Loader, str]  # a loader, and the key of a model it has
Opening = Callable[[Path], AbstractAsyncContextManager[Shop]]


@asynccontextmanager
async def lm_studio(_: Path) -> AsyncIterator[Shop]:
    async with FakeLMStudio([FakeModel("acme/nova-8b", load_seconds=0.1)]) as server:
        client = LMStudio(server.url)
        yield client, "acme/nova-8b"
        await client.aclose()


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Shop]:
    engine = Embedded(folder, (), SystemClock())
    await engine.start()
    yield engine, "scripted-echo"
    await engine.aclose()


@pytest.fixture(params=[lm_studio, embedded], ids=lambda opening: opening.__name__)
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    opening: Opening = request.param
    async with opening(tmp_path) as opened:
        yield opened


async def listed(loader: Loader, key: str) -> Model:
    return next(m for m in await loader.models() if m.key == key)


async def loaded(loader: Loader, key: str) -> Ready:
    async with aclosing(loader.load(await listed(loader, key))) as events:
        last = [event async for event in events][-1]
    assert isinstance(last, Ready)
    return last


async def test_listing_loads_nothing(shop: Shop) -> None:
    """A model is asleep until somebody loads it, however often it is listed; its place has a name."""
    loader, key = shop
    for _ in range(3):
        model = await listed(loader, key)
        assert model.state is ModelState.ON_DISK
        assert (model.provider, model.host) == (loader.name, loader.host)
    assert (await loader.health()).reachable
    await loader.check()


async def test_a_load_ends_ready_with_rising_progress(shop: Shop) -> None:
    """Fractions rise from 0 and never fall; Ready comes last and tells what was really loaded."""
    loader, key = shop
    async with aclosing(loader.load(await listed(loader, key))) as events:
        seen = [event async for event in events]
    fractions = [e.fraction for e in seen if isinstance(e, Loading) and e.fraction is not None]
    assert fractions[0] == 0
    assert fractions == sorted(fractions)
    assert isinstance(seen[-1], Ready)
    assert seen[-1].model.state is ModelState.LOADED
    assert seen[-1].model.loaded_context
    assert (await listed(loader, key)).state is ModelState.LOADED


async def test_what_is_loaded_is_not_loaded_again(shop: Shop) -> None:
    """A second load finds it there: one instance in memory."""
    loader, key = shop
    await loaded(loader, key)
    assert (await loaded(loader, key)).via is LoadPath.ALREADY
    assert [resident.key for resident in await loader.residents()] == [key]


async def test_unloading_gives_the_memory_back(shop: Shop) -> None:
    """After an unload nothing is resident, and the next load loads."""
    loader, key = shop
    await loader.unload((await loaded(loader, key)).model)
    assert list(await loader.residents()) == []
    assert (await listed(loader, key)).state is ModelState.ON_DISK
    assert (await loaded(loader, key)).via is LoadPath.SOCKET


async def test_one_instance_can_be_evicted(shop: Shop) -> None:
    """What `residents` names can be taken out by that name."""
    loader, key = shop
    await loaded(loader, key)
    (resident,) = await loader.residents()
    await loader.evict(resident)
    assert list(await loader.residents()) == []


async def test_what_it_does_not_have_is_a_problem(shop: Shop) -> None:
    """Loading an unknown key raises a Problem and nothing else."""
    loader, key = shop
    unknown = Model(loader.name, loader.host, f"{key}-of-nobody", "x", ModelState.ON_DISK)
    events = loader.load(unknown)
    with pytest.raises(Problem):
        await anext(events)
