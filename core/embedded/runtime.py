"""Starts, watches and ends the child process that holds one model, and turns its end into clear words."""

import asyncio
import json
import os
import re
import secrets
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.embedded.runner import LoadError
from core.model import FailureKind

OnProgress = Callable[[float], None]

_ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-P", "-m", "core.embedded.child")
_MOST_THREADS = 4
_ILLEGAL_INSTRUCTION = (-4, 132, 0xC000001D)  # SIGILL; through a shell; on Windows
_KILLED = (-9, 137)
_CAUSE = re.compile(r"error loading model:\s*(.+)")
_LAST_LINES = 30

UNLOADED = "Model is unloaded."
NO_RUNTIME = "No LM Runtime found for model format 'gguf'!"
NO_ROOM = "Model loading was stopped due to insufficient system resources."


@dataclass(frozen=True, slots=True)
class Order:
    """What the child needs to know.

    `context` in tokens for each of `parallel` chats, more of them wait in llama.cpp's own queue;
    `sha256` only where it is known.
    """

    paths: tuple[Path, ...]
    context: int
    parallel: int = 1
    sha256: str | None = None

    def line(self, key: str) -> bytes:
        """One line of JSON, as `child.py` reads it."""
        cores = cores_here()
        order = {
            "paths": [str(p) for p in self.paths],
            "context": self.context,
            "sha256": self.sha256,
            "parallel": self.parallel,
            # one core stays free for the bot; more than four gain little and hurt everything else
            "threads": max(1, min(_MOST_THREADS, cores - 1)),
            "batch_threads": cores,
            "key": key,
        }
        return json.dumps(order).encode() + b"\n"


def cores_here() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only; knows of containers
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@dataclass
class Process:
    """A child that is ready. `url` and `key` open its HTTP; `exited` says why it ended."""

    process: asyncio.subprocess.Process
    url: str
    key: str
    exited: asyncio.Future[str]
    _watcher: asyncio.Task[None]

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self.process.pid

    async def end(self) -> None:
        """Kill it: there is nothing to save, and the memory is free when this returns."""
        if not self.exited.done():
            self.exited.set_result(UNLOADED)  # those who read an answer need not wait for the news
        self._watcher.cancel()
        with suppress(asyncio.CancelledError):
            await self._watcher
        await _kill(self.process)


async def start(order: Order, on_progress: OnProgress, program: Sequence[str] = PROGRAM) -> Process:
    """Start a child and load the model in it; `on_progress` gets rising fractions 0..1.

    Raises `LoadError`. Cancelling kills the child.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *program,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )
    except OSError as error:
        raise LoadError(FailureKind.NO_RUNTIME, f"{NO_RUNTIME} {error.strerror}") from error
    key = secrets.token_urlsafe(24)
    last_lines: deque[str] = deque(maxlen=_LAST_LINES)
    drain = asyncio.create_task(_drain(process, last_lines))
    try:
        url = await _ready(process, order.line(key), on_progress, last_lines, drain)
    except BaseException:
        drain.cancel()
        await _kill(process)
        raise
    exited: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    watcher = asyncio.create_task(_watch(process, drain, exited))
    return Process(process, url, key, exited, watcher)


def _environment() -> dict[str, str]:
    paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p for p in paths if p),
        "OMP_WAIT_POLICY": "passive",  # spinning threads take the core that the bot needs
    }


async def _ready(
    process: asyncio.subprocess.Process,
    order: bytes,
    on_progress: OnProgress,
    last_lines: deque[str],
    drain: asyncio.Task[None],
) -> str:
    """Follow the child's reports until it is ready; return the address it listens on."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(ConnectionError):  # it died already: its exit code says more
        process.stdin.write(order)
        await process.stdin.drain()
    on_progress(0.0)
    async for line in process.stdout:
        match json.loads(line):
            case {"type": "progress", "value": float(value)}:
                on_progress(value)
            case {"type": "ready", "url": str(url)}:
                on_progress(1.0)
                return url
            case {"type": "error", "kind": str(kind), "text": str(text)}:
                await drain
                raise _told(kind, text, last_lines)
    code = await process.wait()
    raise by_exit(code)


async def _drain(process: asyncio.subprocess.Process, last_lines: deque[str]) -> None:
    """Keep the pipe empty; the last lines say why a load failed."""
    assert process.stderr is not None
    async for line in process.stderr:
        last_lines.append(line.decode(errors="replace").strip())


async def _watch(
    process: asyncio.subprocess.Process, drain: asyncio.Task[None], exited: asyncio.Future[str]
) -> None:
    try:
        code = await process.wait()
    finally:
        drain.cancel()
    if not exited.done():
        exited.set_result(crash_text(code))


async def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    if process.stdin is not None:
        process.stdin.close()
        with suppress(ConnectionError):
            await process.stdin.wait_closed()
    await process.wait()


def crash_text(code: int | None) -> str:
    """LM Studio's own words for an engine that died."""
    return f"The model has crashed without additional information. (Exit code: {code})"


def by_exit(code: int) -> LoadError:
    """What an exit code means when the child died without a word."""
    if code in _ILLEGAL_INSTRUCTION:
        text = f"{NO_RUNTIME} This processor lacks AVX2, which the runtime needs. (Exit code: {code})"
        return LoadError(FailureKind.NO_RUNTIME, text)
    if code in _KILLED:
        text = f"{NO_ROOM} The engine was killed, most likely because memory ran out. (Exit code: {code})"
        return LoadError(FailureKind.NEEDS_ROOM, text)
    return LoadError(FailureKind.CRASHED, crash_text(code))


def _told(kind: str, text: str, last_lines: Sequence[str]) -> LoadError:
    """What the child said itself, with llama.cpp's reason where it left one."""
    match kind:
        case "import":
            advice = " Install it (Debian, Ubuntu: apt-get install libgomp1)." if "libgomp" in text else ""
            return LoadError(FailureKind.NO_RUNTIME, f"{NO_RUNTIME} {text}.{advice}")
        case "file" | "hash":
            return LoadError(FailureKind.NOT_INSTALLED, f"Model file damaged: {text}")
        case _:
            lines = "\n".join(last_lines)
            if re.search(r"(?i)out of memory|failed to allocate|unable to allocate", lines + text):
                return LoadError(FailureKind.NEEDS_ROOM, f"{NO_ROOM} llama.cpp could not get the memory.")
            cause = _CAUSE.search(lines)
            return LoadError(FailureKind.UNKNOWN, f"Error loading model. {cause[1] if cause else text}")


Starter = Callable[[Order, OnProgress], Awaitable[Process]]
