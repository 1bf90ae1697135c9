"""How a Bot API server writes HTTP: the envelope of answers, its errors, and what a proxy says before it."""

import json
from typing import Any

from aiohttp import web

Json = dict[str, Any]

UNAUTHORIZED = "Unauthorized"
NOT_FOUND = "Not Found: method not found"


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


def bad(text: str) -> ApiError:
    return ApiError(400, f"Bad Request: {text}")


def forbidden(text: str) -> ApiError:
    return ApiError(403, f"Forbidden: {text}")


def conflict(text: str) -> ApiError:
    return ApiError(409, f"Conflict: {text}")


def too_many(seconds: int) -> ApiError:
    return ApiError(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})


def _nginx(body: bytes, status: int, content_type: str) -> web.Response:
    return web.Response(
        body=body, status=status, headers={"Content-Type": content_type, "Server": "nginx/1.18.0"}
    )


def good_answer(result: Any, description: str = "") -> web.Response:
    body: Json = {"ok": True, "result": result}
    if description:
        body["description"] = description
    return _nginx(json.dumps(body, ensure_ascii=False).encode(), 200, "application/json")


def error_answer(error: ApiError) -> web.Response:
    body: Json = {"ok": False, "error_code": error.status, "description": error.description}
    if error.parameters is not None:
        body["parameters"] = error.parameters
    return _nginx(json.dumps(body, ensure_ascii=False).encode(), error.status, "application/json")


def html_answer(status: int, title: str) -> web.Response:
    """What stands in front of the servers says this when they are away."""
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
    )
    return _nginx(page.encode(), status, "text/html")
