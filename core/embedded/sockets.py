"""LM Studio's WebSocket protocol: who may speak, which call goes where (lmstudio-js, `lms-communication`).

Frames are JSON text. Calls are answered in `calls.py`, channels live in `channels.py`.
"""

import asyncio
import hmac
import json
import weakref
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from core.embedded.calls import RPCS, CallFailed
from core.embedded.channels import CHANNELS, Channel
from core.embedded.instances import Instances
from core.embedded.runner import Json, Log

NAMESPACES = ("llm", "embedding", "system", "files", "repository")
_GREETING_SECONDS = 10.0  # the first frame must come within
_LONGEST_FRAME = 32 * 2**20  # bytes


class Sockets:
    """Accepts sockets over one set of instances."""

    def __init__(self, instances: Instances, token: str, log: Log) -> None:
        self._instances = instances
        self._identifier, _, self._passkey = token.removeprefix("sk-lm-").partition(":")
        self._log = log
        self._open: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()

    def routes(self) -> list[web.RouteDef]:
        """One path per namespace; any other upgrade is refused."""
        return [web.get(f"/{name}", self.serve, allow_head=False) for name in NAMESPACES]

    async def aclose(self) -> None:
        """Close every socket; their channels end."""
        closing = [ws.close(code=WSCloseCode.GOING_AWAY) for ws in list(self._open)]
        await asyncio.gather(*closing, return_exceptions=True)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One socket from its first frame to its last."""
        socket = web.WebSocketResponse(max_msg_size=_LONGEST_FRAME, timeout=0.2)
        await socket.prepare(request)
        self._open.add(socket)
        if not await self._admitted(socket):
            await socket.close()
            return socket
        connection = _Connection(socket, request.path.strip("/"), self._instances, self._log)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await connection.receive(message.data)
        finally:
            await connection.aclose()
        return socket

    async def _admitted(self, socket: web.WebSocketResponse) -> bool:
        try:
            frame = await socket.receive_json(timeout=_GREETING_SECONDS)
        except (TimeoutError, TypeError, ValueError):
            return False
        match frame:
            case {"authVersion": 1, "clientIdentifier": str(who), "clientPasskey": str(key)}:
                right = hmac.compare_digest(who.encode(), self._identifier.encode())
                right &= hmac.compare_digest(key.encode(), self._passkey.encode())
            case _:
                right = False
        answer: Json = {"success": right}
        if not right:
            answer["error"] = "Invalid API token: this server requires its own token."
        await socket.send_json(answer)
        return right


class _Connection:
    """The calls and channels of one socket."""

    def __init__(self, socket: web.WebSocketResponse, namespace: str, instances: Instances, log: Log) -> None:
        self._socket = socket
        self._namespace = namespace
        self._instances = instances
        self._log = log
        self._channels: dict[int, Channel] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def receive(self, text: str) -> None:
        """One frame from the client."""
        try:
            frame = json.loads(text)
        except ValueError:
            frame = None
        match frame:
            case {"type": "rpcCall", "endpoint": str(endpoint), "callId": int(call)}:
                await self._call(endpoint, call, frame.get("parameter"))
            case {"type": "channelCreate", "endpoint": str(endpoint), "channelId": int(channel)}:
                await self._create(endpoint, channel, frame.get("creationParameter"))
            case {"type": "channelSend", "channelId": int(channel), "message": {"type": "cancel"}}:
                if channel in self._channels:
                    self._channels[channel].cancel()
            case {"type": "keepAlive"}:
                await self._send({"type": "keepAliveAck"})
            case {"type": "channelAck" | "communicationWarning" | "channelSend" | "signalUnsubscribe"}:
                pass
            case _:
                await self._warn("Received a message of an unknown type.")

    async def aclose(self) -> None:
        """End what is still running: nobody is left to read it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _call(self, endpoint: str, call: int, parameter: Any) -> None:
        handler = RPCS.get((self._namespace, endpoint))
        if handler is None:
            await self._warn(f"Received rpcCall for unknown endpoint, endpoint = {endpoint}")
            return

        async def answer() -> None:
            try:
                result = await handler(self._instances, parameter)
            except CallFailed as failed:
                await self._send({"type": "rpcError", "callId": call, "error": failed.error})
            except (KeyError, TypeError):  # as LM Studio does with parameters that fail validation
                await self._warn(f"Received invalid parameters for rpcCall, endpoint = {endpoint}")
            else:
                body = {"type": "rpcResult", "callId": call}
                await self._send(body if result is None else body | {"result": result})

        self._start(answer())

    async def _create(self, endpoint: str, number: int, parameter: Any) -> None:
        handler = CHANNELS.get((self._namespace, endpoint))
        if handler is None or not isinstance(parameter, dict) or number in self._channels:
            await self._warn(f"Received channelCreate for unknown endpoint, endpoint = {endpoint}")
            return
        channel = Channel(number, self._send)

        async def run() -> None:
            try:
                await handler(self._instances, channel, parameter)
            except CallFailed as failed:
                await self._send({"type": "channelError", "channelId": number, "error": failed.error})
            except (KeyError, TypeError):
                await self._warn(f"Received invalid creation parameters, endpoint = {endpoint}")
            else:
                await self._send({"type": "channelClose", "channelId": number})
            finally:
                del self._channels[number]

        self._channels[number] = channel
        self._start(run())

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except ConnectionError:
            pass  # the client left; its channels are ended by `aclose`
        except Exception as error:  # noqa: BLE001  # one bad call must not end the socket's other calls
            self._log.warning("embedded.internal-error", path=self._namespace, error=type(error).__name__)
            await self._warn("Internal error")

    async def _send(self, frame: Json) -> None:
        if not self._socket.closed:
            await self._socket.send_str(json.dumps(frame, ensure_ascii=False))

    async def _warn(self, text: str) -> None:
        # LM Studio answers nothing else to what it does not know (its ServerPort.ts)
        with suppress(ConnectionError):
            await self._send({"type": "communicationWarning", "warning": text})
