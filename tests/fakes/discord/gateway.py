"""The gateway: WebSockets with zlib-stream, HELLO, IDENTIFY, heartbeats, RESUME, and ways to go wrong."""

import asyncio
import contextlib
import json
import zlib
from collections.abc import Mapping
from itertools import count
from typing import Any

import aiohttp
import discord
from aiohttp import web
from simcord import intents as rules
from simcord.backend import serializers
from simcord.backend.cdn import CDN_BASE

from tests.fakes.discord.sessions import Session
from tests.fakes.discord.wire import Json
from tests.fakes.discord.world import World

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME = 0, 1, 2, 3, 4, 6
RECONNECT, MEMBERS, INVALID, HELLO, ACK = 7, 8, 9, 10, 11
_NAMES = {1: "HEARTBEAT", 2: "IDENTIFY", 3: "PRESENCE", 4: "VOICE", 6: "RESUME", 8: "MEMBERS"}
UNKNOWN, DECODING, REJECTED, DISALLOWED = 4000, 4002, 4004, 4014


class Connection:
    """One WebSocket. What is sent goes through one zlib stream, in order."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        *,
        compressed: bool,
        cdn: str,
    ) -> None:
        self.socket = socket
        self.transport = transport
        self.session: Session | None = None
        self.shut = False  # by the server
        self._zlib = zlib.compressobj() if compressed else None
        self._cdn = cdn
        self._out: asyncio.Queue[str | None] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())

    def send(self, text: str) -> None:
        self._out.put_nowait(text.replace(CDN_BASE, self._cdn))

    def order(self, op: int, data: Any = None) -> None:
        self.send(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    async def close(self, code: int, reason: str = "") -> None:
        self.shut = True
        await self.socket.close(code=code, message=reason.encode())

    async def _write(self) -> None:
        while (text := await self._out.get()) is not None:
            try:
                if self._zlib is None:
                    await self.socket.send_str(text)
                else:
                    data = self._zlib.compress(text.encode())
                    await self.socket.send_bytes(data + self._zlib.flush(zlib.Z_SYNC_FLUSH))
            except (ConnectionError, aiohttp.ClientError):
                return

    async def end(self) -> None:
        """Let go of the session, which can be resumed, and stop writing."""
        if self.session is not None and self.session.connection is self:
            self.session.connection = None
        self._out.put_nowait(None)
        await self._writer


class Gateway:
    def __init__(self, world: World) -> None:
        self.world = world
        self.url = ""  # of the server, `ws://…`
        self.cdn = ""
        self.sessions: dict[str, Session] = {}
        self.log: list[str] = []  # every order that clients have given, such as "IDENTIFY 0/1"
        self._connections: set[Connection] = set()
        self._ids = count(1)
        world.backend.subscribers.append(self._publish)

    # ------------------------------------------------------------ what a test does

    def live(self, shard: int | None = None) -> list[Connection]:
        """The connections of a shard, or of all, that have a session."""
        return [c for c in self._connections if c.session and shard in (None, c.session.shard[0])]

    async def close(self, code: int = UNKNOWN, shard: int | None = None) -> None:
        """Close with a code; 4000 lets a client resume."""
        for connection in self.live(shard):
            await connection.close(code)

    async def drop(self, shard: int | None = None) -> None:
        """The network fails: connections are gone without a word."""
        for connection in self.live(shard):
            if connection.transport is not None:
                connection.transport.abort()

    def reconnect(self, shard: int | None = None) -> None:
        """Op 7: please connect again and resume."""
        for connection in self.live(shard):
            connection.order(RECONNECT)

    def invalidate(self, shard: int | None = None, *, resumable: bool = False) -> None:
        """Op 9: the session is over, or may be resumed."""
        for connection in self.live(shard):
            if not resumable and connection.session is not None:
                self.sessions.pop(connection.session.id, None)
            connection.order(INVALID, resumable)

    async def wait_for(self, order: str, n: int = 1, *, timeout: float = 5.0) -> None:
        """Return once clients have given `n` orders that begin so, such as `IDENTIFY` or `RESUME`."""
        await self.world.bell.until(
            lambda: True if sum(each.startswith(order) for each in self.log) >= n else None,
            timeout,
            lambda: f"wanted {n} x {order}; the last orders were {self.log[-20:]}",
        )

    # ------------------------------------------------------------ events

    def _publish(self, event: str, payload: Mapping[str, Any]) -> None:
        if event == "TYPING_START" and int(payload["user_id"]) == self.world.bot_id:
            self.world.typing.append(int(payload["channel_id"]))
        for session in self.sessions.values():
            session.publish(event, payload)
        self.world.bell.ring()

    # ------------------------------------------------------------ a connection

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """A WebSocket from HELLO to its end."""
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        compressed = request.query.get("compress") == "zlib-stream"
        connection = Connection(socket, request.transport, compressed=compressed, cdn=self.cdn)
        self._connections.add(connection)
        interval = int(self.world.switches.heartbeat * 1000)
        connection.order(HELLO, {"heartbeat_interval": interval, "_trace": ["fake"]})
        try:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):  # gone without a word
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        await self._obey(connection, message.data)
        finally:
            self._connections.discard(connection)
            farewell = socket.close_code in (1000, 1001) and not connection.shut
            if farewell and connection.session is not None:
                self.sessions.pop(connection.session.id, None)  # it cannot be resumed
            await connection.end()
            self.world.bell.ring()
        return socket

    async def _obey(self, connection: Connection, text: str) -> None:
        try:
            order: Json = json.loads(text)
            op = int(order["op"])
            data: Any = order.get("d")
        except (ValueError, KeyError, TypeError):
            await connection.close(DECODING)
            return
        if op == IDENTIFY:
            await self._identify(connection, data)
        elif op == RESUME:
            await self._resume(connection, data)
        elif op == HEARTBEAT and self.world.switches.acknowledge:
            connection.order(ACK)
        elif op == MEMBERS:
            self._members(connection, data)
        if op not in (IDENTIFY, RESUME):
            self._note(_NAMES.get(op, str(op)))

    def _note(self, line: str) -> None:
        self.log.append(line)
        self.world.bell.ring()

    async def _identify(self, connection: Connection, data: Json) -> None:
        shard = tuple(data.get("shard") or (0, 1))
        self._note(f"IDENTIFY {shard[0]}/{shard[1]}")
        if data.get("token") != self.world.switches.token:
            await connection.close(REJECTED, "Authentication failed.")
            return
        intents = discord.Intents._from_value(int(data["intents"]))
        if any(
            getattr(intents, n) for n in rules.PRIVILEGED_INTENTS if n not in self.world.switches.privileged
        ):
            await connection.close(DISALLOWED, "Disallowed intent(s).")
            return
        session = Session(f"session-{next(self._ids)}", self.world, (shard[0], shard[1]), intents)
        self.sessions[session.id] = session
        session.connection, connection.session = connection, session
        self._welcome(session)

    def _welcome(self, session: Session) -> None:
        backend = self.world.backend
        if self.world.switches.broken_ready:
            session.dispatch("READY", {"v": 10})
            return
        guilds = [g for g in backend.guilds.values() if session.concerns("GUILD_CREATE", {"id": g.id})]
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": dict(serializers.user_payload(backend.bot_user)),
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "private_channels": [],
                "session_id": session.id,
                "resume_gateway_url": f"{self.url}/resume",
                "shard": list(session.shard),
                "application": {"id": str(backend.application_id), "flags": self.flags()},
            },
        )
        for guild in guilds:
            session.publish("GUILD_CREATE", serializers.guild_create_payload(backend, guild))

    def flags(self) -> int:
        """Of the application: the privileged intents that the portal allows an app in few guilds."""
        bits = {"presences": 1 << 13, "members": 1 << 15, "message_content": 1 << 19}
        return sum(bits[name] for name in self.world.switches.privileged)

    async def _resume(self, connection: Connection, data: Json) -> None:
        self._note(f"RESUME {data.get('session_id')} {data.get('seq')}")
        if data.get("token") != self.world.switches.token:
            await connection.close(REJECTED, "Authentication failed.")
            return
        session = self.sessions.get(str(data.get("session_id")))
        if session is None:
            connection.order(INVALID, data=False)
            return
        session.connection, connection.session = connection, session
        session.replay(int(data.get("seq") or 0))

    def _members(self, connection: Connection, data: Json) -> None:
        """Op 8: all the members of a guild in one chunk."""
        guild = self.world.backend.guilds.get(int(data["guild_id"]))
        if guild is None or connection.session is None:
            return
        members = [serializers.member_payload(self.world.backend, guild, m) for m in guild.members.values()]
        told = {"guild_id": str(guild.id), "members": members, "chunk_index": 0, "chunk_count": 1}
        connection.session.dispatch("GUILD_MEMBERS_CHUNK", told | {"nonce": data.get("nonce")})
