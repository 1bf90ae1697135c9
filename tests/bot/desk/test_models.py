"""The commands about models: list, choose, load, unload, suggest, reset."""

import asyncio
from pathlib import Path

import pytest

from bot.cards import Choice, Listing, Notice, Progress, Reply, Tone, is_error, plain
from bot.desk import picking
from core.conversation import Delta, Done
from core.errors import Interrupted, LoadFailed, ModelGone, Unauthorized, Unreachable
from core.model import Failure, FailureKind, ModelState
from tests.bot.checks import buttons, command
from tests.bot.talk import Talk, talking
from tests.fakes.provider import FakeLoader, FakeProvider, a_model

NOVA = a_model("acme/nova-8b", name="Nova 8B", family="nova")
LYNX = a_model("zeta/lynx-3b", ModelState.LOADED, name="Lynx 3B", family="lynx")
SCRIPTED = a_model("scripted-echo", by_name_only=True)


def many(n: int) -> FakeLoader:
    return FakeLoader([a_model(f"acme/model-{i:02d}") for i in range(n)])


# ---------------------------------------------------------------- /models


async def test_models_shows_each_with_its_state(tmp_path: Path) -> None:
    """A mark, what is known, why it is inactive, and which one this chat uses; a tap chooses."""
    broken = a_model("b", ModelState.INACTIVE, failure=Failure(FailureKind.CRASHED, "exit 6", 0.0))
    host = FakeLoader([NOVA, LYNX, broken])
    async with talking(tmp_path, host, FakeProvider()) as talk:
        await talk.say("/use lynx")
        listing = await talk.listing("/models")
    rows = {row.name: row for row in listing.rows}
    marks = {name: row.mark for name, row in rows.items()}
    assert marks == {"gpt-mini": "🌐", LYNX.key: "✓", NOVA.key: "💤", "b": "❌"}
    assert [name for name, row in rows.items() if row.current] == [LYNX.key]
    assert "O modelo caiu ao carregar." in rows["b"].note
    assert f"#{NOVA.tag}" in rows[NOVA.key].detail
    assert buttons(listing)[0].command == f"use {rows['gpt-mini'].detail.split()[-1]}"


async def test_models_looks_at_the_hosts(tmp_path: Path) -> None:
    """The list shows how things stand now, not at the last sync."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host) as talk:
        host.put(NOVA.key, ModelState.LOADED)
        assert (await talk.listing("/models")).rows[0].mark == "✓"


async def test_models_with_a_filter(tmp_path: Path) -> None:
    """Every word must be in the key, the name or the host; nothing found is said."""
    async with talking(tmp_path, FakeLoader([NOVA, LYNX])) as talk:
        assert [r.name for r in (await talk.listing("/modelos 3B lynx")).rows] == [LYNX.key]
        assert len((await talk.listing("/models fake:1")).rows) == 2
        none = await talk.listing("/models xyz")
        assert none.rows == ()
        assert "Nenhum modelo com “xyz”." in plain(none)


async def test_models_by_pages(tmp_path: Path) -> None:
    """Twenty a page; the buttons turn it and keep the filter; a page too far is the last one."""
    async with talking(tmp_path, many(45)) as talk:
        first = await talk.listing("/models")
        assert (len(first.rows), first.page, first.pages) == (20, 1, 3)
        assert "página 1 de 3" in first.title
        second = await talk.say(command(first, "Próxima"))
        assert isinstance(second, Listing)
        assert second.page == 2
        assert (await talk.listing("/models 99")).page == 3
        assert (await talk.listing("/models 0")).page == 1
        filtered = await talk.listing("/models model 2")
        assert (filtered.page, filtered.pages) == (2, 3)
        assert command(filtered, "Anterior") == "/models model 1"
        assert command(filtered, "Próxima") == "/models model 3"


async def test_a_long_filter_still_fits_a_button(tmp_path: Path) -> None:
    """Turning a page never needs more than a button holds."""
    async with talking(tmp_path, many(45)) as talk:
        listing = await talk.listing("/models " + "model " * 30)
        assert listing.pages == 3  # `listing` also checks that every button fits


async def test_what_is_chosen_by_name_only_is_not_listed(tmp_path: Path) -> None:
    """A script is not offered among the models, but is shown to who uses it."""
    async with talking(tmp_path, FakeLoader([NOVA, SCRIPTED])) as talk:
        assert [r.name for r in (await talk.listing("/models")).rows] == [NOVA.key]
        await talk.say("/use scripted-echo")
        assert SCRIPTED.key in [r.name for r in (await talk.listing("/models")).rows]
        assert [c.value for c in await talk.assistant.complete("use", "")] == [NOVA.key]


# ---------------------------------------------------------------- /use


async def test_use_says_how_the_model_stands(tmp_path: Path) -> None:
    """Loaded, sleeping with a button to load it now, or external."""
    async with talking(tmp_path, FakeLoader([NOVA, LYNX]), FakeProvider()) as talk:
        assert "Ele já está carregado." in plain(await talk.say("/use lynx"))
        sleeping = await talk.say("/use nova")
        assert command(sleeping, "Carregar agora") == f"/load #{NOVA.tag}"
        assert plain(await talk.say("/use gpt-mini")) == '✅ Agora uso "gpt-mini" nesta conversa.'


async def test_use_of_an_inactive_model_warns(tmp_path: Path) -> None:
    """It is chosen all the same, with its reason and a way to try it."""
    host = FakeLoader([NOVA])
    host.loads[NOVA.key] = [(LoadFailed(NOVA, FailureKind.CRASHED),)]
    async with talking(tmp_path, host) as talk:
        await talk.say("/load nova")
        card = await talk.say("/use nova")
        assert isinstance(card, Notice)
        assert card.tone is Tone.WARNING
        assert "Atenção: ele está inativo. O modelo caiu ao carregar." in card.body
        assert command(card, "Tentar de novo") == f"/load #{NOVA.tag}"


@pytest.mark.parametrize("problem", [Unreachable("fake:1"), Unauthorized("fake:1", token_set=True)])
async def test_use_of_a_model_whose_host_is_away(tmp_path: Path, problem: Unreachable | Unauthorized) -> None:
    """The choice is kept, and the card says both that and what is wrong with the host."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host) as talk:
        host.problem = problem
        card = await talk.say("/use nova")
        assert isinstance(card, Notice)
        assert card.tone is Tone.WARNING
        assert card.title == '✅ Agora uso "Nova 8B" nesta conversa.'
        assert "fake:1" in card.body
        host.problem = None
        assert isinstance(await talk.say("oi"), Reply)


async def test_use_without_a_name_asks(tmp_path: Path) -> None:
    """The usable models as buttons."""
    async with talking(tmp_path, FakeLoader([NOVA, LYNX, SCRIPTED])) as talk:
        card = await talk.say("/use")
        assert isinstance(card, Choice)
        assert {b.command for b in card.options} == {f"use #{LYNX.tag}", f"use #{NOVA.tag}"}


@pytest.mark.parametrize(
    "line", ["/use", "/use nova", "/unload nova", "/load nova", "/models", "/suggest", "/start", "oi"]
)
async def test_commands_wait_for_the_first_look(tmp_path: Path, line: str) -> None:
    """Right after the start nothing is known yet: the command waits instead of finding nothing."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host) as talk:
        await talk.engine.store.save_models([], [NOVA.id])
        talk.engine.catalog._models.clear()
        talk.engine.catalog.settled.clear()
        said = talk.begin(line)
        await said.until("Procurando modelos")
        await talk.engine.catalog.sync()
        talk.engine.catalog.settled.set()
        assert not is_error(await said.last())
        assert "nova-8b" in str(said.cards).lower().replace("nova 8b", "nova-8b")


async def test_a_first_look_that_takes_too_long_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that hangs does not keep the others from being used."""
    monkeypatch.setattr(picking, "PATIENCE", 0.01)
    async with talking(tmp_path, FakeLoader([LYNX])) as talk:
        talk.engine.catalog.settled.clear()
        assert (await talk.reply("oi")).text == "Certainly."


async def test_the_same_model_on_two_hosts(tmp_path: Path) -> None:
    """Wherever models are offered, equal names are told apart by their hosts."""
    twins = [FakeLoader([a_model("nova", host=host)], host=host) for host in ("pc:1", "pc:2")]
    async with talking(tmp_path, *twins) as talk:
        labels = [b.label for b in (await talk.say("/use")).buttons]
        assert labels == ["💤 nova · pc:1", "💤 nova · pc:2"]
        labels = [b.label for b in (await talk.say("/suggest")).buttons]
        assert labels == ["💡 Usar nova · pc:1", "💡 Usar nova · pc:2"]


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
