"""Bodies in and out: reading JSON strictly, the error shapes of each API, server-sent events."""

import json
from collections.abc import Collection
from typing import Any

from aiohttp import web

from core.embedded.instances import Instances
from core.embedded.runner import Json, Refused

_SAMPLE = 3


async def read(request: web.Request, *, allowed: Collection[str] | None, required: Collection[str]) -> Json:
    """Read the JSON object of a request; raises `Refusal` as LM Studio words it (v1 bodies are strict)."""
    try:
        body = await request.json()
    except (ValueError, UnicodeDecodeError):
        raise Refusal(400, "Invalid JSON body", "invalid_request", "invalid_json") from None
    if not isinstance(body, dict):
        raise Refusal(400, "Expected object", "invalid_request", "invalid_value")
    unknown = [k for k in body if allowed is not None and k not in allowed]
    if unknown:
        names = ", ".join(f"'{k}'" for k in unknown)
        text = f"Unrecognized key(s) in object: {names}"
        raise Refusal(400, text, "invalid_request", "unrecognized_keys")
    for key in required:
        if not body.get(key):
            raise Refusal(400, f'"{key}" is required', "invalid_request", "missing_required_parameter", key)
    return body


def typed(body: Json, key: str, kind: type[Any] | tuple[type[Any], ...]) -> Any:
    """One optional value of the body, of the right type; `bool` is no number."""
    value = body.get(key)
    if value is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
        return value
    raise Refusal(400, f"Invalid value for '{key}'", "invalid_request", "invalid_value", key)


class Refusal(Exception):
    """A request that is answered with an error object."""

    def __init__(
        self, status: int, text: str, kind: str, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.body: Json = {"error": {"message": text, "type": kind}}
        if code:
            self.body["error"]["code"] = code
        if param:
            self.body["error"]["param"] = param

    def response(self) -> web.Response:
        """The HTTP answer."""
        return web.json_response(self.body, status=self.status)


async def unknown_model(instances: Instances, name: str, status: int, kind: str) -> Refusal:
    """Nothing has this name; unlike LM Studio's /v1, another model never answers in its place."""
    entries = await instances.catalogue.entries()
    sample = ", ".join(e.key for e in entries[:_SAMPLE])
    text = f'Invalid model identifier "{name}". Please specify a valid downloaded model (e.g., {sample}).'
    return Refusal(status, text, kind, "model_not_found", "model")


def load_failed(entry_name: str, text: str) -> Refusal:
    """`POST /api/v1/models/load` and native chat say a failed load like this."""
    return Refusal(500, f"Failed to load LLM '{entry_name}': Error: {text}", "model_load_failed")


def internal(refused: Refused) -> Refusal:
    """Native chat says a refusal of the engine like this (LM Studio: 500 even for a long prompt)."""
    status = 500 if refused.overflow else refused.status
    kind = "internal_error" if refused.overflow or status >= 500 else "invalid_request"  # noqa: PLR2004  # HTTP
    return Refusal(status, refused.text, kind, "unknown")


class Events:
    """Server-sent events; opened by the first one, so that an earlier error can still be plain JSON."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
        )

    async def open(self) -> None:
        """Send the headers; later calls do nothing."""
        if not self.response.prepared:
            await self.response.prepare(self._request)

    async def data(self, data: Json | str, event: str | None = None) -> None:
        """One event; raises `ConnectionError` when the reader is gone."""
        await self.open()
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        name = f"event: {event}\n" if event else ""
        await self.response.write(f"{name}data: {text}\n\n".encode())

    async def named(self, event: str, **payload: Any) -> None:
        """One event of LM Studio's native stream: its name stands in the data too."""
        await self.data({"type": event, **payload}, event)
