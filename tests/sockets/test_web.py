"""The shipped program with its small HTTP server on."""

import socket
from pathlib import Path

import httpx2

from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.sockets.program import program


async def test_health_of_the_program(tmp_path: Path) -> None:
    """It is well while a host answers and ill when none does; its port is closed when it ends."""
    async with (
        FakeLMStudio([FakeModel("acme/nova-8b")]) as lmstudio,
        program(tmp_path, LMSTUDIO_URLS=lmstudio.url, PLATFORMS="console", HTTP_PORT="0") as bot,
        httpx2.AsyncClient() as client,
    ):
        line = await bot.shows("http server listens")
        address = line.partition("address='")[2].partition("'")[0]
        assert address.startswith("http://127.0.0.1:")
        await bot.say("/status")
        well = await client.get(f"{address}/health")
        await lmstudio.stop()
        await bot.say("/status")
        ill = await client.get(f"{address}/health")
        assert await bot.end() == 0
    assert (well.status_code, well.json()["platforms"]) == (200, {"console": {"ok": True}})
    assert (ill.status_code, ill.json()["reasons"]) == (503, ["hosts: none answers"])


async def test_a_taken_port(tmp_path: Path) -> None:
    """It does not start, and says which setting to change."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with program(tmp_path, HTTP_PORT=str(port), LANGUAGE="en") as bot:
            assert await bot.exit_code() == 1
            assert await bot.shows(f"The setting HTTP_PORT cannot be used: 127.0.0.1:{port} (")
