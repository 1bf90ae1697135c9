"""The WebSocket's channels: loading with progress, answering in pieces (lmstudio-js, `llmBackendInterface`)."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.embedded import shapes
from core.embedded.calls import CallFailed, entry_of, resolve
from core.embedded.history import messages_of
from core.embedded.instances import Instance, Instances, Unknown
from core.embedded.kv import context_of, sampling_of
from core.embedded.models import Entry
from core.embedded.runner import Gone, Json, LoadError, Refused

T = TypeVar("T")

_STOPS = {"stop": "eosFound", "length": "maxPredictedTokensReached", "tool_calls": "toolCalls"}


@dataclass
class Channel:
    """One open channel: what to send, and whether the client called it off."""

    number: int
    _send: Callable[[Json], Awaitable[None]]
    _cancelled: bool = False
    _part: asyncio.Task[Any] | None = None

    async def send(self, message: Json) -> None:
        """One packet to the client."""
        await self._send({"type": "channelSend", "channelId": self.number, "message": message})

    def cancel(self) -> None:
        """The client called it off."""
        self._cancelled = True
        if self._part:
            self._part.cancel()

    async def run(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do something that the client may call off; `None` if it did."""
        self._part = part = asyncio.create_task(work)
        if self._cancelled:
            part.cancel()
        try:
            return await part
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._cancelled and task is not None and not task.cancelling():
                return None
            raise  # the socket closed


async def load_model(instances: Instances, channel: Channel, parameter: Json) -> None:
    """`loadModel`: resolved, progress…, success. A model that is loaded is given again, not copied."""
    entry = await entry_of(instances, parameter["modelKey"])
    await channel.send({"type": "resolved", "info": shapes.model_info(entry)})
    instance = await _load(instances, channel, entry, parameter, "progress")
    await channel.send({"type": "success", "info": shapes.instance_info(instance)})


async def get_or_load(instances: Instances, channel: Channel, parameter: Json) -> None:
    """`getOrLoad`: alreadyLoaded, or startLoading, loadProgress…, loadSuccess."""
    name: str = parameter["identifier"]
    if instance := instances.by_id(name):
        await channel.send({"type": "alreadyLoaded", "info": shapes.instance_info(instance)})
        return
    entry = await entry_of(instances, name)
    await channel.send({"type": "startLoading", "identifier": entry.key, "info": shapes.model_info(entry)})
    instance = await _load(instances, channel, entry, parameter, "loadProgress")
    await channel.send({"type": "loadSuccess", "info": shapes.instance_info(instance)})


async def _load(instances: Instances, channel: Channel, entry: Entry, parameter: Json, word: str) -> Instance:
    steps: asyncio.Queue[float | None] = asyncio.Queue()
    context = context_of(parameter.get("loadConfigStack"))
    wanted = parameter.get("identifier") if "modelKey" in parameter else None
    load = asyncio.create_task(
        instances.load(entry.key, steps.put_nowait, context=context, identifier=wanted)
    )
    load.add_done_callback(lambda _: steps.put_nowait(None))

    async def follow() -> Instance:
        while (step := await steps.get()) is not None:
            await channel.send({"type": word, "progress": step})
        return await load

    try:
        instance = await channel.run(follow())
    except (LoadError, Unknown) as error:
        text = error.text if isinstance(error, LoadError) else "the model is gone"
        raise CallFailed(f'Failed to load model "{entry.key}". Error: {text}') from error
    finally:
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
    if instance is None:
        raise CallFailed("Operation canceled.")
    return instance


@dataclass
class _Tally:
    """What is known of a prediction when it ends."""

    reason: str | None = None
    usage: Json = field(default_factory=dict)
    timings: Json = field(default_factory=dict)

    def take(self, chunk: Json) -> None:
        self.usage = chunk.get("usage") or self.usage
        self.timings = chunk.get("timings") or self.timings
        for choice in chunk.get("choices", ()):
            self.reason = choice.get("finish_reason") or self.reason

    def stats(self, context: int) -> Json:
        total = self.usage.get("total_tokens", 0)
        stop = _STOPS.get(self.reason or "", "userStopped")
        if self.reason == "length" and total >= context:
            stop = "contextLengthReached"
        stats = {
            "stopReason": stop,
            "tokensPerSecond": self.timings.get("predicted_per_second"),
            "timeToFirstTokenSec": _seconds(self.timings.get("prompt_ms")),
            "promptTokensCount": self.usage.get("prompt_tokens"),
            "predictedTokensCount": self.usage.get("completion_tokens"),
            "totalTokensCount": self.usage.get("total_tokens"),
        }
        return {k: v for k, v in stats.items() if v is not None}


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


async def predict(instances: Instances, channel: Channel, parameter: Json) -> None:
    """`predict`: promptProcessingProgress…, fragment…, success with stats."""
    instance = resolve(instances, parameter["modelSpecifier"])
    stack = parameter.get("predictionConfigStack")
    body = sampling_of(stack) | {"messages": messages_of(parameter["history"])}
    tally = _Tally()

    async def answer() -> None:
        async with aclosing(instance.stream(body)) as chunks:
            async for chunk in chunks:
                tally.take(chunk)
                await _pass_on(channel, chunk)

    try:
        await channel.run(answer())
    except Refused as refused:
        raise CallFailed(refused.text) from refused
    except Gone as gone:
        display = {"code": "generic.specificModelUnloaded"} if gone.unloaded else None
        raise CallFailed(gone.text, display) from gone
    await channel.send({
        "type": "success",
        "stats": tally.stats(instance.runner.context),
        "modelInfo": shapes.instance_info(instance),
        "loadModelConfig": shapes.load_fields(instance.runner.context),
        "predictionConfig": {"fields": []},
    })  # fmt: skip


async def _pass_on(channel: Channel, chunk: Json) -> None:
    if progress := chunk.get("prompt_progress"):
        fraction = progress["processed"] / max(1, progress["total"])
        await channel.send({"type": "promptProcessingProgress", "progress": fraction})
    for choice in chunk.get("choices", ()):
        delta = choice["delta"]
        for key, kind in (("reasoning_content", "reasoning"), ("content", "none")):
            if text := delta.get(key):
                fragment = {
                    "content": text,
                    "tokensCount": 1,
                    "containsDrafted": False,
                    "reasoningType": kind,
                }
                await channel.send({"type": "fragment", "fragment": fragment})


Handler = Callable[[Instances, Channel, Json], Awaitable[None]]

CHANNELS: dict[tuple[str, str], Handler] = {
    ("llm", "loadModel"): load_model,
    ("llm", "getOrLoad"): get_or_load,
    ("llm", "predict"): predict,
}
