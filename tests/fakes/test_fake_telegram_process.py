"""The fake as a process of its own, steered line by line."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.fakes.telegram.server import TOKEN

ROOT = Path(__file__).resolve().parents[2]


class Process:
    def __init__(self, running: asyncio.subprocess.Process) -> None:
        assert running.stdin is not None
        assert running.stdout is not None
        self.running = running
        self._input = running.stdin
        self._output = running.stdout

    async def line(self) -> str:
        return (await self._output.readline()).decode().strip()

    async def do(self, name: str, **order: Any) -> Any:
        self._input.write(json.dumps({"do": name, **order}).encode() + b"\n")
        return json.loads(await self.line())


@asynccontextmanager
async def _running() -> AsyncIterator[Process]:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.telegram", "--port", "0",
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Process(running)
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def test_process_serves_and_obeys() -> None:
    """The first line is its URL; then each order is answered by a line, wrong ones too."""
    async with _running() as process, aiohttp.ClientSession() as session:
        url = f"{await process.line()}/bot{TOKEN}"
        assert await process.do("person", id=1, language_code="pt-br") == {"ok": 1}
        assert await process.do("private", person=1) == {"ok": 1}
        sent = await process.do("send", chat=1, person=1, text="hello")
        async with session.get(f"{url}/getUpdates") as answer:
            assert (await answer.json())["result"][0]["message"]["text"] == "hello"
        keys = json.dumps({"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]})
        async with session.post(
            f"{url}/sendMessage", data={"chat_id": "1", "text": "hi there", "reply_markup": keys}
        ) as answer:
            assert answer.status == 200
        seen = await process.do("wait", chat=1, text="there")
        pressed = await process.do("press", chat=1, message=seen["ok"]["id"], person=1, button="Go")
        calls = await process.do("calls")
        wrong = [await process.do(name) for name in ("dance", "send")]
        missing = await process.do("messages", chat=5)
        assert await process.do("violations") == {"ok": []}
    assert sent == {"ok": 1}
    assert (seen["ok"]["text"], seen["ok"]["buttons"]) == ("hi there", [["Go"]])
    assert "ok" in pressed
    assert [call["method"] for call in calls["ok"]] == ["getUpdates", "sendMessage"]
    assert all("error" in answer for answer in (*wrong, missing))
