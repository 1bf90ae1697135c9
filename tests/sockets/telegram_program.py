"""The shipped program on Telegram: a process of its own between a Bot API server and an LM Studio, both ours."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.fakes.telegram.server import Chat, FakeTelegram, Message, Person
from tests.sockets.program import PATIENCE, ROOT, environment

NONE: Mapping[str, str] = {}
# Who may what has tests of its own: in all others people may everything.
EVERYBODY = ",".join(f"telegram:{number}" for number in range(1, 300))


class Running:
    """`python -m bot` with a token; everything it prints is kept."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.output: list[str] = []
        self._news = asyncio.Event()
        self._readers = [
            asyncio.create_task(self._read(stream)) for stream in (process.stdout, process.stderr) if stream
        ]

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            self.output.append(line.decode(errors="replace").rstrip("\n"))
            self._news.set()
        asyncio.get_running_loop().call_soon(self._news.set)  # once this reader is done

    async def says(self, words: str) -> str:
        """Wait until a line of the log holds these words."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    self._news.clear()
                    found = [line for line in self.output if words in line]
                    if found:
                        return found[0]
                    assert not all(r.done() for r in self._readers), "\n".join(["it ended:", *self.output])
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError("\n".join([f"no {words!r} in:", *self.output])) from None

    async def write(self, line: str) -> None:
        """To its standard input, where the console listens."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    async def kill(self) -> None:
        """As a crash does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.exit_code()

    async def terminate(self) -> int:
        """As a service manager does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.exit_code()

    async def exit_code(self) -> int:
        async with asyncio.timeout(PATIENCE):
            code = await self.process.wait()
            await asyncio.gather(*self._readers)
        return code


@contextlib.asynccontextmanager
async def telegram_bot(
    data_dir: Path,
    telegram: FakeTelegram,
    lmstudio: str,
    settings: Mapping[str, str] = NONE,
    *,
    ready: bool = True,
) -> AsyncIterator[Running]:
    """Start the program; the token is in nothing it printed, and nothing it called was unknown."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        cwd=ROOT,
        env=environment(
            data_dir,
            **{
                "PLATFORMS": "telegram",
                "TELEGRAM_BOT_TOKEN": telegram.token,
                "TELEGRAM_API_ROOT": telegram.url,
                "LMSTUDIO_URLS": lmstudio,
                "LOG_LEVEL": "DEBUG",
                "ADMINS": EVERYBODY,
                **settings,
            },
        ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Running(process)
    try:
        if ready:
            await running.says("telegram is ready")
        yield running
    except BaseException:
        sys.stderr.write("\n".join(running.output[-60:]) + os.linesep)
        raise
    finally:
        await running.kill()
    assert [line for line in running.output if telegram.token in line] == []
    assert telegram.violations == []


@dataclass
class World:
    """A bot that runs, and Ana, who speaks Portuguese, in her private chat with it."""

    telegram: FakeTelegram
    lmstudio: FakeLMStudio
    bot: Running
    ana: Person
    chat: Chat
    again: Callable[[], AbstractAsyncContextManager[Running]]
    stack: contextlib.AsyncExitStack

    async def restart(self, *, dead: Callable[[], Awaitable[object]] | None = None) -> None:
        """A kill -9, and the program again with the same data; `dead` runs in between."""
        await self.bot.kill()
        if dead is not None:
            await dead()
        self.bot = await self.stack.enter_async_context(self.again())

    async def says(self, words: str, chat: Chat | None = None, **where: int) -> Message:
        """Wait until the bot has said these words."""
        return await (chat or self.chat).wait_for(
            lambda m: m.by_bot and words in m.text and all(getattr(m, k) == v for k, v in where.items()),
            timeout=PATIENCE,
        )

    async def ask(self, text: str, words: str) -> Message:
        """Ana writes, and the bot says these words."""
        await self.chat.send(self.ana, text)
        return await self.says(words)


@contextlib.asynccontextmanager
async def world(
    data_dir: Path, models: list[FakeModel], *loaded: str, **settings: str
) -> AsyncIterator[World]:
    """Everything that there is."""
    async with FakeTelegram() as telegram, FakeLMStudio(models, loaded=loaded) as lmstudio:
        ana = telegram.person(42, "Ana", language_code="pt-br")
        chat = telegram.private(ana)

        def start() -> AbstractAsyncContextManager[Running]:
            return telegram_bot(data_dir, telegram, lmstudio.url, settings)

        async with contextlib.AsyncExitStack() as stack:
            bot = await stack.enter_async_context(start())
            yield World(telegram, lmstudio, bot, ana, chat, start, stack)
