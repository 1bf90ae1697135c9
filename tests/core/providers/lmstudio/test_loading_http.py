"""Loading without a WebSocket: REST, and just in time on builds that have no other way."""

import asyncio
from contextlib import aclosing
from typing import Any

import httpx2
import pytest

from core.errors import LoadFailed, Unreachable
from core.model import FailureKind, Loading, LoadPath, ModelState
from tests.core.providers.lmstudio.lab import (
    NOVA,
    OPENAI_ONLY,
    V0_ONLY,
    answer,
    by_path,
    fractions,
    lab,
    loading,
    one,
    played,
    ready,
    text_of,
)
from tests.core.providers.lmstudio.test_failures import KINDS
from tests.core.providers.lmstudio.test_loading_socket import KEY, held, let_go
from tests.fakes.clock import FakeClock
from tests.fakes.lmstudio.catalog import LOAD_ERRORS
from tests.fakes.lmstudio.server import FakeModel

REST: dict[str, Any] = {"sockets": False}
WAYS = [(REST, LoadPath.REST), (V0_ONLY, LoadPath.JIT), (OPENAI_ONLY, LoadPath.JIT)]


@pytest.mark.parametrize(("build", "via"), WAYS)
async def test_ways(build: dict[str, Any], via: LoadPath) -> None:
    """Each build is loaded by the best way it has; the way is told, progress is unknown rather than 0."""
    clock = FakeClock()
    async with lab(clock=clock, **build) as (server, client):
        model = await one(client)
        assert model.state is ModelState.ON_DISK
        events = await loading(client, model)
        assert (ready(events).via, ready(events).model.state) == (via, ModelState.LOADED)
        assert set(fractions(events)) == {None}
        assert (await client.health()).via is via
        assert clock.slept.count(0.2) == 0, "what is ready is told at once"

        again = await loading(client, await one(client))
        assert ready(again).via is LoadPath.ALREADY
        assert server.count("load_started") == 1
        assert [i.identifier for i in server.instances()] == [NOVA]
        assert text_of(await answer(client, ready(again).model)) != ""


@pytest.mark.parametrize(("build", "via"), WAYS)
async def test_time_passes(build: dict[str, Any], via: LoadPath) -> None:
    """A request without a sign of life is shown with its time, once a second."""
    clock, model = FakeClock(), held()
    async with lab(model, clock=clock, **build) as (server, client):
        task = asyncio.create_task(loading(client, await one(client, KEY)))
        await server.wait_for("load_started")
        for _ in range(3):
            await clock.asleep()
            await clock.advance(1)
        let_go(model)
        events = await task
    assert sorted({e.elapsed for e in events if isinstance(e, Loading)}) == [0.0, 1.0, 2.0, 3.0]
    assert (ready(events).via, ready(events).seconds) == (via, 3.0)


@pytest.mark.parametrize(("build", "via"), WAYS)
async def test_time_out(build: dict[str, Any], via: LoadPath) -> None:
    """Patience has an end here too, and no task is left behind."""
    clock = FakeClock()
    async with lab(held(), clock=clock, patience=60, **build) as (server, client):
        model = await one(client, KEY)
        before = asyncio.all_tasks()
        task = asyncio.create_task(loading(client, model))
        await server.wait_for("load_started")
        await clock.asleep()
        await clock.advance(61)
        with pytest.raises(LoadFailed) as caught:
            await task
        await asyncio.sleep(0)
        left = [t for t in asyncio.all_tasks() - before if "core/" in repr(t.get_coro())]
    assert (caught.value.kind, left) == (FailureKind.TIMED_OUT, []), via


async def test_cancel() -> None:
    """Leaving closes the connection: a build that listens to that stops loading; no tick goes on."""
    clock = FakeClock()
    async with lab(held(), clock=clock, disconnect_aborts_load=True, **REST) as (server, client):
        async with aclosing(client.load(await one(client, KEY))) as events:
            await anext(events)
            following = asyncio.ensure_future(anext(events))
            await server.wait_for("load_started")
            await clock.asleep()
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        await server.wait_for("load_cancelled")
        assert clock.sleepers == 0


async def test_the_context_that_is_really_loaded() -> None:
    """B6: the list after the load counts, not what was asked for or echoed."""
    async with lab(FakeModel(KEY, format="mlx", fitted_context=4864), **REST) as (_, client):
        assert ready(await loading(client, await one(client, KEY))).model.loaded_context == 4864


async def test_the_list_lags_behind() -> None:
    """What the load itself says counts when no list shows it within some seconds."""
    clock = FakeClock()
    async with lab(v1_list="empty", v0_state="not_loaded", clock=clock, **REST) as (_, client):
        model = await one(client)
        async with clock.passing():
            events = await loading(client, model)
    assert (ready(events).model.state, ready(events).model.instance) == (ModelState.LOADED, NOVA)
    assert clock.slept.count(0.2) > 10


async def test_somebody_else_loads() -> None:
    """REST would make a second copy of a model that loads already: it is not asked."""
    clock, model = FakeClock(), held()
    async with lab(model, clock=clock, **REST) as (server, client):
        server.host.start_load(model, server.host.config_for(model))
        await server.wait_for("load_started")
        task = asyncio.create_task(loading(client, await one(client, KEY)))
        await clock.asleep()
        let_go(model)
        await server.wait_for("load_finished")
        await clock.advance(1)
        assert ready(await task).via is LoadPath.WAITED
        assert server.count("load_started") == 1


async def test_connection_lost_but_the_load_goes_on() -> None:
    """A load that goes on behind a cut connection is waited for, never asked for again."""
    clock, model = FakeClock(), held()
    async with lab(model, clock=clock, **REST) as (server, client):
        task = asyncio.create_task(loading(client, await one(client, KEY)))
        await server.wait_for("load_started")
        assert server._runner is not None
        server._reset(server._runner)
        let_go(model)
        await server.wait_for("load_finished")
        async with clock.passing():
            events = await task
        assert ready(events).via is LoadPath.WAITED
        assert server.count("load_started") == 1


async def test_server_dies() -> None:
    """A host that dies is unreachable."""
    clock = FakeClock()
    async with lab(held(), clock=clock, **REST) as (server, client):
        task = asyncio.create_task(loading(client, await one(client, KEY)))
        await server.wait_for("load_started")
        await server.kill()
        async with clock.passing():
            with pytest.raises(Unreachable):
                await task


@pytest.mark.parametrize("build", [REST, V0_ONLY])
@pytest.mark.parametrize("number", sorted(LOAD_ERRORS))
async def test_failures(number: str, build: dict[str, Any]) -> None:
    """Every known text has its class whatever the route wraps it in."""
    async with lab(FakeModel(KEY, load_error=LOAD_ERRORS[number]), **build) as (_, client):
        with pytest.raises(LoadFailed) as caught:
            await loading(client, await one(client, KEY))
    assert caught.value.kind is KINDS[number]
    assert caught.value.text.startswith(LOAD_ERRORS[number][:60])


async def test_one_more_try() -> None:
    """What may pass is tried once more."""
    model = FakeModel(KEY, load_error=LOAD_ERRORS["E14"], load_error_times=1)
    async with lab(model, **REST) as (_, client):
        assert ready(await loading(client, await one(client, KEY))).via is LoadPath.REST


async def test_just_in_time_is_off() -> None:
    """A host that does not load by itself, and cannot be told to, says so in its own words."""
    lists = {"data": [{"id": NOVA}]}
    said = {"error": {"message": "No models loaded. Please load a model in the developer page"}}
    async with played(by_path(openai=lists, completions=said)) as client:
        with pytest.raises(LoadFailed, match="No models loaded"):
            await loading(client, await one(client))


@pytest.mark.parametrize("said", [{"status": "loading"}, [], {"status": "loaded"}])
async def test_odd_answers(said: Any) -> None:
    """A load is over only when the server says so with an instance."""
    listed = {"models": [{"key": NOVA, "type": "llm"}]}
    async with played(by_path(v1=listed, load=said)) as client:
        with pytest.raises(LoadFailed) as caught:
            await loading(client, await one(client))
    assert caught.value.text == "HTTP 200"


async def test_a_key_with_a_variant() -> None:
    """C7: the load takes bare keys only."""
    asked: list[bytes] = []
    listed = {"models": [{"key": f"{NOVA}@q4", "type": "llm"}]}
    plain = by_path(v1=listed, load={"error": {"message": "no"}})

    def host(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.content)
        return plain(request)

    async with played(host) as client:
        with pytest.raises(LoadFailed):
            await loading(client, await one(client, f"{NOVA}@q4"))
    assert b'{"model":"acme/nova-8b"}' in asked
