"""An HTTP request on its way through the server: token, faults, limits, judgement, answer, record."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import unquote

from aiohttp import web

from tests.fakes.telegram import do_chat, do_edit, do_profile, do_send, do_updates
from tests.fakes.telegram.asks import HANDLERS, Ask, Told
from tests.fakes.telegram.faults import Fault, Faults
from tests.fakes.telegram.journal import Call, Journal, Violation
from tests.fakes.telegram.limits import Limits
from tests.fakes.telegram.request import read_parameters, without_secrets
from tests.fakes.telegram.schema import Broken, Model, check_result, judge, model_of
from tests.fakes.telegram.wire import (
    NOT_FOUND,
    UNAUTHORIZED,
    ApiError,
    Json,
    bad,
    error_answer,
    good_answer,
    html_answer,
    too_many,
)
from tests.fakes.telegram.world import World

__all__ = ["Desk", "do_chat", "do_edit", "do_profile", "do_send", "do_updates"]

_FOR_EVER = 10.0**9


@dataclass
class _Visit:
    """What is known of a call when it is written down."""

    method: str
    time: float
    parameters: Json
    fault: Fault | None = None
    model: Model | None = None
    status: int = 0
    error: str = ""

    def number(self, name: str) -> int | None:
        try:
            return int(self.parameters.get(name) or "")
        except (TypeError, ValueError):
            return None


class Desk:
    def __init__(self, world: World, journal: Journal, faults: Faults) -> None:
        self.world = world
        self.journal = journal
        self.faults = faults
        self.limits = Limits(world.switches)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Route `/bot<token>/method` and `/file/bot<token>/path`."""
        kind, _, rest = unquote(request.path).lstrip("/").partition("bot")
        token, _, name = rest.partition("/")
        if kind not in ("", "file/") or not name:
            return error_answer(ApiError(404, "Not Found"))
        try:
            self._check_token(token)
        except ApiError as error:
            return error_answer(error)
        return self._file(name) if kind else await self._call(request, name)

    def _check_token(self, token: str) -> None:
        if ":" not in token:
            raise ApiError(401, f"{UNAUTHORIZED}: invalid token specified")
        if token != self.world.switches.token:
            raise ApiError(401, UNAUTHORIZED)
        if self.world.logged_out:
            raise ApiError(400, "Logged out")

    def _file(self, path: str) -> web.Response:
        stored = self.world.files.by_path(path)
        if stored is None:
            return error_answer(ApiError(404, "Not Found"))
        return web.Response(body=stored.data, content_type="application/octet-stream")

    # ------------------------------------------------------------ a call

    async def _call(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        visit = _Visit(name, time.monotonic(), {})
        try:
            return await self._visit(request, visit)
        except ApiError as error:
            visit.status, visit.error = error.status, error.description
            return error_answer(error)
        finally:
            self.journal.add(
                Call(
                    visit.method,
                    visit.number("chat_id"),
                    visit.number("message_thread_id"),
                    without_secrets(visit.parameters),
                    visit.time,
                    time.monotonic(),
                    visit.status,
                    visit.error,
                )
            )

    async def _visit(self, request: web.BaseRequest, visit: _Visit) -> web.StreamResponse:
        visit.parameters = await read_parameters(request)
        visit.model = model_of(visit.method)
        if visit.model is not None:
            visit.method = visit.model.__api_method__
        self.journal.arrive(visit.method)
        polling = visit.method == "getUpdates"
        latency = 0.0 if polling else self.world.switches.latency / 2
        await asyncio.sleep(latency)
        visit.fault = self.faults.take(visit.method, visit.number("chat_id"))
        page = await self._suffer(request, visit)
        if page is None:
            self.limits.pass_or_fail(visit.method, visit.number("chat_id"))
            page = await self._work(visit)
            if visit.fault is not None and visit.fault.kind == "lost":
                await self._drop(request)
        await asyncio.sleep(latency)
        visit.status = page.status
        return page

    async def _work(self, visit: _Visit) -> web.Response:
        handler = HANDLERS.get(visit.method.lower())
        if visit.model is None or handler is None:
            told = "unknown method" if visit.model is None else "this fake has no such method"
            self.journal.violations.append(Violation(visit.method, told))
            raise ApiError(404, NOT_FOUND)
        try:
            visit.parameters = judge(visit.model, visit.parameters)
        except Broken as broken:
            self.journal.violations.append(Violation(visit.method, str(broken)))
            raise bad(str(broken)) from None
        result: Any = await handler(Ask(self.world, visit.method, visit.parameters))
        description = ""
        if isinstance(result, Told):
            result, description = result.result, result.description
        check_result(visit.model, result)
        return good_answer(result, description)

    # ------------------------------------------------------------ faults

    async def _suffer(self, request: web.BaseRequest, visit: _Visit) -> web.Response | None:
        fault = visit.fault
        if fault is None or fault.kind == "lost":
            return None
        if fault.kind == "drop":
            await self._drop(request)
        if fault.kind in ("hang", "slow"):
            await asyncio.sleep(fault.number(0, _FOR_EVER) if fault.kind == "slow" else _FOR_EVER)
            return None
        if fault.kind == "html":
            return html_answer(200, "Telegram Bot API")
        return self._status(fault)

    @staticmethod
    def _status(fault: Fault) -> web.Response:
        status = int(fault.number(0, 500))
        if status == 429:
            raise too_many(int(fault.number(1, 1)))
        if status == 502:
            return html_answer(502, "502 Bad Gateway")
        raise ApiError(status, fault.text)

    @staticmethod
    async def _drop(request: web.BaseRequest) -> NoReturn:
        """Reset the connection: the client gets no answer."""
        if request.transport is not None:
            request.transport.abort()
        await asyncio.sleep(_FOR_EVER)
        raise ConnectionAbortedError
