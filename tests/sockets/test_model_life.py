"""The six scenarios of a model's life, with the shipped program and an LM Studio over real sockets."""

import json
from pathlib import Path

from tests.fakes.lmstudio.catalog import GUARDRAIL, LOAD_ERRORS
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches
from tests.sockets.program import program

NOVA = "acme/nova-8b"
MINI = "acme/mini-1b"


def models(**nova: object) -> list[FakeModel]:
    return [
        FakeModel(NOVA, "Nova 8B", **nova),  # type: ignore[arg-type]  # fields of FakeModel by name
        FakeModel(MINI, "Mini 1B", size_bytes=700_000_000, params="1B", arch="mini"),
    ]


async def test_a_loaded_model_answers_straight_away(tmp_path: Path) -> None:
    """Nothing is loaded when the model is loaded already, and nothing is added to the words of a new chat."""
    async with (
        FakeLMStudio(models(), loaded=[NOVA]) as server,
        program(tmp_path, LMSTUDIO_URLS=server.url) as bot,
    ):
        answer = await bot.say("oi")
        assert "You said: oi" in answer
        assert "carregado" not in answer
        assert server.count("load_started") == 0
        assert [body["messages"] for body in server.bodies] == [[{"role": "user", "content": "oi"}]]
        assert len(json.dumps(server.bodies[0])) < 1024
        assert await bot.end() == 0


async def test_a_sleeping_model_is_loaded_with_a_card_that_turns_into_the_answer(tmp_path: Path) -> None:
    """The person sees the load, then its success and the answer in one card; one load happens."""
    async with (
        FakeLMStudio(models(load_seconds=0.3)) as server,
        program(tmp_path, LMSTUDIO_URLS=server.url) as bot,
    ):
        answer = await bot.say("oi")
        assert any(
            '🔄 Carregando modelo "Nova 8B"… Isso pode levar alguns minutos' in p for p in bot.progress
        )
        assert answer.startswith("✅ Modelo carregado com sucesso")
        assert "You said: oi" in answer
        assert [i.identifier for i in server.instances()] == [NOVA]
        assert server.count("load_started") == 1
        assert "WebSocket" in await bot.say("/status")


async def test_without_websocket_it_loads_by_rest_and_says_so(tmp_path: Path) -> None:
    """REST v1 is the second way of loading, visible in /status."""
    async with (
        FakeLMStudio(models(load_seconds=0.2), switches=Switches(sockets=False)) as server,
        program(tmp_path, LMSTUDIO_URLS=server.url) as bot,
    ):
        assert "You said: oi" in await bot.say("oi")
        assert "último carregamento por REST v1" in await bot.say("/status")
        assert [i.identifier for i in server.instances()] == [NOVA]


async def test_an_old_build_is_loaded_just_in_time(tmp_path: Path) -> None:
    """Without native v1 and WebSocket the model is loaded by the smallest request."""
    async with (
        FakeLMStudio(models(load_seconds=0.2), switches=Switches(sockets=False, rest_v1=False)) as server,
        program(tmp_path, LMSTUDIO_URLS=server.url) as bot,
    ):
        await bot.say(f"/use {NOVA}")
        assert "You said: oi" in await bot.say("oi")
        assert "último carregamento por just-in-time" in await bot.say("/status")


async def test_a_failed_load_suggests_another_model_that_answers_the_question(tmp_path: Path) -> None:
    """The button of the suggestion switches the model and answers what was asked."""
    async with (
        FakeLMStudio(models(load_error=GUARDRAIL.format(gigabytes="39"))) as server,
        program(tmp_path, LMSTUDIO_URLS=server.url) as bot,
    ):
        card = await bot.say("qual é a capital?")
        assert card.startswith('⚠️ Modelo "Nova 8B" não está disponível.\nNão há memória suficiente')
        assert '💡 Recomendação: Selecione o modelo "Mini 1B" que está disponível.' in card
        answer = await bot.say(pressed(card, "Usar mini-1b"))
        assert "Mini 1B heard 1 message(s). You said: qual é a capital?" in answer
        listing = await bot.say("/modelos")
        assert f"❌ {NOVA}" in listing
        assert f"→ ✓ {MINI}" in listing
        assert await bot.end() == 1


async def test_each_reason_is_said_in_plain_words(tmp_path: Path) -> None:
    """A crash, a missing runtime and a sick host are told apart."""
    reasons = {
        "E7": "O modelo caiu ao carregar.",
        "E8": "Falta ao LM Studio o programa (runtime)",
        "E12": "Reinicie o LM Studio.",
    }
    broken = [FakeModel(f"acme/broken-{e.lower()}", load_error=LOAD_ERRORS[e]) for e in reasons]
    async with FakeLMStudio(broken) as server, program(tmp_path, LMSTUDIO_URLS=server.url) as bot:
        for error, words in reasons.items():
            await bot.say(f"/usar broken-{error.lower()}")
            assert words in await bot.say("oi")


async def test_a_model_that_was_deleted_is_said_to_be_missing(tmp_path: Path) -> None:
    """A chosen model that is no longer installed gives the 404 card, and another is suggested."""
    async with FakeLMStudio(models()) as server, program(tmp_path, LMSTUDIO_URLS=server.url) as bot:
        await bot.say("/usar nova")
        server.host.models.remove(server.model(NOVA))
        card = await bot.say("oi")
        assert "não está instalado" in card
        assert 'Selecione o modelo "Mini 1B"' in card


async def test_a_load_that_takes_too_long_says_so(tmp_path: Path) -> None:
    """LOAD_TIMEOUT ends the wait with a card that names the setting."""
    async with (
        FakeLMStudio(models(load_seconds=60)) as server,
        program(tmp_path, LMSTUDIO_URLS=server.url, LOAD_TIMEOUT="1") as bot,
    ):
        await bot.say("/usar nova")
        assert "aumente LOAD_TIMEOUT" in await bot.say("oi")


async def test_a_dead_host_in_mid_load_is_said_and_its_return_is_noticed(tmp_path: Path) -> None:
    """Killing LM Studio while it loads gives a card; once it is back the next message is answered."""
    async with (
        FakeLMStudio(models(load_seconds=60)) as server,
        program(tmp_path, LMSTUDIO_URLS=server.url) as bot,
    ):
        bot.write("oi")
        await bot.shows("Carregando modelo")
        await server.wait_for("load_started")
        await server.kill()
        card = await bot.card()
        assert 'Modelo "Nova 8B" não está disponível.' in card
        assert "não responde. Abra o LM Studio" in card
        server.model(NOVA).load_seconds = 0
        await server.start()
        assert "You said: oi" in await bot.say("/refazer")
        assert [i.identifier for i in server.instances()] == [NOVA]


async def test_choice_history_and_marks_survive_a_restart(tmp_path: Path) -> None:
    """A new process finds the chosen model, what was said, and which model had failed."""
    everything = [*models(), FakeModel("acme/broken", "Broken", load_error="Received load-error")]
    async with FakeLMStudio(everything, loaded=[NOVA]) as server:
        async with program(tmp_path, LMSTUDIO_URLS=server.url) as bot:
            await bot.say("/usar broken")
            assert "não está disponível" in await bot.say("perdida")
            await bot.say("/usar nova-8b")
            await bot.say("primeira")
            await bot.end()
        async with program(tmp_path, LMSTUDIO_URLS=server.url) as bot:
            listing = await bot.say("/models")
            assert f"→ ✓ {NOVA}" in listing
            assert "❌ acme/broken" in listing
            assert "heard 3 message(s). You said: segunda" in await bot.say("segunda")


async def test_an_unloaded_model_is_loaded_again_on_the_next_message(tmp_path: Path) -> None:
    """Somebody unloading the chosen model in between costs a load, not an error."""
    async with (
        FakeLMStudio(models(), loaded=[NOVA]) as server,
        program(tmp_path, LMSTUDIO_URLS=server.url) as bot,
    ):
        await bot.say("primeira")
        assert "descarregado" in await bot.say("/unload")
        assert server.instances() == []
        answer = await bot.say("segunda")
        assert answer.startswith("✅ Modelo carregado com sucesso")
        assert "You said: segunda" in answer


async def test_with_no_host_and_no_engine_it_names_the_remedy_in_both_languages(tmp_path: Path) -> None:
    """An address that leads nowhere and EMBEDDED=off: exit code 1 and what to do about it."""
    for language, words in {"pt-BR": "ligue o servidor local", "en": "start its local server"}.items():
        nowhere = "http://127.0.0.1:9"
        async with program(tmp_path / language, LMSTUDIO_URLS=nowhere, LANGUAGE=language) as bot:
            card = await bot.say("hello")
            assert words in card
            assert "LMSTUDIO_URLS" in card
            assert await bot.end() == 1


def pressed(card: str, label: str) -> str:
    """The command line of the button with that label."""
    line = next(line for line in card.splitlines() if line.startswith("[") and label in line)
    return line.partition("] ")[2]
