"""The shipped program with its small HTTP server on."""

import socket
from pathlib import Path

import httpx2
from prometheus_client.parser import text_string_to_metric_families

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


async def test_metrics_of_the_program(tmp_path: Path) -> None:
    """An answer is counted where it was given; without the token nobody reads that."""
    nova = FakeModel("acme/nova-8b")
    async with (
        FakeLMStudio([nova], loaded=["acme/nova-8b"]) as lmstudio,
        program(
            tmp_path,
            LMSTUDIO_URLS=lmstudio.url,
            PLATFORMS="console",
            HTTP_PORT="0",
            METRICS_TOKEN="s3cret-token",
        ) as bot,
        httpx2.AsyncClient() as client,
    ):
        line = await bot.shows("http server listens")
        address = line.partition("address='")[2].partition("'")[0]
        await bot.say("oi")
        stranger = await client.get(f"{address}/metrics")
        page = await client.get(f"{address}/metrics", headers={"Authorization": "Bearer s3cret-token"})
        assert await bot.end() == 0
    assert (stranger.status_code, page.status_code) == (401, 200)
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }
    assert samples["orquestrador_answers_total", "acme/nova-8b", "done", "lmstudio"] == 1
    assert samples["orquestrador_delivery_wait_seconds_count", "console"] == 1
    assert samples["orquestrador_platform_up", "console"] == 1
    assert not any("s3cret-token" in line for line in bot.progress)


async def test_a_taken_port(tmp_path: Path) -> None:
    """It does not start, and says which setting to change."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with program(tmp_path, HTTP_PORT=str(port), LANGUAGE="en") as bot:
            assert await bot.exit_code() == 1
            assert await bot.shows(f"The setting HTTP_PORT cannot be used: 127.0.0.1:{port} (")
