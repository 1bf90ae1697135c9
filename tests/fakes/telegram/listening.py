"""A web server on 127.0.0.1 that can go away and come back on the same port."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

_LARGEST_BODY = 64 * 1024 * 1024
_LET_GO_SECONDS = 0.01  # aiohttp takes zero for "as long as it takes"


class Listener:
    def __init__(self, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], port: int) -> None:
        self.port = port
        self._answer = answer
        self._runner: web.ServerRunner | None = None

    async def start(self) -> bool:
        """Listen; false if it already did."""
        if self._runner is not None:
            return False
        manager = web.Server(
            self._answer, request_factory=_request, handler_cancellation=True, access_log=None
        )
        runner = web.ServerRunner(manager, shutdown_timeout=_LET_GO_SECONDS)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.port = int(runner.addresses[0][1])
        self._runner = runner
        return True

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def kill(self) -> None:
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for site in list(runner.sites):
            await site.stop()
        for connection in runner.server.connections if runner.server is not None else ():
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: "asyncio.Task[None]",
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_LARGEST_BODY)
