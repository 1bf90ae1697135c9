"""The WebSocket namespaces: the first frame, the dispatch of frames, warnings instead of errors."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.lmstudio.access import pin, socket_refusal, unpin
from tests.fakes.lmstudio.catalog import Json
from tests.fakes.lmstudio.exchange import Exchange
from tests.fakes.lmstudio.faults import Fault
from tests.fakes.lmstudio.socket_calls import CALLS, Call
from tests.fakes.lmstudio.socket_channels import CHANNELS, Channel, Endpoint
from tests.fakes.lmstudio.socket_shapes import BadParameter, SocketError, conform

NAMESPACES = ("llm", "embedding", "system", "files", "repository", "diagnostics", "plugins", "runtime")
MOST_WARNINGS = 5


async def serve(x: Exchange) -> web.StreamResponse:
    """One socket, from its upgrade to its end."""
    socket = web.WebSocketResponse(max_msg_size=0)
    await socket.prepare(x.request)
    x.core.sockets.add(socket)
    try:
        connection = _Connection(x, socket)
        identifier = await connection.authenticate()
        if identifier is not None:
            try:
                await connection.run()
            finally:
                unpin(x.core, identifier)
                connection.close()
    finally:
        x.core.sockets.discard(socket)
    return socket


class _Connection:
    def __init__(self, x: Exchange, socket: web.WebSocketResponse) -> None:
        self.x = x
        self.core = x.core
        self.socket = socket
        self.namespace = x.path.strip("/")
        self.warnings = 0
        self.channels: dict[int, tuple[Channel, asyncio.Task[None]]] = {}

    # ------------------------------------------------------------ begin and end

    async def authenticate(self) -> str | None:
        """The client's identifier once its first frame was accepted."""
        try:
            frame = await self._receive(self.core.switches.ws_auth_seconds)
        except TimeoutError:
            frame = None
        if frame is None:
            await self.socket.close()
            return None
        refused = socket_refusal(self.core, frame)
        if refused is not None:
            self._note("auth_refused", self.x.path)
            await self._send({"success": False, "error": refused})
            await self.socket.close()
            return None
        identifier = str(frame["clientIdentifier"])
        pin(self.core, identifier, str(frame["clientPasskey"]))
        self._note("socket_opened", self.x.path)
        await self._send({"success": True})
        return identifier

    async def run(self) -> None:
        """Frame by frame until the client leaves."""
        with suppress(TimeoutError):
            while (frame := await self._receive(self.core.switches.ws_dead_seconds)) is not None:
                await self._take(frame)
        await self.socket.close()

    def close(self) -> None:
        """The socket is gone: what its channels did is given up."""
        for _, task in self.channels.values():
            task.cancel()
        self._note("socket_closed", self.x.path)

    async def _receive(self, limit: float | None) -> Json | None:
        """The next JSON object; None at the end. What is not JSON is warned about."""
        while True:
            async with asyncio.timeout(limit):
                message = await self.socket.receive()
            if message.type is not WSMsgType.TEXT:
                return None
            try:
                frame = json.loads(message.data)
            except ValueError:
                frame = None
            if isinstance(frame, dict):
                return frame
            await self._warn("Received a message that is not a JSON object")

    async def _send(self, frame: Json) -> None:
        if not self.socket.closed:
            with suppress(ConnectionError):
                await self.socket.send_str(json.dumps(frame))

    async def _warn(self, warning: str) -> None:
        """The only answer to what cannot be understood; after five there is none."""
        self.warnings += 1
        if self.warnings <= MOST_WARNINGS:
            self._note("warning_sent", self.x.path, warning)
            await self._send({"type": "communicationWarning", "warning": warning})

    def _note(self, kind: str, path: str, detail: str = "") -> None:
        self.core.journal.add(kind, method="WS", path=path, detail=detail)

    # ------------------------------------------------------------ frames

    async def _take(self, frame: Json) -> None:
        match frame:
            case {"type": "keepAlive"}:
                await self._send({"type": "keepAliveAck"})
            case {"type": "rpcCall", "endpoint": str(endpoint), "callId": int(call_id)}:
                await self._call(endpoint, call_id, frame.get("parameter"))
            case {"type": "channelCreate", "endpoint": str(endpoint), "channelId": int(channel_id)}:
                await self._open(endpoint, channel_id, frame.get("creationParameter"))
            case {"type": "channelSend", "channelId": int(channel_id)}:
                await self._channel_send(channel_id, frame)
            case {"type": "channelAck" | "communicationWarning"}:
                pass
            case _:
                await self._warn(f"Received an invalid message: {json.dumps(frame)[:200]}")

    async def _channel_send(self, channel_id: int, frame: Json) -> None:
        if channel_id not in self.channels:
            await self._warn(f"Received channelSend for unknown channel {channel_id}")
            return
        self.channels[channel_id][0].receive(frame.get("message"))
        if "ackId" in frame:
            await self._send({"type": "channelAck", "channelId": channel_id, "ackId": frame["ackId"]})

    async def _call(self, endpoint: str, call_id: int, parameter: Any) -> None:
        reply: Json = {"type": "rpcResult", "callId": call_id}
        fault = self._fault(endpoint)
        if fault is not None and await self._spoil(fault, {"type": "rpcError", "callId": call_id}, reply):
            return
        rpc = CALLS.get(self.namespace, {}).get(endpoint)
        if rpc is None:
            await self._warn(f"Received RPC call for unknown endpoint '{endpoint}'")
            return
        try:
            call = Call(self.core, self.namespace, conform(parameter, rpc.shape))
            result = rpc.answer(call)
        except BadParameter as bad:
            await self._warn(f"Received invalid parameters for RPC call to '{endpoint}': {bad}")
        except SocketError as error:
            await self._send({"type": "rpcError", "callId": call_id, "error": error.error})
        else:
            await self._send(reply if endpoint == "unloadModel" else reply | {"result": result})

    async def _open(self, endpoint: str, channel_id: int, parameter: Any) -> None:
        about: Json = {"channelId": channel_id}
        fault = self._fault(endpoint)
        if fault is not None and await self._spoil(
            fault, {"type": "channelError"} | about, {"type": "channelClose"} | about
        ):
            return
        found = CHANNELS.get(self.namespace, {}).get(endpoint)
        if found is None:
            await self._warn(f"Received channelCreate for unknown endpoint '{endpoint}'")
            return
        try:
            given = conform(parameter, found.shape)
        except BadParameter as bad:
            await self._warn(f"Received invalid creation parameters for channel '{endpoint}': {bad}")
            return

        async def send(message: Json) -> None:
            await self._send({"type": "channelSend", "message": message} | about)

        channel = Channel(self.core, self.namespace, given, send, self._abort, fault)
        task = asyncio.create_task(self._run_channel(found, channel, about))
        self.channels[channel_id] = (channel, task)
        task.add_done_callback(lambda _task: self.channels.pop(channel_id, None))

    async def _run_channel(self, endpoint: Endpoint, channel: Channel, about: Json) -> None:
        try:
            await endpoint.run(channel)
        except SocketError as error:
            await self._send({"type": "channelError", "error": error.error} | about)
        else:
            await self._send({"type": "channelClose"} | about)

    # ------------------------------------------------------------ faults

    def _fault(self, endpoint: str) -> Fault | None:
        path = f"{self.x.path}/{endpoint}"
        self._note("request", path)
        fault = self.core.faults.take(endpoint, path)
        if fault is not None:
            self.core.journal.add("fault", method="WS", path=path, detail=fault.kind)
        return fault

    async def _spoil(self, fault: Fault, failed: Json, ended: Json) -> bool:
        """Answer wrongly; False: the endpoint itself carries the fault."""
        match fault.kind:
            case "status" | "html" | "error-event":
                await self._send(failed | {"error": SocketError(fault.text).error})
            case "drop":
                self._abort()
            case "down":
                self.core.go_down(fault.seconds)
            case "garbage":
                await self.socket.send_str("{not json")
            case "empty":
                await self._send(ended)
            case "warning":
                await self._warn(fault.text)
            case "hang":
                pass
            case _:
                return False
        return True

    def _abort(self) -> None:
        if self.x.request.transport is not None:
            self.x.request.transport.abort()
