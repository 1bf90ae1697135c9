"""The words of a file, as a block of the prompt. A PDF is read by a process of its own (see `child`)."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path, PurePath

import structlog

from bot.clean import clean
from bot.documents.kinds import LIMITS, Kind

log = structlog.get_logger(__name__)

LONGEST = LIMITS[Kind.TEXT]  # characters that a PDF may hold
PROGRAM = (sys.executable, "-P", str(Path(__file__).with_name("child.py")), str(LONGEST))
INHERITED = ("PATH", "PYTHONPATH", "SYSTEMROOT", "TEMP", "TMPDIR", "LD_LIBRARY_PATH")  # no key, no token
PATIENCE = 30.0  # seconds for one PDF
AT_ONCE = 2  # PDFs; the others wait
_FENCE = re.compile(r"^\s*(`{3,})", re.MULTILINE)


class Reason(Enum):
    """Why nothing can be made of a file."""

    TOO_LARGE = "too_large"  # more bytes than its kind may have
    TOO_LONG = "too_long"  # more words than a question may hold
    NOT_TEXT = "not_text"
    ENCRYPTED = "encrypted"
    BROKEN = "broken"
    NO_WORDS = "no_words"  # pictures of pages
    TOO_SLOW = "too_slow"


class Unreadable(Exception):
    """Nothing can be made of the file `name`; `limit` in bytes or characters, where it is too large."""

    def __init__(self, reason: Reason, name: str, limit: int = 0) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.name = name
        self.limit = limit


class Documents:
    """Reads files, few PDFs at a time. `patience` in seconds for each of them; `program` reads it."""

    def __init__(self, *, patience: float = PATIENCE, program: Sequence[str] = PROGRAM) -> None:
        self._patience = patience
        self._program = program
        self._room = asyncio.Semaphore(AT_ONCE)

    async def words(self, name: str, kind: Kind, data: bytes) -> str:
        """The file as a block for the prompt. Raises Unreadable."""
        if len(data) > LIMITS[kind]:
            raise Unreadable(Reason.TOO_LARGE, name, LIMITS[kind])
        if kind is not Kind.PDF:
            content = decoded(data)
            if content is None:
                raise Unreadable(Reason.NOT_TEXT, name)
            return quoted(name, content)
        async with self._room:
            return quoted(name, await self._pdf(name, data), language="")

    async def _pdf(self, name: str, data: bytes) -> str:
        process = await asyncio.create_subprocess_exec(
            *self._program,
            env={name: os.environ[name] for name in INHERITED if name in os.environ},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(self._patience):
                told, _ = await process.communicate(data)
        except TimeoutError:
            raise Unreadable(Reason.TOO_SLOW, name) from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        return _content(name, told, process.returncode)


def _content(name: str, told: bytes, code: int | None) -> str:
    """What the child told; one that died (of memory, of its time) has found a broken file."""
    try:
        answer = json.loads(told)
        reason = Reason(answer["reason"]) if answer["reason"] else None
        words = str(answer["words"])
    except (ValueError, KeyError, TypeError):
        log.warning("pdf not read", exit_code=code)
        raise Unreadable(Reason.BROKEN, name) from None
    if reason is not None:
        raise Unreadable(reason, name, LONGEST)
    return clean(words)


def decoded(data: bytes) -> str | None:
    """The text of a file; `None` if it is none. What is no UTF-8 is read as Windows writes it."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def quoted(name: str, content: str, language: str | None = None) -> str:
    """A file as a fenced block under its name; no fence inside closes it."""
    longest = max((len(fence) for fence in _FENCE.findall(content)), default=2)
    fence = "`" * max(3, longest + 1)
    if language is None:
        end = PurePath(name).suffix.removeprefix(".")
        language = end if end.isascii() and end.isalnum() else ""
    return f"{name}:\n{fence}{language}\n{content.rstrip()}\n{fence}"
