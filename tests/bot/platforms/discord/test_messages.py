"""Messages of people: corrected, taken away, with files; and pictures that come back."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.cards import Button, Card, Notice, Picture, Progress, Reply, Tone
from bot.surface import Incoming
from tests.bot.platforms.discord.running import Bilingual, running
from tests.fakes.discord.server import FakeDiscord

PNG = bytes.fromhex("89504e470d0a1a0a") + b"made up"


async def test_a_question_that_is_corrected_is_asked_anew() -> None:
    """The answer under way ends, and its message becomes the answer to what is asked now."""
    begun = asyncio.Event()

    async def endless(_: Incoming) -> AsyncIterator[Card]:
        yield Reply("Par", done=False)
        begun.set()
        await asyncio.Event().wait()

    responder = Bilingual({"capital da frança": endless, "capital da itália": [Reply("Roma", done=True)]})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, responder):
            asked = await chat.send(ana, "capital da frança")
            grown = await chat.says("Par")
            await begun.wait()
            await chat.edit(asked, "capital da itália")
            answer = await chat.says("Roma")
            assert answer.id == grown.id
            assert len(chat.answers) == 1
            assert responder.closed == 2


@pytest.mark.parametrize("private", [True, False])
async def test_a_message_is_taken_away_where_discord_lets_the_bot(private: bool) -> None:  # noqa: FBT001  # a case
    """In a server where it may manage messages; in a private chat only the person can."""

    async def erased(incoming: Incoming) -> AsyncIterator[Card]:
        assert incoming.erase is not None
        yield Notice(Tone.INFO, f"apagada: {await incoming.erase()}")

    responder = Bilingual({"sk-canary": erased})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana) if private else server.guild("Casa", ana).channel("geral")
        async with running(server, responder):
            said = await chat.send(ana, "sk-canary" if private else f"<@{server.bot.id}> sk-canary")
            await chat.says(f"apagada: {not private}")
            assert said.deleted is not private


async def test_pictures_and_files_go_along() -> None:
    """A picture as it is, a file in a fence under its name; beside a command, too."""
    responder = Bilingual()
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, responder):
            await chat.send(ana, "o que é?", files=[("a.png", PNG), ("n.csv", b"a;b\n1;2")])
            await responder.until_landed()
        heard = responder.heard[0]
        assert heard.text == "o que é?\n\nn.csv:\n```csv\na;b\n1;2\n```"
        assert [(one.mime, one.data) for one in heard.pictures] == [("image/png", PNG)]


async def test_a_file_that_no_model_reads() -> None:
    """It is said, and nothing is asked; of strangers nothing is fetched."""
    responder = Bilingual()
    async with FakeDiscord() as server:
        ana, zoe = server.person("Ana"), server.person("Zoe")
        responder.strangers.add(f"discord:{zoe.id}")
        async with running(server, responder):
            chat = server.private(ana)
            await chat.send(ana, "leia", files=[("filme.mp4", b"\0\0")])
            await chat.says("Não sei ler")
            assert responder.heard == []
            theirs = server.private(zoe)
            await theirs.send(zoe, "leia", files=[("n.txt", b"um")])
            await theirs.says("leia")
            assert [heard.text for heard in responder.heard] == ["leia"]


@pytest.mark.parametrize("command", [True, False])
async def test_a_picture_comes_in_the_place_of_its_progress(command: bool) -> None:  # noqa: FBT001  # a case
    """Drawn with its words, its buttons below; after a command and after a message."""
    picture = Picture(PNG, "Uso da semana", (Button("Dia", "stats day"),))
    cards: list[Card] = [Progress("Desenhando", None), picture]
    responder = Bilingual({"/models": cards})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, responder):
            if command:
                await chat.slash(ana, "models")
            else:
                await chat.send(ana, "/models")
            shown = await chat.says("Uso da semana")
            await responder.until_landed()
            assert shown.files == {"picture.png": PNG}
            assert shown.labels == ["Dia"]
            assert len(chat.answers) == 1
