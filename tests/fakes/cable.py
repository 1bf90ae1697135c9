"""The network between the program and a fake host: a TCP proxy that a test can cut or let fall silent."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self


class _Line:
    """One connection through the cable."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.socket = False
        self.open = asyncio.Event()
        self.open.set()


class Cable:
    """`async with Cable(server.port) as cable: … cable.url …`."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._dead = False
        self._news = asyncio.Event()
        self.knocks = 0
        """Connections that were refused since the cut."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """The host is gone: what is open stays open in silence, whoever knocks is turned away."""
        self._dead = True
        for line in self._lines:
            line.open.clear()

    def hush_sockets(self) -> None:
        """WebSockets that are open carry nothing any more, and nobody is told; all else goes on."""
        for line in self._lines:
            if line.socket:
                line.open.clear()

    async def knocked(self, n: int) -> None:
        """Return once `n` connections were turned away."""
        async with asyncio.timeout(10):
            while self.knocks < n:
                self._news.clear()
                await self._news.wait()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._dead:
            self.knocks += 1
            self._news.set()
            writer.transport.abort()
            return
        with suppress(ConnectionError, asyncio.CancelledError):
            await self._carry(reader, writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        line = _Line(writer)
        self._lines.add(line)
        ways = [
            asyncio.create_task(self._pump(line, reader, far_writer)),
            asyncio.create_task(self._pump(line, far_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._lines.discard(line)
            writer.transport.abort()
            far_writer.transport.abort() if self._dead else far_writer.close()

    @staticmethod
    async def _pump(line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            line.socket = line.socket or b"upgrade: websocket" in data.lower()
            await line.open.wait()
            writer.write(data)
            await writer.drain()
