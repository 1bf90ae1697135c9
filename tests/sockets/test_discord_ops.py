"""Discord for whoever runs the bot: its health, and taking leave."""

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fakes.discord.server import FakeDiscord
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.sockets.discord_ops import discord_bot
from tests.sockets.program import PATIENCE, Program

NOVA = "acme/nova-8b"


async def healthy(bot: Program, status: int) -> dict[str, Any]:
    """What `/health` says, once it answers so."""
    line = await bot.shows("http server listens")
    address = line.partition("address='")[2].partition("'")[0]
    async with asyncio.timeout(PATIENCE), httpx2.AsyncClient() as client:
        while True:
            answer = await client.get(f"{address}/health")
            if answer.status_code == status:
                return dict(answer.json())
            await asyncio.sleep(0.1)  # as whoever watches a program looks again and again


async def test_health(tmp_path: Path) -> None:
    """Well while it is connected, ill while Discord is away, and well again when it is back."""
    async with (
        FakeDiscord() as discord,
        FakeLMStudio([FakeModel(NOVA)]) as lmstudio,
        discord_bot(tmp_path, discord, lmstudio.url, HTTP_PORT="0", SYNC_EVERY="1") as bot,
    ):
        well = await healthy(bot, 200)
        await discord.kill()
        ill = await healthy(bot, 503)
        await discord.start()
        again = await healthy(bot, 200)
    assert well["platforms"] == again["platforms"] == {"discord": {"ok": True}}
    assert ill["reasons"] == ["discord: not connected"]


async def test_health_of_two_shards(tmp_path: Path) -> None:
    """It is well once both are there: Discord lets one in at a time, and half of the servers are of the other one."""
    async with (
        FakeDiscord() as discord,
        FakeLMStudio([FakeModel(NOVA)]) as lmstudio,
        discord_bot(tmp_path, discord, lmstudio.url, HTTP_PORT="0", SYNC_EVERY="1", SHARDS="2") as bot,
    ):
        ill = await healthy(bot, 503)
        await healthy(bot, 200)
        assert len(discord.gateway.live()) == 2
    assert "discord: not connected" in ill["reasons"]


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
