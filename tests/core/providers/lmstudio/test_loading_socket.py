"""Loading over the WebSocket: progress, reuse, cancelling, losing the connection."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from core.errors import LoadFailed, Unreachable
from core.model import FailureKind, LoadEvent, Loading, LoadPath, ModelState
from tests.core.providers.lmstudio.lab import MINI, NOVA, fractions, lab, loading, one, ready
from tests.core.providers.lmstudio.test_failures import KINDS
from tests.fakes.clock import FakeClock
from tests.fakes.lmstudio.catalog import LOAD_ERRORS
from tests.fakes.lmstudio.server import FakeModel

KEY = "a/b"


def held(**more: Any) -> FakeModel:
    """A model whose load waits half way."""
    return FakeModel(KEY, hold_load=asyncio.Event(), **more)


def let_go(model: FakeModel) -> None:
    assert model.hold_load is not None
    model.hold_load.set()


async def test_progress() -> None:
    """Progress begins at 0, only grows, ends at 1; then the model is ready with its real context."""
    async with lab(FakeModel(KEY, progress_steps=20, context_length=6000), clock=FakeClock()) as (_, client):
        events = await loading(client, await one(client, KEY))
    shown = [f for f in fractions(events) if f is not None]
    assert shown[0] == 0.0
    assert shown[-1] == 1.0
    assert shown == sorted(set(shown))
    assert len(shown) > 3
    done = ready(events)
    assert (done.via, done.model.state, done.model.instance) == (LoadPath.SOCKET, ModelState.LOADED, KEY)
    assert done.model.loaded_context == 6000


async def test_the_end_of_a_load_is_no_cancel() -> None:
    """A load that went well is not called back: the server gets nothing it would have to warn of."""
    async with lab() as (server, client):
        await loading(client, await one(client))
        await server.wait_for("socket_closed")
        assert server.count("warning_sent") == 0


async def test_loaded_is_not_loaded_again() -> None:
    """What is in memory is ready at once: no load, no second copy."""
    async with lab(loaded=[NOVA]) as (server, client):
        events = await loading(client, await one(client))
        assert [type(e).__name__ for e in events] == ["Ready"]
        assert (ready(events).via, ready(events).seconds) == (LoadPath.ALREADY, 0.0)
        assert server.count("load_started") == 0


async def test_reuse_when_the_lists_lie() -> None:
    """Even when no list shows it, a loaded model is used as it is: no `key:2`."""
    clock = FakeClock()
    async with lab(loaded=[NOVA], v1_list="empty", v0_state="not_loaded", clock=clock) as (server, client):
        async with clock.passing():
            events = await loading(client, await one(client))
        assert [i.identifier for i in server.instances()] == [NOVA]
    assert ready(events).via is LoadPath.ALREADY
    assert ready(events).model.state is ModelState.LOADED


async def test_two_programs_load_at_once() -> None:
    """Two clients that ask at the same moment share one load."""
    async with lab(FakeModel(KEY, load_seconds=0.05)) as (server, client), lab() as (_, _other):
        model = await one(client, KEY)
        both = await asyncio.gather(loading(client, model), loading(client, model))
        assert server.count("load_started") == 1
    assert all(ready(events).model.instance == KEY for events in both)


async def test_somebody_else_loads() -> None:
    """A load somebody else began is waited for, not begun again."""
    clock, model = FakeClock(), held()
    async with lab(model, clock=clock) as (server, client):
        server.host.start_load(model, server.host.config_for(model))
        await server.wait_for("load_started")
        waiting = asyncio.create_task(loading(client, await one(client, KEY)))
        for _ in range(2):
            await clock.asleep()
            await clock.advance(1)
        let_go(model)
        await server.wait_for("load_finished")
        await clock.asleep()
        await clock.advance(1)
        events = await waiting
        assert server.count("load_started") == 1
    assert set(fractions(events)) == {None}
    assert (ready(events).via, ready(events).seconds) == (LoadPath.WAITED, 3.0)


async def test_somebody_else_gives_up() -> None:
    """When the load that was waited for ends without a result, we load ourselves."""
    clock, model = FakeClock(), held()
    async with lab(model, clock=clock) as (server, client):
        theirs = server.host.start_load(model, server.host.config_for(model))
        await server.wait_for("load_started")
        waiting = asyncio.create_task(loading(client, await one(client, KEY)))
        await clock.asleep()
        theirs.give_up()
        await server.wait_for("load_cancelled")
        let_go(model)
        await clock.advance(1)
        assert ready(await waiting).via is LoadPath.SOCKET
        assert server.count("load_started") == 2


# ---------------------------------------------------------------- leaving, waiting too long


async def test_cancel_reaches_the_server() -> None:
    """Closing the iterator in the middle of a load ends the load at the server."""
    async with lab(held()) as (server, client):
        async with aclosing(client.load(await one(client, KEY))) as events:
            assert isinstance(await anext(events), Loading)
            await server.wait_for("load_started")
        await server.wait_for("load_cancelled")
        assert (await one(client, KEY)).state is ModelState.ON_DISK


async def test_cancelled_task_reaches_the_server() -> None:
    """So does cancelling the task that loads; nothing of it goes on running."""
    async with lab(held()) as (server, client):
        model = await one(client, KEY)
        before = asyncio.all_tasks()
        task = asyncio.create_task(loading(client, model))
        await server.wait_for("load_started")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await server.wait_for("load_cancelled")
        await server.wait_for("socket_closed")
        await asyncio.sleep(0)
        left = [t for t in asyncio.all_tasks() - before if "core/" in repr(t.get_coro())]
    assert left == []


async def test_time_passes_in_silence() -> None:
    """While the server says nothing the elapsed time is told each second, and the fraction stays."""
    clock, model = FakeClock(), held()
    async with lab(model, clock=clock) as (server, client):
        seen: list[LoadEvent] = []

        async def watch() -> None:
            async with aclosing(client.load(await one(client, KEY))) as events:
                async for event in events:
                    seen.append(event)  # noqa: PERF401  # looked at while it grows

        watching = asyncio.create_task(watch())
        await server.wait_for("load_started")
        for _ in range(3):
            await clock.asleep()
            await clock.advance(1)
        let_go(model)
        await watching
    silent = [e for e in seen if isinstance(e, Loading) and e.elapsed > 0]
    assert [e.elapsed for e in silent][:3] == [1.0, 2.0, 3.0]
    shown = [f for f in fractions(seen) if f is not None]
    assert shown == sorted(shown)


async def test_time_out() -> None:
    """A load that takes longer than the patience is given up, at the server too."""
    clock = FakeClock()
    async with lab(held(), clock=clock, patience=60) as (server, client):
        task = asyncio.create_task(loading(client, await one(client, KEY)))
        await server.wait_for("load_started")
        await clock.asleep()
        await clock.advance(61)
        with pytest.raises(LoadFailed) as caught:
            await task
        await server.wait_for("load_cancelled")
    assert caught.value.kind is FailureKind.TIMED_OUT


# ---------------------------------------------------------------- losing the connection


async def lose_socket_mid_load(model: FakeModel, *, goes_on: bool) -> tuple[list[LoadEvent], int]:
    """Begin a load, cut the socket, and see what becomes of it; also how many loads there were."""
    clock = FakeClock()
    async with lab(model, clock=clock) as (server, client):
        task = asyncio.create_task(loading(client, await one(client, KEY)))
        await server.wait_for("load_started")
        server.instances()[0].load.kept = goes_on
        await server._core.close_sockets()
        await clock.asleep()
        let_go(model)
        await server.wait_for("load_finished" if goes_on else "load_cancelled")
        async with clock.passing():
            return await task, server.count("load_started")


async def test_socket_lost_but_the_load_goes_on() -> None:
    """After a lost connection we look first: the load that goes on is waited for."""
    events, loads = await lose_socket_mid_load(held(), goes_on=True)
    assert (ready(events).via, loads) == (LoadPath.WAITED, 1)


async def test_socket_lost_and_the_load_with_it() -> None:
    """A load that ended with the connection is begun once more."""
    events, loads = await lose_socket_mid_load(held(), goes_on=False)
    assert (ready(events).via, loads) == (LoadPath.SOCKET, 2)


async def test_server_dies_mid_load() -> None:
    """A host that dies under a load is unreachable; nothing waits for it."""
    clock = FakeClock()
    async with lab(held(), clock=clock) as (server, client):
        task = asyncio.create_task(loading(client, await one(client, KEY)))
        await server.wait_for("load_started")
        await server.kill()
        async with clock.passing():
            with pytest.raises(Unreachable):
                await task


async def test_socket_that_no_longer_opens() -> None:
    """A socket that worked before and is now cut at once leads to REST, not to a failure."""
    async with lab() as (server, client):
        await loading(client, await one(client))
        server.fault("/llm", "drop")
        assert ready(await loading(client, await one(client, MINI))).via is LoadPath.REST


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize("number", sorted(LOAD_ERRORS))
async def test_failures(number: str) -> None:
    """Every known text comes through the socket's error object with its class and its words."""
    async with lab(FakeModel(KEY, load_error=LOAD_ERRORS[number])) as (server, client):
        with pytest.raises(LoadFailed) as caught:
            await loading(client, await one(client, KEY))
        again = number in ("E7", "E9", "E13", "E14")
        assert server.count("load_started") == (2 if again else 1)
    assert caught.value.kind is KINDS[number]
    assert LOAD_ERRORS[number][:60] in caught.value.text


async def test_one_more_try() -> None:
    """What may pass is tried once more, and only once."""
    async with lab(FakeModel(KEY, load_error=LOAD_ERRORS["E7"], load_error_times=1)) as (server, client):
        assert ready(await loading(client, await one(client, KEY))).via is LoadPath.SOCKET
        assert server.count("load_started") == 2


async def test_not_installed() -> None:
    """E15: a model that is no longer in the list is not asked for."""
    async with lab() as (server, client):
        model = await one(client)
        server.host.models.pop(0)
        with pytest.raises(LoadFailed) as caught:
            await loading(client, model)
        assert server.count("load_started") == 0
    assert caught.value.kind is FailureKind.NOT_INSTALLED


@pytest.mark.parametrize("fault", ["warning", "empty"])
async def test_get_or_load_is_unknown(fault: str) -> None:
    """A build without `getOrLoad` (it only warns), or one that ends it in silence, still loads the model."""
    async with lab() as (server, client):
        server.fault("getOrLoad", fault)
        events = await loading(client, await one(client))
        assert ready(events).via is LoadPath.SOCKET
        assert [i.identifier for i in server.instances()] == [NOVA]


async def test_no_endpoint_works() -> None:
    """Where neither endpoint is known REST is the way, now and the next time."""
    async with lab() as (server, client):
        server.fault("*Load*", "warning", times=2)
        server.fault("loadModel", "warning")
        assert ready(await loading(client, await one(client))).via is LoadPath.REST
        assert (await client.health()).via is LoadPath.REST
