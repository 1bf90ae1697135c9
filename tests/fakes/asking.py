"""How the tests of the fake talk to it: plain HTTP and WebSockets, with nothing of a client's wisdom."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.fakes.lmstudio.clock import Clock
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

Json = dict[str, Any]
TOKEN = "sk-lm-abcdefgh:ABCDEFGHIJ0123456789"
HELLO: list[Json] = [{"role": "user", "content": "hello"}]
NO_SETTINGS: Json = {"layers": []}
NOVA, MINI, EMBED = "acme/nova-8b", "acme/mini-1b", "nomic/embed-small"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Json:
        parsed: Json = json.loads(self.text)
        return parsed

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The frames of an event stream: name (or "") and data."""
        return [_frame(block) for block in self.text.split("\n\n") if block]


def _frame(block: str) -> tuple[str, Any]:
    name, data = "", ""
    for line in block.split("\n"):
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data = value
    return name, data if data == "[DONE]" else json.loads(data)


class Socket:
    """A WebSocket after its first frame."""

    def __init__(self, raw: aiohttp.ClientWebSocketResponse, greeting: Json) -> None:
        self.raw = raw
        self.greeting = greeting

    async def send(self, **frame: Any) -> None:
        await self.raw.send_str(json.dumps(frame))

    async def receive(self) -> Json:
        async with asyncio.timeout(5):
            frame: Json = await self.raw.receive_json()
        return frame

    async def call(self, endpoint: str, parameter: Json | None = None) -> Json:
        """The frame that answers a remote procedure call."""
        frame: Json = {"type": "rpcCall", "endpoint": endpoint, "callId": 7}
        await self.send(**frame | ({} if parameter is None else {"parameter": parameter}))
        return await self.receive()

    async def open(self, endpoint: str, parameter: Json, channel: int = 1) -> None:
        await self.send(
            type="channelCreate", endpoint=endpoint, channelId=channel, creationParameter=parameter
        )

    async def rest(self) -> list[Json]:
        """All messages of the one open channel; the frame that ends it comes last."""
        messages: list[Json] = []
        while (frame := await self.receive())["type"] == "channelSend":
            messages.append(frame["message"])
        return [*messages, frame]


class Ask:
    def __init__(self, session: aiohttp.ClientSession, server: FakeLMStudio) -> None:
        self.session = session
        self.server = server

    async def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        url = self.server.url + path
        sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.request(method, url, data=sent, headers=headers) as answer:
            text = await answer.text(errors="replace")
            return Answer(answer.status, answer.headers, text)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.request("GET", path, **headers)

    async def post(self, path: str, body: Any, **headers: str) -> Answer:
        return await self.request("POST", path, body, **headers)

    async def load(self, model: str, **more: Any) -> Answer:
        return await self.post("/api/v1/models/load", {"model": model, **more})

    async def chat(self, model: str, text: str = "hello", **more: Any) -> Answer:
        """Native chat."""
        return await self.post("/api/v1/chat", {"model": model, "input": text, **more})

    async def complete(self, model: str, messages: Sequence[Json] = tuple(HELLO), **more: Any) -> Answer:
        """OpenAI chat."""
        body = {"model": model, "messages": list(messages), **more}
        return await self.post("/v1/chat/completions", body)

    async def states(self) -> dict[str, str]:
        """What v0 says of each model."""
        return {entry["id"]: entry["state"] for entry in (await self.get("/api/v0/models")).body["data"]}

    async def listed(self) -> list[str]:
        """The instances in the v1 list."""
        models = (await self.get("/api/v1/models")).body["models"]
        return [instance["id"] for model in models for instance in model["loaded_instances"]]

    @asynccontextmanager
    async def socket(
        self, namespace: str, identifier: str = "guest:test", passkey: str = "key"
    ) -> AsyncIterator[Socket]:
        async with self.session.ws_connect(f"{self.server.url}/{namespace}") as raw:
            auth = {"authVersion": 1, "clientIdentifier": identifier, "clientPasskey": passkey}
            await raw.send_str(json.dumps(auth))
            yield Socket(raw, await raw.receive_json())


@asynccontextmanager
async def lab(
    *models: FakeModel,
    switches: Switches | None = None,
    loaded: Sequence[str] = (),
    clock: Clock | None = None,
) -> AsyncIterator[tuple[FakeLMStudio, Ask]]:
    """A running fake and somebody who asks it."""
    server = FakeLMStudio(models or None, switches=switches, loaded=loaded, clock=clock)
    async with server, aiohttp.ClientSession() as session:
        yield server, Ask(session, server)


def content(answer: Answer) -> str:
    """What the model said in an OpenAI answer, streamed or not."""
    if answer.headers["Content-Type"] != "text/event-stream":
        return str(answer.body["choices"][0]["message"]["content"])
    deltas = [
        data["choices"][0]["delta"] for _, data in answer.events if data != "[DONE]" and data["choices"]
    ]
    return "".join(delta.get("content", "") for delta in deltas)


def query(name: str) -> Json:
    """A specifier by identifier."""
    return {"type": "query", "query": {"identifier": name}}


def stack_of(**fields: Any) -> Json:
    """A config stack; a double underscore stands for the dot of a key."""
    items = [{"key": key.replace("__", "."), "value": value} for key, value in fields.items()]
    return {"layers": [{"layerName": "apiOverride", "config": {"fields": items}}]}


def prediction(name: str, text: str = "hello", **fields: Any) -> Json:
    message = {"role": "user", "content": [{"type": "text", "text": text}]}
    return {
        "modelSpecifier": query(name),
        "history": {"messages": [message]},
        "predictionConfigStack": stack_of(**fields),
    }
