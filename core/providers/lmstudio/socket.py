"""LM Studio's WebSocket protocol: the namespaces that the vendor's own clients speak.

Source: lmstudio-js, packages lms-communication, lms-communication-server, lms-external-backend-interfaces.
A connection lives in a task of its own, because the WebSocket library ties it to the task that opened it,
while loads are watched from many.
"""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import httpx2
from httpx2.websockets import AsyncWebSocketSession, HTTPXWSException, WebSocketUpgradeError

from core.providers.lmstudio.wire import channel_error

KEEPALIVE = 5.0  # seconds between our signs of life; the server gives up after 15
SILENCE = 15.0
CALL = 10.0  # seconds for an RPC: bad parameters are answered by a mere warning, or by nothing
OPEN = 5.0


class SocketError(Exception):
    """Base: this way does not work just now."""


class SocketUnsupported(SocketError):
    """The server has no such namespace or endpoint."""


class SocketRejected(SocketError):
    """The server refuses our token."""


class SocketLost(SocketError):
    """The connection broke."""


class ChannelFailed(SocketError):
    """The server answered with an error; `text` is its wording."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def credentials(token: str | None) -> dict[str, Any]:
    """The first frame. A token `sk-lm-ID:KEY` is sent as its two halves; without one we are a guest."""
    identifier, _, passkey = (token or "").removeprefix("sk-lm-").partition(":")
    if not passkey:
        identifier, passkey = f"guest:{secrets.token_hex(8)}", secrets.token_hex(16)
    return {"authVersion": 1, "clientIdentifier": identifier, "clientPasskey": passkey}


class Namespace:
    """One connection to one namespace (`llm`, `system`); an async context manager.

    Entering raises SocketUnsupported, SocketRejected or SocketLost. Leaving closes the connection, and with
    it every channel: the server then gives up what runs on them.
    """

    def __init__(self, http: httpx2.AsyncClient, name: str, token: str | None) -> None:
        self._http = http
        self._name = name
        self._token = token
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._channels: dict[int, asyncio.Queue[Any]] = {}
        self._outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._opened: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._end: SocketError | None = None

    async def __aenter__(self) -> Self:
        self._opened = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live(self._opened), name=f"lmstudio-{self._name}")
        try:
            async with asyncio.timeout(OPEN + CALL):
                await asyncio.shield(self._opened)
        except BaseException as error:
            await self._stop()
            if isinstance(error, TimeoutError):
                raise SocketUnsupported("no answer to the greeting") from error
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def alive(self) -> bool:
        """Whether frames still leave."""
        return self._end is None

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._opened is not None and self._opened.done() and not self._opened.cancelled():
            self._opened.exception()  # read, so that nobody complains of it later

    async def call(self, endpoint: str, parameter: Any = None) -> Any:
        """Call an RPC; raise ChannelFailed with the server's words, or SocketError."""
        number = next(self._numbers)
        waiting = self._calls[number] = asyncio.get_running_loop().create_future()
        try:
            self._send({"type": "rpcCall", "endpoint": endpoint, "callId": number, "parameter": parameter})
            async with asyncio.timeout(CALL):
                return await waiting
        except TimeoutError as error:
            raise SocketUnsupported(f"{endpoint}: no answer") from error
        finally:
            del self._calls[number]

    @contextlib.asynccontextmanager
    async def channel(self, endpoint: str, parameter: Any) -> AsyncIterator["Channel"]:
        """Open a channel; leaving before its end sends `cancel`."""
        number = next(self._numbers)
        inbox: asyncio.Queue[Any] = asyncio.Queue()
        self._channels[number] = inbox
        channel = Channel(inbox)
        try:
            self._send(
                {
                    "type": "channelCreate",
                    "endpoint": endpoint,
                    "channelId": number,
                    "creationParameter": parameter,
                }
            )
            yield channel
        finally:
            if not channel.ended and self._end is None:
                self._send({"type": "channelSend", "channelId": number, "message": {"type": "cancel"}})
            del self._channels[number]

    async def flush(self) -> None:
        """Wait until everything sent so far is on the wire (a cancel must leave before we hang up)."""
        await self._outgoing.join()

    def _send(self, frame: dict[str, Any]) -> None:
        if self._end is not None:
            raise self._end
        self._outgoing.put_nowait(frame)

    async def _live(self, opened: asyncio.Future[None]) -> None:
        try:
            await self._talk(opened)
            end: SocketError = SocketLost("closed")
        except asyncio.CancelledError:
            self._finish(SocketLost("closed by us"), opened)
            raise
        except BaseExceptionGroup as group:
            end = _as_socket_error(_leaf(group))
        except Exception as error:  # noqa: BLE001  # whatever the libraries raise, the waiting calls must hear of it
            end = _as_socket_error(error)
        self._finish(end, opened)

    async def _talk(self, opened: asyncio.Future[None]) -> None:
        url = str(self._http.base_url.join(f"/{self._name}")).replace("http", "ws", 1)
        async with self._http.websocket(
            url,
            keepalive_ping_interval_seconds=None,
            timeout=httpx2.Timeout(SILENCE, connect=OPEN, read=None),
        ) as ws:
            await ws.send_json(credentials(self._token))
            match await ws.receive_json(timeout=CALL):
                case {"success": True}:
                    opened.set_result(None)
                case answer:
                    said = answer.get("error") if isinstance(answer, dict) else ""
                    raise SocketRejected(str(said)[:200])
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(ws))
                tasks.create_task(self._beat())
                await self._read(ws)

    async def _read(self, ws: AsyncWebSocketSession) -> None:
        while True:
            self._take(await ws.receive_json(timeout=SILENCE))

    async def _write(self, ws: AsyncWebSocketSession) -> None:
        while True:
            frame = await self._outgoing.get()
            await ws.send_json(frame)
            self._outgoing.task_done()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE)
            self._outgoing.put_nowait({"type": "keepAlive"})

    def _take(self, frame: Any) -> None:
        match frame:
            case {"type": "channelSend", "channelId": int(number), "message": message}:
                self._deliver(number, message)
            case {"type": "channelClose", "channelId": int(number)}:
                self._deliver(number, _CLOSED)
            case {"type": "channelError", "channelId": int(number), "error": error}:
                self._deliver(number, ChannelFailed(channel_error(error)))
            case {"type": "rpcResult", "callId": int(number)}:
                self._answer(number, frame.get("result"))
            case {"type": "rpcError", "callId": int(number), "error": error}:
                self._answer(number, ChannelFailed(channel_error(error)))
            case {"type": "communicationWarning", "warning": warning}:
                # The only sign that an endpoint is unknown: whatever waits would wait for ever.
                self._fail_all(SocketUnsupported(str(warning)[:200]))
            case _:  # keepAliveAck, and what newer builds add
                return

    def _deliver(self, number: int, message: Any) -> None:
        inbox = self._channels.get(number)
        if inbox is not None:
            inbox.put_nowait(message)

    def _answer(self, number: int, result: Any) -> None:
        waiting = self._calls.get(number)
        if waiting is None or waiting.done():
            return
        if isinstance(result, Exception):
            waiting.set_exception(result)
        else:
            waiting.set_result(result)

    def _fail_all(self, error: SocketError) -> None:
        for number in list(self._calls):
            self._answer(number, error)
        for number in list(self._channels):
            self._deliver(number, error)

    def _finish(self, end: SocketError, opened: asyncio.Future[None]) -> None:
        self._end = end
        if not opened.done():
            opened.set_exception(end)
        self._fail_all(end)
        with contextlib.suppress(ValueError):  # nobody shall wait for frames that will not leave
            while True:
                self._outgoing.task_done()


_CLOSED = object()


class Channel:
    """The server's messages on one channel, until it closes; raises ChannelFailed or SocketError."""

    def __init__(self, inbox: asyncio.Queue[Any]) -> None:
        self._inbox = inbox
        self.ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self.ended:
            raise StopAsyncIteration
        message = await self._inbox.get()
        if message is _CLOSED:
            self.ended = True
            raise StopAsyncIteration
        if isinstance(message, SocketError):
            self.ended = True
            raise message
        return message


def _leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _leaf(first) if isinstance(first, BaseExceptionGroup) else first


def _as_socket_error(error: BaseException) -> SocketError:
    match error:
        case SocketError():
            return error
        case WebSocketUpgradeError():
            return SocketUnsupported(f"upgrade refused ({error.response.status_code})")
        case HTTPXWSException() | httpx2.HTTPError() | TimeoutError():
            return SocketLost(type(error).__name__)
        case _:
            return SocketLost(f"{type(error).__name__}: {error}"[:200])
