"""The platform: logs in, listens until it is told to end, and leaves within seconds."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import discord
import structlog
import yarl

from bot.platforms.discord import menu
from bot.platforms.discord.answers import Answers
from bot.platforms.discord.client import Ears, ShardedEars
from bot.platforms.discord.hearing import NAME, NOWHERE, spot_at
from bot.platforms.discord.memory import DEAF, Memory
from bot.platforms.discord.pace import Whole
from bot.platforms.discord.pressing import Pressing
from bot.platforms.discord.surface import Sent
from bot.platforms.discord.talk import Talk
from bot.platforms.discord.threads import Threads
from bot.platforms.discord.wording import Speak, in_portuguese
from bot.surface import Responder, Surface
from core.clock import Clock, SystemClock
from core.conversation import ChatRef
from core.errors import SettingWrong

log = structlog.get_logger(__name__)

LEAVE_WITHIN = 3.0
LONGEST_PAUSE = 30.0
_TOKEN_REFUSED = 4004  # what the gateway closes with
_AWAY = (discord.HTTPException, discord.GatewayNotFound, aiohttp.ClientError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Place:
    """Which Discord: the root of its API, and its gateway; empty = as the library knows them."""

    api_root: str = ""
    gateway: str | None = None

    def use(self) -> None:
        """The library knows its addresses as class attributes only."""
        if self.api_root:
            discord.http.Route.BASE = self.api_root.rstrip("/")
        if self.gateway:
            discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(self.gateway)


class DiscordPlatform:
    """One bot on Discord. `shards` = connections to the gateway; `None` = as many as Discord advises.

    `folder` = where it may remember a few things; `None` = nowhere.
    """

    name = NAME

    def __init__(
        self,
        token: str,
        place: Place = Place(),  # frozen
        *,
        shards: int | None = 1,
        speak: Speak = in_portuguese,
        folder: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._token = token
        self._place = place
        self._shards = shards
        self._speak = speak
        self._memory = Memory(folder)
        self._clock = clock or SystemClock()
        self._answers: Answers | None = None
        self._client: Ears | None = None

    @property
    def trouble(self) -> str:
        """What keeps the bot from hearing people, for `/health`; empty while nothing does."""
        return "" if self._client is not None and not self._client.lost else "not connected"

    async def run(self, responder: Responder) -> None:
        """Answer people until cancelled. Raises SettingWrong if Discord does not take the token."""
        self._place.use()
        try:
            try:
                await self._serve(responder, content=True)
            except discord.PrivilegedIntentsRequired:
                log.warning(
                    "discord shows no messages but those for the bot",
                    remedy="switch on “Message Content Intent” in the developer portal (Bot), then start again",
                )
                await self._serve(responder, content=False)
        except discord.LoginFailure:
            raise SettingWrong("DISCORD_BOT_TOKEN", self._speak(None).rejected) from None
        except discord.ConnectionClosed as closed:
            if closed.code != _TOKEN_REFUSED:
                raise
            raise SettingWrong("DISCORD_BOT_TOKEN", self._speak(None).rejected) from None

    def surface(self, chat: ChatRef, standing: Sequence[str] = (), person: str = "") -> Surface:
        """Where news appear that nobody asked for just now, in place of the `standing` messages."""
        if self._answers is None or chat.platform != NAME:
            raise ValueError(chat)
        turning = [Sent(int(one)) for one in standing]
        owner = int(person.partition(":")[2]) if person else None
        surface = self._answers.surface(replace(spot_at(chat), owner=owner), self._speak(None), turning)
        surface.in_place = bool(standing)
        return surface

    async def private(self, person: str) -> ChatRef | None:
        """See `Platform.private`: a private channel is opened where there is none yet."""
        platform, _, number = person.partition(":")
        if self._client is None or platform != NAME or not number.isdigit():
            return None
        try:
            user = self._client.get_user(int(number)) or await self._client.fetch_user(int(number))
            channel = user.dm_channel or await user.create_dm()
        except discord.HTTPException as refused:
            log.info("no private channel", why=type(refused).__name__)
            return None
        return ChatRef(NAME, str(channel.id), NOWHERE)

    def client(self, responder: Responder, *, content: bool = True) -> Ears:
        """A client that knows what to do with what it hears."""
        whole = Whole(self._clock)
        shards: dict[str, Any] = {} if self._shards == 1 else {"shard_count": self._shards}
        client = (ShardedEars if shards else Ears)(content=content, http_trace=whole.listening(), **shards)
        answers = self._answers = Answers(client, responder, self._clock, whole)
        threads = Threads(answers, responder)
        client.talk = Talk(client, responder, answers, threads, speak=self._speak, clock=self._clock)
        client.pressing = Pressing(
            responder, answers, client.talk, threads, speak=self._speak, clock=self._clock
        )
        client.talk.deaf = None if content else self._memory
        menu.fill(client.tree, responder, self._speak, client.commanded, client.pressing.complete)
        return client

    async def _serve(self, responder: Responder, *, content: bool) -> None:
        client = self._client = self.client(responder, content=content)
        try:
            await self._log_in(client)
            client.spawn(self._tell(client, content=content))
            await client.connect()
        finally:
            self._answers = self._client = None
            running = list(client.running)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await _leave(client)

    async def _log_in(self, client: Ears) -> None:
        """Until Discord answers, however long it is away."""
        pause = 1.0
        while True:
            try:
                await client.login(self._token)
                await client.tree.set_translator(menu.Translator())
                if self._shards is None and isinstance(client, ShardedEars):
                    client.shard_count, *_ = await client.http.get_bot_gateway()
            except discord.LoginFailure:
                raise
            except _AWAY as trouble:
                log.warning("discord does not answer", why=type(trouble).__name__, again_in=pause)
            else:
                return
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _tell(self, client: Ears, *, content: bool) -> None:
        await client.arrived.wait()
        if content:
            self._memory.put(DEAF, value=False)
        log.info("discord is ready", bot=str(client.user), shards=client.shard_count or 1)
        await menu.tell(client.tree, self._memory, self._clock)


async def _leave(client: discord.Client) -> None:
    """Close every connection; a server that hangs is not waited for."""
    try:
        async with asyncio.timeout(LEAVE_WITHIN):
            await client.close()
    except TimeoutError:
        log.warning("discord left without a good-bye")
