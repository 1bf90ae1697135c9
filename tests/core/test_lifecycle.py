"""The model's life: one load for all who wait, in turn, called back when nobody waits."""

import asyncio

import pytest

from core.errors import LoadFailed, ModelUnavailable, Unreachable
from core.model import Checking, FailureKind, Loading, LoadPath, Model, ModelState, Queued, Ready
from core.storage import LoadRecord
from tests.core.world import MINI, NOVA, World
from tests.fakes.clock import settle
from tests.fakes.provider import a_model, external

# ---------------------------------------------------------------- check and ready at once


async def test_external_answers_at_once(world: World) -> None:
    """An external model is ready without any load."""
    watcher = world.watch(external())
    assert await watcher.done() == [Checking(external()), Ready(external(), 0.0, LoadPath.ALREADY)]


async def test_loaded_is_not_loaded_again(world: World) -> None:
    """A model that its host has in memory is ready at once."""
    loaded = world.host.put(NOVA.key, ModelState.LOADED)
    watcher = world.watch()
    await watcher.done()
    assert watcher.ready == Ready(loaded, 0.0, LoadPath.ALREADY)
    assert world.host.loaded == []


async def test_check(world: World) -> None:
    """A model that is put aside, gone, or on a dead host is told as what it is."""
    assert (await world.lifecycle.check(NOVA)).state is ModelState.ON_DISK
    await world.catalog.mark_failed(NOVA, FailureKind.CRASHED, "boom")
    with pytest.raises(ModelUnavailable) as aside:
        await world.lifecycle.check(NOVA)
    assert aside.value.failure.text == "boom"
    with pytest.raises(LoadFailed) as gone:
        await world.lifecycle.check(a_model("acme/none"))
    assert gone.value.kind is FailureKind.NOT_INSTALLED
    world.host.problem = Unreachable("fake:1", "refused")
    with pytest.raises(Unreachable):
        await world.lifecycle.check(NOVA)


# ---------------------------------------------------------------- one load for all


async def test_fifty_wait_for_one_load(world: World) -> None:
    """Fifty conversations cause one load; every one sees it grow and sees it ready."""
    half = asyncio.Event()
    world.host.loads[NOVA.key] = [(0.0, 0.4, half, 0.9)]
    watchers = [world.watch() for _ in range(50)]
    for watcher in watchers:
        await watcher.sees(Loading, 0.4)
    half.set()
    for watcher in watchers:
        await watcher.done()
    assert world.host.loaded == [NOVA.key]
    for watcher in watchers:
        shown = [f for f in watcher.fractions() if f is not None]
        assert 0.4 in shown
        assert shown == sorted(set(shown))
        assert watcher.ready.via is LoadPath.SOCKET
    assert max(e.watchers for w in watchers for e in w.events if isinstance(e, Loading)) == 50
    assert world.state() is ModelState.LOADED


async def test_a_late_comer_sees_how_far_it_is(world: World) -> None:
    """Who joins in the middle begins with the newest event, not with the first."""
    half = asyncio.Event()
    world.host.loads[NOVA.key] = [(0.0, 0.4, half)]
    first = world.watch()
    await first.sees(Loading, 0.4)
    second = world.watch()
    await second.sees(Loading)
    half.set()
    await first.done()
    await second.done()
    assert second.fractions() == [0.4]
    assert world.host.loaded == [NOVA.key]


async def test_one_leaving_does_not_stop_the_load(world: World) -> None:
    """As long as somebody waits the load goes on; the last one leaving calls it back."""
    world.host.loads[NOVA.key] = [(0.0, asyncio.Event())]
    first, second = world.watch(), world.watch()
    await first.sees(Loading)
    await second.sees(Loading)
    await first.leave()
    await settle()
    assert world.host.cancelled == []
    assert world.state() is ModelState.LOADING
    await second.leave()
    await settle()
    assert world.host.cancelled == [NOVA.key]
    assert world.state() is ModelState.ON_DISK


async def test_a_load_called_back_can_be_begun_again(world: World) -> None:
    """Nobody joins a load that is being called back: a new one waits for its end, and shows as loading."""
    world.host.hold_cancel = asyncio.Event()
    world.host.loads[NOVA.key] = [(0.0, asyncio.Event()), (0.0, hold := asyncio.Event())]
    first = world.watch()
    await world.host.begun()
    assert first.task is not None
    await first.sees(Loading)
    first.task.cancel()
    await settle()
    assert world.host.cancelled == [NOVA.key]
    second = world.watch()
    await second.sees(Queued)
    world.host.hold_cancel.set()
    await world.host.begun(2)
    world.host.put(NOVA.key, ModelState.ON_DISK)  # the host is slow to say so
    await world.catalog.sync()
    assert world.state() is ModelState.LOADING
    hold.set()
    await second.done()
    assert world.host.loaded == [NOVA.key, NOVA.key]


async def test_one_after_the_other(world: World) -> None:
    """Two models on one host are loaded in turn; the second is told that it waits."""
    hold = asyncio.Event()
    world.host.loads[NOVA.key] = [(0.0, hold)]
    first = world.watch()
    await world.host.begun()
    second = world.watch(MINI)
    await second.sees(Queued)
    assert second.events[-1] == Queued(MINI, 1)
    assert world.host.loaded == [NOVA.key]
    hold.set()
    await first.done()
    await second.done()
    assert world.host.loaded == [NOVA.key, MINI.key]
    assert world.host.at_once == 1


async def test_leaving_the_queue(world: World) -> None:
    """Who leaves while waiting in turn starts nothing, and nobody waits for them."""
    hold = asyncio.Event()
    world.host.loads[NOVA.key] = [(0.0, hold)]
    first = world.watch()
    await world.host.begun()
    second = world.watch(MINI)
    await second.sees(Queued)
    await second.leave()
    hold.set()
    await first.done()
    third = world.watch(MINI)
    await third.done()
    assert not any(isinstance(e, Queued) for e in third.events)
    assert world.host.loaded == [NOVA.key, MINI.key]


# ---------------------------------------------------------------- expected seconds


async def record(world: World, model: Model, seconds: float, outcome: str = "ok") -> None:
    await world.store.add_load(
        LoadRecord(world.clock.time(), model.id, model.host, seconds, model.size_bytes, None, None, outcome)
    )


async def test_expected_seconds(world: World) -> None:
    """By the model's own earlier loads, else by the host's speed and the size, else unknown."""
    expected = world.measures.expected_seconds
    assert await expected(NOVA) is None
    await record(world, MINI, 2.0)
    await record(world, MINI, 100.0, "crashed")
    assert await expected(NOVA) == pytest.approx(8.0)
    await record(world, NOVA, 10.0)
    await record(world, NOVA, 20.0)
    assert await expected(NOVA) == 15.0
    assert await expected(a_model("acme/sizeless")) is None


async def test_expected_seconds_are_shown_and_learnt(world: World) -> None:
    """A load shows what the last ones took, and is remembered itself."""
    first = world.watch()
    await first.done()
    world.host.put(NOVA.key, ModelState.ON_DISK)
    second = world.watch()
    await second.done()
    expected = [[e.expected for e in w.events if isinstance(e, Loading)] for w in (first, second)]
    assert set(expected[0]) == {None}
    assert set(expected[1]) == {4.0}


async def test_waiting_for_a_foreign_load_teaches_nothing(world: World) -> None:
    """How long we waited for somebody else's load is not how long a load takes."""
    world.host.via = LoadPath.WAITED
    await world.watch().done()
    assert await world.store.loads(NOVA.host) == []
