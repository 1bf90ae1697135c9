"""Commands, buttons, menus and forms on Discord: each is the same as a typed line."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import discord
import structlog

from bot.platforms.discord.answers import Answers
from bot.platforms.discord.buttons import FIELD, Press, read
from bot.platforms.discord.files import bring
from bot.platforms.discord.hearing import NAME, Interaction, asker_of, data_of, spot_of_press
from bot.platforms.discord.surface import DiscordSurface, Sent
from bot.platforms.discord.talk import Talk
from bot.platforms.discord.threads import Threads
from bot.platforms.discord.wires import InteractionWire
from bot.platforms.discord.wording import Speak
from bot.surface import Completion, Incoming, Responder
from core.clock import Clock

log = structlog.get_logger(__name__)

STOP = "stop"


class Pressing:
    """Takes interactions."""

    def __init__(
        self,
        responder: Responder,
        answers: Answers,
        talk: Talk,
        threads: Threads,
        *,
        speak: Speak,
        clock: Clock,
    ) -> None:
        self._responder = responder
        self._answers = answers
        self._talk = talk
        self._threads = threads
        self._speak = speak
        self._clock = clock
        items = responder.menu(None)
        self._secret = {name for item in items if item.secret for name in (item.name, *item.aliases)}
        self._personal = {name for item in items if item.personal for name in (item.name, *item.aliases)}

    async def commanded(
        self, interaction: Interaction, name: str, words: str, file: discord.Attachment | None
    ) -> None:
        """A slash command, with what was put beside it."""
        incoming = self._incoming(interaction, f"/{name} {words}".strip())
        texts = self._speak(incoming.language)
        surface = self._surface(interaction, incoming)
        if not self._responder.welcome(incoming):
            file = None
        elif name in self._threads.names:
            await surface.open()
            card = await self._threads.open(interaction.channel, asker_of(interaction), words, texts)
            await self._answers.tell(card, surface)
            return
        if file is not None:
            fetch = partial(bring, [file], self._talk.documents, texts, self._clock)
            incoming = replace(incoming, bring=fetch)
        await self._answers.answer(incoming, surface, late=name in self._secret)
        if interaction.is_guild_integration() and interaction.guild_id is not None:
            await self._talk.tell_if_deaf(spot_of_press(interaction), texts)

    async def complete(self, interaction: Interaction, name: str, typed: str) -> Sequence[Completion]:
        """What an option may be, while it is typed."""
        return await self._responder.complete(name, typed, self._incoming(interaction, ""))

    async def pressed(self, interaction: Interaction, press: Press) -> None:
        """A button, or an option of a menu; by whom it is meant for."""
        incoming = self._incoming(interaction, f"/{press.command}")
        texts = self._speak(incoming.language)
        if press.owner not in (None, interaction.user.id) and not self._may(incoming):
            await interaction.response.send_message(texts.not_yours, ephemeral=True)
            return
        if press.command == STOP:
            await self._stop(interaction, incoming, press.owner)
            return
        name = press.command.partition(" ")[0].lower()
        late = press.kind == "f" or name in self._secret
        message = interaction.message
        turning = press.turns and message is not None and not late
        standing = [Sent(message.id, None, message.flags.components_v2)] if turning and message else []
        surface = self._surface(interaction, incoming, standing, press.owner if turning else None)
        if press.kind == "f" and message is not None:
            await surface.ask(_labelled(message, interaction), press.command)
            return
        await self._answers.answer(incoming, surface, late=late)

    async def filled(self, interaction: Interaction, press: Press) -> None:
        """A form was sent."""
        incoming = self._incoming(interaction, f"/{press.command} {_field(interaction)}")
        await self._answers.answer(incoming, self._surface(interaction, incoming))

    async def stale(self, interaction: Interaction) -> None:
        """Something of an older version of the program was pressed."""
        texts = self._speak(str(interaction.locale))
        await interaction.response.send_message(texts.stale, ephemeral=True)

    async def _stop(self, interaction: Interaction, incoming: Incoming, owner: int | None) -> None:
        """The answer itself says that it was stopped."""
        if self._responder.cancel(incoming.chat, "" if owner is None else f"{NAME}:{owner}"):
            await interaction.response.defer()
        else:
            texts = self._speak(incoming.language)
            await interaction.response.send_message(texts.nothing, ephemeral=True)

    def _may(self, incoming: Incoming) -> bool:
        """Whoever administers the bot, or manages the server."""
        return incoming.manages or self._responder.administers(incoming)

    def _surface(
        self,
        interaction: Interaction,
        incoming: Incoming,
        standing: Sequence[Sent] = (),
        owner: int | None = None,
    ) -> DiscordSurface:
        """Where the answer goes: seen by one person alone where it concerns nobody else, or where that began so.

        `owner` = whose buttons they are: a list stays with whoever asked for it, whoever turns its pages.
        """
        spot = spot_of_press(interaction)
        spot = spot if owner is None else replace(spot, owner=owner)
        name = incoming.text.removeprefix("/").partition(" ")[0].lower()
        hidden = interaction.message is not None and interaction.message.flags.ephemeral
        personal = name in self._personal or not self._responder.welcome(incoming)
        alone = hidden or (personal and not spot.private)
        said = InteractionWire(interaction, alone=alone, turning=bool(standing))
        beyond = not alone and (spot.private or interaction.is_guild_integration())
        texts = self._speak(incoming.language)
        return self._answers.surface(spot, texts, standing, said, beyond=beyond)

    def _incoming(self, interaction: Interaction, text: str) -> Incoming:
        asker, spot = asker_of(interaction), spot_of_press(interaction)
        if asker.language is not None:
            self._talk.languages.note(asker.id, asker.language)
        return Incoming(
            spot.ref,
            asker.person,
            text,
            language=asker.language,
            name=asker.name,
            private=spot.private,
            groups=asker.groups,
            manages=asker.manages,
            hears=interaction.is_guild_integration() and self._talk.hears(interaction.guild_id),
            form=True,
            reply_to=None if interaction.message is None else str(interaction.message.id),
        )


def pressed_form(interaction: Interaction) -> Press | None:
    """What a form that was sent belongs to; `None` if it is none of ours."""
    press = read(str(data_of(interaction).get("custom_id", "")))
    return press if press is not None and press.kind == "m" else None


def _labelled(message: discord.Message, interaction: Interaction) -> str:
    """The label of the button that was pressed."""
    wanted = data_of(interaction).get("custom_id")
    for item in discord.ui.LayoutView.from_message(message).walk_children():
        if isinstance(item, discord.ui.Button) and item.custom_id == wanted:
            return item.label or ""
    return ""


def _field(interaction: Interaction) -> str:
    """What was written in the form."""

    def look(components: Sequence[Any]) -> str | None:
        for one in components:
            if one.get("custom_id") == FIELD:
                return str(one.get("value", ""))
            inside = [one["component"]] if "component" in one else one.get("components", [])
            if (found := look(inside)) is not None:
                return found
        return None

    return (look(data_of(interaction).get("components", [])) or "").strip()
