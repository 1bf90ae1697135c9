"""`POST /v1/chat/completions`, as LM Studio answers it, over whichever engine runs the model."""

from contextlib import aclosing
from typing import Any

from aiohttp import web

from core.embedded.instances import Instance, Instances, Unknown
from core.embedded.replies import Events, Refusal, read, typed, unknown_model
from core.embedded.runner import Gone, Json, LoadError, Refused

# what goes on to the engine; the rest (ttl, draft_model, llama.cpp's own switches) does not
_PASSED = frozenset({
    "messages", "temperature", "top_p", "top_k", "min_p", "max_tokens", "max_completion_tokens", "stop",
    "seed", "presence_penalty", "frequency_penalty", "repeat_penalty", "logit_bias", "response_format",
    "tools", "tool_choice", "parallel_tool_calls", "logprobs", "top_logprobs",
})  # fmt: skip
_ENGINE_ONLY = ("timings", "prompt_progress", "__verbose")


class OpenAI:
    """Handlers over one set of instances."""

    def __init__(self, instances: Instances) -> None:
        self._instances = instances

    def routes(self) -> list[web.RouteDef]:
        """Where each handler answers."""
        return [web.post("/v1/chat/completions", self.chat)]

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat; a model on disk is loaded first. A reader that leaves stops the model."""
        body = await read(request, allowed=None, required=("model", "messages"))
        instance = await self._instance(typed(body, "model", str))
        passed = {k: v for k, v in body.items() if k in _PASSED and v is not None}
        typed(passed, "messages", list)
        if not typed(body, "stream", bool):
            return await _whole(instance, passed)
        usage = bool((body.get("stream_options") or {}).get("include_usage"))
        return await _stream(request, instance, passed, usage=usage)

    async def _instance(self, name: str) -> Instance:
        try:
            return await self._instances.load(name)
        except Unknown:
            raise await unknown_model(self._instances, name, 400, "invalid_request_error") from None
        except LoadError as error:
            text = f'Failed to load model "{name}". Error: {error.text}'
            raise Refusal(400, text, "invalid_request_error", param="model") from error


async def _whole(instance: Instance, body: Json) -> web.Response:
    try:
        answer = await instance.complete(body)
    except Refused as refused:
        # LM Studio answers a bare string here (rlmstudio, 0.4.25)
        return web.json_response({"error": refused.text}, status=refused.status)
    except Gone as gone:
        return web.json_response({"error": {"message": gone.text, "type": "internal_error"}}, status=500)
    return web.json_response(_cleaned(answer, instance) | {"stats": {}})


async def _stream(request: web.Request, instance: Instance, body: Json, *, usage: bool) -> web.StreamResponse:
    events = Events(request)
    await events.open()
    try:
        async with aclosing(instance.stream(body)) as chunks:
            async for chunk in chunks:
                if _wanted(chunk, usage=usage):
                    await events.data(_cleaned(chunk, instance, usage=usage))
        await events.data("[DONE]")
    except (Refused, Gone) as error:
        # HTTP said 200 long ago: the frame is how LM Studio tells a failure (thane, production)
        await events.data({"error": {"message": error.text}, "message": error.text}, "error")
    return events.response


def _wanted(chunk: Json, *, usage: bool) -> bool:
    """Whether LM Studio would send it: no prompt progress, usage only when asked for."""
    if "prompt_progress" in chunk:
        return False
    return bool(chunk.get("choices")) or usage


def _cleaned(chunk: Json, instance: Instance, *, usage: bool = True) -> Json:
    hidden: tuple[Any, ...] = _ENGINE_ONLY if usage else (*_ENGINE_ONLY, "usage")
    return {k: v for k, v in chunk.items() if k not in hidden} | {"system_fingerprint": instance.id}
