"""The WebSocket namespaces: calls, channels, and every way a connection ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from core.providers.lmstudio import socket
from core.providers.lmstudio.socket import (
    ChannelFailed,
    Namespace,
    SocketError,
    SocketLost,
    SocketRejected,
    SocketUnsupported,
    credentials,
)
from tests.core.providers.lmstudio.lab import NOVA, TOKEN
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

STACK: Any = {"loadConfigStack": {"layers": []}}


@asynccontextmanager
async def connected(
    server: FakeLMStudio, name: str = "llm", token: str | None = None
) -> AsyncIterator[Namespace]:
    async with (
        httpx2.AsyncClient(base_url=server.url, trust_env=False) as http,
        Namespace(http, name, token) as namespace,
    ):
        yield namespace


@pytest.fixture
async def server() -> AsyncIterator[FakeLMStudio]:
    async with FakeLMStudio() as server:
        yield server


def test_credentials() -> None:
    """A token goes as its two halves; without one, or with one of another form, everybody is a new guest."""
    assert credentials(TOKEN) == {
        "authVersion": 1,
        "clientIdentifier": "abcdefgh",
        "clientPasskey": "ABCDEFGHIJ0123456789",
    }
    guests = [credentials(token)["clientIdentifier"] for token in (None, None, "something")]
    assert all(guest.startswith("guest:") for guest in guests)
    assert len(set(guests)) == 3


async def test_calls(server: FakeLMStudio) -> None:
    """Answers come to the call they belong to, errors with the server's words."""
    server.preload(NOVA)
    async with connected(server) as llm:
        assert llm.alive
        calls = llm.call("listLoaded"), llm.call("unloadModel", {"identifier": "x"})
        results: Any = await asyncio.gather(*calls, return_exceptions=True)
        assert [row["identifier"] for row in results[0]] == [NOVA]
        assert isinstance(results[1], ChannelFailed)
        assert results[1].text == 'Cannot find a model with the identifier "x".'
        assert await llm.call("unloadModel", {"identifier": NOVA}) is None


async def test_unknown_endpoint(server: FakeLMStudio) -> None:
    """The server only warns of what it does not know: nobody waits for an answer that never comes."""
    async with connected(server) as llm:
        with pytest.raises(SocketUnsupported, match="unknown endpoint"):
            await llm.call("somethingNew")
        with pytest.raises(SocketUnsupported, match="invalid parameters"):
            await llm.call("unloadModel", {"identifier": 7})
        assert await llm.call("listLoaded") == []


async def test_no_answer(server: FakeLMStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is not even warned about ends after a while, and the next one works."""
    server.fault("listLoaded", "hang")
    async with connected(server) as llm:
        monkeypatch.setattr(socket, "CALL", 0.02)
        with pytest.raises(SocketUnsupported, match="no answer"):
            await llm.call("listLoaded")
        monkeypatch.setattr(socket, "CALL", 10.0)
        assert await llm.call("listLoaded") == []


@pytest.mark.parametrize("fault", ["drop", "garbage"])
async def test_lost(server: FakeLMStudio, fault: str) -> None:
    """A connection that breaks, or that speaks no JSON, ends every call on it, now and later."""
    server.fault("listLoaded", fault)
    async with connected(server) as llm:
        with pytest.raises(SocketLost):
            await llm.call("listLoaded")
        assert not llm.alive
        with pytest.raises(SocketLost):
            await llm.call("listLoaded")
        await llm.flush()  # nothing will leave any more: nobody waits for it


async def test_refused(server: FakeLMStudio) -> None:
    """An unknown namespace, a server without sockets, a wrong token and a dead host are told apart."""
    with pytest.raises(SocketUnsupported, match="upgrade refused"):
        async with connected(server, "nothing"):
            raise AssertionError
    server.switches.token = TOKEN
    with pytest.raises(SocketRejected, match="Invalid"):
        async with connected(server):
            raise AssertionError
    async with connected(server, token=TOKEN) as llm:
        assert llm.alive
    await server.kill()
    with pytest.raises(SocketLost):
        async with connected(server):
            raise AssertionError


async def test_no_greeting(server: FakeLMStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never finishes the upgrade is given up."""
    monkeypatch.setattr(socket, "OPEN", 0.02)
    monkeypatch.setattr(socket, "CALL", 0.02)
    server.fault("/llm", "hang")
    with pytest.raises(SocketError):
        async with connected(server):
            raise AssertionError


async def test_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as both sides say that they live, a silent connection stays open."""
    monkeypatch.setattr(socket, "KEEPALIVE", 0.05)
    monkeypatch.setattr(socket, "SILENCE", 0.4)
    async with FakeLMStudio(switches=Switches(ws_dead_seconds=0.4)) as server:
        server.fault("listLoaded", "hang")
        async with connected(server) as llm:
            monkeypatch.setattr(socket, "CALL", 0.8)  # silence for twice as long as either side bears
            with pytest.raises(SocketUnsupported):
                await llm.call("listLoaded")
            assert llm.alive


async def test_silence(server: FakeLMStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that shows no sign of life is gone: F8, a connection that slept."""
    monkeypatch.setattr(socket, "SILENCE", 0.05)
    server.fault("listLoaded", "hang")
    async with connected(server) as llm:
        with pytest.raises(SocketLost):
            await llm.call("listLoaded")


async def test_channel(server: FakeLMStudio) -> None:
    """A channel gives its messages until the server closes it, and then nothing."""
    async with connected(server) as llm, llm.channel("getOrLoad", {"identifier": NOVA, **STACK}) as channel:
        kinds = [message["type"] async for message in channel]
        assert (kinds[0], kinds[-1]) == ("startLoading", "loadSuccess")
        assert channel.ended
        assert [m async for m in channel] == []
    assert server.count("warning_sent") == 0


async def test_channel_fails(server: FakeLMStudio) -> None:
    """A channel's error comes to its reader once; other channels go on."""
    async with connected(server) as llm:
        async with llm.channel("getOrLoad", {"identifier": "x", **STACK}) as channel:
            with pytest.raises(ChannelFailed, match='the path "x"'):
                await anext(channel)
            assert [m async for m in channel] == []
        assert await llm.call("listLoaded") == []


async def test_leaving_a_channel(server: FakeLMStudio) -> None:
    """Leaving before the end cancels, and what comes for a channel that is left goes nowhere."""
    server.host.models.append(FakeModel("a/b", hold_load=asyncio.Event()))
    async with connected(server) as llm:
        async with llm.channel("loadModel", {"modelKey": "a/b", **STACK}) as channel:
            assert (await anext(channel))["type"] == "resolved"
        await server.wait_for("load_cancelled")
        assert await llm.call("listLoaded") == []


async def test_cancelled_while_it_opens(server: FakeLMStudio) -> None:
    """Who is cancelled while a connection opens leaves no task behind."""
    server.fault("/llm", "hang")
    before = asyncio.all_tasks()

    async def connect() -> None:
        async with connected(server):
            raise AssertionError

    task = asyncio.create_task(connect())
    await server.wait_for("fault")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [t for t in asyncio.all_tasks() - before if t.get_name().startswith("lmstudio")] == []
