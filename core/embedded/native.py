"""`POST /api/v1/chat`: LM Studio's own chat, with load and prompt progress in its stream."""

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from core.embedded.instances import Instance, Instances, Unknown
from core.embedded.replies import Events, Refusal, internal, load_failed, read, typed, unknown_model
from core.embedded.runner import Gone, Json, LoadError, Refused

_KEYS = (
    "model", "input", "system_prompt", "integrations", "stream", "temperature", "top_p", "min_p", "top_k",
    "repeat_penalty", "max_output_tokens", "reasoning", "context_length", "store", "previous_response_id",
)  # fmt: skip
_SAMPLING = ("temperature", "top_p", "min_p", "top_k", "repeat_penalty")
_REMEMBERED = 64  # answers that a next request may continue; in memory only

Tell = Callable[..., Awaitable[None]]


class Native:
    """Handlers over one set of instances."""

    def __init__(self, instances: Instances) -> None:
        self._instances = instances
        self._stored: OrderedDict[str, list[Json]] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        """Where each handler answers."""
        return [web.post("/api/v1/chat", self.chat)]

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat; a model on disk is loaded first. A reader that leaves stops load and model."""
        body = await read(request, allowed=_KEYS, required=("model", "input"))
        messages = self._messages(body)
        name: str = typed(body, "model", str)
        if self._instances.by_id(name) is None and await self._instances.catalogue.find(name) is None:
            raise await unknown_model(self._instances, name, 404, "invalid_request")
        if not typed(body, "stream", bool):
            return web.json_response(await self._answer(body, messages, _silence))
        events = Events(request)
        try:
            result = await self._answer(body, messages, events.named)
        except Refusal as refusal:
            if not events.response.prepared:
                raise
            await events.named("error", **refusal.body)
            result = {"model_instance_id": name, "output": [], "stats": {}}
        await events.named("chat.end", result=result)
        return events.response

    async def _answer(self, body: Json, messages: list[Json], tell: Tell) -> Json:
        instance, load_seconds = await self._loaded(body, tell)
        reply = _Reply(tell)
        asked = {k: body[k] for k in _SAMPLING if body.get(k) is not None} | {"messages": messages}
        if body.get("max_output_tokens"):
            asked["max_tokens"] = body["max_output_tokens"]
        try:
            async with aclosing(instance.stream(asked)) as chunks:
                async for chunk in chunks:
                    await reply.take(chunk)
        except Refused as refused:
            raise internal(refused) from refused
        except Gone as gone:
            raise Refusal(500, gone.text, "internal_error", "unknown") from gone
        await reply.close()
        return self._result(body, messages, instance, reply, load_seconds)

    async def _loaded(self, body: Json, tell: Tell) -> tuple[Instance, float | None]:
        """Give the instance, and the seconds if this request loaded it."""
        name: str = body["model"]
        await tell("chat.start", model_instance_id=name)
        if instance := self._instances.by_id(name):
            return instance, None
        try:
            return await self._load(name, typed(body, "context_length", int), tell)
        except Unknown:  # unloaded or gone from disk a moment ago
            raise await unknown_model(self._instances, name, 404, "invalid_request") from None
        except LoadError as error:
            raise load_failed(name, error.text) from error

    async def _load(self, name: str, context: int | None, tell: Tell) -> tuple[Instance, float]:
        await tell("model_load.start", model_instance_id=name)
        steps: asyncio.Queue[float | None] = asyncio.Queue()
        load = asyncio.create_task(self._instances.load(name, steps.put_nowait, context=context))
        load.add_done_callback(lambda _: steps.put_nowait(None))
        try:
            while (step := await steps.get()) is not None:
                await tell("model_load.progress", model_instance_id=name, progress=step)
            instance = await load
        finally:
            load.cancel()
            with suppress(asyncio.CancelledError, LoadError, Unknown):
                await load
        seconds = round(instance.load_seconds, 3)
        await tell("model_load.end", model_instance_id=instance.id, load_time_seconds=seconds)
        return instance, seconds

    def _messages(self, body: Json) -> list[Json]:
        messages = self._continued(typed(body, "previous_response_id", str))
        if system := typed(body, "system_prompt", str):
            messages = [
                {"role": "system", "content": system},
                *(m for m in messages if m["role"] != "system"),
            ]
        return [*messages, {"role": "user", "content": _content(body["input"])}]

    def _continued(self, response_id: str | None) -> list[Json]:
        if response_id is None:
            return []
        try:
            return self._stored[response_id]
        except KeyError:
            text = f"Could not find stored response for previous_response_id '{response_id}'."
            raise Refusal(400, text, "invalid_request", "invalid_value", "previous_response_id") from None

    def _result(
        self,
        body: Json,
        messages: list[Json],
        instance: Instance,
        reply: "_Reply",
        load_seconds: float | None,
    ) -> Json:
        result: Json = {"model_instance_id": instance.id, "output": reply.output(), "stats": reply.stats()}
        if load_seconds is not None:
            result["stats"]["model_load_time_seconds"] = load_seconds
        if body.get("store", True):
            result["response_id"] = self._store(
                [*messages, {"role": "assistant", "content": reply.text("message")}]
            )
        return result

    def _store(self, messages: list[Json]) -> str:
        response_id = f"resp_{uuid.uuid4().hex}"
        self._stored[response_id] = messages
        if len(self._stored) > _REMEMBERED:
            self._stored.popitem(last=False)
        return response_id


async def _silence(_: str, **_payload: Any) -> None:
    """Tell nobody: the answer comes in one piece."""


def _content(asked: Any) -> str | list[Json]:
    match asked:
        case str(text):
            return text
        case list(items):
            return [_part(item) for item in items]
        case _:
            raise Refusal(400, "Invalid value for 'input'", "invalid_request", "invalid_value", "input")


def _part(item: Any) -> Json:
    match item:
        case {"type": "text", "content": str(text)}:
            return {"type": "text", "text": text}
        case {"type": "image", "data_url": str(url)}:
            return {"type": "image_url", "image_url": {"url": url}}
        case _:
            text = "Invalid discriminator value. Expected 'text' | 'image'"
            raise Refusal(400, text, "invalid_request", "invalid_union", "input")


@dataclass
class _Reply:
    """Turns the engine's chunks into LM Studio's events, and adds them up."""

    tell: Tell
    _pieces: list[tuple[str, list[str]]] = field(default_factory=list)
    _prompt: str = ""  # "", "running", "done"
    _began: float = field(default_factory=time.monotonic)
    _first: float | None = None
    _usage: Json = field(default_factory=dict)
    _timings: Json = field(default_factory=dict)

    async def take(self, chunk: Json) -> None:
        """One chunk of the engine."""
        if progress := chunk.get("prompt_progress"):
            await self._prompt_progress(progress["processed"] / max(1, progress["total"]))
        self._usage = chunk.get("usage") or self._usage
        self._timings = chunk.get("timings") or self._timings
        for choice in chunk.get("choices", ()):
            delta = choice["delta"]
            await self._piece("reasoning", delta.get("reasoning_content") or "")
            await self._piece("message", delta.get("content") or "")

    async def close(self) -> None:
        """End whatever is still open."""
        await self._prompt_done()
        await self._end_piece()

    def text(self, kind: str) -> str:
        """All that was said of one kind."""
        return "".join("".join(texts) for k, texts in self._pieces if k == kind)

    def output(self) -> list[Json]:
        """The `output` of the final body."""
        return [{"type": kind, "content": "".join(texts)} for kind, texts in self._pieces]

    def stats(self) -> Json:
        """The `stats` of the final body."""
        reasoning = sum(len(texts) for kind, texts in self._pieces if kind == "reasoning")
        return {
            "input_tokens": self._usage.get("prompt_tokens", 0),
            "total_output_tokens": self._usage.get("completion_tokens", 0),
            "reasoning_output_tokens": reasoning,
            "tokens_per_second": self._timings.get("predicted_per_second", 0.0),
            "time_to_first_token_seconds": round((self._first or time.monotonic()) - self._began, 3),
        }

    async def _prompt_progress(self, fraction: float) -> None:
        if not self._prompt:
            self._prompt = "running"
            await self.tell("prompt_processing.start")
        await self.tell("prompt_processing.progress", progress=fraction)

    async def _prompt_done(self) -> None:
        if self._prompt == "running":
            self._prompt = "done"
            await self.tell("prompt_processing.end")

    async def _piece(self, kind: str, text: str) -> None:
        if not text:
            return
        self._first = self._first or time.monotonic()
        if not self._pieces or self._pieces[-1][0] != kind:
            await self._prompt_done()
            await self._end_piece()
            self._pieces.append((kind, []))
            await self.tell(f"{kind}.start")
        self._pieces[-1][1].append(text)
        await self.tell(f"{kind}.delta", content=text)

    async def _end_piece(self) -> None:
        if self._pieces:
            await self.tell(f"{self._pieces[-1][0]}.end")
