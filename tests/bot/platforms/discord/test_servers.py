"""Who is heard and who may what in a server: discord.py's own client inside simcord's Discord, no sockets."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import discord
import simcord
import structlog

from bot.cards import Button, Card, Choice, Listing, Notice, Reply, Row, Tone
from bot.platforms.discord import menu
from bot.platforms.discord.platform import DiscordPlatform
from bot.surface import Incoming
from core.conversation import ChatRef
from tests.bot.platforms.discord.running import Bilingual, speak
from tests.fakes.clock import FakeClock

QUESTION = Choice("Qual?", (Button("Qwen", "use qwen"), Button("Gemma", "use gemma")))


@dataclass
class House:
    """A server with Ana, who asks, Bia, who manages it, and Caio."""

    env: simcord.Env
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    ana: simcord.MemberActor
    bia: simcord.MemberActor
    caio: simcord.MemberActor
    managers: simcord.RoleHandle
    responder: Bilingual
    me: str

    @property
    def heard(self) -> list[str]:
        return [incoming.text for incoming in self.responder.heard]

    def said(self, channel: simcord.ChannelHandle | None = None) -> list[discord.Message]:
        return [m for m in (channel or self.channel).history() if m.author.bot]

    async def models(self) -> simcord.ResponseMessage:
        """Ana is asked something."""
        shown = (await self.ana.slash(self.channel, "models")).response
        assert shown is not None
        return shown


@asynccontextmanager
async def house(answers: Mapping[str, Any] | None = None) -> AsyncIterator[House]:
    responder = Bilingual(answers)
    client = DiscordPlatform("TEST", speak=speak, clock=FakeClock(rushing=True)).client(responder)
    async with simcord.run(client) as env:
        await client.tree.set_translator(menu.Translator())
        await client.tree.sync()
        guild = env.create_guild("Casa")
        managers = guild.create_role("zeladores", permissions=discord.Permissions(manage_guild=True))
        ana, caio = (guild.add_member(env.create_user(name)) for name in ("ana", "caio"))
        bia = guild.add_member(env.create_user("bia"), roles=[managers])
        channel = guild.create_text_channel("geral")
        assert client.user is not None
        yield House(env, guild, channel, ana, bia, caio, managers, responder, client.user.mention)


async def test_only_what_is_meant_for_it_is_heard() -> None:
    """A mention, a reply to it, and nothing that people say to each other, other bots or by other commands."""
    async with house() as h:
        await h.ana.send(h.channel, "bom dia")
        assert h.heard == []
        await h.ana.send(h.channel, f"{h.me}, tudo bem?")
        assert h.heard == ["tudo bem?"]
        answer = h.said()[-1]
        await h.caio.send(h.channel, "e comigo?", reply_to=answer)
        assert h.heard[1:] == ["e comigo?"]
        assert h.responder.heard[1].reply_to == str(answer.id)
        await h.ana.send(h.channel, h.me)
        assert h.heard[2:] == ["/start"]


async def test_what_is_replied_to_goes_along() -> None:
    """Somebody else's message is quoted, and its author known; the bot's own is in the history already."""
    async with house() as h:
        first = await h.caio.send(h.channel, "a terra\né plana")
        await h.ana.send(h.channel, f"{h.me} é verdade?", reply_to=first)
        assert h.heard == ["> a terra\n> é plana\n\né verdade?"]
        incoming = h.responder.heard[0]
        assert (incoming.reply_person, incoming.reply_name) == (f"discord:{h.caio.id}", "caio")


async def test_a_channel_that_was_set_with_here() -> None:
    """Everything there is heard; the next channel is not."""
    async with house() as h:
        other = h.guild.create_text_channel("outro")
        h.responder.listening.add(ChatRef("discord", str(h.channel.id)))
        await h.ana.send(h.channel, "bom dia")
        await h.ana.send(other, "boa tarde")
        assert h.heard == ["bom dia"]


async def test_who_asks_is_told_with_server_roles_and_rights() -> None:
    """As access needs them; the everyone role says nothing."""
    async with house() as h:
        await h.bia.send(h.channel, f"{h.me} oi")
        await h.ana.send(h.channel, f"{h.me} oi")
        bia, ana = h.responder.heard
        assert bia.groups == (f"discord:guild:{h.guild.id}", f"discord:role:{h.managers.id}")
        assert (bia.manages, ana.manages, ana.groups) == (True, False, (f"discord:guild:{h.guild.id}",))
        assert not bia.private


async def test_buttons_obey_who_asked_the_manager_and_administrators() -> None:
    """Anybody else is told so, and nobody else sees that."""
    chosen: list[Card] = [Notice(Tone.SUCCESS, "Agora Qwen")]
    async with house({"/models": [QUESTION], "/use qwen": chosen}) as h:
        for presser, allowed in ((h.caio, False), (h.ana, True), (h.bia, True)):
            shown = await h.models()
            before = len(h.heard)
            pressed = await presser.click(shown, label="Qwen")
            assert (len(h.heard) > before) is allowed
            assert pressed.ephemeral is not allowed
        h.responder.administrators.add(f"discord:{h.caio.id}")
        await h.caio.click(await h.models(), label="Qwen")
        assert h.heard[-1] == "/use qwen"
        assert h.responder.heard[-1].who == f"discord:{h.caio.id}"


async def test_what_concerns_one_person_is_seen_by_that_person() -> None:
    """Help, and whatever a stranger is told; lists are for everybody."""
    async with house({"/help": [Notice(Tone.INFO, "Ajuda")], "/models": [QUESTION]}) as h:
        assert (await h.ana.slash(h.channel, "help")).ephemeral
        assert not (await h.ana.slash(h.channel, "models")).ephemeral
        h.responder.strangers.add(f"discord:{h.caio.id}")
        assert (await h.caio.slash(h.channel, "models")).ephemeral


async def test_a_thread_is_a_conversation_of_its_own() -> None:
    """Opened by a command, it hears everything and answers there; its name is what was asked for."""
    async with house() as h:
        told = await h.ana.slash(h.channel, "thread", name="viagem")
        thread = h.channel.threads[0]
        assert thread.name == "viagem"
        assert told.response is not None
        assert f"<#{thread.id}>" in str(told.response.components)
        await h.ana.send(thread, "para onde?")
        assert h.responder.heard[0].chat == ChatRef("discord", str(h.channel.id), str(thread.id))
        assert "para onde?" in h.said(thread)[-1].content
        assert h.heard == ["para onde?"]
        assert h.responder.heard[0].hears


async def test_a_thread_from_a_message() -> None:
    """The word may be typed, too, in the reader's language; in a private chat there are no threads."""
    async with house() as h:
        await h.ana.send(h.channel, f"{h.me} /topico férias")
        assert [thread.name for thread in h.channel.threads] == ["férias"]
        await h.ana.send_dm("/thread")
        assert h.heard == []


async def test_nobody_is_ever_pinged() -> None:
    """Whatever a model writes."""
    async with house({"oi": [Reply("@everyone <@1> olá", done=True)]}) as h:
        await h.ana.send(h.channel, f"{h.me} oi")
        said = h.said()[-1]
        assert said.content == "@everyone <@1> olá"
        assert not said.mention_everyone
        assert said.mentions == []


async def test_the_language_of_a_person_is_remembered() -> None:
    """Discord tells it with commands only; messages after one are in the same."""
    async with house() as h:
        await h.ana.send(h.channel, f"{h.me} oi")
        await h.ana.slash(h.channel, "models")
        await h.ana.send(h.channel, f"{h.me} oi")
        languages: list[Any] = [incoming.language for incoming in h.responder.heard]
        assert languages[0] is None
        assert languages[1] == languages[2] is not None


async def test_what_began_for_one_person_goes_on_so() -> None:
    """A command chosen from the menu of help is answered there; also in words, which need a message of their own."""
    rows = tuple(Row("•", f"/{name}", button=Button(f"/{name}", name)) for name in ("models", "load"))
    async with house({"/help": [Listing("Comandos", rows)], "/models": [Reply("olá", done=True)]}) as h:
        shown = (await h.ana.slash(h.channel, "help")).response
        assert shown is not None
        pressed = await h.ana.click(shown, label="/models")
        assert h.heard == ["/help", "/models"]
        assert [(more.content, more.ephemeral) for more in pressed.followups] == [("olá", True)]
        assert h.said() == []


async def test_a_command_with_a_bug_is_told_without_its_words() -> None:
    """The log has the place; the others are answered."""

    async def broken(incoming: Incoming) -> AsyncIterator[Card]:
        yield QUESTION
        raise RuntimeError(incoming.text + "canary"[::-1])

    with structlog.testing.capture_logs() as lines:
        async with house({"/models": broken, "oi": [Reply("olá", done=True)]}) as h:
            await h.ana.slash(h.channel, "models")
            await h.ana.send(h.channel, f"{h.me} oi")
            assert h.said()[-1].content == "olá"
    failed = [line for line in lines if line["event"] == "update failed"]
    assert [line["bug"] for line in failed] == ["RuntimeError"]
    assert "yranac" not in str(lines)
