"""The shipped program as a process of its own, spoken to over its pipes."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0  # seconds; only a broken program takes so long, also on a machine that does much else


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """A clean environment: nothing of the machine's own settings reaches the program."""
    kept = {
        k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "SYSTEMROOT", "TMPDIR", "PYTHONPATH"}
    }
    return {
        **kept,
        "DATA_DIR": str(data_dir),
        "EMBEDDED": "off",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "error",
        "LC_ALL": "C.UTF-8",
        **settings,
    }


class Program:
    """`python -m bot` in a pipe: a line in, a card out."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.progress: list[str] = []
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read_progress())

    async def say(self, text: str) -> str:
        """Send a line and wait for the card that answers it."""
        self.write(text)
        return await self.card()

    def write(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode() + b"\n")

    async def card(self) -> str:
        """The next final card: its lines up to an empty one."""
        assert self._process.stdout is not None
        lines: list[str] = []
        async with asyncio.timeout(PATIENCE):
            while line := (await self._process.stdout.readline()).decode():
                if line == "\n":
                    break
                lines.append(line.rstrip("\n"))
        return "\n".join(lines)

    async def shows(self, words: str) -> str:
        """Wait until a progress line holds these words."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [line for line in self.progress if words in line]
                if found:
                    return found[0]
                self._news.clear()
                await self._news.wait()

    async def end(self) -> int:
        """Close its input and wait for its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def exit_code(self) -> int:
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()

    async def _read_progress(self) -> None:
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            self.progress.append(line.decode().rstrip("\n"))
            self._news.set()

    async def aclose(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading


@contextlib.asynccontextmanager
async def program(data_dir: Path, **settings: str) -> AsyncIterator[Program]:
    """Start the program; it is ended, whatever happens."""
    async with program_in(ROOT, data_dir, settings) as running:
        yield running


@contextlib.asynccontextmanager
async def program_in(cwd: Path, data_dir: Path, settings: Mapping[str, str]) -> AsyncIterator[Program]:
    """Start the program in a folder whose `.env` it reads; it is ended, whatever happens."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), **environment(data_dir, **settings)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Program(process)
    try:
        yield running
    finally:
        await running.aclose()
