"""The OpenAI-compatible routes; v0's chat is the same with more in it."""

import itertools
import time
from typing import Any

from aiohttp import web

from tests.fakes.lmstudio.catalog import FakeModel, Json, Messages
from tests.fakes.lmstudio.checks import begin_jit, named, whole
from tests.fakes.lmstudio.exchange import Exchange
from tests.fakes.lmstudio.generation import Ask, Event, Generation
from tests.fakes.lmstudio.instances import Instance, LoadFailed
from tests.fakes.lmstudio.wire import ApiError, EventStream

_numbers = itertools.count(1)
FINISH = {
    "eosFound": "stop",
    "stopStringFound": "stop",
    "maxPredictedTokensReached": "length",
    "contextLengthReached": "length",
}


async def models(x: Exchange) -> web.StreamResponse:
    """All that is downloaded; with JIT off only what is loaded. Embedding models included."""
    names = (
        [model.key for model in x.host.models]
        if x.switches.jit
        else [i.identifier for i in x.host.instances if i.state == "loaded"]
    )
    data = [{"id": name, "object": "model", "owned_by": "organization_owner"} for name in names]
    return x.answer({"data": data, "object": "list"})


async def chat(x: Exchange) -> web.StreamResponse:
    body = await x.body()
    x.core.bodies.append(body)
    messages = _messages(body.get("messages"))
    ask = Ask(
        messages,
        max_tokens=whole(body.get("max_tokens", body.get("max_completion_tokens"))),
        stop=_stops(body.get("stop")),
    )
    if body.get("stream") is True:
        return await _stream(x, body, ask)
    try:
        instance = await obtain(x, body, "llm")
        with x.host.using(instance):
            generation = await _collect(x, instance, ask)
    except ApiError as error:
        raise _plain(error) if x.switches.string_errors else error from None
    return x.answer(_completion(x, instance, generation))


def _plain(error: ApiError) -> ApiError:
    return ApiError(error.status, {"error": error.message})


async def obtain(x: Exchange, body: Json, kind: str) -> Instance:
    """The loaded instance a request means, loading it first if need be."""
    found = named(x, str(body.get("model") or ""), kind)
    instance = begin_jit(x, found, body.get("ttl")) if isinstance(found, FakeModel) else found
    with x.host.using(instance):
        try:
            return await instance.load.wait()
        except LoadFailed as failure:
            message = f'Failed to load model "{instance.model.key}". Error: {failure}'
            raise ApiError(400, {"error": {"message": message}}) from None


async def _collect(x: Exchange, instance: Instance, ask: Ask) -> Generation:
    generation = x.generate(instance, ask)
    try:
        while (event := await x.next_of(generation)).kind != "end":
            if event.kind == "error":
                raise ApiError(400, {"error": event.text})
    finally:
        x.left(generation)
    return generation


# ---------------------------------------------------------------- streaming


async def _stream(x: Exchange, body: Json, ask: Ask) -> web.StreamResponse:
    """200 at once, then silence until the prefill is over; a failure is an event, then the end."""
    stream = EventStream(x.request)
    await stream.open()
    if x.switches.streams_dead:
        return await stream.close()
    if x.fault is not None and x.fault.kind == "error-event":
        await _fail(x, stream, x.fault.text)
        return await stream.close()
    try:
        instance = await obtain(x, body, "llm")
        with x.host.using(instance):
            await _chunks(x, body, instance, ask, stream)
    except ApiError as error:
        await _fail(x, stream, error.message)
    return await stream.close()


async def _fail(x: Exchange, stream: EventStream, message: str) -> None:
    match x.switches.stream_error:
        case "event":
            await stream.send({"error": {"message": message}, "message": message}, "error")
        case "data":
            await stream.send({"error": message})
        case "empty":
            pass


async def _chunks(x: Exchange, body: Json, instance: Instance, ask: Ask, stream: EventStream) -> None:
    generation = x.generate(instance, ask)
    head = _head(x, instance, "chat.completion.chunk")

    async def send(delta: Json, finish: str | None = None, **more: Any) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        await stream.send(head | {"choices": [choice]} | more)

    first: Json = {"role": "assistant"}
    try:
        while (event := await x.next_of(generation)).kind != "end":
            if event.kind == "error":
                raise ApiError(400, {"error": event.text})
            if event.kind in ("text", "reasoning"):
                await send(first | _delta(instance.model, event))
                first = {}
    finally:
        x.left(generation)
    more = _v0_extras(x, instance, generation)
    await send(first, FINISH[generation.reason], **more)
    if (body.get("stream_options") or {}).get("include_usage"):
        await stream.send(head | {"choices": [], "usage": _usage(generation)})
    await stream.send("[DONE]")


def _delta(model: FakeModel, event: Event) -> Json:
    if event.kind == "text":
        return {"content": event.text}
    return {_thinking_field(model): event.text}


def _thinking_field(model: FakeModel) -> str:
    return "reasoning" if model.thinking_style == "reasoning" else "reasoning_content"


# ---------------------------------------------------------------- shapes


def _head(x: Exchange, instance: Instance, kind: str) -> Json:
    return {
        "id": f"chatcmpl-{next(_numbers):024x}",
        "object": kind,
        "created": int(time.time()),
        "model": instance.model.variant if x.switches.variant_names else instance.identifier,
        "system_fingerprint": instance.identifier,
    }


def _usage(generation: Generation) -> Json:
    return {
        "prompt_tokens": generation.input_tokens,
        "completion_tokens": generation.output_tokens,
        "total_tokens": generation.input_tokens + generation.output_tokens,
        "completion_tokens_details": {"reasoning_tokens": generation.reasoning_tokens},
    }


def _completion(x: Exchange, instance: Instance, generation: Generation) -> Json:
    message = {
        "role": "assistant",
        "content": generation.text,
        "reasoning_content": "",
        _thinking_field(instance.model): generation.reasoning,
        "tool_calls": [],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH[generation.reason]}
    body: Json = {"choices": [choice], "usage": _usage(generation), "stats": {}}
    return _head(x, instance, "chat.completion") | body | _v0_extras(x, instance, generation)


def _v0_extras(x: Exchange, instance: Instance, generation: Generation) -> Json:
    if not x.path.startswith("/api/v0"):
        return {}
    model = instance.model
    return {
        "stats": {
            "tokens_per_second": generation.tokens_per_second,
            "time_to_first_token": round(generation.first_token_seconds, 3),
            "generation_time": round(generation.seconds, 3),
            "stop_reason": generation.reason,
        },
        "model_info": {
            "arch": model.arch,
            "quant": model.quant,
            "format": model.format,
            "context_length": instance.config.context_length,
        },
        "runtime": {
            "name": f"llama.cpp-{model.format}",
            "version": "2.1.0",
            "supported_formats": [model.format],
        },
    }


def _messages(wire: Any) -> Messages:
    if not isinstance(wire, list) or not all(isinstance(m, dict) for m in wire):
        raise ApiError(400, {"error": "'messages' field is required"})
    return [{"role": str(m.get("role", "user")), "content": _content(m.get("content"))} for m in wire]


def _content(wire: Any) -> str:
    if isinstance(wire, list):
        return "\n".join(str(part.get("text", "")) for part in wire if isinstance(part, dict))
    return "" if wire is None else str(wire)


def _stops(wire: Any) -> list[str]:
    if isinstance(wire, str):
        return [wire]
    return [str(word) for word in wire] if isinstance(wire, list) else []


# ---------------------------------------------------------------- embeddings


def vector(text: str) -> list[float]:
    """A small deterministic embedding."""
    return [round(((sum(text.encode()) * (n + 3)) % 97) / 97 - 0.5, 6) for n in range(8)]


async def embeddings(x: Exchange) -> web.StreamResponse:
    """Input beyond the context is cut off without a word, and the usage is always 0."""
    body = await x.body()
    instance = await obtain(x, body, "embedding")
    wire = body.get("input", "")
    texts = wire if isinstance(wire, list) else [wire]
    room = instance.config.context_length * 4
    data = [
        {"object": "embedding", "embedding": vector(str(text)[:room]), "index": n}
        for n, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    return x.answer({"object": "list", "data": data, "model": instance.model.variant, "usage": usage})
