"""discord.py's own client against the fake Discord, and a small bot to play with."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import discord
import yarl
from discord import app_commands

from tests.fakes.discord.server import FakeDiscord


class Bot(discord.Client):
    """Keeps what it hears; `seen` is set at every event."""

    def __init__(self, *, content: bool = True, **options: Any) -> None:
        intents = discord.Intents.default()
        intents.message_content = content
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none(), **options)
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.presses: list[discord.Interaction] = []
        self.resumed = 0
        self._news = asyncio.Event()

    async def on_message(self, message: discord.Message) -> None:
        if message.author.id != self.application_id and not message.author.bot:
            self.heard.append(message)
            self._news.set()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self.presses.append(interaction)
        self._news.set()

    async def on_resumed(self) -> None:
        self.resumed += 1
        self._news.set()

    async def until(self, wanted: Callable[[], Any]) -> None:
        """Return once something has happened to it."""
        async with asyncio.timeout(10):
            while not wanted():
                self._news.clear()
                await self._news.wait()


class ShardedBot(Bot, discord.AutoShardedClient):
    """The same on several connections."""


@contextlib.contextmanager
def pointed_at(server: FakeDiscord) -> Any:
    """discord.py knows its addresses as class attributes."""
    route, socket = discord.http.Route, discord.gateway.DiscordWebSocket
    before = route.BASE, socket.DEFAULT_GATEWAY
    route.BASE, socket.DEFAULT_GATEWAY = server.url, yarl.URL(server.gateway_url)
    try:
        yield
    finally:
        route.BASE, socket.DEFAULT_GATEWAY = before


@contextlib.asynccontextmanager
async def connected(server: FakeDiscord, bot: Bot | None = None) -> AsyncIterator[Bot]:
    """A bot that has logged in and is told everything. It need not wait until it calls itself ready."""
    bot = bot or Bot()
    shards = getattr(bot, "shard_count", None) or 1
    with pointed_at(server):
        before = len(server.gateway.log)
        async with bot:
            running = asyncio.create_task(bot.start(server.token))
            try:
                await server.world.bell.until(
                    lambda: True if len(server.gateway.live()) >= shards else None,
                    10,
                    lambda: f"the bot did not connect: {running}, {server.gateway.log[before:]}",
                )
                yield bot
            finally:
                await bot.close()
                await asyncio.gather(running, return_exceptions=True)
