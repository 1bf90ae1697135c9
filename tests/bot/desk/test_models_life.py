"""The commands about a model's life: load, unload, suggest, reset."""

import asyncio
from pathlib import Path

from bot.cards import Choice, Notice, Progress, Reply, is_error, plain
from core.conversation import Delta, Done
from core.errors import Interrupted, LoadFailed, ModelGone
from core.model import FailureKind, ModelState
from tests.bot.checks import command
from tests.bot.talk import Talk, talking
from tests.fakes.provider import FakeLoader, FakeProvider, a_model

NOVA = a_model("acme/nova-8b", name="Nova 8B", family="nova")
LYNX = a_model("zeta/lynx-3b", ModelState.LOADED, name="Lynx 3B", family="lynx")
SCRIPTED = a_model("scripted-echo", by_name_only=True)

HOSTS = ("pc:1", "pc:2")


# ---------------------------------------------------------------- /load


async def test_load_shows_its_progress_and_ends_ready(tmp_path: Path) -> None:
    """A bar, then success with the time it took; a second time there is nothing to do."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host) as talk:
        said = talk.begin("/carregar nova")
        last = await said.last()
        shown = [c.fraction for c in said.cards if isinstance(c, Progress)]
        assert shown == sorted(set(shown), key=lambda f: f or 0.0)
        assert plain(last) == '✅ Modelo "Nova 8B" carregado com sucesso\nLevou 4,0 s. Contexto: 4096 tokens.'
        assert "já estava carregado" in plain(await talk.say("/load nova"))
    assert host.loaded == [NOVA.key]


async def test_load_without_a_name_loads_the_chat_s_own(tmp_path: Path) -> None:
    """The conversation's model, or the one that it would get."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host) as talk:
        assert "carregado com sucesso" in plain(await talk.say("/load"))
    assert host.loaded == [NOVA.key]


async def test_a_load_that_fails_offers_others(tmp_path: Path) -> None:
    """The reason, another model, and the same again."""
    host = FakeLoader([NOVA, LYNX])
    host.loads[NOVA.key] = [(0.0, LoadFailed(NOVA, FailureKind.NEEDS_ROOM, "needs 9 GB"))]
    async with talking(tmp_path, host) as talk:
        card = await talk.say("/load nova")
        assert is_error(card)
        assert "(LM Studio disse: needs 9 GB)" in plain(card)
        assert command(card, "Usar lynx-3b") == f"/use #{LYNX.tag}"
        assert "carregado com sucesso" in plain(await talk.say(command(card, "Tentar de novo")))


# ---------------------------------------------------------------- /unload


async def _answering(talk: Talk, host: FakeLoader) -> asyncio.Event:
    gate = asyncio.Event()
    host.answers = [(Delta("Half"), gate, Interrupted(LYNX, "closed"))]
    said = talk.begin("oi", "bia")
    await said.until("Half")
    return gate


async def test_unload(tmp_path: Path) -> None:
    """By name, or the only loaded one; what is not loaded or external is said."""
    host = FakeLoader([NOVA, LYNX])
    async with talking(tmp_path, host, FakeProvider()) as talk:
        assert "descarregado" in plain(await talk.say("/descarregar"))
        assert host.calls["unload"] == 1
        assert "Nenhum modelo está carregado." in plain(await talk.say("/unload"))
        assert "não estava carregado" in plain(await talk.say("/unload nova"))
        assert "API externa" in plain(await talk.say("/unload gpt-mini"))
        assert host.calls["unload"] == 1


async def test_unload_with_several_loaded_asks(tmp_path: Path) -> None:
    """With two loaded and none of them this chat's own, the person is asked."""
    other = a_model("x", ModelState.LOADED)
    async with talking(tmp_path, FakeLoader([LYNX, other])) as talk:
        card = await talk.say("/unload")
        assert isinstance(card, Choice)
        assert {b.command for b in card.options} == {f"unload #{m.tag}" for m in (LYNX, other)}
        await talk.say("/use lynx")
        assert '"Lynx 3B" descarregado' in plain(await talk.say("/unload"))


async def test_a_model_that_answers_is_not_unloaded(tmp_path: Path) -> None:
    """It is asked first; only the button that says so unloads it."""
    host = FakeLoader([LYNX])
    async with talking(tmp_path, host) as talk:
        gate = await _answering(talk, host)
        card = await talk.say("/unload lynx")
        assert is_error(card)
        assert "respondendo a alguém" in plain(card)
        assert host.calls["unload"] == 0
        assert '"Lynx 3B" descarregado' in plain(await talk.say(command(card, "assim mesmo")))
        gate.set()
        assert host.calls["unload"] == 1


# ---------------------------------------------------------------- /suggest and /reset


async def test_suggest_offers_others(tmp_path: Path) -> None:
    """Other models than the chat's own, best first; without an open question a tap only switches."""
    async with talking(tmp_path, FakeLoader([NOVA, LYNX]), FakeProvider()) as talk:
        await talk.say("/use nova")
        card = await talk.say("/sugerir")
        assert isinstance(card, Choice)
        assert [b.label for b in card.options] == ["💡 Usar gpt-mini", "💡 Usar lynx-3b"]
        await talk.say(f"/{card.options[1].command}")
        assert [t.text for t in await talk.turns()] == []


async def test_suggest_while_a_question_waits_answers_it_too(tmp_path: Path) -> None:
    """From the card of a load: the buttons name the question that waits."""
    host = FakeLoader([NOVA, LYNX])
    host.loads[NOVA.key] = [(0.0, asyncio.Event())]
    async with talking(tmp_path, host) as talk:
        await talk.say("/use nova")
        said = talk.begin("quem és?")
        loading = await said.until("Carregando")
        card = await talk.say(command(loading, "Usar outro"))
        pressed = command(card, "lynx-3b e responder")
        await talk.say("/stop")
        assert (await talk.reply(pressed)).text == "Certainly."
        assert [t.text for t in await talk.turns()] == ["quem és?", "Certainly."]


async def test_another_model_does_not_wait_for_the_load_it_replaces(tmp_path: Path) -> None:
    """Pressed while the first model still loads: that load is called back and the other one answers."""
    host = FakeLoader([NOVA, LYNX])
    host.loads[NOVA.key] = [(0.0, asyncio.Event())]
    async with talking(tmp_path, host) as talk:
        await talk.say("/use nova")
        said, behind = talk.begin("quem és?"), talk.begin("e mais?")
        loading = await said.until("Carregando")
        pressed = command(await talk.say(command(loading, "Usar outro")), "lynx-3b e responder")
        assert (await talk.reply(pressed)).text == "Certainly."
        assert "Parado" in plain(await said.last())
        assert isinstance(await behind.last(), Reply)
        assert host.cancelled == [NOVA.key]


async def test_an_answer_to_something_else_is_not_cut(tmp_path: Path) -> None:
    """A button of an older card waits for the answer that runs."""
    host = FakeLoader([NOVA, LYNX])
    host.loads[NOVA.key] = [(LoadFailed(NOVA, FailureKind.CRASHED),)]
    async with talking(tmp_path, host) as talk:
        await talk.say("/use nova")
        pressed = command(await talk.say("primeira"), "lynx-3b e responder")
        await talk.say("/use lynx")
        gate = asyncio.Event()
        host.answers = [(Delta("Half"), gate, Done("stop"))]
        running = talk.begin("segunda")
        await running.until("Half")
        later = talk.begin(pressed)
        for _ in range(10):
            await talk.turns()
        assert not running.task.done()
        gate.set()
        assert "parada" not in plain(await running.last())
        assert isinstance(await later.last(), Reply)


async def test_nothing_to_suggest(tmp_path: Path) -> None:
    """One model only: said, with a way to look again."""
    async with talking(tmp_path, FakeLoader([NOVA])) as talk:
        await talk.say("/use nova")
        assert command(await talk.say("/suggest"), "Verificar de novo") == "/reset"


async def test_reset_clears_marks_and_looks_again(tmp_path: Path) -> None:
    """Failures are forgotten, hosts asked, and the card counts what is usable now."""
    host = FakeLoader([NOVA, LYNX, SCRIPTED])
    host.loads[NOVA.key] = [(LoadFailed(NOVA, FailureKind.CRASHED),)]
    async with talking(tmp_path, host) as talk:
        await talk.say("/load nova")
        card = await talk.say("/reset")
        assert "1 marca(s) de falha apagada(s); 2 de 2 modelos disponíveis." in plain(card)
        assert isinstance(await talk.say("/use nova"), Notice)
        assert (await talk.reply("oi")).text == "Certainly."


async def test_redo_after_the_model_was_unloaded(tmp_path: Path) -> None:
    """The remedy of a model that is gone works: /retry loads it and answers."""
    host = FakeLoader([LYNX])
    host.answers = [(ModelGone(LYNX),), (ModelGone(LYNX),), (Delta("ok"), Done("stop"))]
    async with talking(tmp_path, host) as talk:
        card = await talk.say("oi")
        assert (await talk.reply(command(card, "Refazer"))).text == "ok"
