"""The channels of the WebSocket namespaces: loading with progress, and predictions."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.lmstudio.catalog import Json
from tests.fakes.lmstudio.checks import whole
from tests.fakes.lmstudio.exchange import Core
from tests.fakes.lmstudio.faults import Fault
from tests.fakes.lmstudio.generation import Ask, Event, Generation
from tests.fakes.lmstudio.instances import Instance, Load, LoadFailed
from tests.fakes.lmstudio.socket_calls import requested_config
from tests.fakes.lmstudio.socket_shapes import (
    Shape,
    SocketError,
    demand,
    history_messages,
    instance_info,
    load_config,
    model_info,
    on_disk,
    stack_fields,
)


@dataclass(eq=False)
class Channel:
    """An open channel: what it was created with, how it sends, and whether the client cancelled."""

    core: Core
    namespace: str
    parameter: Json
    send: Callable[[Json], Awaitable[None]]
    drop: Callable[[], None]
    fault: Fault | None = None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def receive(self, message: Any) -> None:
        if isinstance(message, dict) and message.get("type") == "cancel":
            self.cancelled.set()


@dataclass(frozen=True)
class Endpoint:
    shape: Shape
    run: Callable[[Channel], Awaitable[None]]


# ---------------------------------------------------------------- loading


async def _follow(channel: Channel, load: Load, progress_type: str) -> Instance:
    """Send progress until the load is over; a cancel gives up this channel's hold on it."""

    async def report() -> None:
        async for event in load.follow():
            if isinstance(event, float):
                await channel.send({"type": progress_type, "progress": event})
            else:
                await channel.send({"type": "unloadingOtherJITModel", "info": instance_info(event)})

    reporting = asyncio.ensure_future(report())
    cancelling = asyncio.ensure_future(channel.cancelled.wait())
    try:
        with load.held():
            await asyncio.wait([reporting, cancelling], return_when=asyncio.FIRST_COMPLETED)
            if not load.done.done():
                raise SocketError("Operation canceled.")
            await reporting
            return await load.wait()
    except LoadFailed as failure:
        raise SocketError("Failed to load model.", cause=str(failure)) from None
    finally:
        reporting.cancel()
        cancelling.cancel()


async def _load_model(channel: Channel) -> None:
    """Always a new instance; an identifier that exists already is an error."""
    ask, host = channel.parameter, channel.core.host
    model = on_disk(host, channel.namespace, ask["modelKey"])
    await channel.send({"type": "resolved", "info": model_info(model)})
    config = requested_config(channel.core, model, ask["loadConfigStack"])
    ttl = ask.get("ttlMs")
    try:
        load = host.start_load(
            model,
            config,
            identifier=ask.get("identifier"),
            ttl=None if ttl is None else ttl / 1000,
        )
    except LoadFailed as failure:
        raise SocketError(str(failure)) from None
    instance = await _follow(channel, load, "progress")
    await channel.send({"type": "success", "info": instance_info(instance)})


async def _get_or_load(channel: Channel) -> None:
    """A loaded instance is reused, a load under way is joined; only then a new one begins."""
    ask, host = channel.parameter, channel.core.host
    existing = host.instance_for(ask["identifier"])
    if existing is not None and existing.model.type != channel.namespace:
        existing = None
    if existing is not None and existing.state == "loaded":
        await channel.send({"type": "alreadyLoaded", "info": instance_info(existing)})
        return
    if existing is not None:
        load = existing.load
    else:
        model = on_disk(host, channel.namespace, ask["identifier"])
        config = requested_config(channel.core, model, ask["loadConfigStack"])
        ttl = ask.get("loadTtlMs")
        seconds = channel.core.switches.jit_ttl_seconds if ttl is None else ttl / 1000
        load = host.start_load(model, config, jit=True, ttl=seconds)
    instance = load.instance
    start = {"type": "startLoading", "identifier": instance.identifier}
    await channel.send(start | {"info": model_info(instance.model)})
    await _follow(channel, load, "loadProgress")
    await channel.send({"type": "loadSuccess", "info": instance_info(instance)})


# ---------------------------------------------------------------- predicting


def _checked(value: Any) -> Any:
    """The value of a setting that can be switched off."""
    if isinstance(value, dict) and "checked" in value:
        return value.get("value") if value["checked"] else None
    return value


async def _predict(channel: Channel) -> None:
    ask, host = channel.parameter, channel.core.host
    channel.core.bodies.append(ask)
    instance = demand(host, channel.namespace, ask["modelSpecifier"])
    fields = stack_fields(ask["predictionConfigStack"])
    wish = Ask(
        history_messages(ask["history"]),
        max_tokens=whole(_checked(fields.get("llm.prediction.maxPredictedTokens"))),
        stop=list(fields.get("llm.prediction.stopStrings") or []),
    )
    wish.spoil(channel.fault)
    generation = Generation(host, instance, wish)
    leaving = asyncio.ensure_future(_leave_on_cancel(channel, generation))
    try:
        await _fragments(channel, generation)
    finally:
        leaving.cancel()
        generation.leave()
    await channel.send(
        {
            "type": "success",
            "stats": _stats(generation),
            "modelInfo": instance_info(instance),
            "loadModelConfig": load_config(instance),
            "predictionConfig": {"fields": []},
        }
    )


async def _leave_on_cancel(channel: Channel, generation: Generation) -> None:
    await channel.cancelled.wait()
    generation.leave()


async def _fragments(channel: Channel, generation: Generation) -> None:
    """Send what the model says until it ends, or was cancelled."""
    thinking = False
    while True:
        event = await generation.next()
        if event.kind == "prefill":
            await channel.send({"type": "promptProcessingProgress", "progress": event.progress})
            continue
        if thinking != (event.kind == "reasoning"):
            thinking = not thinking
            await _fragment(channel, *(_OPEN if thinking else _CLOSE))
        match event.kind:
            case "reasoning" | "text":
                await _fragment(channel, event.text, "reasoning" if thinking else "none")
            case "error":
                raise _broken(generation, event)
            case "drop":
                channel.drop()
            case _:
                return


_OPEN = ("<think>", "reasoningStartTag")
_CLOSE = ("</think>", "reasoningEndTag")


async def _fragment(channel: Channel, text: str, kind: str) -> None:
    fragment = {"content": text, "tokensCount": 1, "containsDrafted": False, "reasoningType": kind}
    await channel.send({"type": "fragment", "fragment": fragment})


def _broken(generation: Generation, event: Event) -> SocketError:
    display = None
    if generation.reason == "modelUnloaded":
        display = {"code": "generic.specificModelUnloaded"}
    return SocketError(event.text, display=display)


def _stats(generation: Generation) -> Json:
    return {
        "stopReason": generation.reason,
        "tokensPerSecond": generation.tokens_per_second,
        "timeToFirstTokenSec": round(generation.first_token_seconds, 3),
        "promptTokensCount": generation.input_tokens,
        "predictedTokensCount": generation.output_tokens,
        "totalTokensCount": generation.input_tokens + generation.output_tokens,
    }


_LOADING: Shape = {
    "modelKey": "str",
    "identifier": "str?",
    "ttlMs": "ms?",
    "deviceIdentifier": "str?",
    "loadConfigStack": "stack",
}
_GETTING: Shape = {
    "identifier": "str",
    "loadTtlMs": "ms?",
    "deviceIdentifier": "str?",
    "loadConfigStack": "stack",
}
_PREDICTING: Shape = {
    "modelSpecifier": "specifier",
    "history": "history",
    "predictionConfigStack": "stack",
}
_MODEL_CHANNELS = {
    "loadModel": Endpoint(_LOADING, _load_model),
    "getOrLoad": Endpoint(_GETTING, _get_or_load),
}
CHANNELS: dict[str, dict[str, Endpoint]] = {
    "llm": _MODEL_CHANNELS | {"predict": Endpoint(_PREDICTING, _predict)},
    "embedding": _MODEL_CHANNELS,
}
