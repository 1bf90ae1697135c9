"""The doctor as a process of its own, and servers of other kinds for it to look at."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from tests.sockets.program import PATIENCE, ROOT, environment


class Report:
    """What the doctor said, in English, and its exit code."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text

    def has(self, mark: str, words: str) -> bool:
        """Whether a line begins with that mark and has those words in it."""
        return any(line.startswith(mark) and words in line for line in self.text.splitlines())


async def doctor(folder: Path, **settings: str) -> Report:
    """Where the folder has an `.env`, it is that of the program."""
    cwd = folder if await asyncio.to_thread((folder / ".env").exists) else ROOT
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "doctor",
        cwd=cwd,
        env={**environment(folder / "data", **{"LANGUAGE": "en", **settings}), "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(2 * PATIENCE):
        out, err = await process.communicate()
    assert err.decode() == ""
    assert process.returncode is not None
    for name, value in settings.items():
        if name.endswith(("TOKEN", "KEY")):
            assert value not in out.decode(), "a secret is shown"
    return Report(process.returncode, out.decode())


@contextlib.asynccontextmanager
async def site(app: web.Application) -> AsyncIterator[str]:
    """Some other server on this machine."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


async def host(folder: Path, url: str, **settings: str) -> Report:
    """What it says of one host."""
    return await doctor(folder, LMSTUDIO_URLS=url, **settings)
