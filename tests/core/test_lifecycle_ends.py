"""The model's life: loads that fail, unloading, reset, the end of the program."""

import asyncio

import pytest

from core.errors import LoadFailed, ModelAnswering, ModelUnavailable, Problem, Unreachable
from core.model import FailureKind, ModelState
from tests.core.world import MINI, NOVA, World, failing

# ---------------------------------------------------------------- failures


async def test_failure(world: World) -> None:
    """A load that fails puts the model aside, for every watcher the same, counted once."""
    world.host.loads[NOVA.key] = [(0.0, LoadFailed(NOVA, FailureKind.NEEDS_ROOM, "no room"))]
    watchers = [world.watch() for _ in range(3)]
    problems = [await failing(w) for w in watchers]
    for problem in problems:  # as the conversations do
        await world.lifecycle.failed_elsewhere(NOVA, problem)
    failed = world.catalog.get(NOVA.id)
    assert failed is not None
    assert failed.failure is not None
    assert (failed.state, failed.failure.text, failed.failure.times) == (ModelState.INACTIVE, "no room", 1)
    assert problems[0].model == failed
    with pytest.raises(ModelUnavailable):
        await world.watch().done()


async def test_by_hand(world: World) -> None:
    """A person may insist on a model that was put aside; if it works it is forgiven."""
    await world.catalog.mark_failed(NOVA, FailureKind.CRASHED, "boom")
    await world.watch(by_hand=True).done()
    ready = world.catalog.get(NOVA.id)
    assert ready is not None
    assert (ready.state, ready.failure) == (ModelState.LOADED, None)


async def test_a_model_that_is_gone_is_marked_once(world: World) -> None:
    """A model that vanished from its host is put aside when an answer needed it."""
    del world.host.listed[0]
    problem = await failing(world.watch())
    await world.lifecycle.failed_elsewhere(NOVA, problem)
    assert problem.model.failure is not None
    assert problem.model.failure.kind is FailureKind.NOT_INSTALLED


async def test_host_dies_under_a_load(world: World) -> None:
    """A host that dies is told as such, and everything on it is marked."""
    hold = asyncio.Event()
    world.host.loads[NOVA.key] = [(0.0, hold, Unreachable("fake:1", "reset"))]
    watcher = world.watch()
    await world.host.begun()
    world.host.problem = Unreachable("fake:1", "refused")
    hold.set()
    with pytest.raises(Unreachable, match="reset"):
        await watcher.done()
    assert world.state(MINI) is ModelState.INACTIVE


async def test_a_bug_in_a_loader(world: World) -> None:
    """Whatever breaks, nobody waits for ever: it is told as a load that failed."""
    world.host.problem_of_load = RuntimeError("bug")
    assert (await failing(world.watch())).kind is FailureKind.UNKNOWN
    assert world.state() is ModelState.ON_DISK


async def test_an_answer_that_failed(world: World) -> None:
    """What an answer says of its model or host is kept; other problems mark nothing."""
    await world.lifecycle.failed_elsewhere(NOVA, Problem())
    await world.lifecycle.failed_elsewhere(NOVA, LoadFailed(NOVA, FailureKind.CANCELLED))
    await world.lifecycle.failed_elsewhere(NOVA, Unreachable("fake:1"))  # the host answers by now
    assert world.state() is ModelState.ON_DISK
    await world.lifecycle.failed_elsewhere(NOVA, LoadFailed(NOVA, FailureKind.CRASHED, "boom"))
    assert world.state() is ModelState.INACTIVE
    world.host.problem = Unreachable("fake:1")
    await world.lifecycle.failed_elsewhere(MINI, Unreachable("fake:1"))
    assert world.state(MINI) is ModelState.INACTIVE


async def test_a_disk_that_refuses(world: World) -> None:
    """What cannot be written down or looked up does not keep a model from loading."""
    await world.store._db.execute("DROP TABLE loads")
    watcher = world.watch()
    await watcher.done()
    assert watcher.ready.model.state is ModelState.LOADED


# ---------------------------------------------------------------- unload, reset, the end


async def test_unload(world: World) -> None:
    """An unloaded model is on disk again, and can be loaded again."""
    await world.watch().done()
    gone = await world.lifecycle.unload(NOVA)
    assert (gone.state, world.state()) == (ModelState.ON_DISK, ModelState.ON_DISK)
    await world.watch().done()
    assert world.state() is ModelState.LOADED


async def test_unload_while_answering(world: World) -> None:
    """A model that is answering is not unloaded without a person's word; afterwards it is."""
    await world.watch().done()
    with world.lifecycle.answering(NOVA):
        with world.lifecycle.answering(NOVA):
            pass
        with pytest.raises(ModelAnswering) as caught:
            await world.lifecycle.unload(NOVA)
        assert caught.value.remedies == (f"unload #{NOVA.tag} force",)
        assert world.host.calls["unload"] == 0
        await world.lifecycle.unload(NOVA, force=True)
    await world.watch().done()
    await world.lifecycle.unload(NOVA)
    assert world.host.calls["unload"] == 2


async def test_unload_while_loading(world: World) -> None:
    """Unloading a model that loads calls the load back; who waited hears of it, and it is no failure."""
    world.host.loads[NOVA.key] = [(0.0, asyncio.Event())]
    watcher = world.watch()
    await world.host.begun()
    await world.lifecycle.unload(NOVA)
    problem = await failing(watcher)
    assert problem.kind is FailureKind.CANCELLED
    await world.lifecycle.failed_elsewhere(NOVA, problem)
    assert world.host.cancelled == [NOVA.key]
    assert world.state() is ModelState.ON_DISK


async def test_unload_where_only_loaded_models_are_listed(world: World) -> None:
    """With just-in-time loading off an old build no longer lists what was unloaded: that is no failure."""
    await world.watch().done()
    world.host.listed_after_unload = False
    assert (await world.lifecycle.unload(NOVA)).state is ModelState.ON_DISK


async def test_reset(world: World) -> None:
    """A reset takes every mark away and looks at every host again."""
    await world.catalog.mark_failed(NOVA, FailureKind.CRASHED, "boom")
    world.host.put(MINI.key, ModelState.LOADED)
    assert await world.lifecycle.reset() == 1
    assert (world.state(), world.state(MINI)) == (ModelState.ON_DISK, ModelState.LOADED)
    world.host.problem = Unreachable("fake:1")
    await world.lifecycle.verify_all()
    assert world.state() is ModelState.INACTIVE


async def test_the_end(world: World) -> None:
    """At the end every load is called back, and no task is left."""
    world.host.loads[NOVA.key] = [(0.0, asyncio.Event())]
    watcher = world.watch()
    await world.host.begun()
    await world.lifecycle.aclose()
    assert (await failing(watcher)).kind is FailureKind.CANCELLED
    assert world.host.cancelled == [NOVA.key]
    await world.catalog.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}
