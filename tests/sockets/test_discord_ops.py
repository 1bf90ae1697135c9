"""Discord for whoever runs the bot: its health, and taking leave."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import httpx2
import pytest

from tests.fakes.discord.server import FakeDiscord
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.sockets.discord_ops import discord_bot
from tests.sockets.program import PATIENCE

NOVA = "acme/nova-8b"


async def test_health(tmp_path: Path) -> None:
    """Well while it is connected, ill while Discord is away, and well again when it is back."""
    async with (
        FakeDiscord() as discord,
        FakeLMStudio([FakeModel(NOVA)]) as lmstudio,
        discord_bot(tmp_path, discord, lmstudio.url, HTTP_PORT="0", SYNC_EVERY="1") as bot,
        httpx2.AsyncClient() as client,
    ):
        line = await bot.shows("http server listens")
        address = line.partition("address='")[2].partition("'")[0]

        async def until(status: int) -> dict[str, object]:
            async with asyncio.timeout(PATIENCE):
                while True:
                    answer = await client.get(f"{address}/health")
                    if answer.status_code == status:
                        return dict(answer.json())
                    await asyncio.sleep(0.1)  # as whoever watches a program looks again and again

        well = await until(200)
        await discord.kill()
        ill = await until(503)
        await discord.start()
        again = await until(200)
    assert well["platforms"] == again["platforms"] == {"discord": {"ok": True}}
    assert ill["reasons"] == ["discord: not connected"]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")
async def test_leaving(tmp_path: Path) -> None:
    """A long answer is marked where it stands, with a button; the program is gone within ten seconds."""
    nova = FakeModel(NOVA, reply=" ".join(f"p{n}" for n in range(3000)), token_delay=0.02)
    async with FakeDiscord() as discord, FakeLMStudio([nova], loaded=[NOVA]) as lmstudio:
        ana = discord.person("Ana")
        chat = discord.private(ana)
        async with discord_bot(tmp_path, discord, lmstudio.url) as bot:
            await chat.send(ana, "conte")
            await chat.says("p0 p1", timeout=PATIENCE)
            began = time.monotonic()
            bot.signal(signal.SIGTERM)
            assert await bot.exit_code() == 0
            assert time.monotonic() - began < 10
        cut = await chat.says("Estou sendo reiniciado, e isto ficou pela metade.")
    assert "p0 p1" in chat.answers[0].text
    assert cut.labels == ["🔁 Refazer"]
