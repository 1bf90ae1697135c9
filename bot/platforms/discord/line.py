"""The line to one chat: every call takes its turn, and every answer of Discord's means one of a few things."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import aiohttp
import discord
import structlog

from bot.platforms.discord.hearing import Spot
from bot.platforms.discord.pace import Pace
from bot.platforms.discord.parts import Part
from bot.platforms.discord.wires import ChannelWire, InteractionWire, PrivateWire, Wire
from bot.ranks import Rank
from bot.surface import SlowDown, SurfaceDown

log = structlog.get_logger(__name__)

T = TypeVar("T")
BANNED_FOR = 30.0  # seconds, where the proxy in front of Discord refuses without saying for how long
_TOO_MANY = 429
# Discord's codes (documented under "Opcodes and Status Codes").
_LOST = {10008}  # unknown message
_OVER = {10015, 10062, 50027}  # unknown webhook, unknown interaction, invalid webhook token
_NOBODY = {
    10003,
    10004,
    40094,
    50001,
    50007,
    50013,
    50083,
}  # no such channel, no access, archived, no follow-ups left
DOWN = (discord.DiscordServerError, discord.GatewayNotFound, aiohttp.ClientError, OSError, TimeoutError)


class Gone(Exception):
    """Nobody reads there any more: thrown out, deleted, closed."""


class Refused(Exception):
    """Discord takes the call neither now nor later."""


class Line:
    """Speaks to one chat. May raise SlowDown, SurfaceDown, Gone and Refused.

    What begins with an interaction goes on in ordinary messages when its time is up: there if the bot may write
    there and everybody may read it, else in private.
    """

    def __init__(
        self,
        spot: Spot,
        pace: Pace,
        channel: ChannelWire | PrivateWire | None,
        said: InteractionWire | None = None,
    ) -> None:
        self._spot = spot
        self._pace = pace
        self._channel = channel
        self._said = said

    async def open(self) -> None:
        """Tell Discord that an answer will come."""
        said = self._said
        if said is not None:
            await self._told(said.open)

    async def form(self, form: discord.ui.Modal) -> bool:
        """Answer with a form; False where there is no interaction to answer, or it was answered already."""
        said = self._said
        return said is not None and said.fresh and await self._told(lambda: said.form(form))

    async def withdraw(self) -> None:
        """There is nothing to say."""
        if self._said is not None:
            await self._told(self._said.withdraw)

    async def send(
        self,
        part: Part,
        rank: Rank,
        nonce: int,
        *,
        first: bool = False,
        made: Callable[[int], None] | None = None,
    ) -> int:
        """A new message; its id. See Wire. `made` hears of it also where the caller was cancelled meanwhile."""

        async def call(wire: Wire) -> int:
            message = await wire.send(part, nonce, first=first)
            if made is not None:
                made(message)
            return message

        return await self._call(call, rank)

    async def settled(self) -> None:
        """Return once no call is on its way whose caller was cancelled."""
        await self._pace.settled()

    async def edit(self, message: int, part: Part, rank: Rank) -> bool:
        """Change a message; False if it is not there any more."""
        try:
            await self._call(lambda wire: wire.edit(message, part), rank)
        except _Lost:
            return False
        return True

    async def delete(self, message: int) -> None:
        """Take a message away; one that cannot be taken away stays. Discord counts this apart from other calls."""
        try:
            await self._call(lambda wire: wire.delete(message))
        except _Lost:
            return
        except Refused as refused:
            log.info("message stays", chat=str(self._spot.ref), why=str(refused))

    async def typing(self) -> None:
        """Show that somebody is at work. It has a limit of its own."""
        if self._said is None and self._channel is not None:
            await self._told(self._channel.typing)

    async def _call(self, call: Callable[[Wire], Coroutine[Any, Any, T]], rank: Rank | None = None) -> T:
        if rank is not None:
            await self._pace.turn(rank)
        while True:
            wire = self._wire()
            try:
                return await self._told(lambda wire=wire: call(wire))  # type: ignore[misc]  # bound at once
            except _Over:
                self._said = None

    def _wire(self) -> Wire:
        if self._said is not None and self._said.over:
            self._said = None
        wire = self._said or self._channel
        if wire is None:
            raise Gone("no way there")
        return wire

    async def _told(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the library raises, as what it means."""
        try:
            return await self._pace.unbroken(call)
        except discord.RateLimited as asked:
            self._pace.pause(asked.retry_after)
            raise SlowDown(asked.retry_after) from None
        except DOWN as down:
            raise SurfaceDown(type(down).__name__) from None
        except discord.HTTPException as refused:
            raise self._meant(refused) from None

    def _meant(self, refused: discord.HTTPException) -> Exception:
        why = f"{refused.status} {refused.code}"
        if refused.status == _TOO_MANY:  # several times, or by the proxy
            seconds = _asked_for(refused)
            self._pace.pause(seconds)
            return SlowDown(seconds)
        if refused.code in _LOST:
            return _Lost()
        if refused.code in _OVER:
            return _Over() if self._said is not None else Gone(why)
        if refused.code in _NOBODY:
            return Gone(why)
        return Refused(why)


class _Lost(Exception):
    """The message is not there any more."""


class _Over(Exception):
    """The time of the interaction is up."""


def _asked_for(refused: discord.HTTPException) -> float:
    """Seconds to wait, as far as the answer says."""
    try:
        return min(float(refused.response.headers["Retry-After"]), BANNED_FOR)
    except (KeyError, ValueError):
        return BANNED_FOR
