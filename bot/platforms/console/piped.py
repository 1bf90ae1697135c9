"""The console without a terminal: a message a line in, every final card as plain text out."""

import asyncio
import errno
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TextIO

from bot.cards import Card, Progress, Secret, is_error, plain
from bot.clean import clean
from bot.platforms.console.clean import SafeFile
from bot.platforms.console.press import secret_command
from bot.platforms.console.steps import Steps
from bot.showing import show
from bot.surface import Incoming, Limits, Post, Responder

EDIT_EVERY = 0.08
CHUNK = 65536
AHEAD = 64  # lines that may be read before they are asked for


class PipedSurface:
    """Progress goes to standard error as it comes; the final card waits for `end`."""

    limits = Limits(EDIT_EVERY)

    def __init__(self, stdout: TextIO, stderr: TextIO) -> None:
        self._out = SafeFile(stdout)
        self._err = SafeFile(stderr)
        self._steps = Steps()

    async def busy(self) -> None:
        """A pipe has no way to show it."""

    async def post(self, card: Card) -> Post:
        """Tell a step; anything else is only on the way to the final card."""
        if isinstance(card, Progress) and (line := self._steps.line(card)) is not None:
            self._err.write(line + "\n")
            self._err.flush()
        return Post("pipe")

    async def edit(self, post: Post, card: Card) -> Post:
        """As `post`: what is in a pipe cannot be changed."""
        await self.post(card)
        return post

    def end(self, card: Card) -> None:
        """Print the final card."""
        self._steps = Steps()
        self._out.write(clean(plain(card)) + "\n\n")
        self._out.flush()


class PipedTalk:
    """Reads, answers, prints, until the input ends or nobody reads the output any more."""

    def __init__(self, responder: Responder, stdin: TextIO, stdout: TextIO, surface: PipedSurface) -> None:
        self._responder = responder
        self._stdin = stdin
        self._stdout = stdout
        self._surface = surface
        self.failed = False

    async def run(self, said: Callable[[str], Incoming]) -> None:
        """Answer every line."""
        try:
            async with aclosing(lines(self._stdin)) as source:
                await self._answer_all(source, said)
        except OSError as problem:
            if not is_broken_pipe(problem):
                raise
            hush(self._stdout)

    async def _answer_all(self, source: AsyncIterator[str], said: Callable[[str], Incoming]) -> None:
        """A line after a question for a secret answers it: a key must not reach a model as a message."""
        question: Secret | None = None
        async for line in source:
            text = line.strip()
            if not text:
                continue
            if question is not None and not text.startswith("/"):
                text = secret_command(question, text)
            last = await show(self._responder.respond(said(text)), self._surface)
            question = last if isinstance(last, Secret) else None
            if last is not None:
                self.failed |= is_error(last)
                self._surface.end(last)


async def lines(stream: TextIO) -> AsyncGenerator[str, None]:
    """The lines of a stream, without blocking the loop and free to be cancelled.

    A daemon thread reads, because neither a regular file nor a Windows pipe can be waited for
    in the loop. It reads the bare descriptor: at exit the interpreter closes `sys.stdin`, which
    would die on the lock of a buffer that a thread still reads from.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Queue[bytes | None] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)

    def put(line: bytes | None) -> None:
        room.acquire()
        loop.call_soon_threadsafe(found.put_nowait, line)

    def read() -> None:
        try:
            _split(_reader(stream), put)
        except RuntimeError:  # the loop is closed: nobody listens any more
            return

    threading.Thread(target=read, name="console-stdin", daemon=True).start()
    encoding = "utf-8-sig"  # a byte order mark may stand at the very beginning
    while (line := await found.get()) is not None:
        room.release()
        yield line.decode(encoding, "replace")
        encoding = "utf-8"


def _split(read: Callable[[], bytes], put: Callable[[bytes | None], None]) -> None:
    begun: list[bytes] = []
    while chunk := read():
        first, *rest = chunk.split(b"\n")
        begun.append(first)
        for piece in rest:
            put(b"".join(begun))
            begun = [piece]
    put(b"".join(begun))
    put(None)


def _reader(stream: TextIO) -> Callable[[], bytes]:
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, AttributeError):  # a stream in memory
        return lambda: stream.readline().encode("utf-8", "replace")

    def read() -> bytes:
        try:
            return os.read(descriptor, CHUNK)
        except OSError:  # the other side is gone
            return b""

    return read


def is_broken_pipe(problem: OSError) -> bool:
    """Whether nobody reads any more (Windows says EINVAL)."""
    return problem.errno in {errno.EPIPE, errno.EINVAL, errno.ESHUTDOWN}


def hush(stdout: TextIO) -> None:
    """Send what is still buffered nowhere, or the interpreter would complain when it flushes at exit."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # not a real file: nothing is flushed at exit
        return
