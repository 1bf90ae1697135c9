"""Anthropic's Messages API, as recorded."""

from typing import Any

from aiohttp import web

from tests.fakes.vendors.script import Asked, Json, Row, Say
from tests.fakes.vendors.server import FakeVendor, event

REASONS = {"stop": "end_turn", "length": "max_tokens", "refused": "refusal"}
FIELDS = frozenset({"model", "max_tokens", "messages", "stream", "system", "temperature"})
VERSIONS = {"2023-06-01", "2026-10-21"}  # the documented one, and the official SDK's
NO = {"supported": False}
YES = {"supported": True}
ABLE = {
    **dict.fromkeys(("batch", "citations", "code_execution", "pdf_input", "structured_outputs"), YES),
    "context_management": YES,
    "effort": {**YES, "low": YES, "medium": YES, "high": YES, "max": NO},
    "server_tools": {**YES, "code_execution": YES, "web_search": YES},
    "thinking": {
        **YES,
        "types": {"adaptive": YES, "between_tools": NO, "disabled": YES, "enabled": YES},
    },
}


def error(kind: str, message: str, **details: Any) -> dict[str, Any]:
    inner: dict[str, Any] = {"type": kind, "message": message}
    if details:
        inner["details"] = details
    return {"type": "error", "error": inner, "request_id": "req_fake"}


class FakeAnthropic(FakeVendor):
    """`api.anthropic.com`."""

    path = ""
    key = "sk-ant-api03-fake0123456789abcdefghij"
    page = 2

    def is_chat(self, path: str) -> bool:
        return path == "/v1/messages"

    def default_models(self) -> list[dict[str, Any]]:
        def model(name: str, title: str, at: str, lifecycle: str = "active") -> dict[str, Any]:
            return {
                "type": "model",
                "id": name,
                "display_name": title,
                "created_at": at,
                "lifecycle": lifecycle,
                "max_input_tokens": 200_000,
                "max_tokens": 64_000,
                "capabilities": {**ABLE, "image_input": NO if "blind" in name else YES},
            }

        return [
            model("claude-haiku-5", "Claude Haiku 5", "2026-08-01T00:00:00Z"),
            model("claude-sonnet-4-5", "Claude Sonnet 4.5", "2025-09-29T00:00:00Z"),
            model("claude-sonnet-5", "Claude Sonnet 5", "2026-06-01T00:00:00Z"),
            model("claude-blind-1", "Claude Blind", "2024-01-01T00:00:00Z"),
            model("claude-2", "Claude 2", "2023-07-01T00:00:00Z", "retired"),
        ]

    def allowed(self, request: web.BaseRequest) -> bool:
        # The documented header, and the one that the official SDK sends since its version 2.
        return self.key in {
            request.headers.get("x-api-key", ""),
            request.headers.get("Authorization", "").removeprefix("Bearer "),
        }

    def stranger(self) -> Row:
        return Row(401, error("authentication_error", "invalid x-api-key"))

    def lost(self, path: str) -> Row:
        return Row(404, error("not_found_error", f"Not found: {path}"))

    async def serve(self, asked: Asked) -> Row | Say | Json:
        if asked.headers.get("anthropic-version") not in VERSIONS:
            return Row(400, error("invalid_request_error", "anthropic-version: header is required"))
        if asked.path == "/v1/models":
            return self.listings.popleft() if self.listings else self.listed(asked)
        if asked.path == "/v1/messages":
            return self.refuses(asked.body) or self.next()
        return self.lost(asked.path)

    def listed(self, asked: Asked) -> Json:
        assert int(asked.query["limit"]) <= 1000
        ids = [model["id"] for model in self.models]
        start = ids.index(asked.query["after_id"]) + 1 if "after_id" in asked.query else 0
        page = self.models[start : start + self.page]
        more = start + self.page < len(ids)
        return {"data": page, "has_more": more, "first_id": page[0]["id"], "last_id": page[-1]["id"]}

    def refuses(self, body: dict[str, Any]) -> Row | None:
        """What is wrong with the request, by the vendor's own rules."""
        wrong = [f"{name}: Extra inputs are not permitted" for name in body if name not in FIELDS]
        if "max_tokens" not in body:
            wrong.append("max_tokens: Field required")
        elif body["max_tokens"] > 64_000:
            wrong.append("max_tokens: the limit of this model is 64000")
        if not 0 <= body.get("temperature", 1) <= 1:
            wrong.append("temperature: range: 0..1")
        roles = [message["role"] for message in body["messages"]]
        if set(roles) - {"user", "assistant"} or roles[:1] != ["user"]:
            wrong.append("messages: roles")
        if any(message["content"] == "" for message in body["messages"]):
            wrong.append("messages: text content blocks must be non-empty")
        return Row(400, error("invalid_request_error", wrong[0])) if wrong else None

    async def stream(self, response: web.StreamResponse, say: Say, asked: Asked) -> None:
        words = ("You said: ", _last(asked.body)) if say.words is None else say.words
        await self._open(response, say, asked)
        for n, thought in enumerate(say.thoughts):
            if n == 0:
                await self._begin(response, 0, {"type": "thinking", "thinking": "", "signature": ""})
            await self._piece(response, 0, {"type": "thinking_delta", "thinking": thought})
        index = 1 if say.thoughts else 0
        await self._begin(response, index, {"type": "text", "text": ""})
        await event(response, {"type": "ping"}, "ping")
        for n, word in enumerate(words):
            await self._piece(response, index, {"type": "text_delta", "text": word})
            await self.pause(say, n)
        if say.breaks is not None:
            await event(response, say.breaks.body, "error")
            return
        if not say.cut:
            await self._close(response, say, index)

    async def _open(self, response: web.StreamResponse, say: Say, asked: Asked) -> None:
        usage = {
            "input_tokens": say.tokens[0] - 1,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 1,
            "output_tokens": 1,
            "service_tier": "standard",
        }
        message = {
            "id": "msg_fake",
            "type": "message",
            "role": "assistant",
            "model": asked.body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        await event(response, {"type": "message_start", "message": message}, "message_start")

    async def _begin(self, response: web.StreamResponse, index: int, block: dict[str, Any]) -> None:
        data = {"type": "content_block_start", "index": index, "content_block": block}
        await event(response, data, "content_block_start")

    async def _piece(self, response: web.StreamResponse, index: int, delta: dict[str, Any]) -> None:
        data = {"type": "content_block_delta", "index": index, "delta": delta}
        await event(response, data, "content_block_delta")

    async def _close(self, response: web.StreamResponse, say: Say, index: int) -> None:
        await event(response, {"type": "content_block_stop", "index": index}, "content_block_stop")
        delta = {"stop_reason": REASONS.get(say.reason, say.reason), "stop_sequence": None}
        data = {"type": "message_delta", "delta": delta, "usage": {"output_tokens": say.tokens[1]}}
        await event(response, data, "message_delta")
        await event(response, {"type": "message_stop"}, "message_stop")


def _last(body: dict[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "[picture]") for part in content)
