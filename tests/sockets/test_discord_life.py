"""The six scenarios of a model's life on Discord, as a person in a private chat sees them."""

import asyncio
from pathlib import Path

from tests.fakes.lmstudio.catalog import GUARDRAIL
from tests.fakes.lmstudio.server import FakeModel
from tests.fakes.vendors.openai import FakeOpenAI
from tests.sockets.discord_program import world
from tests.sockets.program import PATIENCE

NOVA, MINI = "acme/nova-8b", "acme/mini-1b"


def models(**nova: object) -> list[FakeModel]:
    return [
        FakeModel(NOVA, "Nova 8B", **nova),  # type: ignore[arg-type]  # fields of FakeModel by name
        FakeModel(MINI, "Mini 1B", size_bytes=700_000_000, params="1B", arch="mini"),
    ]


async def test_1_a_model_of_an_api_answers_at_once(tmp_path: Path) -> None:
    """It is chosen before local ones, by an order that can be turned round; nothing is loaded."""
    async with (
        FakeOpenAI() as vendor,
        world(tmp_path, models(), OPENAI_API_KEY=vendor.key, OPENAI_BASE_URL=vendor.base) as w,
    ):
        answer = await w.ask("oi", "You said: oi")
        assert "Carregando" not in answer.text
        assert len(vendor.questions()) == 1
        assert w.lmstudio.count("load_started") == 0


async def test_2_a_loaded_model_answers_straight_away_and_is_never_loaded_twice(tmp_path: Path) -> None:
    """Twenty people ask one sleeping model at once: one load, twenty answers; and none for who comes later."""
    async with world(tmp_path, models(load_seconds=2, parallel=20), PREFER="local") as w:
        chats = [w.someone(f"P{number}") for number in range(20)]
        for chat in chats:
            await chat.send(w.owner(chat), "/use nova")
        await asyncio.gather(*(w.says("Agora uso", chat) for chat in chats))
        for chat in chats:
            await chat.send(w.owner(chat), "oi")
        await asyncio.gather(*(w.says("You said: oi", chat) for chat in chats))
        await w.chat.send(w.ana, "e eu?")
        await w.says("You said: e eu?")
        assert w.discord.count(status=429) == 0
        assert w.lmstudio.count("load_started") == 1
        assert [i.identifier for i in w.lmstudio.instances()] == [NOVA]


async def test_3_a_sleeping_model_is_loaded_while_the_person_watches(tmp_path: Path) -> None:
    """The card with its bar gives way to the answer, which says that the load succeeded."""
    async with world(tmp_path, models(load_seconds=2.5, progress_steps=20)) as w:
        await w.ask("/use nova", "Agora uso")
        card = await w.ask("oi", '🔄 Carregando modelo "Nova 8B"… Isso pode levar alguns minutos')
        answer = await w.says("You said: oi")
        assert "✅ Modelo carregado com sucesso" in answer.text
        await w.chat.wait_gone(card, timeout=PATIENCE)
        assert any("%" in edit.text for edit in card.edits)
        await w.ask("/status", "WebSocket")


async def test_4_a_failed_load_suggests_a_model_that_answers_the_question(tmp_path: Path) -> None:
    """Why it failed, in plain words; one press switches and answers; the failure is marked."""
    error = GUARDRAIL.format(gigabytes="39")
    async with world(tmp_path, models(load_error=error)) as w:
        await w.ask("/use nova", "Agora uso")
        card = await w.ask("qual é a capital?", '⚠️ Modelo "Nova 8B" não está disponível.')
        assert "Não há memória suficiente" in card.text
        assert '💡 Recomendação: Selecione o modelo "Mini 1B" que está disponível.' in card.text
        await card.press(w.ana, next(label for label in card.labels if "Usar mini-1b" in label))
        await w.says("You said: qual é a capital?")
        listing = await w.ask("/modelos", "📚 Modelos")
        assert f"❌ **{NOVA}**" in listing.text


async def test_5_whoever_comes_back_finds_a_model_again(tmp_path: Path) -> None:
    """It was unloaded meanwhile, and the bot was restarted: choice and history are there, it is loaded again."""
    async with world(tmp_path, models(), NOVA) as w:
        await w.ask("/use nova", "Agora uso")
        await w.ask("primeira", "heard 1 message(s). You said: primeira")
        await w.ask("/unload nova", "descarregado")
        await w.restart()
        await w.ask("/start", "Nova 8B")
        answer = await w.ask("segunda", "heard 3 message(s). You said: segunda")
        assert "✅ Modelo carregado com sucesso" in answer.text
        assert w.lmstudio.count("load_started") == 1


async def test_6_entering_without_a_choice_picks_what_is_loaded(tmp_path: Path) -> None:
    """Of local models a loaded one comes first; the person sees which."""
    async with world(tmp_path, models(), MINI) as w:
        await w.ask("oi", "Mini 1B heard 1 message(s)")
        assert w.lmstudio.count("load_started") == 0
