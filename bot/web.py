"""One small HTTP server for whoever runs the bot: `/health`, `/metrics`, and what platforms let be sent to them.

It holds no secret pages: `/metrics`, and the words of `/health`, can be kept for those who have METRICS_TOKEN.
"""

import asyncio
import errno
import hmac
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import web

from bot.opening import Take
from bot.trace import where
from core.errors import SettingWrong

log = structlog.get_logger(__name__)

LONGEST_BODY = 2**20  # bytes; an update of Telegram's has a few thousand
PATIENCE = 10.0  # seconds that a client may take for its headers, and again for its body
LEAVE_WITHIN = 2.0
BACKLOG = 128

# Whether all is well, and what is told of it as JSON.
Health = Callable[[], Awaitable[tuple[bool, Mapping[str, Any]]]]
# The page of metrics and its content type.
Metrics = Callable[[], tuple[bytes, str]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebServer:
    """See `bot.opening.Web`. `token` is asked for where it is set; `patience` in seconds."""

    def __init__(
        self,
        *,
        health: Health,
        metrics: Metrics,
        token: str | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._health = health
        self._metrics = metrics
        self._token = token
        self._patience = patience
        self._takers: dict[str, Take] = {}
        self._app = web.Application(middlewares=[self._guard], client_max_size=LONGEST_BODY)
        self._app.router.add_get("/health", self._tell_health)
        self._app.router.add_get("/metrics", self._tell_metrics)
        self._app.router.add_post("/{path:.*}", self._take)

    def receive(self, path: str, take: Take) -> None:
        """From now on `take(headers, body)` gets what is POSTed to `path`, and its status is the answer."""
        self._takers[path] = take

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[str]:
        """Listen while inside; the address. Raises SettingWrong that names HTTP_PORT or HTTP_HOST.

        Port 0 is any free one.
        """
        runner = web.AppRunner(
            self._app,
            access_log=None,
            handle_signals=False,
            keepalive_timeout=self._patience,
            lingering_time=1.0,
            shutdown_timeout=LEAVE_WITHIN,
        )
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
            except OSError as error:
                raise _cannot_listen(host, port, error) from error
            address = "http://{}:{}".format(*_shown(runner.addresses[0]))
            log.info("http server listens", address=address)
            yield address
        finally:
            await runner.cleanup()

    # ------------------------------------------------------------ pages

    async def _tell_health(self, request: web.Request) -> web.Response:
        well, told = await self._health()
        body = told if self._knows(request) else {"status": told["status"]}
        return web.json_response(body, status=200 if well else 503, headers={"Cache-Control": "no-store"})

    async def _tell_metrics(self, request: web.Request) -> web.Response:
        if not self._knows(request):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        body, content_type = self._metrics()
        return web.Response(body=body, headers={"Content-Type": content_type})

    def _knows(self, request: web.Request) -> bool:
        if self._token is None:
            return True
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            given.strip().encode(), self._token.encode()
        )

    async def _take(self, request: web.Request) -> web.Response:
        take = self._takers.get(request.path)
        if take is None:
            raise web.HTTPNotFound
        try:
            async with asyncio.timeout(self._patience):
                body = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        headers = {name.lower(): value for name, value in request.headers.items()}
        return web.Response(status=await take(headers, body))

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Whatever goes wrong here ends with a status: the library's own report would quote what was sent."""
        try:
            return await handler(request)
        except web.HTTPException as refusal:
            answer = web.Response(status=refusal.status, text=refusal.reason)
            if refusal.status in {408, 413}:
                answer.force_close()
            return answer
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as bug:  # noqa: BLE001  # see above
            log.error("request failed", where=where(bug))  # noqa: TRY400  # see above
            return web.Response(status=500)


def _cannot_listen(host: str, port: int, error: OSError) -> SettingWrong:
    """Which of the two settings is to blame, in the system's own words."""
    number = error.errno or 0
    # asyncio's own words repeat the address, and the numbers of name look-ups are none of the system's
    words = os.strerror(number) if number > 0 else error.strerror or str(error)
    setting = "HTTP_PORT" if number in {errno.EADDRINUSE, errno.EACCES} else "HTTP_HOST"
    return SettingWrong(setting, f"{host}:{port} ({words})")


def _shown(address: tuple[Any, ...]) -> tuple[str, int]:
    host, port = address[:2]
    return (f"[{host}]" if ":" in host else host), port
