"""The library's client, made to listen and nothing else: what it hears goes to the desk, each in its own task."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import discord
import structlog

from bot.platforms.discord.buttons import ITEMS, Press, read
from bot.platforms.discord.hearing import Interaction, data_of
from bot.platforms.discord.menu import Tree
from bot.platforms.discord.pressing import Pressing, pressed_form
from bot.platforms.discord.talk import Talk
from bot.trace import where

log = structlog.get_logger(__name__)

_WHOLE = -1  # no shard has this number


class Ears(discord.Client):
    """Takes events; a mistake with one of them must not end the others, and its words may quote a person."""

    def __init__(self, *, content: bool, **options: Any) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=content)
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            **options,
        )
        self.tree = Tree(
            self,
            allowed_contexts=discord.app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
            allowed_installs=discord.app_commands.AppInstallationType(guild=True, user=True),
        )
        self.talk: Talk | None = None
        self.pressing: Pressing | None = None
        self.arrived = asyncio.Event()
        self.lost: set[int] = {_WHOLE}  # connections that are not there: shards, or the only one
        self.running: set[asyncio.Task[None]] = set()
        self.add_dynamic_items(*ITEMS)

    @property
    def desk(self) -> "Ears":
        """Who takes what is pressed."""
        return self

    def spawn(self, what: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run it in a task of its own, which the platform ends with itself."""
        task = asyncio.create_task(self._guarded(what))
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        return task

    async def _guarded(self, what: Coroutine[Any, Any, None]) -> None:
        try:
            await what
        except Exception as bug:  # noqa: BLE001  # see the class
            log.error("update failed", bug=type(bug).__name__, where=where(bug))  # noqa: TRY400  # see the class

    # ------------------------------------------------------------ what the library calls

    async def on_connect(self) -> None:
        """The gateway has taken the token. Of several connections each tells for itself, after this."""
        if not isinstance(self, discord.AutoShardedClient):
            self.lost.discard(_WHOLE)
        self.arrived.set()

    async def on_shard_connect(self, shard: int) -> None:
        """The same, of one of several connections. Discord lets them in one after the other."""
        if _WHOLE in self.lost:
            self.lost = set(range(self.shard_count or 1))
        self.lost.discard(shard)
        self.arrived.set()

    async def on_resumed(self) -> None:
        """The connection is back."""
        self.lost.discard(_WHOLE)

    async def on_shard_resumed(self, shard: int) -> None:
        """The same, of one of several connections."""
        self.lost.discard(shard)

    async def on_disconnect(self) -> None:
        """The connection is gone; the library tries to get it back. Of several ones each tells for itself."""
        if not isinstance(self, discord.AutoShardedClient):
            self.lost.add(_WHOLE)

    async def on_shard_disconnect(self, shard: int) -> None:
        """The same, of one of several connections."""
        self.lost.add(shard)

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote."""
        if self.talk is not None:
            self.spawn(self.talk.written(message))

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Somebody corrected what they wrote."""
        if self.talk is not None:
            self.spawn(self.talk.corrected(payload.message))

    async def on_interaction(self, interaction: Interaction) -> None:
        """Forms, whoever opened them; the library hands over commands and buttons elsewhere."""
        if self.pressing is None:
            return
        if interaction.type is discord.InteractionType.modal_submit:
            press = pressed_form(interaction)
            self.spawn(
                self.pressing.filled(interaction, press) if press else self.pressing.stale(interaction)
            )
        elif interaction.type is discord.InteractionType.component:
            custom_id = str(data_of(interaction).get("custom_id", ""))
            if read(custom_id) is None:
                self.spawn(self.pressing.stale(interaction))

    async def commanded(
        self, interaction: Interaction, name: str, words: str, file: discord.Attachment | None
    ) -> None:
        """A slash command; the library's own task ends with ours."""
        if self.pressing is not None:
            await self.spawn(self.pressing.commanded(interaction, name, words, file))

    async def pressed(self, interaction: Interaction, press: Press) -> None:
        """A button or a menu."""
        if self.pressing is not None:
            self.spawn(self.pressing.pressed(interaction, press))

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """Never the library's own report: it quotes the event."""
        log.error("event failed", what=event_method)


class ShardedEars(Ears, discord.AutoShardedClient):
    """The same over several connections."""
