"""The shipped program on Discord as an app that only a person has installed, in places where the bot is not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.discord.guests import Place
from tests.fakes.discord.server import Channel, Person, Press
from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import ANA, World, world
from tests.sockets.program import PATIENCE

NOVA = "acme/nova-8b"
RETRY = "🔁 Refazer"
FOLLOW_UPS = 5  # all that Discord allows there


@asynccontextmanager
async def abroad(
    tmp_path: Path, place: Place, *models: FakeModel
) -> AsyncIterator[tuple[World, Person, Channel]]:
    """Ana and Bia are there; Ana has installed the bot. Discord never has to refuse a call."""
    async with world(tmp_path, list(models), ADMINS=ANA, ACCESS="open") as w:
        await w.synced()
        bia = w.discord.person("Bia")
        chat = w.discord.foreign(w.ana, bia, place=place)
        yield w, bia, chat
        assert not w.discord.journal.matching(f"/channels/{chat.id}/*")
        assert [call.error for call in w.discord.calls if call.status >= 400] == []


async def asked(w: World, chat: Channel, question: str) -> Press:
    """Ana asks; the load card is the first that she sees."""
    press = await w.run("ask", question, chat=chat, person=w.ana)
    assert await press.answered(PATIENCE) == "deferred"
    await press.says("Carregando", PATIENCE)
    return press


@pytest.mark.parametrize("place", Place)
async def test_a_question_where_the_bot_is_not(tmp_path: Path, place: Place) -> None:
    """The load card, the answer and its buttons, also after a kill -9: all by interactions, within five follow-ups."""
    nova = FakeModel(NOVA, "Nova 8B", load_seconds=3, progress_steps=10, reply="quarenta e dois")
    async with abroad(tmp_path, place, nova) as (w, bia, chat):
        press = await asked(w, chat, "qual é a resposta?")
        answer = await chat.wait_for(lambda m: m.by_bot and RETRY in m.labels, timeout=PATIENCE)
        assert "quarenta e dois" in answer.text
        assert len(press.follow_ups) <= FOLLOW_UPS
        await (await answer.press(bia, RETRY)).says("Só quem perguntou", PATIENCE)
        for reply in ("quarenta e três", "quarenta e quatro"):
            nova.reply = reply
            await w.restart()
            again = await answer.press(w.ana, RETRY)
            await chat.says(reply, timeout=PATIENCE)
            assert len(again.follow_ups) <= FOLLOW_UPS


@pytest.mark.parametrize("place", Place)
async def test_a_long_answer_where_the_bot_is_not(tmp_path: Path, place: Place) -> None:
    """After a load card it grows over several messages, and what five follow-ups do not hold is in a file."""
    whole = "\n\n".join(f"Linha {n} com algumas palavras a mais para ser longa." for n in range(600))
    nova = FakeModel(NOVA, "Nova 8B", load_seconds=2, reply=whole, token_delay=0.001, context_length=32_768)
    async with abroad(tmp_path, place, nova) as (w, _, chat):
        press = await asked(w, chat, "tudo")
        last = await chat.wait_for(lambda m: m.by_bot and bool(m.files), timeout=PATIENCE)
        assert whole in next(iter(last.files.values())).decode()
        assert RETRY in last.labels
        assert 1 < len(press.follow_ups) <= FOLLOW_UPS


@pytest.mark.parametrize("place", Place)
async def test_commands_where_the_bot_is_not(tmp_path: Path, place: Place) -> None:
    """Models are completed; a failed load offers one that answers the question; what cannot be there is said."""
    broken = FakeModel(NOVA, "Nova 8B", load_error="Received load-error")
    mini = FakeModel("acme/mini-1b", "Mini 1B", size_bytes=700_000_000, params="1B")
    async with abroad(tmp_path, place, broken, mini) as (w, _, chat):
        option = w.discord.commands()["use"]["options"][0]["name"]
        typed = await chat.autocomplete(w.ana, "use", option, "nova")
        [found] = await typed.choices(PATIENCE)
        assert "Nova 8B" in found["name"]
        await (await w.run("use", found["value"], chat, w.ana)).says("Agora uso", PATIENCE)
        failed = await w.run("ask", "qual é a capital?", chat, w.ana)
        card = await failed.says("não está disponível", PATIENCE)
        await card.press(w.ana, next(label for label in card.labels if "Usar mini-1b" in label))
        await chat.says("You said: qual é a capital?", timeout=PATIENCE)
        assert len(failed.follow_ups) <= FOLLOW_UPS
        listening = await w.run("here", chat=chat, person=w.ana)
        await listening.says("Aqui não me mostram tudo", PATIENCE)
