"""One host as a provider: what it can do by the shape of its answers, its models, unloading, its health."""

from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from core.errors import BadRequest, CannotUnload, ModelUnknown, Unauthorized, Unreachable
from core.model import Estimate, LoadPath, ModelState
from core.providers.lmstudio import LMStudio
from tests.core.providers.lmstudio.lab import (
    MINI,
    NOVA,
    OPENAI_ONLY,
    TOKEN,
    V0_ONLY,
    answer,
    by_path,
    lab,
    loading,
    one,
    played,
    ready,
    text_of,
    unknown_route,
)
from tests.fakes.clock import BEGAN, FakeClock

V1 = {"models": [{"key": NOVA, "type": "llm"}]}
V0 = {"data": [{"id": NOVA, "type": "llm", "state": "loaded", "loaded_context_length": 9}]}
NAMES = {"data": [{"id": NOVA}]}


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize(
    ("switches", "api"), [({}, "v1"), ({"rest_v1": False}, "v0"), (OPENAI_ONLY, "openai")]
)
async def test_capability(switches: dict[str, Any], api: str, status: int) -> None:
    """The best API is found by the shape of its list, whether a missing route says 200 or 404."""
    async with lab(unknown_route_status=status, **switches) as (_, client):
        assert sorted(m.key for m in await client.models()) == [MINI, NOVA]
        assert (await client.health()).api == api


async def test_no_api_at_all() -> None:
    """A server that is something else is no host, though it answers."""
    async with played(unknown_route) as client:
        with pytest.raises(Unreachable, match="Unexpected endpoint"):
            await client.models()
        health = await client.health()
    assert not health.reachable
    assert "Unexpected endpoint" in health.detail


async def test_host_down() -> None:
    """A host that does not answer is Unreachable, and its health says so without raising."""
    async with lab(loaded=[NOVA], clock=FakeClock()) as (server, client):
        assert (await one(client)).state is ModelState.LOADED
        await server.kill()
        with pytest.raises(Unreachable):
            await client.models()
        health = await client.health()
        assert (health.reachable, health.checked_at) == (False, BEGAN)
        await server.start()
        assert (await one(client)).state is ModelState.ON_DISK
        assert (await client.health()).reachable


@pytest.mark.parametrize("token", [None, "sk-lm-wrongone:ABCDEFGHIJ0123456789"])
async def test_unauthorized(token: str | None) -> None:
    """A host that wants a token, or another one, is reachable all the same, and no older API is tried."""
    async with lab(token=token) as (server, client):
        server.switches.token = TOKEN
        with pytest.raises(Unauthorized) as caught:
            await client.models()
        assert caught.value.token_set == (token is not None)
        assert server.count("request", path="/v1/models") == 0
        health = await client.health()
        assert (health.reachable, health.detail) == (True, "401")


async def test_authorized() -> None:
    """With the token everything works: lists, the socket, answers; a key can be tried beforehand."""
    async with lab(token=TOKEN) as (server, client):
        server.switches.token = TOKEN
        events = await loading(client, await one(client))
        assert ready(events).via is LoadPath.SOCKET
        assert text_of(await answer(client, ready(events).model)) != ""
        await client.check()
        with pytest.raises(Unauthorized):
            await client.check(SecretStr("sk-lm-wrongone:ABCDEFGHIJ0123456789"))


async def test_html_once() -> None:
    """The HTML that slips in when a load begins does not hide the states."""
    pages = [httpx2.Response(500, text="<html>"), httpx2.Response(200, json=V0)]

    def host(request: httpx2.Request) -> httpx2.Response:
        return pages.pop(0) if request.url.path == "/api/v0/models" else httpx2.Response(200, json=V1)

    async with played(host) as client:
        assert (await one(client)).state is ModelState.LOADED


SHAPES: list[tuple[dict[str, Any], ModelState, int | None]] = [
    ({"v1": V1, "v0": V0}, ModelState.LOADED, 9),
    ({"v1": V1}, ModelState.ON_DISK, None),
    ({"v0": V0}, ModelState.LOADED, 9),
    ({"openai": NAMES}, ModelState.ON_DISK, None),
    ({"v1": {"models": "soon"}, "openai": NAMES}, ModelState.ON_DISK, None),
]


@pytest.mark.parametrize(("answers", "state", "context"), SHAPES)
async def test_lists_are_joined(answers: dict[str, Any], state: ModelState, context: int | None) -> None:
    """Whatever lists a host has, the model comes with the best that is known."""
    async with played(by_path(**answers)) as client:
        model = await one(client)
    assert (model.provider, model.host, model.state) == ("lmstudio", "host:1234", state)
    assert model.loaded_context == context


async def test_listing_loads_nothing() -> None:
    """Reading lists and health is free of side effects."""
    async with lab() as (server, client):
        await client.models()
        await client.health()
        await client.estimate(await one(client))
        assert server.count("load_started") == 0


async def test_health() -> None:
    """Version and socket are told once asked; a build without sockets has no version."""
    async with lab() as (_, client):
        health = await client.health()
        assert (health.api, health.socket, health.version, health.via) == ("v1", True, "0.4.25", None)
        await loading(client, await one(client))
        assert (await client.health()).via is LoadPath.SOCKET
    async with lab(sockets=False) as (_, client):
        health = await client.health()
        assert (health.reachable, health.socket, health.version) == (True, False, None)


async def test_health_after_an_update() -> None:
    """A host that was away may be another build: everything is found out afresh."""
    async with lab(sockets=False) as (server, client):
        assert (await client.health()).socket is False
        await server.kill()
        assert not (await client.health()).reachable
        server.switches.sockets, server.switches.version = True, "0.5.0"
        await server.start()
        health = await client.health()
        assert (health.socket, health.version) == (True, "0.5.0")


async def test_estimate() -> None:
    """The host's own reckoning, or nothing where it has none."""
    async with lab(memory_bytes=1_000_000_000) as (server, client):
        assert await client.estimate(await one(client)) == Estimate(5_023_000_000, fits=False)
        server.switches.sockets = False
        assert await client.estimate(await one(client)) is None


# ---------------------------------------------------------------- unloading


async def test_unload_every_instance() -> None:
    """Unloading a model leaves no copy of it, and nothing else is touched."""
    async with lab(loaded=[NOVA, NOVA, MINI]) as (server, client):
        server.preload(NOVA, identifier="job-17")
        await client.unload(await one(client))
        assert [i.identifier for i in server.instances()] == [MINI]
        await client.unload(await one(client))  # nothing is left: no error


async def test_unload_without_v1() -> None:
    """A build without native v1 unloads by WebSocket, every copy as well."""
    async with lab(loaded=[NOVA, NOVA, MINI], rest_v1=False) as (server, client):
        await client.unload(await one(client))
        assert [i.identifier for i in server.instances()] == [MINI]


async def test_unload_by_socket_fails() -> None:
    """What the server says against it is told."""
    async with lab(loaded=[NOVA], rest_v1=False) as (server, client):
        server.fault("unloadModel", "status", text="Busy")
        with pytest.raises(BadRequest, match="Busy"):
            await client.unload(await one(client))


async def test_unload_impossible() -> None:
    """A build that has no way to unload says so."""
    async with lab(loaded=[NOVA], **V0_ONLY) as (_, client):
        with pytest.raises(CannotUnload):
            await client.unload(await one(client))


async def test_unload_impossible_without_states() -> None:
    """So does a build that shows no states, for a model that was loaded just in time."""
    async with lab(**OPENAI_ONLY) as (_, client):
        await loading(client, await one(client))
        with pytest.raises(CannotUnload):
            await client.unload(await one(client))


async def test_unload_unknown() -> None:
    """A model that is not there cannot be unloaded."""
    async with lab() as (server, client):
        model = await one(client)
        server.host.models.pop(0)
        with pytest.raises(ModelUnknown):
            await client.unload(model)


@pytest.mark.parametrize(
    ("said", "fails"),
    [
        ({"error": {"message": "Model with instance identifier 'x' is not loaded."}}, False),
        ({"error": {"message": "Busy"}}, True),
        ({"instance_id": NOVA}, False),
    ],
)
async def test_unload_answers(said: Any, *, fails: bool) -> None:
    """Already gone is as good as unloaded; any other error is told."""
    listed = {"models": [V1["models"][0] | {"loaded_instances": [{"id": NOVA}]}]}
    async with played(by_path(v1=listed, unload=said)) as client:
        model = await one(client)
        if fails:
            with pytest.raises(BadRequest, match="Busy"):
                await client.unload(model)
        else:
            await client.unload(model)


async def test_labels() -> None:
    """A host may have a name of its own; by default it is host and port."""
    named = LMStudio("http://h:1/v1", name="embedded", label="here")
    plain = LMStudio("http://h:1/v1")
    assert (named.name, named.host, plain.name, plain.host) == ("embedded", "here", "lmstudio", "h:1")
    await named.aclose()
    await plain.aclose()
