"""Native REST v1 chat: one answer, or the stream of named events that also shows a load."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.lmstudio.catalog import Json, Messages
from tests.fakes.lmstudio.checks import (
    NO_MODELS,
    Kind,
    begin_jit,
    check,
    invalid_identifier,
    ready_or_loading,
    whole,
)
from tests.fakes.lmstudio.exchange import Exchange
from tests.fakes.lmstudio.generation import Ask, Generation
from tests.fakes.lmstudio.instances import Instance, LoadFailed
from tests.fakes.lmstudio.rest_v1 import load_failure
from tests.fakes.lmstudio.wire import ApiError, EventStream, invalid, native_error

CHAT_KEYS: Mapping[str, Kind] = {
    "model": "str",
    "input": "any",
    "system_prompt": "str",
    "integrations": "list",
    "stream": "bool",
    "temperature": "number",
    "top_p": "number",
    "min_p": "number",
    "top_k": "number",
    "repeat_penalty": "number",
    "max_output_tokens": "number",
    "reasoning": "str",
    "context_length": "number",
    "store": "bool",
    "previous_response_id": "str",
}
_responses = itertools.count(1)

Emit = Callable[[str, Json], Awaitable[None]]


async def _nowhere(_event: str, _data: Json) -> None:
    """Where the events of a request that does not stream go."""


@dataclass
class _Turn:
    """One chat request on its way."""

    x: Exchange
    body: Json
    messages: Messages
    instance: Instance
    loading: bool
    emit: Emit = _nowhere
    error: ApiError | None = None
    generation: Generation | None = None
    result: Json = field(default_factory=dict)


async def chat(x: Exchange) -> web.StreamResponse:
    body = await x.body()
    x.core.bodies.append(body)
    check(body, CHAT_KEYS, ("model", "input"), strict=x.switches.strict_bodies)
    messages = [*_history(x, body), {"role": "user", "content": _text_of(body["input"])}]
    if body.get("system_prompt"):
        messages.insert(0, {"role": "system", "content": body["system_prompt"]})
    instance, loading = _instance(x, body)
    turn = _Turn(x, body, messages, instance, loading)
    if body.get("stream") is True:
        return await _stream(turn)
    with x.host.using(instance):
        await _run(turn)
    if turn.error is not None:
        raise turn.error
    return x.answer(turn.result)


async def _stream(turn: _Turn) -> web.StreamResponse:
    stream = EventStream(turn.x.request)

    async def emit(event: str, data: Json) -> None:
        await stream.send({"type": event} | data, event)

    turn.emit = emit
    with turn.x.host.using(turn.instance):
        await stream.open()
        await emit("chat.start", {"model_instance_id": turn.instance.identifier})
        if turn.x.fault is not None and turn.x.fault.kind == "error-event":
            turn.error = native_error(500, turn.x.fault.text, "internal_error", "unknown")
        else:
            await _run(turn)
        if turn.error is not None:
            await emit("error", turn.error.body)
        await emit("chat.end", {"result": turn.result or _result(turn)})
    return await stream.close()


async def _run(turn: _Turn) -> None:
    try:
        if turn.loading:
            await _load(turn)
        await _generate(turn)
    except LoadFailed as failure:
        turn.error = load_failure(turn.x, turn.instance.model, str(failure))
    turn.result = _result(turn)


async def _load(turn: _Turn) -> None:
    load, about = turn.instance.load, {"model_instance_id": turn.instance.identifier}
    await turn.emit("model_load.start", about)
    async for event in load.follow():
        if isinstance(event, float):
            await turn.emit("model_load.progress", about | {"progress": event})
    await load.wait()
    await turn.emit("model_load.end", about | {"load_time_seconds": round(load.seconds, 3)})


async def _generate(turn: _Turn) -> None:
    limit = whole(turn.body.get("max_output_tokens"))
    ask = Ask(turn.messages, max_tokens=limit, think=turn.body.get("reasoning") != "off")
    generation = turn.generation = turn.x.generate(turn.instance, ask)
    open_part = ""
    try:
        while True:
            event = await turn.x.next_of(generation)
            match event.kind:
                case "prefill":
                    await _prefill(turn, event.progress)
                case "reasoning" | "text":
                    part = "reasoning" if event.kind == "reasoning" else "message"
                    await _switch_part(turn, open_part, part)
                    open_part = part
                    await turn.emit(f"{part}.delta", {"content": event.text})
                case "error":
                    await _switch_part(turn, open_part, "")
                    turn.error = native_error(500, event.text, "internal_error", "unknown")
                    return
                case _:
                    await _switch_part(turn, open_part, "")
                    return
    finally:
        turn.x.left(generation)


async def _prefill(turn: _Turn, progress: float) -> None:
    if progress == 0:
        await turn.emit("prompt_processing.start", {})
    await turn.emit("prompt_processing.progress", {"progress": progress})
    if progress == 1:
        for _ in range(2 if turn.x.switches.double_prompt_end else 1):
            await turn.emit("prompt_processing.end", {})


async def _switch_part(turn: _Turn, before: str, after: str) -> None:
    if before != after:
        if before:
            await turn.emit(f"{before}.end", {})
        if after:
            await turn.emit(f"{after}.start", {})


def _result(turn: _Turn) -> Json:
    output, stats = [], {"input_tokens": 0, "total_output_tokens": 0, "reasoning_output_tokens": 0}
    numbers: Json = {"tokens_per_second": 0.0, "time_to_first_token_seconds": 0.0}
    if (generation := turn.generation) is not None:
        if generation.reasoning:
            output.append({"type": "reasoning", "content": generation.reasoning})
        if generation.text:
            output.append({"type": "message", "content": generation.text})
        stats = {
            "input_tokens": generation.input_tokens,
            "total_output_tokens": generation.output_tokens,
            "reasoning_output_tokens": generation.reasoning_tokens,
        }
        numbers = {
            "tokens_per_second": generation.tokens_per_second,
            "time_to_first_token_seconds": round(generation.first_token_seconds, 3),
        }
    if turn.loading:
        numbers["model_load_time_seconds"] = round(turn.instance.load.seconds, 3)
    result: Json = {
        "model_instance_id": turn.instance.identifier,
        "output": output,
        "stats": stats | numbers,
    }
    if turn.body.get("store", True) and turn.error is None and turn.generation is not None:
        identifier = f"resp_{next(_responses):024x}"
        said = {"role": "assistant", "content": turn.generation.text}
        turn.x.core.stored[identifier] = [*turn.messages, said]
        result["response_id"] = identifier
    return result


def _instance(x: Exchange, body: Json) -> tuple[Instance, bool]:
    """The instance that answers, and whether this request has to wait for its load."""
    name = body["model"]
    _check_reasoning(x, body)
    if (instance := ready_or_loading(x, name, "llm")) is not None:
        return instance, instance.state == "loading"
    model = x.host.model_or_variant(name)
    if model is None or model.type != "llm":
        raise native_error(404, invalid_identifier(x, name), "invalid_request", "model_not_found", "model")
    if not x.switches.jit:  # not documented; the text is that of /v1
        raise native_error(400, NO_MODELS, "invalid_request", None, "model")
    return begin_jit(x, model, context_length=whole(body.get("context_length"))), True


def _check_reasoning(x: Exchange, body: Json) -> None:
    wish = body.get("reasoning")
    found = x.host.instance_for(body["model"])
    model = found.model if found is not None else x.host.model_or_variant(body["model"])
    if wish is None or model is None or wish in (allowed := model.reasoning or ()):
        return
    supported = ", ".join(f"'{option}'" for option in allowed) or "none"
    raise invalid(
        f"Reasoning setting '{wish}' is not supported by model '{model.key}'. "
        f"Supported settings: {supported}",
        "invalid_value",
        "reasoning",
    )


def _history(x: Exchange, body: Json) -> Messages:
    identifier = body.get("previous_response_id")
    if identifier is None:
        return []
    if identifier not in x.core.stored:
        raise invalid(
            f"Could not find stored response for previous_response_id '{identifier}'. It may have been "
            "deleted. Responses older than 30 days are automatically deleted.",
            "invalid_value",
            "previous_response_id",
        )
    return [m for m in x.core.stored[identifier] if not (body.get("system_prompt") and m["role"] == "system")]


def _text_of(wire: Any) -> str:
    if isinstance(wire, str):
        return wire
    if not isinstance(wire, list):
        raise invalid("Invalid input", "invalid_union", "input")
    texts = []
    for item in wire:
        kind = item.get("type") if isinstance(item, dict) else None
        if kind not in ("text", "image"):
            raise invalid("Invalid discriminator value. Expected 'text' | 'image'", "invalid_union", "input")
        key = "content" if kind == "text" else "data_url"
        if not isinstance(item.get(key), str):
            raise invalid("Invalid input", "invalid_union", "input")
        if kind == "text":
            texts.append(item["content"])
    return "\n".join(texts)
