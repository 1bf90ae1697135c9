"""From a request to its answer: authentication, faults, the table of routes, Express's manners."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.fakes.lmstudio import chat_v1, openai, rest_v0, rest_v1
from tests.fakes.lmstudio.access import refusal
from tests.fakes.lmstudio.exchange import Exchange
from tests.fakes.lmstudio.faults import Fault
from tests.fakes.lmstudio.sockets import NAMESPACES, serve
from tests.fakes.lmstudio.wire import ApiError, html_answer, native_error, raw_answer

Handler = Callable[[Exchange], Awaitable[web.StreamResponse]]


async def greeting(x: Exchange) -> web.StreamResponse:
    return x.answer({"lmstudio": True})


ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/lmstudio-greeting"): greeting,
    ("GET", "/api/v1/models"): rest_v1.models,
    ("POST", "/api/v1/models/load"): rest_v1.load,
    ("POST", "/api/v1/models/unload"): rest_v1.unload,
    ("POST", "/api/v1/models/download"): rest_v1.download,
    ("POST", "/api/v1/chat"): chat_v1.chat,
    ("GET", "/api/v0/models"): rest_v0.models,
    ("POST", "/api/v0/chat/completions"): openai.chat,
    ("POST", "/api/v0/embeddings"): openai.embeddings,
    ("GET", "/v1/models"): openai.models,
    ("POST", "/v1/chat/completions"): openai.chat,
    ("POST", "/v1/embeddings"): openai.embeddings,
}
PREFIXES: dict[tuple[str, str], Handler] = {
    ("GET", "/api/v1/models/download/status/"): rest_v1.download_status,
    ("GET", "/api/v0/models/"): rest_v0.one_model,
}


def _handler(x: Exchange) -> Handler | None:
    method, path, switches = x.request.method, x.path, x.switches
    absent = (
        (path.startswith("/api/v1/") and not switches.rest_v1)
        or (path.startswith("/api/v0/") and not switches.rest_v0)
        or (path == "/lmstudio-greeting" and not switches.greeting)
    )
    if absent:
        return None
    if (handler := ROUTES.get((method, path))) is not None:
        return handler
    for (verb, prefix), found in PREFIXES.items():
        if method == verb and path.startswith(prefix):
            return found
    upgrade = x.request.headers.get("Upgrade", "").lower() == "websocket"
    if upgrade and switches.sockets and path.strip("/") in NAMESPACES:
        return serve
    return None


async def dispatch(x: Exchange) -> web.StreamResponse:
    """Answer a request; every error becomes the answer LM Studio gives."""
    fault, x.fault = x.fault, None
    if fault is not None:
        x.core.journal.add("fault", method=x.request.method, path=x.path, detail=fault.kind)
        if (spoiled := await _spoil(x, fault)) is not None:
            return spoiled
        x.fault = fault
    handler = _handler(x)
    if handler not in (greeting, serve) and (refused := refusal(x)) is not None:
        x.core.journal.add("auth_refused", method=x.request.method, path=x.path)
        if x.switches.auth_hides_routes:
            return _unknown(x)
        return x.answer(refused.body, refused.status)
    if handler is None:
        return _unknown(x)
    try:
        return await handler(x)
    except ApiError as error:
        return x.answer(error.body, error.status)


def _unknown(x: Exchange) -> web.StreamResponse:
    message = f"Unexpected endpoint or method. ({x.request.method} {x.path})"
    return x.answer({"error": message}, x.switches.unknown_route_status)


_RAW = {
    ("garbage", True): b"data: {not json\n\n\x00\xff garbage\n\n",
    ("garbage", False): b'{"truncated": ',
    ("empty", True): b"",
    ("empty", False): b"",
}


async def _spoil(x: Exchange, fault: Fault) -> web.StreamResponse | None:
    """The wrong answer of a fault; None: the route itself carries the fault."""
    streams = '"stream":true' in (await x.request.text()).replace(" ", "")
    match fault.kind:
        case "drop" | "down":
            await x.drop()
        case "hang":
            await x.for_ever()
        case "html":
            return html_answer(fault.status)
        case "garbage" | "empty":
            kind = "text/event-stream" if streams else "application/json; charset=utf-8"
            return raw_answer(_RAW[fault.kind, streams], kind)
        case "status":
            return x.answer(_internal(fault).body, fault.status)
        case "error-event" if not streams:
            return x.answer(_internal(fault).body, 500)
    return None


def _internal(fault: Fault) -> ApiError:
    return native_error(fault.status, fault.text, "internal_error", "unknown")
