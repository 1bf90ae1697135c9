"""SIGHUP: settings are read again while the program talks."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.sockets.program import program_in

NOVA = "acme/nova-8b"


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
async def test_hang_up(tmp_path: Path) -> None:
    """The log level changes at once, a mistake changes nothing, and the conversation goes on."""
    env = tmp_path / ".env"
    await asyncio.to_thread(env.write_text, "LOG_LEVEL=WARNING\n")
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as lmstudio:
        settings = {"LMSTUDIO_URLS": lmstudio.url, "PLATFORMS": "console"}
        async with program_in(tmp_path, tmp_path / "data", settings) as bot:
            await bot.say("the number is seven")
            await asyncio.to_thread(env.write_text, "LOG_LEVEL=INFO\nSYNC_EVERY=30\n")
            bot.signal(signal.SIGHUP)
            line = await bot.shows("settings read again")
            await asyncio.to_thread(env.write_text, "LOG_LEVEL=LOUD\n")
            bot.signal(signal.SIGHUP)
            mistake = await bot.shows("settings not taken")
            await bot.say("which number?")
            assert await bot.end() == 0
        asked = [m["content"] for m in lmstudio.bodies[-1]["messages"]]
    assert "taken=('LOG_LEVEL',)" in line
    assert "restart=('SYNC_EVERY',)" in line
    assert "LOG_LEVEL" in mistake
    assert (asked[0], asked[-1]) == ("the number is seven", "which number?")
