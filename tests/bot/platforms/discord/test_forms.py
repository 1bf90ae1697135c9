"""Forms for secrets: asked for in time, by whom they are meant for, also after a restart."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.cards import Button, Card, Notice, Secret, Tone
from bot.surface import Incoming
from tests.bot.platforms.discord.running import Bilingual, running
from tests.fakes.clock import FakeClock
from tests.fakes.discord.server import FakeDiscord

SECRET = Secret("Qual é a chave?", "Chave de OpenAI", "key give openai")
GIVEN: list[Card] = [Notice(Tone.SUCCESS, "Guardada")]


async def test_a_form_that_comes_too_late_is_a_button_to_one() -> None:
    """Discord waits three seconds: what takes longer is shown, and its button opens the form."""
    gate = asyncio.Event()

    async def slow(_: Incoming) -> AsyncIterator[Card]:
        await gate.wait()
        yield SECRET

    responder = Bilingual({"/key": slow, "/key give openai sk-canary": GIVEN})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.guild("Casa", ana).channel("geral")
        async with running(server, responder, clock=FakeClock(rushing=True)):
            press = await chat.slash(ana, "key")
            assert await press.answered() == "deferred"
            gate.set()
            shown = await press.says("Qual é a chave?")
            assert shown.ephemeral
            form = await shown.press(ana, "Chave de OpenAI")
            assert (await form.modal())["title"] == "Chave de OpenAI"
            told = await (await form.fill("sk-canary")).says("Guardada")
            assert told.ephemeral
        assert responder.heard[-1].text == "/key give openai sk-canary"
        assert responder.heard[-1].form


async def test_a_button_leads_straight_to_the_form() -> None:
    """As under a card that names what is missing."""
    missing = Notice(Tone.WARNING, "Falta a chave", buttons=(Button("🔑 Dar", "key set openai"),))
    responder = Bilingual({"oi": [missing], "/key set openai": [SECRET], "/key give openai sk": GIVEN})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, responder):
            await chat.send(ana, "oi")
            card = await chat.says("Falta a chave")
            form = await card.press(ana, "🔑 Dar")
            await (await form.fill("sk")).says("Guardada")
            assert card.text.startswith("### Falta a chave")  # it stays


async def test_a_form_that_was_opened_before_a_restart() -> None:
    """What is written in it still reaches the command."""
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, Bilingual({"/key": [SECRET]})):
            form = await chat.slash(ana, "key")
            await form.modal()
        responder = Bilingual({"/key give openai sk": GIVEN})
        async with running(server, responder):
            await (await form.fill("sk")).says("Guardada")
            assert [heard.text for heard in responder.heard] == ["/key give openai sk"]


@pytest.mark.parametrize("words", ["sk-canary", "/key set openai"])
async def test_a_question_for_a_secret_after_a_message(words: str) -> None:
    """There is nothing a form could answer: a button opens it, and only who asked may press it."""
    responder = Bilingual({words: [SECRET], "/key give openai sk": GIVEN})
    async with FakeDiscord() as server:
        ana, bia = server.person("Ana"), server.person("Bia")
        chat = server.guild("Casa", ana, bia).channel("geral")
        async with running(server, responder):
            await chat.send(ana, f"<@{server.bot.id}> {words}")
            shown = await chat.says("Qual é a chave?")
            assert (await (await shown.press(bia, "Chave de OpenAI")).says("Só quem perguntou")).ephemeral
            form = await shown.press(ana, "Chave de OpenAI")
            assert (await (await form.fill("sk")).says("Guardada")).ephemeral
