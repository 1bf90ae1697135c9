"""One vendor's HTTP: requests out, JSON and event streams in."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from core.providers import refusals
from core.providers.closing import to_the_end
from core.providers.refusals import Refusal
from core.providers.vendors import Vendor

CONNECT = 5.0  # seconds
REST = 0.25  # seconds that the end of a body may take after the end of the answer
READ = 10.0  # seconds for a listing or a key check
DONE = "[DONE]"
_HOME = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `refusal` is set where it is none."""

    body: Any
    refusal: Refusal | None


class Said(Exception):
    """The server refused; what it said."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal.status))
        self.refusal = refusal


class Calls:
    """Made when the vendor is first asked: certificates take time, and most vendors are never asked."""

    def __init__(self, vendor: Vendor, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._vendor = vendor
        self._transport = transport
        self._client: httpx2.AsyncClient | None = None

    @property
    def _http(self) -> httpx2.AsyncClient:
        if self._client is None:
            host = urlsplit(self._vendor.url).hostname
            self._client = httpx2.AsyncClient(
                timeout=httpx2.Timeout(READ, connect=CONNECT),
                limits=httpx2.Limits(max_connections=None),
                transport=self._transport,
                trust_env=host not in _HOME,  # a proxy of the environment leads out, not home
            )
        return self._client

    def _address(self, path: str) -> str:
        native = path.removeprefix("native:")
        return self._vendor.native + native if native != path else self._vendor.url + path

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], key: str, body: Any = None
    ) -> Answer:
        """One request with a whole answer. Raises httpx2.RequestError."""
        response = await self._http.request(method, self._address(path), headers=dict(headers), json=body)
        said = _json(response)
        refused = not response.is_success or said is None
        refusal = refusals.read(response.status_code, response.headers, said, key) if refused else None
        return Answer(said, refusal)

    async def events(
        self,
        path: str,
        headers: Mapping[str, str],
        key: str,
        body: Mapping[str, Any],
        *,
        ends: Callable[[Any], bool],
    ) -> AsyncGenerator[Any]:
        """The data of each event, decoded; then DONE, if the server says so or an event `ends` the answer.

        Raises Said for a refusal, before the stream or within it, and httpx2.RequestError. Closing it closes
        the connection, so that the model stops.
        """
        async with self._stream(path, headers, body) as response:
            if not response.is_success:
                await response.aread()
                said = _json(response)
                text = response.text if said is None and not _markup(response) else said
                raise Said(refusals.read(response.status_code, response.headers, text, key))
            if "text/event-stream" not in response.headers.get("content-type", ""):
                await response.aread()
                yield _checked(_json(response), "", key)
                return
            events = aiter(httpx2.EventSource(response))
            async for event in events:
                if event.data.strip() == DONE:
                    await _drained(events)
                    yield DONE
                    return
                try:
                    data = json.loads(event.data)
                except ValueError:
                    if event.event != "error":
                        continue  # a torn or foreign frame says nothing
                    data = {"error": event.data}
                data = _checked(data, event.event, key)
                if ends(data):
                    await _drained(events)
                    yield DONE
                    return
                yield data

    @asynccontextmanager
    async def _stream(
        self, path: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> AsyncIterator[httpx2.Response]:
        # How long silence may last is decided by whoever watches: models reason for minutes.
        timeout = httpx2.Timeout(None, connect=CONNECT)
        request = self._http.build_request(
            "POST", self._address(path), headers=dict(headers), json=body, timeout=timeout
        )
        response = await self._http.send(request, stream=True)
        try:
            yield response
        finally:
            await to_the_end(response.aclose())

    async def aclose(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()


async def _drained(events: AsyncIterator[Any]) -> None:
    """Read the last bytes of the body: a connection whose answer is read to the end serves the next one."""
    with suppress(TimeoutError, httpx2.RequestError):
        async with asyncio.timeout(REST):
            async for _ in events:
                pass


def _checked(data: Any, event: str, key: str) -> Any:
    """Errors also come with status 200, as an event or as a body."""
    first = data[0] if isinstance(data, list) and data else data
    if event == "error" or (isinstance(first, dict) and first.get("error")):
        raise Said(refusals.read(0, {}, data, key))
    return first


def _json(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _markup(response: httpx2.Response) -> bool:
    """A page for browsers, from a proxy on the way: its words help nobody."""
    return "html" in response.headers.get("content-type", "")
