"""An HTTP request on its way through the server: token, faults, limits, judgement, answer, record."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any, NoReturn

from aiohttp import web
from simcord.backend.cdn import CDN_BASE
from simcord.backend.errors import BackendError
from simcord.http import router

from tests.fakes.discord.faults import Fault, Faults
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.journal import Call, Journal, Violation
from tests.fakes.discord.judge import judge, route_of
from tests.fakes.discord.limits import Bucket, Limits
from tests.fakes.discord.request import Sent, read
from tests.fakes.discord.wire import (
    ApiError,
    bad_body,
    empty_answer,
    error_answer,
    html_answer,
    json_answer,
    missing_access,
    slow_down,
    too_many_follow_ups,
    unauthorized,
)
from tests.fakes.discord.world import World

ROOT = "/api/v10"
_FOR_EVER = 10.0**9


@dataclass
class _Visit:
    """What is known of a call when it is written down."""

    method: str
    path: str
    parameters: dict[str, str]
    time: float
    sent: Sent = field(default_factory=Sent)
    fault: Fault | None = None
    bucket: Bucket | None = None
    status: int = 0
    error: str = ""

    @property
    def route(self) -> str:
        return route_of(self.method, self.path)

    def headers(self) -> dict[str, str]:
        return {} if self.bucket is None else self.bucket.headers(time.monotonic())


class _Once:
    """With `enforce_nonce` the same nonce in the same channel makes one message; the second call gets the first."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Any] = {}

    def get(self, visit: _Visit) -> Any:
        key = self._key(visit)
        return None if key is None else self._made.get(key)

    def keep(self, visit: _Visit, result: Any) -> Any:
        key = self._key(visit)
        if key is not None:
            self._made[key] = result
        return result

    @staticmethod
    def _key(visit: _Visit) -> tuple[str, str] | None:
        body = visit.sent.body if visit.method == "POST" and visit.path.endswith("/messages") else None
        wanted = isinstance(body, dict) and body.get("enforce_nonce") and body.get("nonce")
        return (visit.path, str(body["nonce"])) if wanted and isinstance(body, dict) else None


class Desk:
    def __init__(self, world: World, gateway: Gateway, journal: Journal, faults: Faults) -> None:
        self.world = world
        self.gateway = gateway
        self.journal = journal
        self.faults = faults
        self.limits = Limits(world.switches)
        self._once = _Once()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Tell apart the gateway, files and calls."""
        path = request.path
        if path.strip("/") in ("gateway", "resume"):
            return await self.gateway.serve(request)
        if path.startswith("/cdn/"):
            return await self._file(request, path)
        if not path.startswith(f"{ROOT}/"):
            return error_answer(ApiError(404, 0, "404: Not Found"))
        return await self._call(request, path.removeprefix(ROOT))

    async def _file(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """What was sent along with a message; faults are for `GET /cdn/*`."""
        visit = _Visit("GET", path, {}, time.monotonic())
        visit.fault = self.faults.take(f"GET {path}")
        page = await self._suffer(request, visit)
        if page is not None:
            return page
        data = self.world.backend.cdn.get(CDN_BASE + path.removeprefix("/cdn"))
        return web.Response(body=data) if data is not None else error_answer(ApiError(404, 0, "Not Found"))

    # ------------------------------------------------------------ a call

    async def _call(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        visit = _Visit(request.method, path, dict(request.query), time.monotonic())
        try:
            return await self._visit(request, visit)
        except ApiError as error:
            visit.status, visit.error = error.status, f"{error.code} {error.message}"
            return error_answer(error, visit.headers())
        finally:
            self.journal.add(
                Call(
                    visit.route,
                    path,
                    visit.sent.body,
                    tuple(upload.filename for upload in visit.sent.files),
                    visit.parameters,
                    visit.time,
                    time.monotonic(),
                    visit.status,
                    visit.error,
                )
            )

    async def _visit(self, request: web.BaseRequest, visit: _Visit) -> web.StreamResponse:
        visit.sent = await read(request)
        await asyncio.sleep(self.world.switches.latency / 2)
        visit.fault = self.faults.take(f"{visit.method} {visit.path}")
        page = await self._suffer(request, visit)
        if page is None:
            page = self._limited(visit)
        if page is None:
            self._check_token(request, visit.path)
            page = self._work(visit)
            if visit.fault is not None and visit.fault.kind == "lost":
                await self._drop(request)
        await asyncio.sleep(self.world.switches.latency / 2)
        visit.status = page.status
        return page

    def _limited(self, visit: _Visit) -> web.Response | None:
        now = time.monotonic()
        wait = self.limits.everywhere(visit.path, now)
        if wait > 0:
            return slow_down(round(wait, 3), everywhere=True)
        bucket = self.limits.bucket(visit.method, visit.path)
        wait = 0.0 if bucket is None else bucket.take(now)
        visit.bucket = bucket if self.world.switches.told else None
        return slow_down(round(wait, 3), visit.headers()) if wait > 0 else None

    def _check_token(self, request: web.BaseRequest, path: str) -> None:
        """What follows an interaction carries the interaction's own token."""
        if path.startswith(("/interactions/", "/webhooks/")):
            return
        if request.headers.get("Authorization") != f"Bot {self.world.switches.token}":
            raise unauthorized()

    def _work(self, visit: _Visit) -> web.Response:
        problem = judge(visit.route, visit.sent.body)
        if problem is not None:
            self.journal.violations.append(Violation(visit.route, problem))
            raise bad_body(problem)
        self._check_guest(visit)
        result = self._result(visit)
        if result is None or (visit.path.endswith("/callback") and not visit.parameters.get("with_response")):
            return empty_answer(visit.headers())
        text = json.dumps(result, ensure_ascii=False).replace(CDN_BASE, self.gateway.cdn)
        return json_answer(text, 200, visit.headers())

    def _result(self, visit: _Visit) -> Any:
        if visit.path in ("/gateway", "/gateway/bot"):
            return self._gateway_info()
        return self._once.get(visit) or self._once.keep(visit, self._dispatched(visit))

    def _dispatched(self, visit: _Visit) -> Any:
        try:
            result = router.dispatch(
                self.world.backend,
                visit.method,
                visit.path,
                json=visit.sent.body,
                params=visit.parameters,
                files=list(visit.sent.files),
                message_content_access="message_content" in self.world.switches.privileged,
            )
        except (router.RouteNotImplemented, router.UnsupportedField, ValueError) as gap:
            self.journal.violations.append(Violation(visit.route, f"this fake cannot do it: {gap}"))
            raise ApiError(501, 0, str(gap)) from None
        except BackendError as error:
            raise ApiError(error.status, error.code, error.message, error.errors) from None
        if visit.path == "/oauth2/applications/@me":
            return result | {"flags": self.gateway.flags()}
        return result

    def _gateway_info(self) -> Any:
        left = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 16}
        url = f"{self.gateway.url}/gateway"
        return {"url": url, "shards": self.world.switches.shards, "session_start_limit": left}

    def _check_guest(self, visit: _Visit) -> None:
        """Where only a person has installed the app it may follow up an interaction, so many times."""
        kind, _, rest = visit.path.strip("/").partition("/")
        major = rest.partition("/")[0]
        if kind == "channels" and major.isdecimal() and int(major) in self.world.foreign:
            raise missing_access()
        token = rest.partition("/")[2]
        backend = self.world.backend
        if kind != "webhooks" or visit.method != "POST" or token not in backend.interaction_tokens:
            return
        record = backend.interactions[backend.interaction_tokens[token]]
        spent = len(record.followup_ids) >= self.world.switches.follow_ups
        if record.channel_id in self.world.foreign and spent and not record.loading:
            raise too_many_follow_ups()

    # ------------------------------------------------------------ faults

    async def _suffer(self, request: web.BaseRequest, visit: _Visit) -> web.Response | None:
        fault = visit.fault
        if fault is None or fault.kind == "lost":
            return None
        if fault.kind == "drop":
            await self._drop(request)
        if fault.kind in ("hang", "slow"):
            await asyncio.sleep(fault.number(0, _FOR_EVER))
            return None
        return self._refusal(fault, visit)

    def _refusal(self, fault: Fault, visit: _Visit) -> web.Response:
        if fault.kind == "banned":
            return html_answer(429)
        if fault.kind in ("bare", "global"):
            return slow_down(fault.number(0, 1.0), everywhere=fault.kind == "global")
        status = int(fault.number(0, 500))
        if status == 429:
            wait = fault.number(1, 1.0)
            bucket = Bucket("hash-of-messages", 5, wait, used=5, until=time.monotonic() + wait)
            return slow_down(wait, bucket.headers(time.monotonic()))
        if status in (502, 504, 524):
            return html_answer(status)
        raise ApiError(status, 0, f"{status}: as the test wants it for {visit.route}")

    @staticmethod
    async def _drop(request: web.BaseRequest) -> NoReturn:
        """Reset the connection: the client gets no answer."""
        if request.transport is not None:
            request.transport.abort()
        await asyncio.sleep(_FOR_EVER)
        raise ConnectionAbortedError
