"""Which model a chat talks to: on entering, by name, after a failure, and after a restart."""

import asyncio
from pathlib import Path

import pytest

from bot.cards import Choice, Reply, is_error, plain
from core.conversation import Delta, Done
from core.errors import LoadFailed, Unauthorized, Unreachable
from core.model import FailureKind, LoadPath, ModelState
from tests.bot.checks import buttons, command
from tests.bot.talk import Talk, talking
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, FakeProvider, a_model

GB = 1024**3
NOVA = a_model("acme/nova-8b", name="Nova 8B", family="nova", size_bytes=5 * GB)
ORION = a_model("acme/orion-7b", name="Orion 7B", family="orion", size_bytes=4 * GB)
SMALL = a_model("acme/nova-1b", name="Nova 1B", family="nova", size_bytes=3 * GB)
LOADED = a_model("zeta/lynx-3b", ModelState.LOADED, name="Lynx 3B", family="lynx", size_bytes=9 * GB)


def crash(key: str) -> LoadFailed:
    return LoadFailed(a_model(key), FailureKind.CRASHED, "exit code 6")


async def chosen(talk: Talk, chat: str = "ana") -> str | None:
    model_id = (await talk.engine.store.conversation(talk.ref(chat))).model_id
    return model_id.rpartition("|")[2] if model_id else None


# ---------------------------------------------------------------- entering


@pytest.mark.parametrize(
    ("prefer", "vendor", "loaded", "wanted"),
    [
        ("external", True, True, "gpt-mini"),
        ("external", False, True, LOADED.key),
        ("external", False, False, SMALL.key),
        ("local", True, True, LOADED.key),
        ("local", True, False, SMALL.key),
    ],
)
async def test_entering_without_a_choice(
    tmp_path: Path, prefer: str, *, vendor: bool, loaded: bool, wanted: str
) -> None:
    """An external API first, then what is loaded, then any; PREFER=local puts the APIs last."""
    host = FakeLoader([NOVA, ORION, SMALL, *([LOADED] if loaded else [])])
    providers = [host, *([FakeProvider()] if vendor else [])]
    async with talking(tmp_path, *providers, prefer=prefer) as talk:
        assert isinstance(await talk.say("oi"), Reply)
        assert await chosen(talk) == wanted


async def test_the_pick_stays(tmp_path: Path) -> None:
    """What was picked on entering is the chat's model from then on, even when a better one appears."""
    host, vendor = FakeLoader([NOVA]), FakeProvider([])
    async with talking(tmp_path, host, vendor) as talk:
        await talk.say("oi")
        vendor.listed = FakeProvider().listed
        await talk.engine.catalog.sync()
        await talk.say("oi")
        assert await chosen(talk) == NOVA.key
    assert vendor.asked == []


async def test_a_demonstration_is_not_kept(tmp_path: Path) -> None:
    """The demonstration model answers only until a real one is there."""
    host = FakeLoader([a_model("demo", ModelState.LOADED, demo=True)])
    async with talking(tmp_path, host) as talk:
        assert "demonstração" in plain(await talk.say("oi"))
        assert await chosen(talk) is None
        host.listed.append(LOADED)
        await talk.engine.catalog.sync()
        assert "demonstração" not in plain(await talk.say("oi"))
        assert await chosen(talk) == LOADED.key


async def test_nothing_at_all(tmp_path: Path) -> None:
    """Without a host, without models, or with failed ones only, the card says which of these it is."""
    host = FakeLoader([])
    host.problem = Unreachable("fake:1", "refused")
    async with talking(tmp_path, host) as talk:
        assert "Nenhum LM Studio respondeu em fake:1." in plain(await talk.say("oi"))
        host.problem = None
        card = await talk.say("oi")
        assert "não tem nenhum modelo" in plain(card)
        host.listed = [NOVA]
        await talk.engine.catalog.sync()
        host.loads[NOVA.key] = [(crash(NOVA.key),)]
        await talk.say("oi")
        assert "Todos os modelos falharam" in plain(await talk.say("oi", "bia"))
        assert command(card, "Verificar de novo") == "/reset"
        assert isinstance(await talk.say("/reset"), object)
        assert isinstance(await talk.say("oi", "bia"), Reply)


async def test_lm_studio_started_meanwhile_is_found(tmp_path: Path) -> None:
    """The first message looks again before it says that there is nothing."""
    host = FakeLoader([NOVA])
    host.problem = Unreachable("fake:1", "refused")
    async with talking(tmp_path, host) as talk:
        host.problem = None
        assert isinstance(await talk.say("oi"), Reply)


# ---------------------------------------------------------------- by name


@pytest.mark.parametrize(
    "name",
    ["acme/orion-7b", "ACME/Orion-7B", "orion", "Orion 7B", "ion", "7b acme", f"#{ORION.tag}", ORION.id],
)
async def test_models_by_name(tmp_path: Path, name: str) -> None:
    """A key, a name, a part that only one model has, or a tag."""
    async with talking(tmp_path, FakeLoader([NOVA, ORION, SMALL])) as talk:
        card = await talk.say(f"/use {name}")
        assert not is_error(card)
        assert await chosen(talk) == ORION.key


async def test_a_name_that_several_have(tmp_path: Path) -> None:
    """The person is asked which one, and the buttons do what was wanted: use, load or unload."""
    async with talking(tmp_path, FakeLoader([NOVA, ORION, SMALL])) as talk:
        for verb in ("use", "load", "unload"):
            card = await talk.say(f"/{verb} nova")
            assert isinstance(card, Choice)
            assert {b.command for b in card.options} == {f"{verb} #{m.tag}" for m in (NOVA, SMALL)}
        assert await chosen(talk) is None


async def test_a_name_that_none_has(tmp_path: Path) -> None:
    """Near names are offered; for nonsense there is the list."""
    async with talking(tmp_path, FakeLoader([NOVA, ORION])) as talk:
        card = await talk.say("/usar orionn-7")
        assert is_error(card)
        assert command(card, "orion-7b") == f"/use #{ORION.tag}"
        assert command(await talk.say("/use #zzzzzzzz"), "Modelos") == "/models"


async def test_a_question_number_out_of_all_bounds(tmp_path: Path) -> None:
    """A number that no database holds is no question, and no bug."""
    async with talking(tmp_path, FakeLoader([NOVA])) as talk:
        await talk.say("oi")
        card = await talk.say(f"/use #{NOVA.tag} ?{10**30}")
        assert "Algo deu errado" not in plain(card)


# ---------------------------------------------------------------- after a failure


async def test_one_tap_switches_and_answers_what_was_asked(tmp_path: Path) -> None:
    """The button of the failure card answers that question and keeps the new model."""
    host = FakeLoader([NOVA, LOADED])
    host.loads[NOVA.key] = [(0.0, crash(NOVA.key))]
    async with talking(tmp_path, host) as talk:
        await talk.say("/use nova")
        card = await talk.say("quem és?")
        assert is_error(card)
        assert (await talk.reply(command(card, "lynx-3b e responder"))).text == "Certainly."
        assert await chosen(talk) == LOADED.key
        assert [t.text for t in await talk.turns()] == ["quem és?", "Certainly."]
    assert [turns[-1].text for _, turns, _ in host.asked] == ["quem és?"]


async def test_the_button_works_after_a_restart(tmp_path: Path) -> None:
    """A card pressed after the program was started anew still answers its question."""
    host = FakeLoader([NOVA, LOADED])
    host.loads[NOVA.key] = [(crash(NOVA.key),)]
    async with talking(tmp_path, host) as talk:
        await talk.say("/use nova")
        pressed = command(await talk.say("quem és?"), "lynx-3b e responder")
    async with talking(tmp_path, host) as talk:
        assert (await talk.reply(pressed)).text == "Certainly."
    assert [turns[-1].text for _, turns, _ in host.asked] == ["quem és?"]


async def test_the_button_answers_its_own_question(tmp_path: Path) -> None:
    """When another question came in between, the old card still answers the old one."""
    host = FakeLoader([NOVA, LOADED])
    host.loads[NOVA.key] = [(crash(NOVA.key),)]
    async with talking(tmp_path, host) as talk:
        await talk.say("/use nova")
        pressed = command(await talk.say("primeira"), "lynx-3b e responder")
        await talk.say("/use lynx")
        await talk.say("segunda")
        await talk.reply(pressed)
    assert [turns[-1].text for _, turns, _ in host.asked] == ["segunda", "primeira"]


async def test_a_button_of_another_chat_answers_nothing_here(tmp_path: Path) -> None:
    """A question is only known in the chat where it was asked."""
    host = FakeLoader([NOVA, LOADED])
    host.loads[NOVA.key] = [(crash(NOVA.key),)]
    async with talking(tmp_path, host) as talk:
        await talk.say("/use nova")
        pressed = command(await talk.say("segredo"), "lynx-3b e responder")
        await talk.say("oi", "bia")
        await talk.say(pressed, "bia")
        assert all(turns[-1].text != "segredo" for _, turns, _ in host.asked)


async def test_a_failed_model_is_tried_again_by_hand(tmp_path: Path) -> None:
    """The button to try again loads in spite of the mark; what works is no longer marked."""
    host = FakeLoader([NOVA])
    host.loads[NOVA.key] = [(crash(NOVA.key),)]
    async with talking(tmp_path, host) as talk:
        card = await talk.say("oi")
        refused = await talk.say("e agora?")
        assert is_error(refused)
        assert host.loaded == [NOVA.key]
        assert isinstance(await talk.say(command(card, "Tentar de novo")), Reply)
        assert talk.engine.catalog.models()[0].failure is None


async def test_one_failed_load_is_one_strike(tmp_path: Path) -> None:
    """However many chats waited for the load, its failure counts once: the cool-down must not grow by them."""
    host = FakeLoader([NOVA])
    gate = asyncio.Event()
    host.loads[NOVA.key] = [(0.0, gate, crash(NOVA.key))]
    async with talking(tmp_path, host) as talk:
        said = [talk.begin("oi", f"chat{n}") for n in range(5)]
        for one in said:
            await one.until("Carregando")
        gate.set()
        for one in said:
            assert is_error(await one.last())
        failure = talk.engine.catalog.models()[0].failure
        assert failure is not None
        assert failure.times == 1
        assert failure.until - failure.at == 30.0


async def test_a_model_that_cannot_answer_is_put_aside(tmp_path: Path) -> None:
    """A model that loads and then proves broken becomes inactive with its reason."""
    host = FakeLoader([LOADED])
    host.answers = [(LoadFailed(LOADED, FailureKind.BAD_TEMPLATE, "jinja"),)]
    async with talking(tmp_path, host) as talk:
        card = await talk.say("oi")
        assert "template" in plain(card)
        loads = await talk.engine.store._all("SELECT outcome FROM loads")
        assert [row["outcome"] for row in loads] == ["bad-template"]


async def test_a_load_that_somebody_unloads_is_no_failure_of_the_model(tmp_path: Path) -> None:
    """/unload during a load ends it for who waits, and leaves no mark on the model."""
    host = FakeLoader([NOVA])
    host.loads[NOVA.key] = [(0.0, asyncio.Event())]
    async with talking(tmp_path, host) as talk:
        said = talk.begin("oi")
        await said.until("Carregando")
        await talk.say("/unload nova", "bia")
        assert "cancelado" in plain(await said.last())
        assert [m.failure for m in talk.engine.catalog.models()] == [None]
        assert isinstance(await talk.say("oi"), Reply)


async def test_a_host_that_goes_away(tmp_path: Path) -> None:
    """The host stops answering: the card says what to do, and when it is back the chat goes on."""
    host, other = FakeLoader([LOADED]), FakeLoader([], host="fake:2")
    async with talking(tmp_path, host, other) as talk:
        await talk.say("oi")
        host.problem = Unreachable("fake:1", "refused")
        card = await talk.say("oi?")
        assert is_error(card)
        assert "O LM Studio em fake:1 não responde." in plain(card)
        assert talk.engine.catalog.models()[0].state is ModelState.INACTIVE
        host.problem = Unauthorized("fake:1", token_set=False)
        assert "LMSTUDIO_TOKEN" in plain(await talk.say("oi?"))
        host.problem = None
        assert isinstance(await talk.say(command(card, "Tentar de novo")), Reply)


async def test_a_model_that_was_deleted(tmp_path: Path) -> None:
    """The chosen model is no longer installed: said by name, with another to take."""
    host = FakeLoader([NOVA, LOADED])
    async with talking(tmp_path, host) as talk:
        await talk.say("/use nova")
        host.listed.remove(NOVA)
        for card in (await talk.say("oi"), await talk.say("oi")):
            assert is_error(card)
            assert "não está instalado" in plain(card)
            assert NOVA.id not in {m.id for m in talk.engine.catalog.models()}
        card = await talk.say("oi")
        assert isinstance(await talk.say(command(card, "lynx-3b e responder")), Reply)


async def test_a_chosen_model_that_was_unloaded_is_loaded_again(tmp_path: Path) -> None:
    """Unloaded outside while nobody looked: the next message loads it and says so."""
    host = FakeLoader([LOADED])
    async with talking(tmp_path, host) as talk:
        await talk.say("oi")
        host.put(LOADED.key, ModelState.ON_DISK)
        assert (await talk.reply("de novo")).header.startswith("✅ Modelo carregado com sucesso")
        host.via = LoadPath.ALREADY
        assert (await talk.reply("e de novo")).header == ""
    assert host.loaded == [LOADED.key]


# ---------------------------------------------------------------- restarts


async def test_choices_survive_a_restart(tmp_path: Path) -> None:
    """Model, history, language, instruction and marks are there when the program starts again."""
    clock = FakeClock()
    host = FakeLoader([NOVA, ORION, LOADED])
    host.loads[ORION.key] = [(crash(ORION.key),)]
    async with talking(tmp_path, host, clock=clock) as talk:
        await talk.say("/use nova")
        await talk.say("/system fale pouco")
        await talk.say("/lang en")
        await talk.say("oi")
        await talk.say("/load orion")
    host.answers = [(Delta("yes"), Done("stop"))]
    async with talking(tmp_path, host, clock=clock) as talk:
        assert (await talk.reply("lembras?")).text == "yes"
        assert await chosen(talk) == NOVA.key
        model, turns, _ = host.asked[-1]
        assert model.key == NOVA.key
        assert [t.text for t in turns] == ["fale pouco", "oi", "Certainly.", "lembras?"]
        listing = await talk.listing("/models")
        assert listing.title == "📚 Models"
        row = next(r for r in listing.rows if r.name == ORION.key)
        assert row.mark == "❌"
        assert "crashed" in row.note
        assert [r.name for r in listing.rows if r.current] == [NOVA.key]
        assert buttons(listing)
