"""What goes wrong on the way: limits, broken connections, interactions whose time is up, messages that are gone."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.cards import Button, Card, Choice, Notice, Progress, Reply, Tone
from bot.surface import Incoming
from tests.bot.platforms.discord.running import Bilingual, running
from tests.fakes.clock import FakeClock
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.responder import Answer

PATCH = "PATCH /channels/*/messages/*"
POST = "POST /channels/*/messages"


def gated(first: Card, last: Card) -> tuple[asyncio.Event, Answer]:
    """An answer whose last card comes when the test says so."""
    gate = asyncio.Event()

    async def answer(_: Incoming) -> AsyncIterator[Card]:
        yield first
        await gate.wait()
        yield last

    return gate, answer


@pytest.mark.parametrize(
    "fault",
    ["status:429:0.2", "bare:0.2", "global:0.2", "banned", "status:502", "status:503", "drop", "lost"],
)
async def test_the_last_card_lands_whatever_happens(fault: str) -> None:
    """After a limit with and without the headers of a bucket, a proxy's page, and broken connections: once."""
    gate, answer = gated(Reply("Ol", done=False), Reply("Olá.", done=True))
    responder = Bilingual({"oi": answer})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, responder, clock=FakeClock(rushing=True)):
            server.fault(POST, fault)
            await chat.send(ana, "oi")
            await chat.says("Ol")
            server.fault(PATCH, fault)
            gate.set()
            await chat.says("Olá.")
            await responder.until_landed()
            assert [m.text for m in chat.answers] == ["Olá."]


async def test_a_command_whose_time_is_up_goes_on_in_the_same_message() -> None:
    """After fifteen minutes the interaction is worth nothing; the bot edits the message as its own."""
    gate, answer = gated(Progress("Carregando", 0.1), Notice(Tone.SUCCESS, "Pronto"))
    responder = Bilingual({"/load qwen": answer})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.guild("Casa", ana).channel("geral")
        async with running(server, responder):
            press = await chat.slash(ana, "load", model="qwen")
            card = await press.says("Carregando")
            server.advance(901)
            gate.set()
            await chat.says("Pronto")
            assert [m.id for m in chat.answers] == [card.id]


async def test_a_command_whose_time_is_up_turns_into_an_answer_in_words() -> None:
    """The load card goes, the answer is an ordinary message."""
    gate, answer = gated(Progress("Carregando", 0.1), Reply("Olá", done=True))
    responder = Bilingual({"/ask oi": answer})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.guild("Casa", ana).channel("geral")
        async with running(server, responder):
            press = await chat.slash(ana, "ask", question="oi")
            card = await press.says("Carregando")
            server.advance(901)
            gate.set()
            await chat.says("Olá")
            await chat.wait_for(lambda _: card.deleted)
            assert [m.text for m in chat.answers] == ["Olá"]


async def test_an_app_of_one_person_in_a_chat_of_others() -> None:
    """Words that grow, within the follow-ups; a very long answer comes as a file, too."""
    cards: list[Card] = [Progress("Carregando", 0.1), Reply("palavra " * 3000, done=True)]
    responder = Bilingual({"/ask oi": cards})
    async with FakeDiscord() as server:
        ana, bia = server.person("Ana"), server.person("Bia")
        chat = server.foreign(ana, bia)
        async with running(server, responder):
            press = await chat.slash(ana, "ask", question="oi")
            await press.says("A resposta inteira está no arquivo.", timeout=20)
            await responder.until_landed()
            files = [m.files for m in press.follow_ups if m.files]
            assert [list(one) for one in files] == [["resposta.md"]]
            assert files[0]["resposta.md"].decode().split() == ["palavra"] * 3000
            assert len(responder.landings[0][2]) == 4
        assert not responder.heard[0].private
        assert not responder.heard[0].hears, "nothing that is written there is told to the bot"


async def test_a_message_that_somebody_deleted() -> None:
    """The answer goes on in a new one."""
    gate, answer = gated(Reply("Ol", done=False), Reply("Olá.", done=True))
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, Bilingual({"oi": answer})):
            await chat.send(ana, "oi")
            grown = await chat.says("Ol")
            await chat.delete(grown)
            gate.set()
            await chat.says("Olá.")


async def test_nothing_to_say_is_not_shown_as_pending() -> None:
    """A stranger who was told already: what Discord shows as thinking goes."""
    responder = Bilingual({"/models": []})
    responder.strangers.add("discord:1")
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        responder.strangers.add(f"discord:{ana.id}")
        chat = server.guild("Casa", ana).channel("geral")
        async with running(server, responder):
            await chat.slash(ana, "models")
            await server.wait_for("DELETE /webhooks/*/*/messages/*")
            assert chat.answers == []


async def test_a_long_answer_in_several_messages() -> None:
    """Each at most 2,000 characters, fences closed and opened again, the code whole."""
    code = "\n".join(f"print({n})" for n in range(400))
    text = f"Assim:\n```python\n{code}\n```\nPronto."
    responder = Bilingual({"oi": [Reply(text[:100], done=False), Reply(text, done=True)]})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, responder):
            await chat.send(ana, "oi")
            await chat.says("Pronto.", timeout=15)
            await responder.until_landed()
            said = [m.text for m in chat.answers]
            assert all(len(one) <= 2000 and one.count("```") % 2 == 0 for one in said)
            assert [
                line for one in said for line in one.splitlines() if line.startswith("print")
            ] == code.split("\n")
            assert len(said) == 3


async def test_a_button_after_a_restart() -> None:
    """It knows whose it is and what it says: nothing is remembered but in the message."""
    question = Choice("Qual?", tuple(Button(f"Modelo {n}", f"use m{n}") for n in range(3)))
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, Bilingual({"oi": [question]})):
            await chat.send(ana, "oi")
            asked = await chat.says("Qual?")
        responder = Bilingual({"/use m1": [Notice(Tone.SUCCESS, "Agora o 1")]})
        server.journal.calls.clear()
        async with running(server, responder):
            await asked.press(ana, "Modelo 1")
            await chat.says("Agora o 1")
            assert [m.id for m in chat.answers] == [asked.id]
