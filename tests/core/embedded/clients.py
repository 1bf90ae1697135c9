"""A small client of the engine over its real sockets: REST, server-sent events, WebSocket frames."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from core.embedded import DEMO_KEY, SCRIPTED_KEY, EmbeddedEngine
from core.embedded.instances import Instance
from core.embedded.llama import Llama

LONG = "Count from one to one thousand in words."
OVERLONG = "word " * 5000


@dataclass
class Client:
    """Speaks to one engine with its own token."""

    engine: EmbeddedEngine
    http: aiohttp.ClientSession
    folder: Path = field(default_factory=Path)

    async def get(self, path: str) -> Any:
        async with self.http.get(path) as response:
            return await response.json()

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        async with self.http.post(path, json=body) as response:
            return response.status, await response.json()

    async def load(self, key: str = DEMO_KEY) -> Instance:
        assert self.engine._engine is not None
        return await self.engine._engine.instances.load(key)

    async def state(self, key: str) -> str:
        """What v0 says of a model."""
        return str((await self.get(f"/api/v0/models/{key}"))["state"])

    async def events(self, path: str, body: object) -> list[tuple[str, Any]]:
        """Every server-sent event of an answer."""
        async with self.http.post(path, json=body) as response:
            assert response.status == 200, await response.text()
            return [event async for event in sse(response)]

    @asynccontextmanager
    async def socket(self, namespace: str = "llm", token: str | None = None) -> AsyncIterator["Frames"]:
        """A WebSocket that has sent its first frame."""
        identifier, passkey = (token or self.engine.token).removeprefix("sk-lm-").split(":")
        async with self.http.ws_connect(f"/{namespace}") as socket:
            await socket.send_json(
                {"authVersion": 1, "clientIdentifier": identifier, "clientPasskey": passkey}
            )
            yield Frames(socket, await socket.receive_json(timeout=5))


@dataclass
class Frames:
    """One socket; `welcome` is the answer to its first frame."""

    socket: aiohttp.ClientWebSocketResponse
    welcome: Any

    async def ask(self, **frame: Any) -> Any:
        """Send one frame, give the next one that comes."""
        await self.socket.send_json(frame)
        return await self.next()

    async def next(self) -> Any:
        return await self.socket.receive_json(timeout=10)

    async def call(self, endpoint: str, parameter: object = None) -> Any:
        return await self.ask(type="rpcCall", endpoint=endpoint, callId=1, parameter=parameter)

    async def open(self, endpoint: str, parameter: object) -> None:
        await self.socket.send_json(
            {"type": "channelCreate", "endpoint": endpoint, "channelId": 7, "creationParameter": parameter}
        )

    async def cancel(self) -> None:
        await self.socket.send_json({"type": "channelSend", "channelId": 7, "message": {"type": "cancel"}})

    async def packets(self) -> AsyncIterator[Any]:
        """The messages of the channel until it ends; the last may be its error."""
        while (frame := await self.next())["type"] == "channelSend":
            yield frame["message"]
        if frame["type"] != "channelClose":
            yield frame


@dataclass
class Kept:
    """A log that can be read."""

    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def info(self, event: str, **data: Any) -> None:
        self.lines.append((event, data))

    warning = info


@asynccontextmanager
async def client_of(engine: EmbeddedEngine, folder: Path = Path()) -> AsyncIterator[Client]:
    """A client of a started engine."""
    headers = {"Authorization": f"Bearer {engine.token}"}
    async with aiohttp.ClientSession(engine.url, headers=headers) as http:
        yield Client(engine, http, folder)


async def sse(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    """(event, data) of each server-sent event; the event is empty where it has no name."""
    name = ""
    async for raw in response.content:
        line = raw.decode().strip()
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data = line.removeprefix("data: ")
            yield name, data if data == "[DONE]" else json.loads(data)
            name = ""


def ask(text: str = "Say hello.", model: str = DEMO_KEY, **more: Any) -> dict[str, Any]:
    """The body of an OpenAI chat."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def scripted(text: str = "oi", **more: Any) -> dict[str, Any]:
    """The body of an OpenAI chat with the scripted engine."""
    return ask(text, SCRIPTED_KEY, **more)


def history(text: str) -> dict[str, Any]:
    """A conversation as the WebSocket has it."""
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]}


def query(key: str) -> dict[str, Any]:
    """How the WebSocket names a loaded model."""
    return {"type": "query", "query": {"identifier": key}}


def llama_of(instance: Instance) -> Llama:
    """The child behind an instance."""
    assert isinstance(instance.runner, Llama)
    return instance.runner


async def until_busy(instance: Instance) -> None:
    """Return when the child decodes something."""
    async with asyncio.timeout(20):
        while await llama_of(instance).idle():
            pass


async def until_idle(instance: Instance) -> None:
    """Return when the child decodes nothing and nobody waits for it."""
    async with asyncio.timeout(20):
        while instance.active or not await llama_of(instance).idle():
            await llama_of(instance).idle()


def names(events: Sequence[tuple[str, Any]]) -> list[str]:
    """The events' names, each once where it repeats."""
    listed = [name for name, _ in events]
    return [name for n, name in enumerate(listed) if n == 0 or listed[n - 1] != name]
