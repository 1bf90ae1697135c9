"""The fake as a process of its own, steered line by line."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp

from tests.fakes.discord.server import TOKEN

ROOT = Path(__file__).resolve().parents[2]


async def test_process_serves_and_obeys() -> None:
    """The first line is where it is; then each order is answered by a line, wrong ones too."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.discord",
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert running.stdin is not None
    assert running.stdout is not None
    to, said = running.stdin, running.stdout

    async def do(what: str, **order: Any) -> Any:
        to.write(json.dumps({"do": what, **order}).encode() + b"\n")
        return json.loads(await said.readline())

    try:
        url, gateway = (await said.readline()).decode().split()
        assert gateway.startswith("ws://127.0.0.1:")
        person = (await do("person", name="Ana"))["ok"]
        chat = (await do("private", person=person))["ok"]
        assert "ok" in await do("send", channel=chat, person=person, text="oi")
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bot {TOKEN}"}) as session,
            session.post(f"{url}/channels/{chat}/messages", json={"content": "olá"}) as answer,
        ):
            assert answer.status == 200
        assert (await do("wait", channel=chat, text="olá"))["ok"]["by_bot"]
        assert (await do("violations"))["ok"] == []
        assert "unknown order" in (await do("nonsense"))["error"]
    finally:
        running.kill()
        await running.wait()
