"""The cable between a program and a fake host carries, is cut, and lets WebSockets fall silent."""

import asyncio

import aiohttp
import pytest

from tests.fakes.cable import Cable
from tests.fakes.lmstudio.server import FakeLMStudio


async def test_it_carries_until_it_is_cut() -> None:
    """After the cut a new connection is turned away and counted, and an open one says nothing more."""
    async with FakeLMStudio() as server, Cable(server.port) as cable, aiohttp.ClientSession() as session:
        async with session.get(f"{cable.url}/lmstudio-greeting") as answer:
            assert await answer.json() == {"lmstudio": True}
        server.fault("/v1/models", "hang")
        waiting = asyncio.create_task(session.get(f"{cable.url}/v1/models"))
        await server.wait_for("fault")
        cable.cut()
        async with aiohttp.ClientSession() as other:
            with pytest.raises(aiohttp.ClientError):
                await other.get(f"{cable.url}/lmstudio-greeting")
        await cable.knocked(1)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_hushed_sockets_stay_open_and_http_goes_on() -> None:
    """A hushed WebSocket gets no answer any more; plain requests do."""
    async with FakeLMStudio() as server, Cable(server.port) as cable, aiohttp.ClientSession() as session:
        socket = await session.ws_connect(f"{cable.url}/system")
        await socket.send_json({"authVersion": 1, "clientIdentifier": "guest:1", "clientPasskey": "x"})
        assert (await socket.receive_json())["success"] is True
        cable.hush_sockets()
        await socket.send_json({"type": "keepAlive"})
        async with session.get(f"{cable.url}/lmstudio-greeting") as answer:
            assert answer.status == 200
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.05)
        assert not socket.closed
