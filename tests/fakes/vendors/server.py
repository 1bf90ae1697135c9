"""What every fake vendor has: a server on 127.0.0.1, a journal, a script, keys it knows."""

import asyncio
import json
from collections import deque
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.fakes.vendors.script import Asked, Json, Row, Say


class FakeVendor:
    """Speaks one vendor's API. `async with FakeOpenAI() as server: … server.base …`.

    `script` says what becomes of the next questions; when it is empty they are echoed. `left` counts the
    answers whose reader went before the end, `gone` is set then.
    """

    path = "/v1"  # where the API lies on the server
    key = "sk-fake-0123456789abcdefghij"

    def __init__(self) -> None:
        self.script: deque[Row | Say] = deque()
        self.listings: deque[Row] = deque()
        self.asked: list[Asked] = []
        self.models: list[dict[str, Any]] = self.default_models()
        self.accounts: dict[str, list[dict[str, Any]]] = {}  # other good keys, and what each of them lists
        self.left = 0
        self.gone = asyncio.Event()
        self.came = asyncio.Event()  # a question is here
        self._runner: web.ServerRunner | None = None
        self._port = 0

    # ------------------------------------------------------------ what each vendor says

    def default_models(self) -> list[dict[str, Any]]:
        raise NotImplementedError

    def allowed(self, request: web.BaseRequest) -> bool:
        """Whether the request proves a key that is known."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return given in {self.key, *self.accounts}

    def stranger(self) -> Row:
        """What a request without a good key gets."""
        raise NotImplementedError

    def lost(self, path: str) -> Row:
        """What an unknown path gets."""
        return Row(404, {"error": {"message": f"Invalid URL ({path})", "type": "invalid_request_error"}})

    async def serve(self, asked: Asked) -> Row | Say | Json:
        """What becomes of a request that proved its key: a refusal, an answer to stream, or a body."""
        raise NotImplementedError

    async def public(self, asked: Asked) -> Row | Json | None:
        """What is told without a key."""
        _ = asked
        return None

    async def stream(self, response: web.StreamResponse, say: Say, asked: Asked) -> None:
        """Write the answer's events."""
        raise NotImplementedError

    # ------------------------------------------------------------ life

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def base(self) -> str:
        """What `<NAME>_BASE_URL` is set to."""
        return self.origin + self.path

    async def __aenter__(self) -> Self:
        manager = web.Server(self._answer, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(manager, shutdown_timeout=0.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def questions(self) -> list[Asked]:
        """The chat requests that came."""
        return [one for one in self.asked if one.method == "POST" and self.is_chat(one.path)]

    def is_chat(self, path: str) -> bool:
        return path.endswith("/chat/completions")

    def next(self, otherwise: Say | None = None) -> Row | Say:
        """What the script has for a question."""
        return self.script.popleft() if self.script else otherwise or Say()

    # ------------------------------------------------------------ answering

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw else None
        peer = request.transport.get_extra_info("peername") if request.transport else ("", 0)
        headers = {**request.headers, "X-Port": str(peer[1])}
        asked = Asked(request.method, request.path, dict(request.query), headers, body)
        self.asked.append(asked)
        what: Row | Say | Json | None = await self.public(asked)
        if what is None:
            what = await self.serve(asked) if self.allowed(request) else self.stranger()
        if isinstance(what, Row):
            return self._refused(what)
        if not isinstance(what, Say):
            return web.json_response(what)
        self.came.set()
        try:
            return await self._said(request, what, asked)
        except (asyncio.CancelledError, ConnectionError):
            self.left += 1
            self.gone.set()
            raise

    def _refused(self, row: Row) -> web.Response:
        if isinstance(row.body, str):
            return web.Response(
                status=row.status, text=row.body, content_type="text/html", headers=row.headers
            )
        return web.json_response(row.body, status=row.status, headers=row.headers)

    async def _said(self, request: web.BaseRequest, say: Say, asked: Asked) -> web.StreamResponse:
        if say.silence is not None:
            await say.silence.wait()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        await self.stream(response, say, asked)
        if say.cut and request.transport is not None:
            request.transport.close()
        return response

    @staticmethod
    async def pause(say: Say, n: int) -> None:
        """After the first word, if the script wants it."""
        if n == 0 and say.hold is not None:
            await say.hold.wait()


async def event(response: web.StreamResponse, data: Any, name: str = "") -> None:
    """One server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    head = f"event: {name}\n" if name else ""
    await response.write(f"{head}data: {text}\n\n".encode())
