"""A thousand chats ask one sleeping model at once: `python -m pytest -m bench -s tests/bench/test_crowd.py`.

Printed, not asserted: seconds, CPU and memory of the bot beside those of the same with ten chats. The fake LM
Studio runs in a process of its own, so that the figures are the bot's.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from bot.assistant import Assistant
from bot.cards import Card, Reply
from bot.surface import Incoming
from core.conversation import ChatRef
from core.engine import open_engine
from core.settings import Settings
from tests.sockets.program import ROOT

MODEL = {"key": "acme/nova-8b", "load_seconds": 2.0, "progress_steps": 100, "reply": "um dois três quatro"}


@asynccontextmanager
async def lm_studio(tmp_path: Path) -> AsyncIterator[tuple[str, list[str]]]:
    """The fake as a process: its address, and the kinds of what it logs."""
    tmp_path.mkdir()  # noqa: ASYNC240  # before anything is measured
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"models": [MODEL]}))
    command = [sys.executable, "-m", "tests.fakes.lmstudio", "--script", str(script)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    kinds: list[str] = []
    reading = asyncio.create_task(_read(process.stdout, kinds))
    try:
        yield url, kinds
    finally:
        process.kill()
        await process.wait()
        await reading


async def _read(stream: asyncio.StreamReader, kinds: list[str]) -> None:
    while line := await stream.readline():
        kinds.append(json.loads(line)["kind"])


async def _ask(assistant: Assistant, chat: int) -> tuple[int, Card | None]:
    last, count = None, 0
    async for card in assistant.respond(
        Incoming(ChatRef("bench", str(chat)), str(chat), f"pergunta {chat}", local=True)
    ):
        last, count = card, count + 1
    return count, last


async def _crowd(tmp_path: Path, chats: int) -> dict[str, float]:
    async with lm_studio(tmp_path) as (url, kinds):
        settings = Settings(_env_file=None, data_dir=tmp_path / "data", lmstudio_urls=(url,), embedded="off")
        async with open_engine(settings) as engine:
            engine.start()
            await engine.catalog.settled.wait()
            assistant = Assistant(engine)
            process = psutil.Process(os.getpid())
            memory, cpu, began = process.memory_info().rss, time.process_time(), time.perf_counter()
            results = await asyncio.gather(*(_ask(assistant, n) for n in range(chats)))
            return {
                "seconds": time.perf_counter() - began,
                "cpu": time.process_time() - cpu,
                "megabytes": (process.memory_info().rss - memory) / 1e6,
                "cards": sum(count for count, _ in results),
                "answered": sum(isinstance(card, Reply) and card.done for _, card in results),
                "loads": kinds.count("load_started"),
            }


@pytest.mark.bench
@pytest.mark.timeout(300)
async def test_a_thousand_chats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One load, everybody answered; what that costs is printed."""
    few = await _crowd(tmp_path / "few", 10)
    many = await _crowd(tmp_path / "many", 1000)
    with capsys.disabled():
        for name, figures in (("10 chats", few), ("1000 chats", many)):
            print(f"\n{name}: " + ", ".join(f"{k} {v:.2f}" for k, v in figures.items()))
        print(f"CPU per answer, 1000 to 10: {many['cpu'] / 1000 / (few['cpu'] / 10):.2f} x")
    assert (many["answered"], many["loads"]) == (1000, 1)
