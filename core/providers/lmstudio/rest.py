"""LM Studio over HTTP: requests out, decoded bodies in.

Decisions rest on the shape of a body, never on its status alone: unknown routes answer 200, errors come as
objects or as strings, and now and then a 500 with HTML slips in while a load begins.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from core.errors import Unauthorized, Unreachable
from core.providers.closing import to_the_end
from core.providers.lmstudio import wire

CONNECT = 3.0  # seconds; a host on the local network answers in milliseconds or not at all
READ = 10.0  # seconds for a listing
PORT = 1234  # LM Studio's default
V1, V0 = "/api/v1/models", "/api/v0/models"
ALIVE = 2.0  # seconds in which a living host greets
KEEPALIVE = 4.0  # seconds; LM Studio closes idle connections after 5


@dataclass(frozen=True, slots=True)
class Answer:
    """A body with its status; `body` is `None` when it was no JSON."""

    status: int
    body: Any

    @property
    def error(self) -> wire.ServerError | None:
        """What the body says of a failure."""
        found = wire.error_of(self.body)
        if found is None and (self.body is None or self.status >= httpx2.codes.BAD_REQUEST):
            return wire.ServerError(f"HTTP {self.status}")
        return found


_NOTHING = Answer(404, {})


def origin(url: str) -> str:
    """The origin of an address in any form people write: with a path such as `/v1`, or without a scheme.

    A bare name or number means LM Studio's own port, 1234.
    """
    text = url.strip()
    bare = "://" not in text
    parts = urlsplit(f"http://{text}" if bare else text)
    if bare and parts.port is None:
        return f"http://{parts.netloc}:{PORT}"
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}"


def label_of(url: str) -> str:
    """How people read a host: `127.0.0.1:1234`."""
    return urlsplit(origin(url)).netloc.rpartition("@")[2]


class Rest:
    """One host's HTTP API. Raises Unreachable and Unauthorized; other refusals are in the Answer."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        label: str | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = origin(url)
        self.label = label or label_of(url)
        self._missing: set[str] = set()
        self.token_set = token is not None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx2.AsyncClient(
            base_url=self.url,
            headers=headers,
            timeout=httpx2.Timeout(READ, connect=CONNECT),
            limits=httpx2.Limits(max_connections=None, keepalive_expiry=KEEPALIVE),
            transport=transport,
            trust_env=False,  # a proxy from the environment must not stand before a local host
        )

    async def get(self, path: str) -> Answer:
        """GET, tried twice: pooled connections are reset after 5 idle seconds, HTML comes once by accident."""
        for attempt in (1, 2):
            try:
                answer = self._answer(await self.http.get(path))
            except httpx2.ConnectError as error:
                raise self._unreachable(error) from error
            except httpx2.RequestError as error:
                if attempt == 2:  # noqa: PLR2004  # the second and last try
                    raise self._unreachable(error) from error
            else:
                if answer.body is not None or attempt == 2:  # noqa: PLR2004  # the second and last try
                    return answer
        raise AssertionError  # the loop returns or raises

    async def post(self, path: str, body: dict[str, Any], *, patience: float | None = READ) -> Answer:
        """POST once; `patience` seconds of silence, `None` = without end (loads answer when they are done)."""
        timeout = httpx2.Timeout(patience, connect=CONNECT)
        try:
            return self._answer(await self.http.post(path, json=body, timeout=timeout))
        except httpx2.RequestError as error:
            raise self._unreachable(error) from error

    async def greeting(self) -> bool:
        """Whether `/lmstudio-greeting` says that this is LM Studio."""
        answer = await self.get("/lmstudio-greeting")
        return isinstance(answer.body, dict) and answer.body.get("lmstudio") is True

    async def alive(self) -> bool:
        """Whether the host answers anything at all, asked on a connection of its own."""
        timeout = httpx2.Timeout(ALIVE)
        try:
            await self.http.get("/lmstudio-greeting", timeout=timeout, headers={"Connection": "close"})
        except httpx2.RequestError:
            return False
        return True

    def forget(self) -> None:
        """After a lost connection the host may be another build: every route is tried again."""
        self._missing.clear()

    async def listing(self, provider: str) -> tuple[str, list[wire.Listed], dict[str, wire.StateV0] | None]:
        """The best API there is (`v1`, `v0`, `openai`), its models, and v0's states where they exist.

        Which routes exist is told by the shape of what they answer and remembered until `forget()`.
        """
        async with asyncio.TaskGroup() as asked:
            v1 = asked.create_task(self._known(V1))
            v0 = asked.create_task(self._known(V0))
        first, second = v1.result(), v0.result()
        states = wire.states_v0(second.body)
        listed = wire.models_v1(first.body, provider, self.label)
        if listed is not None:
            return "v1", listed, states
        if states is not None:
            return "v0", wire.models_v0(second.body, provider, self.label), states
        third = await self.get("/v1/models")
        listed = wire.models_openai(third.body, provider, self.label)
        if listed is None:
            self.forget()
            said = third.error
            if said is not None and said.route_missing and await self.greeting():
                # LM Studio without a single route: an old build hides them from whoever has no token.
                raise Unauthorized(self.label, self.token_set)
            raise Unreachable(self.label, said.text if said else f"HTTP {third.status}")
        return "openai", listed, None

    async def _known(self, route: str) -> Answer:
        """GET a route unless it is known to be missing."""
        if route in self._missing:
            return _NOTHING
        answer = await self.get(route)
        if answer.error is not None and answer.error.route_missing:
            self._missing.add(route)
        return answer

    @asynccontextmanager
    async def stream(self, path: str, body: dict[str, Any]) -> AsyncIterator[httpx2.Response]:
        """POST for server-sent events. Leaving the context closes the connection: the model stops.

        Silence has no limit here: how long to wait is decided by whoever watches (see `patience`).
        """
        timeout = httpx2.Timeout(None, connect=CONNECT)
        request = self.http.build_request("POST", path, json=body, timeout=timeout)
        response = await self.http.send(request, stream=True)
        try:
            if response.status_code == httpx2.codes.UNAUTHORIZED:
                raise Unauthorized(self.label, self.token_set)
            yield response
        finally:
            await to_the_end(response.aclose())

    async def aclose(self) -> None:
        """Close every connection."""
        await self.http.aclose()

    def _answer(self, response: httpx2.Response) -> Answer:
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            raise Unauthorized(self.label, self.token_set)
        try:
            body = response.json()
        except ValueError:
            body = None
        return Answer(response.status_code, body)

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(self.label, f"{type(error).__name__}: {error}".rstrip(": "))
