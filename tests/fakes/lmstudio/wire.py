"""How LM Studio's server writes HTTP: Express headers, pretty-printed JSON, event streams, errors."""

import hashlib
import json
from typing import Any

from aiohttp import web

from tests.fakes.lmstudio.catalog import Json


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(body)
        self.status = status
        self.body = body

    @property
    def message(self) -> str:
        error = self.body["error"]
        return str(error["message"] if isinstance(error, dict) else error)


def native_error(
    status: int, message: str, kind: str, code: str | None = None, param: str | None = None
) -> ApiError:
    """The error object of /api/v1."""
    error: Json = {"message": message, "type": kind}
    if code is not None:
        error["code"] = code
    if param is not None:
        error["param"] = param
    return ApiError(status, {"error": error})


def invalid(message: str, code: str, param: str | None = None) -> ApiError:
    return native_error(400, message, "invalid_request", code, param)


class _Unnamed(web.Response):
    """A response that does not tell which Python library wrote it."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.pop("Server", None)


class _UnnamedStream(web.StreamResponse):
    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.pop("Server", None)


def _express(keep_alive: float) -> dict[str, str]:
    return {
        "X-Powered-By": "Express",
        "Connection": "keep-alive",
        "Keep-Alive": f"timeout={keep_alive:g}",
    }


def json_answer(body: Any, status: int = 200, *, keep_alive: float = 5.0) -> web.Response:
    content = json.dumps(body, indent=2, ensure_ascii=False).encode()
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()[:27]
    headers = _express(keep_alive) | {
        "Content-Type": "application/json; charset=utf-8",
        "ETag": f'W/"{len(content):x}-{digest}"',
    }
    return _Unnamed(body=content, status=status, headers=headers)


def html_answer(status: int) -> web.Response:
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n'
        "<body>\n<pre>Internal Server Error</pre>\n</body>\n</html>\n"
    )
    headers = _express(5.0) | {"Content-Type": "text/html; charset=utf-8"}
    return _Unnamed(body=page.encode(), status=status, headers=headers)


def raw_answer(content: bytes, content_type: str) -> web.Response:
    return _Unnamed(body=content, headers=_express(5.0) | {"Content-Type": content_type})


class EventStream:
    """A server-sent event stream, opened at once."""

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self.response = _UnnamedStream(
            headers={
                "X-Powered-By": "Express",
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-cache",
                "Connection": "keep-alive",
            }
        )

    async def open(self) -> None:
        await self.response.prepare(self._request)

    async def send(self, data: Any, event: str | None = None) -> None:
        name = f"event: {event}\n" if event is not None else ""
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        await self.response.write(f"{name}data: {text}\n\n".encode())

    async def close(self) -> web.StreamResponse:
        await self.response.write_eof()
        return self.response
