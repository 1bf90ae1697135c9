"""How Discord writes HTTP: JSON, its errors, its 429s, and what a proxy says before it."""

import json
from typing import Any

from aiohttp import web

Json = dict[str, Any]

VIA = {"Via": "1.1 google"}  # discord.py takes a 429 without it for a ban by the proxy in front


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors


def unauthorized() -> ApiError:
    return ApiError(401, 0, "401: Unauthorized")


def missing_access() -> ApiError:
    return ApiError(403, 50001, "Missing Access")


def too_many_follow_ups() -> ApiError:
    return ApiError(400, 40094, "Maximum number of follow-up messages reached for this interaction")


def bad_body(problem: str) -> ApiError:
    return ApiError(400, 50035, "Invalid Form Body", {"_errors": [{"code": "INVALID", "message": problem}]})


def json_answer(text: str, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=text.encode(),
        status=status,
        headers={"Content-Type": "application/json", **VIA, **(headers or {})},
    )


def empty_answer(headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=204, headers={**VIA, **(headers or {})})


def error_answer(error: ApiError, headers: dict[str, str] | None = None) -> web.Response:
    body: Json = {"message": error.message, "code": error.code}
    if error.errors is not None:
        body["errors"] = error.errors
    return json_answer(json.dumps(body), error.status, headers)


def slow_down(
    seconds: float, headers: dict[str, str] | None = None, *, everywhere: bool = False
) -> web.Response:
    """A 429: the body says how long; headers of a bucket are there or not."""
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": everywhere}
    extra = {"Retry-After": str(int(seconds) + 1), **(headers or {})}
    if everywhere:
        extra["X-RateLimit-Global"] = "true"
    return json_answer(json.dumps(body), 429, extra)


def html_answer(status: int) -> web.Response:
    """What stands in front of the servers says this when they are away, or when it bans somebody."""
    page = f"<html>\r\n<head><title>{status}</title></head>\r\n<body>cloudflare</body>\r\n</html>\r\n"
    headers = {"Content-Type": "text/html", "Server": "cloudflare"}
    return web.Response(body=page.encode(), status=status, headers=headers)
