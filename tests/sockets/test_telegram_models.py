"""The life of a model on Telegram, through the shipped program: the six scenarios, and the buttons of a load card."""

import asyncio
from pathlib import Path

from tests.fakes.lmstudio.catalog import GUARDRAIL
from tests.fakes.lmstudio.server import FakeModel
from tests.fakes.telegram.server import Chat
from tests.fakes.vendors.openai import FakeOpenAI
from tests.sockets.program import PATIENCE
from tests.sockets.telegram_program import World, world

NOVA, MINI, SLOW = "acme/nova-8b", "acme/mini-1b", "acme/slow-7b"
ASKERS = 12


def models() -> list[FakeModel]:
    return [
        FakeModel(NOVA, "Nova 8B"),
        FakeModel(MINI, "Mini 1B", size_bytes=700_000_000, params="1B", arch="mini"),
        FakeModel(SLOW, "Slow 7B", load_seconds=60),
    ]


def somebody(w: World, number: int) -> Chat:
    return w.telegram.private(w.telegram.person(number, language_code="pt-br"))


async def test_external_apis_answer_first_and_at_once(tmp_path: Path) -> None:
    """Who enters without a choice gets the API, no card of loading; /use of a loaded model needs none either."""
    async with FakeOpenAI() as vendor:
        given = {"OPENAI_API_KEY": vendor.key, "OPENAI_BASE_URL": vendor.base, "OPENAI_MODELS": "gpt-6-mini"}
        async with world(tmp_path, models(), MINI, **given) as w:
            answer = await w.ask("oi de fora", "You said: oi de fora")
            assert len(vendor.questions()) == 1
            assert w.lmstudio.bodies == []
            assert "carregado" not in answer.text
            await w.ask("/usar mini-1b", "Agora uso")
            answer = await w.ask("oi de dentro", "You said: oi de dentro")
            assert "Mini 1B" in answer.text
            assert "carregado" not in answer.text
            assert w.lmstudio.count("load_started") == 0


async def test_local_models_first_where_the_setting_says_so(tmp_path: Path) -> None:
    """PREFER=local turns it round: a loaded model answers whoever enters."""
    async with FakeOpenAI() as vendor:
        given = {"OPENAI_API_KEY": vendor.key, "OPENAI_BASE_URL": vendor.base, "PREFER": "local"}
        async with world(tmp_path, models(), MINI, **given) as w:
            assert "Mini 1B" in (await w.ask("oi", "You said: oi")).text
            assert vendor.questions() == []


async def many_askers(w: World) -> None:
    """They ask a sleeping model at once: one load, everybody sees it and is answered in the card of it."""
    w.lmstudio.model(NOVA).load_seconds = 2
    chats = [somebody(w, 100 + n) for n in range(ASKERS)]
    for chat in chats:
        await chat.send(chat.owner, "/usar nova")
        await w.says("Agora uso", chat)
    await asyncio.gather(*(chat.send(chat.owner, f"pergunta {chat.id}") for chat in chats))
    for chat in chats:
        answer = await w.says(f"You said: pergunta {chat.id}", chat)
        assert answer.text.startswith("✅ Modelo carregado com sucesso")
        assert answer.edits, "the card of the load has become the answer"
    assert w.lmstudio.count("load_started") == 1
    assert [i.identifier for i in w.lmstudio.instances()] == [NOVA]


async def unloaded_meanwhile(w: World) -> None:
    """A model that another chat unloaded is loaded again on the next message; /start says how things stand."""
    w.lmstudio.model(NOVA).load_seconds = 0
    chat = somebody(w, 130)
    await chat.send(chat.owner, "/usar nova")
    await w.says("Agora uso", chat)
    await chat.send(chat.owner, "primeira")
    await w.says("You said: primeira", chat)
    other = somebody(w, 131)
    await other.send(other.owner, "/unload nova")
    await w.says('Modelo "Nova 8B" descarregado', other)
    await chat.send(chat.owner, "/start")
    assert "💤" in (await w.says("Aqui você conversa", chat)).text
    await chat.send(chat.owner, "segunda")
    answer = await w.says("You said: segunda", chat)
    assert answer.text.startswith("✅ Modelo carregado com sucesso")


async def failure(w: World) -> None:
    """The card says why in plain words and recommends; its button switches and answers; /reset lets it be tried again."""
    w.lmstudio.model(NOVA).load_error = GUARDRAIL.format(gigabytes="39")
    chat = somebody(w, 140)
    await chat.send(chat.owner, "/unload nova")
    await w.says("descarregado", chat)
    await chat.send(chat.owner, "/usar nova")
    await w.says("Agora uso", chat)
    await chat.send(chat.owner, "qual é a capital?")
    card = await w.says('⚠️ Modelo "Nova 8B" não está disponível.', chat)
    assert "Não há memória suficiente" in card.text
    assert '💡 Recomendação: Selecione o modelo "' in card.text
    label = next(label for label in card.labels if label.startswith("💡 Usar mini"))
    await (await card.press(chat.owner, label)).answered(PATIENCE)
    await w.says("You said: qual é a capital?", chat)
    await chat.send(chat.owner, "/models")
    await w.says(f"❌ {NOVA}", chat)
    w.lmstudio.model(NOVA).load_error = None
    await chat.send(chat.owner, "/reset")
    await w.says("♻️ Tudo verificado de novo", chat)
    await chat.send(chat.owner, "/load nova")
    await w.says('Modelo "Nova 8B" carregado com sucesso', chat)


async def test_the_life_of_a_model(tmp_path: Path) -> None:
    """One load for all, loaded again after it was unloaded, and what a failure offers."""
    async with world(tmp_path, models()) as w:
        await many_askers(w)
        await unloaded_meanwhile(w)
        await failure(w)


async def load_card(w: World, number: int) -> tuple[Chat, str]:
    chat = somebody(w, number)
    await chat.send(chat.owner, "/usar slow")
    await w.says("Agora uso", chat)
    await chat.send(chat.owner, "oi")
    return chat, "🔄 Carregando modelo"


async def test_the_buttons_of_a_load_card(tmp_path: Path) -> None:
    """✖ ends the load at the host; ↪ offers others, and one of them answers what was asked."""
    async with world(tmp_path, models(), MINI) as w:
        chat, words = await load_card(w, 150)
        card = await w.says(words, chat)
        await (await card.press(chat.owner, "✖ Cancelar")).answered(PATIENCE)
        await w.lmstudio.wait_for("load_cancelled", timeout=PATIENCE)
        await chat.wait_for(lambda m: m is card and "Carregando" not in m.text, timeout=PATIENCE)
        chat, words = await load_card(w, 151)
        card = await w.says(words, chat)
        await (await card.press(chat.owner, "↪ Usar outro")).answered(PATIENCE)
        offer = await chat.wait_for(
            lambda m: m.by_bot and any("mini" in one.lower() for one in m.labels), timeout=PATIENCE
        )
        label = next(one for one in offer.labels if "mini" in one.lower())
        await (await offer.press(chat.owner, label)).answered(PATIENCE)
        answer = await w.says("You said: oi", chat)
        assert "Mini 1B" in answer.text


async def test_the_stop_button_of_an_answer_in_a_group(tmp_path: Path) -> None:
    """It ends the answer at the host; a stranger to the question cannot press it."""
    endless = FakeModel(NOVA, "Nova 8B", reply="palavra " * 3000, token_delay=0.02)
    async with world(tmp_path, [endless], NOVA, ADMINS="telegram:42", ACCESS="open") as w:
        bia = w.telegram.person(43, "Bia", language_code="pt-br")
        group = w.telegram.group([w.ana, bia])
        await group.send(w.ana, f"@{w.telegram.bot.username} conte")
        answer = await group.wait_for(lambda m: m.by_bot and "⏹ Parar" in m.labels, timeout=PATIENCE)
        refused = await (await answer.press(bia, "⏹ Parar")).answered(PATIENCE)
        assert "Só quem perguntou" in refused.text
        pressed = await (await answer.press(w.ana, "⏹ Parar")).answered(PATIENCE)
        assert "Parado" in pressed.text
        await w.lmstudio.wait_for("generation_stopped", timeout=PATIENCE)
        await w.says("resposta parada", group)
        assert answer.labels == ["🔁 Refazer"]
