"""OpenAI, and the vendors that speak its wire, each with what is its own. Shapes as recorded from each."""

from typing import Any

from aiohttp import web

from tests.fakes.vendors.script import Asked, Json, Row, Say
from tests.fakes.vendors.server import FakeVendor, event

CREATED = 1_760_000_000


def error(message: str, kind: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def last_words(messages: list[dict[str, Any]]) -> str:
    content = messages[-1]["content"]
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "[picture]") for part in content)


class FakeOpenAI(FakeVendor):
    """`api.openai.com/v1`."""

    key = "sk-proj-fake0123456789abcdefghij"
    fields = frozenset(
        {"model", "messages", "stream", "stream_options", "temperature", "max_completion_tokens"}
    )

    def default_models(self) -> list[dict[str, Any]]:
        names = (
            "text-embedding-4-large",
            "gpt-6",
            "gpt-6-mini",
            "gpt-5.4",
            "whisper-1",
            "gpt-image-2",
            "gpt-realtime",
            "o4-mini",
            "omni-moderation-latest",
        )
        return [
            {"id": name, "object": "model", "created": CREATED + n, "owned_by": "system"}
            for n, name in enumerate(names)
        ]

    def stranger(self) -> Row:
        return Row(
            401,
            error(
                f"Incorrect API key provided: {self.key[:8]}****. You can find your API key at "
                "https://platform.openai.com/account/api-keys.",
                "invalid_request_error",
                "invalid_api_key",
            ),
        )

    async def serve(self, asked: Asked) -> Row | Say | Json:
        if asked.method == "GET" and asked.path == f"{self.path}/models":
            given = asked.headers.get("Authorization", "").removeprefix("Bearer ")
            models = self.accounts.get(given, self.models)
            return self.listings.popleft() if self.listings else {"object": "list", "data": models}
        if asked.method == "POST" and asked.path == f"{self.path}/chat/completions":
            return self.refuses(asked.body) or self.next()
        return self.lost(asked.path)

    def refuses(self, body: dict[str, Any]) -> Row | None:
        """What is wrong with the request, by the vendor's own rules."""
        for name in body:
            if name not in self.fields:
                return Row(
                    400,
                    error(
                        f"Unsupported parameter: '{name}' is not supported with this model.",
                        "invalid_request_error",
                        "unsupported_parameter",
                        name,
                    ),
                )
        if body.get("temperature", 1) != 1 and body["model"].startswith(("o4", "gpt-6")):
            return Row(
                400,
                error(
                    "Unsupported value: 'temperature' does not support this value with this model. Only the "
                    "default (1) value is supported.",
                    "invalid_request_error",
                    "unsupported_value",
                    "temperature",
                ),
            )
        return None

    async def stream(self, response: web.StreamResponse, say: Say, asked: Asked) -> None:
        words = ("You said: ", last_words(asked.body["messages"])) if say.words is None else say.words
        await event(response, self.chunk(asked, {"role": "assistant", "content": "", "refusal": None}))
        for thought in say.thoughts:
            await event(response, self.chunk(asked, {"reasoning_content": thought}))
        for n, word in enumerate(words):
            await event(response, self.chunk(asked, {"content": word}))
            await self.pause(say, n)
        if say.breaks is not None:
            await event(response, say.breaks.body)
            return
        if say.cut:
            return
        reason = {"refused": "content_filter"}.get(say.reason, say.reason)
        await self.finish(response, say, asked, reason)
        await event(response, "[DONE]")

    async def finish(self, response: web.StreamResponse, say: Say, asked: Asked, reason: str) -> None:
        """The end: usage comes on its own, with empty choices, and only if it was asked for."""
        await event(response, self.chunk(asked, {}, reason))
        if asked.body.get("stream_options", {}).get("include_usage"):
            await event(response, {**self.chunk(asked, {}), "choices": [], "usage": self.usage(say)})

    def usage(self, say: Say) -> dict[str, Any]:
        tokens_in, tokens_out = say.tokens
        return {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        }

    def chunk(self, asked: Asked, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {
            "id": "chatcmpl-fake",
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": f"{asked.body['model']}-2026-10-01",
            "service_tier": "default",
            "system_fingerprint": "fp_fake",
            "choices": [choice],
            "usage": None,
        }
