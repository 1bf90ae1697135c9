"""The fake LM Studio itself: starts, stops, dies, and shows a test what happened."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from tests.fakes.lmstudio.catalog import FakeModel, Json, default_models
from tests.fakes.lmstudio.clock import Clock, RealClock
from tests.fakes.lmstudio.exchange import Core, Exchange
from tests.fakes.lmstudio.faults import Fault, Faults
from tests.fakes.lmstudio.instances import Instance
from tests.fakes.lmstudio.journal import Journal, Record
from tests.fakes.lmstudio.routes import dispatch
from tests.fakes.lmstudio.state import Host
from tests.fakes.lmstudio.switches import Switches

__all__ = ["FakeLMStudio", "FakeModel", "Record", "Switches"]

LARGEST_BODY = 64 * 1024 * 1024


class FakeLMStudio:
    """An LM Studio on 127.0.0.1. `async with FakeLMStudio() as server: … server.url …`."""

    def __init__(
        self,
        models: Sequence[FakeModel] | None = None,
        *,
        switches: Switches | None = None,
        loaded: Sequence[str] = (),
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self.switches = switches or Switches()
        self.journal = Journal()
        self.time: Clock = clock or RealClock()
        self.host = Host(
            default_models() if models is None else models, self.switches, self.journal, self.time
        )
        self.faults = Faults()
        self.port = port
        self._core = Core(self.host, self.switches, self.journal, self.faults, self.go_down)
        self._preload = list(loaded)
        self._runner: web.ServerRunner | None = None
        self._later: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in list(self._later):
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        await self.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen: on any free port the first time, on the same one ever after."""
        if self._runner is not None:
            return
        for key in self._preload:
            self.preload(key)
        self._preload = []
        manager = web.Server(
            self._answer,
            request_factory=_request,
            handler_cancellation=True,
            keepalive_timeout=self.switches.keep_alive_seconds,
            access_log=None,
        )
        runner = web.ServerRunner(manager, shutdown_timeout=0.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = int(runner.addresses[0][1])
        self._runner = runner

    async def stop(self) -> None:
        """Stop serving; what is loaded stays loaded, as after `lms server stop`."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await self._core.close_sockets()
            await runner.cleanup()

    async def kill(self) -> None:
        """The host dies: connections are reset, loads and instances are gone."""
        runner, self._runner = self._runner, None
        ending = self.host.clear()
        if runner is not None:
            for site in list(runner.sites):
                await site.stop()
            self._reset(runner)
            await runner.cleanup()
        await asyncio.gather(*ending, return_exceptions=True)

    def cut(self) -> None:
        """Every connection is reset; the host lives on, and so does what it was doing."""
        if self._runner is not None:
            self._reset(self._runner)

    @staticmethod
    def _reset(runner: web.ServerRunner) -> None:
        for connection in runner.server.connections if runner.server is not None else ():
            if connection.transport is not None:
                connection.transport.abort()

    # ------------------------------------------------------------ what a test does

    def fault(
        self, target: str, kind: str, times: int | None = 1, after: int = 0, *, text: str = "Internal error"
    ) -> Fault:
        """Let requests to a path or WebSocket endpoint go wrong: see `faults.KINDS`."""
        return self.faults.add(target, kind, times=times, after=after, text=text)

    def preload(
        self, key: str, *, identifier: str | None = None, context_length: int | None = None
    ) -> Instance:
        """Have a model in memory already, as if loaded by hand."""
        return self.host.preload(key, identifier=identifier, context_length=context_length)

    def model(self, key: str) -> FakeModel:
        found = self.host.model(key)
        if found is None:
            raise KeyError(key)
        return found

    # ------------------------------------------------------------ what a test sees

    @property
    def log(self) -> list[Record]:
        return self.journal.records

    @property
    def bodies(self) -> list[Json]:
        """The bodies of all chat requests, as they came."""
        return self._core.bodies

    def count(self, kind: str, **fields: str) -> int:
        return len(self.journal.matching(kind, **fields))

    async def wait_for(self, kind: str, n: int = 1, *, timeout: float = 5.0, **fields: str) -> list[Record]:
        """Return the records of a kind once there are `n` of them, counted from the start."""
        return await self.journal.wait_for(kind, n, timeout, **fields)

    def instances(self) -> list[Instance]:
        return list(self.host.instances)

    # ------------------------------------------------------------ serving

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        x = Exchange(self._core, request)
        self.journal.add("request", method=request.method, path=request.path)
        x.fault = self.faults.take(request.path)
        if x.fault is not None and x.fault.kind == "down":
            self.go_down(x.fault.seconds)
        return await dispatch(x)

    def go_down(self, seconds: float) -> None:
        """Die now and come back after a while, on the same port."""
        task = asyncio.create_task(self._down(seconds))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _down(self, seconds: float) -> None:
        await self.kill()
        self.journal.add("host_down")
        await asyncio.sleep(seconds)
        await self.start()
        self.journal.add("host_up")


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: "asyncio.Task[None]",
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=LARGEST_BODY)
