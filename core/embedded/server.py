"""The HTTP server on 127.0.0.1: who may come in, what is not there, start and end."""

import asyncio
import hmac
import secrets
import string
from collections.abc import Awaitable, Callable

from aiohttp import web

from core.embedded.instances import Instances
from core.embedded.native import Native
from core.embedded.openai import OpenAI
from core.embedded.replies import Refusal
from core.embedded.rest import Rest
from core.embedded.runner import Log
from core.embedded.sockets import NAMESPACES, Sockets

_HOST = "127.0.0.1"
_LONGEST_BODY = 32 * 2**20  # bytes
_LETTERS = string.ascii_letters + string.digits
_OPEN = frozenset({"/lmstudio-greeting", *(f"/{name}" for name in NAMESPACES)})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def new_token() -> str:
    """Make a token in LM Studio's form (its `lmstudioAPIToken.ts`): two halves, for REST and for sockets."""

    def letters(count: int) -> str:
        return "".join(secrets.choice(_LETTERS) for _ in range(count))

    return f"sk-lm-{letters(8)}:{letters(20)}"


class Server:
    """Serves one set of instances to whoever has the token."""

    def __init__(self, instances: Instances, token: str, log: Log) -> None:
        self._token = token
        self._log = log
        self._sockets = Sockets(instances, token, log)
        # each handler is cancelled when its reader leaves: that is what stops the model
        self._app = web.Application(middlewares=[self._guard], client_max_size=_LONGEST_BODY)
        for part in (Rest(instances), Native(instances), OpenAI(instances), self._sockets):
            self._app.add_routes(part.routes())
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen on a free port; return the address."""
        self._runner = web.AppRunner(
            self._app, access_log=None, handle_signals=False, handler_cancellation=True, shutdown_timeout=0.2
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, _HOST, 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def aclose(self) -> None:
        """Close every connection; open answers end."""
        await self._sockets.aclose()
        if self._runner:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in _OPEN and (refusal := self._stranger(request)):
            return refusal.response()
        try:
            return await handler(request)
        except Refusal as refusal:
            return refusal.response()
        except web.HTTPException as error:
            return _nowhere(request, error)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001  # one bad request must not look like a dead server
            self._log.warning("embedded.internal-error", path=request.path, error=type(error).__name__)
            return Refusal(500, "Internal error", "internal_error").response()

    def _stranger(self, request: web.Request) -> Refusal | None:
        given = request.headers.get("Authorization", "")
        scheme, _, token = given.partition(" ")
        if hmac.compare_digest(token.strip().encode(), self._token.encode()) and scheme.lower() == "bearer":
            return None
        text = (
            "Malformed LM Studio API token provided: it is not the one of this server."
            if token
            else "An LM Studio API token is required to make requests to this server, but none was provided "
            "using the Authorization header using the 'Bearer' scheme."
        )
        return Refusal(401, text, "invalid_request", "invalid_api_key")


def _nowhere(request: web.Request, error: web.HTTPException) -> web.Response:
    """Answer a path or method that is not there: LM Studio says 200 and a bare string."""
    if error.status in {404, 405}:
        text = f"Unexpected endpoint or method. ({request.method} {request.path})"
        return web.json_response({"error": text})
    return Refusal(error.status, error.reason, "invalid_request").response()
