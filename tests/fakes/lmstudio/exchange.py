"""One HTTP request on its way through the fake: what every route needs to answer it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from aiohttp import web

from tests.fakes.lmstudio.catalog import Json
from tests.fakes.lmstudio.faults import Fault, Faults
from tests.fakes.lmstudio.generation import Ask, Event, Generation
from tests.fakes.lmstudio.instances import Instance
from tests.fakes.lmstudio.journal import Journal
from tests.fakes.lmstudio.state import Host
from tests.fakes.lmstudio.switches import Switches
from tests.fakes.lmstudio.wire import invalid, json_answer


@dataclass
class Core:
    """What the routes share."""

    host: Host
    switches: Switches
    journal: Journal
    faults: Faults
    go_down: Callable[[float], None]
    bodies: list[Json] = field(default_factory=list)
    stored: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    pins: dict[str, tuple[str, int]] = field(default_factory=dict)
    sockets: set[web.WebSocketResponse] = field(default_factory=set)

    async def close_sockets(self) -> None:
        for socket in list(self.sockets):
            await socket.close(code=1001, drain=False)


@dataclass
class Exchange:
    core: Core
    request: web.BaseRequest
    fault: Fault | None = None

    @property
    def host(self) -> Host:
        return self.core.host

    @property
    def switches(self) -> Switches:
        return self.core.switches

    @property
    def path(self) -> str:
        return self.request.path

    def answer(self, body: Any, status: int = 200) -> web.Response:
        return json_answer(body, status, keep_alive=self.switches.keep_alive_seconds)

    async def body(self) -> Json:
        try:
            parsed = json.loads(await self.request.text())
        except ValueError as broken:
            raise invalid(f"Invalid JSON in request body: {broken}", "invalid_json") from None
        if not isinstance(parsed, dict):
            raise invalid("Expected object", "invalid_value")
        return parsed

    def generate(self, instance: Instance, ask: Ask) -> Generation:
        """Start a prediction, with the fault this request carries."""
        ask.spoil(self.fault)
        return Generation(self.host, instance, ask)

    def left(self, generation: Generation) -> None:
        """The client closed the connection."""
        if self.switches.stop_on_disconnect:
            generation.leave()

    async def next_of(self, generation: Generation) -> Event:
        event = await generation.next()
        if event.kind == "drop":
            await self.drop()
        return event

    async def drop(self) -> NoReturn:
        """Reset the connection: the client gets no end of the answer."""
        if self.request.transport is not None:
            self.request.transport.abort()
        await self.for_ever()

    async def for_ever(self) -> NoReturn:
        """Until the client leaves or the server stops."""
        while True:
            await asyncio.Event().wait()
