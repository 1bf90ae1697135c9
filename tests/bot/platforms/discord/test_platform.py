"""The platform on real sockets: it hears, answers, and leaves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.cards import Button, Card, Choice, Notice, Progress, Reply, Secret, Tone
from bot.showing import show
from bot.surface import NotThere
from core.conversation import ChatRef
from tests.bot.platforms.discord.running import Bilingual, running
from tests.fakes.discord.server import FakeDiscord, Switches


async def test_a_private_message_is_answered_in_words() -> None:
    """What grows is edited in place; the last one stands there and is told to the core."""
    responder = Bilingual({"oi": [Reply("Ol", done=False), Reply("**Olá**", done=True, footnote="qwen")]})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, responder):
            await chat.send(ana, "oi")
            answer = await chat.says("**Olá**")
            assert answer.text.endswith("-# qwen")
            assert len(chat.answers) == 1
            await responder.until_landed()
        heard = responder.heard[0]
        assert (heard.text, heard.who, heard.private, heard.name) == ("oi", f"discord:{ana.id}", True, "Ana")
        assert [landing[2] for landing in responder.landings] == [(str(answer.id),)]


async def test_a_command_of_the_menu() -> None:
    """It is deferred at once; a load card becomes the notice in its place."""
    cards: list[Card] = [Progress("Carregando", 0.5, "2 s"), Notice(Tone.SUCCESS, "Pronto", "9 s")]
    responder = Bilingual({"/load qwen": cards})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, responder):
            press = await chat.slash(ana, "load", model="qwen")
            assert await press.answered() == "deferred"
            told = await press.says("Pronto")
            assert told.colour == 0x3BA55C
            assert len(chat.answers) == 1
        assert responder.heard[0].language == "pt-BR"


async def test_a_button_turns_its_question_into_the_answer() -> None:
    """Only who asked may press it; the load card gives way to the answer as a new message."""
    question = Choice("Qual?", (Button("Qwen", "load qwen"), Button("Gemma", "load gemma")))
    cards: list[Card] = [Progress("Carregando", None), Reply("Olá", done=True)]
    responder = Bilingual({"/models": [question], "/load qwen": cards})
    async with FakeDiscord() as server:
        ana, bia = server.person("Ana"), server.person("Bia")
        guild = server.guild("Casa", ana, bia)
        chat = guild.channel("geral")
        async with running(server, responder):
            asked = await (await chat.slash(ana, "models")).says("Qual?")
            assert asked.labels == ["Qwen", "Gemma"]
            refused = await (await asked.press(bia, "Qwen")).says("Só quem perguntou")
            assert refused.ephemeral
            await asked.press(ana, "Qwen")
            answer = await chat.says("Olá")
            assert answer.id != asked.id
            await chat.wait_for(lambda _: asked.deleted)
        assert [heard.text for heard in responder.heard] == ["/models", "/load qwen"]


async def test_a_secret_is_asked_for_in_a_form() -> None:
    """What is written in it goes to the command, and the answer is seen by one person alone."""
    responder = Bilingual(
        {"/key set openai": [Secret("Qual é a chave?", "Chave de OpenAI", "key give openai")]}
    )
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.guild("Casa", ana).channel("geral")
        async with running(server, responder):
            form = await chat.slash(ana, "key", argument="set openai")
            assert (await form.modal())["title"] == "Chave de OpenAI"
            told = await (await form.fill("sk-canary")).says("sk-canary")
            assert told.ephemeral
        assert responder.heard[-1].text == "/key give openai sk-canary"


async def test_people_are_told_once_what_still_works_without_the_intent(tmp_path: Path) -> None:
    """Also over restarts; where it is switched on later and off again, once more."""
    told = "só ouço comandos, menções"
    switches = Switches(privileged=set())
    async with FakeDiscord(switches=switches) as server:
        ana = server.person("Ana")
        chat = server.guild("Casa", ana).channel("geral")

        def count() -> int:
            return sum(told in message.text for message in chat.answers)

        async def silent() -> int:
            async with running(server, Bilingual(), folder=tmp_path) as platform:
                del platform
                await chat.send(ana, f"<@{server.bot.id}> oi")
                await chat.says("`'oi'`")
                await server.wait_for("POST /channels/*/messages", status=403)
            return count()

        async def said(times: int) -> int:
            answers = len(chat.answers)
            async with running(server, Bilingual(), folder=tmp_path) as platform:
                del platform
                await chat.send(ana, f"<@{server.bot.id}> {answers}")
                await chat.says(f"`'{answers}'`")
                await chat.send(ana, f"<@{server.bot.id}> fim{answers}")
                await chat.says(f"`'fim{answers}'`")
                await server.world.bell.until(lambda: count() >= times or None, 10, lambda: "not told")
            return count()

        lost = server.fault("POST /channels/*/messages", "status:403", times=None, after=1)
        assert await silent() == 0, "it did not land"
        server.faults.rules.remove(lost)
        assert await said(1) == 1
        assert await said(1) == 1
        switches.privileged.add("message_content")
        assert await said(1) == 1
        switches.privileged.clear()
        assert await said(2) == 2


async def test_what_stood_there_and_is_gone_is_not_said_anew() -> None:
    """Neither what somebody deleted nor what one person alone could read comes back for everybody."""
    responder = Bilingual(
        {"/models": [Notice(Tone.INFO, "lista")], "/help": [Notice(Tone.INFO, "só para Ana")]}
    )
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.guild("Casa", ana).channel("geral")
        where = ChatRef("discord", str(chat.id))
        async with running(server, responder) as platform:
            listed = await (await chat.slash(ana, "models")).says("lista")
            await show(_only(Notice(Tone.INFO, "nova")), platform.surface(where, (str(listed.id),)))
            await chat.says("nova")
            await chat.delete(listed)
            hidden = await (await chat.slash(ana, "help")).says("só para Ana")
            assert hidden.ephemeral
            for gone in (listed, hidden):
                with pytest.raises(NotThere):
                    await show(_only(Notice(Tone.INFO, "outra")), platform.surface(where, (str(gone.id),)))
            assert not [m for m in chat.answers if "outra" in m.text]


async def _only(card: Card) -> AsyncIterator[Card]:
    yield card
