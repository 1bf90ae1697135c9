"""LM Studio's traps C: duplicated and unwanted instances. What a person sees and what the server saw."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.person import person, pressed
from tests.fakes.clock import FakeClock
from tests.fakes.lmstudio.clock import ManualClock
from tests.fakes.lmstudio.journal import Record
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NOVA = "acme/nova-8b"
MINI = "acme/mini-1b"
LOAD = "/api/v1/models/load"
GB = 10**9
REST_ONLY: dict[str, Any] = {"sockets": False}
JIT_ONLY: dict[str, Any] = {"sockets": False, "rest_v1": False}
WAYS = pytest.mark.parametrize("way", [{}, REST_ONLY, JIT_ONLY], ids=["socket", "rest", "jit"])


def when_first(server: FakeLMStudio, kind: str, act: Callable[[], object], path: str = "") -> None:
    """Do it as soon as the server has seen the first of these."""

    def look(record: Record) -> None:
        if record.kind == kind and record.path in {path, ""}:
            server.journal.listeners.remove(look)
            act()

    server.journal.listeners.append(look)


def names(server: FakeLMStudio) -> list[str]:
    return [instance.identifier for instance in server.instances()]


@WAYS
async def test_c1_a_loaded_model_is_never_loaded_again(tmp_path: Path, way: dict[str, Any]) -> None:
    """A second message, a load by hand and a second person find the instance that is there."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(**way)) as server,
        person(tmp_path, server) as ana,
    ):
        await ana.says("um")
        assert "já estava carregado" in await ana.says("/load nova")
        bia = ana.friend("bia")
        await asyncio.gather(ana.says("dois"), bia.says("três"), bia.friend("caio").says("/load nova"))
        assert server.count("load_started") == 1
        assert names(server) == [NOVA]


@WAYS
async def test_c2_many_first_messages_make_one_load(tmp_path: Path, way: dict[str, Any]) -> None:
    """Where each request would load a copy of its own, the first one loads and the others wait for it."""
    hold = asyncio.Event()
    switches = Switches(**way, jit_race=True)
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_load=hold, context_length=32768)], switches=switches) as server,
        person(tmp_path, server) as ana,
    ):
        sayings = [ana.friend(f"p{number}").begin(f"oi {number}") for number in range(4)]
        for saying in sayings:
            await saying.shows("Carregando modelo")
        await server.wait_for("load_started")
        hold.set()
        for number, saying in enumerate(sayings):
            assert f"You said: oi {number}" in await saying.end()
        assert server.count("load_started") == 1
        assert names(server) == [NOVA]


async def test_c3_our_copy_leaves_when_the_one_thought_gone_shows_up_again(tmp_path: Path) -> None:
    """After the time to live the lists name no instance, though one is there: the copy loaded beside it leaves."""
    switches = Switches(sockets=False)
    async with FakeLMStudio([FakeModel(NOVA)], switches=switches) as server, person(tmp_path, server) as ana:
        await ana.says("um")
        switches.v1_list, switches.v0_state = "empty", "not_loaded"

        def tell_the_truth() -> None:
            switches.v1_list, switches.v0_state = "at_start", "true"

        when_first(server, "load_started", tell_the_truth)
        assert "You said: dois" in await ana.says("dois")
        assert server.count("load_finished", instance=f"{NOVA}:2") == 1
        assert names(server) == [NOVA]
        assert (await ana.says("/models")).count(NOVA) == 1


async def test_c3_after_the_time_to_live_there_is_one_instance_again(tmp_path: Path) -> None:
    """What expired is loaded once with the next message, whoever asks at the same time."""
    clock = ManualClock()
    async with (
        FakeLMStudio([FakeModel(NOVA)], clock=clock, switches=Switches(jit_race=True)) as server,
        person(tmp_path, server) as ana,
    ):
        await ana.says("um")
        clock.advance(3700)
        assert names(server) == []
        await asyncio.gather(ana.says("dois"), ana.friend("bia").says("três"))
        assert server.count("load_started") == 2
        assert names(server) == [NOVA]


@pytest.mark.parametrize(
    ("way", "mode"), [(REST_ONLY, "auto"), ({}, "explicit")], ids=["rest", "socket-explicit"]
)
async def test_c4_of_two_programs_that_load_at_once_the_later_copy_is_ours_to_take_back(
    tmp_path: Path, way: dict[str, Any], mode: str
) -> None:
    """Another program was quicker: our second copy is unloaded, theirs stays and answers."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(**way)) as server,
        person(tmp_path, server, load_mode=mode) as ana,
    ):
        path = "/llm/loadModel" if mode == "explicit" else LOAD
        when_first(server, "request", lambda: server.preload(NOVA), path)
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_finished", instance=f"{NOVA}:2") == 1
        assert server.count("unloaded", instance=f"{NOVA}:2") == 1
        assert names(server) == [NOVA]
        assert server.bodies[-1]["model"] == NOVA


async def test_c4_a_copy_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """We were quicker: the other program's second copy is its own business, until a person unloads the model."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(sockets=False)) as server,
        person(tmp_path, server) as ana,
    ):
        when_first(server, "load_started", lambda: server.preload(NOVA))
        assert "You said: oi" in await ana.says("oi")
        assert server.count("unloaded") == 0
        assert names(server) == [NOVA, f"{NOVA}:2"]
        assert "descarregado." in await ana.says("/unload nova")
        assert names(server) == []


async def test_c5_what_exists_already_is_loaded(tmp_path: Path) -> None:
    """A load refused because another program's request brought the model back meanwhile is no failure."""
    async with FakeLMStudio([FakeModel(NOVA)]) as server, person(tmp_path, server) as ana:
        server.fault("getOrLoad", "error-event", text=f"Model with identifier '{NOVA}' already exists.")
        when_first(server, "request", lambda: server.preload(NOVA), "/llm/getOrLoad")
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_started") == 0
        assert names(server) == [NOVA]


async def test_c5_traffic_waits_while_models_change_places(tmp_path: Path) -> None:
    """A message to the model that just left does not bring it back before the other one is in."""
    hold = asyncio.Event()
    models = [FakeModel(NOVA, size_bytes=6 * GB, hold_load=hold), FakeModel(MINI, size_bytes=5 * GB)]
    async with (
        FakeLMStudio(models, loaded=[MINI], switches=Switches(memory_bytes=8 * GB)) as server,
        person(tmp_path, server) as ana,
    ):
        bia = ana.friend("bia")
        await ana.says("/use nova")
        await bia.says("/use mini")
        swap = ana.begin(pressed(await ana.says("cabe?"), "Descarregar e carregar"))
        await server.wait_for("load_started", model=NOVA)
        other = bia.begin("oi")
        await other.shows("espera a vez para carregar: 1.º na fila")
        assert server.count("load_started", model=MINI) == 0
        hold.set()
        assert "You said: cabe?" in await swap.end()
        assert "não cabe na memória agora" in await other.end()
        assert names(server) == [NOVA]


async def test_c5_a_model_that_comes_back_at_once_is_not_called_unloaded(tmp_path: Path) -> None:
    """Another program's request loads it again under the eyes of the person, who is told so."""
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        when_first(server, "unloaded", lambda: server.preload(NOVA))
        card = await ana.says("/unload nova")
        assert "descarregado, mas já está na memória de novo" in card
        assert "A memória foi liberada" not in card
        assert server.count("unloaded") == 1


@pytest.mark.parametrize("sockets", [True, False])
async def test_c6_another_context_means_unload_then_load(tmp_path: Path, sockets: bool) -> None:  # noqa: FBT001  # both ways
    """Where only one copy fits, the old one is out before the new one begins."""
    switches = Switches(sockets=sockets, memory_bytes=7 * GB)
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=switches) as server,
        person(tmp_path, server, context_length=16384) as ana,
    ):
        server.preload(NOVA, context_length=2048)
        assert "já estava carregado" in await ana.says("/load nova")
        assert "contexto 2048 de" in await ana.says("/models")
        await ana.says("/unload nova")
        assert "Contexto: 16384 tokens" in await ana.says("/load nova")
        life = [r.kind for r in server.log if r.kind in {"unloaded", "load_started", "load_failed"}]
        assert life == ["unloaded", "load_started"]


@pytest.mark.parametrize("sockets", [True, False])
async def test_c7_a_load_names_the_bare_key(tmp_path: Path, sockets: bool) -> None:  # noqa: FBT001  # both ways
    """A model listed as `key@quant` is loaded by its key, which is all that load knows, and answers."""
    models = [FakeModel(NOVA, extra={"key": f"{NOVA}@q4_k_m"})]
    async with (
        FakeLMStudio(models, switches=Switches(sockets=sockets)) as server,
        person(tmp_path, server) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_started") == 1
        assert "já está carregado" in await ana.says(f"/use {NOVA}@q4_k_m")


async def test_c7_a_quantisation_that_a_person_writes_leads_to_the_model(tmp_path: Path) -> None:
    """`/use key@quant` as LM Studio's other programs write it finds the model."""
    async with FakeLMStudio([FakeModel(NOVA), FakeModel(MINI)]) as server, person(tmp_path, server) as ana:
        assert 'Agora uso "Nova 8B"' in await ana.says(f"/use {NOVA}@q4_k_m")
        assert "You said: oi" in await ana.says("oi")


@pytest.mark.parametrize("way", [{}, REST_ONLY], ids=["socket", "rest"])
async def test_c8_unloading_means_every_instance_by_its_exact_name(
    tmp_path: Path, way: dict[str, Any]
) -> None:
    """`key`, `key:2` and one with capitals in a name of its own: none is left."""
    async with (
        FakeLMStudio(
            [FakeModel(NOVA), FakeModel(MINI)], loaded=[NOVA, NOVA, MINI], switches=Switches(**way)
        ) as server,
        person(tmp_path, server) as ana,
    ):
        server.preload(NOVA, identifier="My-Nova")
        assert 'Modelo "Nova 8B" descarregado.' in await ana.says("/unload nova")
        assert names(server) == [MINI]
        assert f"💤 {NOVA}" in await ana.says("/models")


@pytest.mark.parametrize("way", [REST_ONLY, JIT_ONLY], ids=["rest", "jit"])
async def test_c9_a_load_that_outlasted_our_patience_is_not_begun_again(
    tmp_path: Path, way: dict[str, Any]
) -> None:
    """The host loads on after the timeout: trying again waits for that load instead of making a copy."""
    hold, clock = asyncio.Event(), FakeClock()
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_load=hold)], switches=Switches(**way)) as server,
        person(tmp_path, server, clock=clock, load_timeout=30) as ana,
    ):
        saying = ana.begin("oi")
        await server.wait_for("load_started")
        async with clock.passing():
            card = await saying.end()
        assert "O carregamento passou do tempo limite" in card
        assert len(server.instances()) == 1
        again = ana.begin(pressed(card, "Tentar de novo"))
        await again.shows("Carregando modelo")
        hold.set()
        async with clock.passing():
            assert "You said: oi" in await again.end()
        assert server.count("load_started") == 1
        assert names(server) == [NOVA]


async def test_c9_a_connection_lost_during_a_load_is_followed_by_a_look(tmp_path: Path) -> None:
    """The load goes on without us: it is waited for, and nothing is loaded twice."""
    hold, clock = asyncio.Event(), FakeClock()
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_load=hold)], switches=Switches(sockets=False)) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        saying = ana.begin("oi")
        await server.wait_for("load_started")
        server.cut()
        hold.set()
        async with clock.passing():
            assert "You said: oi" in await saying.end()
        assert server.count("load_started") == 1
        assert names(server) == [NOVA]
