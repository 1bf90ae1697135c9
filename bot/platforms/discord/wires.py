"""The ways to a reader: the bot's own right to write there, what an interaction allows for a while, a private chat."""

import asyncio
from typing import Any, Protocol

import discord

from bot.platforms.discord.hearing import Interaction, Spot
from bot.platforms.discord.pace import Whole
from bot.platforms.discord.parts import Part

_ANSWERED = 40060  # by a call whose own answer was lost on its way
_NO_HISTORY = 160002  # it cannot reply where it may not read what was said


class Wire(Protocol):
    """Puts messages into one channel. Raises what the library raises."""

    async def send(self, part: Part, nonce: int, *, first: bool) -> int:
        """A new message; its id. `first` = the answer begins in it.

        The same nonce again makes no second message: the id is that of the one which stands there, unchanged.
        """
        ...

    async def edit(self, message: int, part: Part) -> None:
        """Change a message."""
        ...

    async def delete(self, message: int) -> None:
        """Take a message away."""
        ...


class ChannelWire:
    """Writes as a member of the channel does."""

    def __init__(self, client: discord.Client, spot: Spot, whole: Whole) -> None:
        self._client = client
        self._whole = whole
        self._channel = client.get_partial_messageable(spot.channel, guild_id=spot.guild)
        self._spot = spot
        self._replies_to = spot.replies_to

    async def send(self, part: Part, nonce: int, *, first: bool) -> int:
        """See Wire. Where the answer begins it replies to the question, if that still stands."""
        try:
            sent = await self._send(part, nonce, first=first)
        except discord.HTTPException as refused:
            if refused.code != _NO_HISTORY or self._replies_to is None:
                raise
            self._replies_to = None
            sent = await self._send(part, nonce, first=first)
        return sent.id

    async def _send(self, part: Part, nonce: int, *, first: bool) -> discord.Message:
        more: dict[str, Any] = part.fresh()
        if first and self._replies_to is not None:
            more["reference"] = discord.MessageReference(
                message_id=self._replies_to,
                channel_id=self._spot.channel,
                guild_id=self._spot.guild,
                fail_if_not_exists=False,
            )
        await self._whole.turn()
        return await self._channel.send(nonce=nonce, suppress_embeds=not part.components, **more)

    async def edit(self, message: int, part: Part) -> None:
        """See Wire."""
        await self._whole.turn()
        await self._channel.get_partial_message(message).edit(**part.over())

    async def delete(self, message: int) -> None:
        """See Wire."""
        await self._whole.turn()
        await self._channel.get_partial_message(message).delete()

    async def typing(self) -> None:
        """Show that somebody is at work, for ten seconds; where there is a crush, answers go first."""
        if not self._whole.free:
            return
        await self._whole.turn()
        await self._client.http.send_typing(self._spot.channel)


class PrivateWire:
    """Writes to one person alone, in the private chat: opened with the first message, where it can be."""

    def __init__(self, client: discord.Client, person: discord.abc.User, whole: Whole) -> None:
        self._client = client
        self._person = person
        self._whole = whole
        self._wire: ChannelWire | None = None

    async def send(self, part: Part, nonce: int, *, first: bool) -> int:
        """See Wire."""
        return await (await self._opened()).send(part, nonce, first=first)

    async def edit(self, message: int, part: Part) -> None:
        """See Wire; what stands elsewhere is not there."""
        await (await self._opened()).edit(message, part)

    async def delete(self, message: int) -> None:
        """See Wire."""
        await (await self._opened()).delete(message)

    async def typing(self) -> None:
        """See ChannelWire."""
        await (await self._opened()).typing()

    async def _opened(self) -> ChannelWire:
        if self._wire is None:
            channel = await self._client.create_dm(self._person)
            self._wire = ChannelWire(self._client, Spot(channel.id, private=True), self._whole)
        return self._wire


class InteractionWire:
    """Answers a command, a press or a form; good for 15 minutes.

    `turning` = the message that was pressed becomes the answer. `alone` = only who asked sees it.
    """

    def __init__(self, interaction: Interaction, *, alone: bool, turning: bool = False) -> None:
        self._interaction = interaction
        self._alone = alone
        self._turning = turning
        self._first: int | None = interaction.message.id if turning and interaction.message else None
        self._answered = turning
        self._opened = False
        self._opening = asyncio.Lock()

    @property
    def person(self) -> discord.abc.User:
        """Who commanded, pressed or filled in."""
        return self._interaction.user

    @property
    def over(self) -> bool:
        """Its time is up."""
        return self._interaction.is_expired()

    @property
    def fresh(self) -> bool:
        """Nothing was answered yet: a form can still be."""
        return not (self._opened or self._interaction.response.is_done())

    async def open(self) -> None:
        """Tell Discord that the answer will come; it waits three seconds for that."""
        async with self._opening:
            if not self.fresh:
                return
            try:
                if self._turning:
                    await self._interaction.response.defer()
                else:
                    await self._interaction.response.defer(ephemeral=self._alone, thinking=True)
            except discord.HTTPException as refused:
                if refused.code != _ANSWERED:
                    raise
            self._opened = True

    async def form(self, form: discord.ui.Modal) -> bool:
        """Answer with a form; False if it is too late for one."""
        async with self._opening:
            if not self.fresh:
                return False
            await self._interaction.response.send_modal(form)
            return True

    async def send(self, part: Part, nonce: int, *, first: bool) -> int:
        """See Wire; the first one is the answer, the others follow it."""
        del nonce, first  # Discord knows no nonce for interactions, and shows by itself what it answers
        await self.open()
        if not self._answered:
            shown = await self._interaction.edit_original_response(**part.over())
            self._answered = True
            self._first = shown.id
            return shown.id
        hook = self._interaction.followup
        more = await hook.send(
            wait=True, ephemeral=self._alone, suppress_embeds=not part.components, **part.fresh()
        )
        return more.id

    async def edit(self, message: int, part: Part) -> None:
        """See Wire."""
        await self.open()
        if message == self._first:
            await self._interaction.edit_original_response(**part.over())
        else:
            await self._interaction.followup.edit_message(message, **part.over())

    async def delete(self, message: int) -> None:
        """See Wire."""
        if message == self._first:
            await self._interaction.delete_original_response()
        else:
            await self._interaction.followup.delete_message(message)

    async def withdraw(self) -> None:
        """There is nothing to say: nothing is shown as pending."""
        await self.open()
        if not self._answered:
            await self._interaction.delete_original_response()
