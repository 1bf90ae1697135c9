"""Traps D: just-in-time loading and eviction. What a person sees and what LM Studio saw."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.contract.person import person, pressed
from tests.fakes.clock import FakeClock
from tests.fakes.lmstudio.clock import ManualClock
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NOVA = "acme/nova-8b"
MINI = "acme/mini-1b"
GB = 10**9
NO_SOCKETS: dict[str, Any] = {"sockets": False}


@pytest.mark.parametrize("mode", ["auto", "explicit", "jit"])
@pytest.mark.parametrize("build", [{}, NO_SOCKETS], ids=["sockets", "rest"])
async def test_d1_a_load_by_name_where_just_in_time_loads_nothing(
    tmp_path: Path, mode: str, build: dict[str, Any]
) -> None:
    """Whatever way of loading is set, a host that does not load by itself is asked to load the bare key."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(jit=False, **build)) as server,
        person(tmp_path, server, load_mode=mode) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_finished", model=NOVA) == 1
        assert [i.identifier for i in server.instances()] == [NOVA]


@pytest.mark.parametrize(("mode", "how"), [("explicit", "explicit"), ("jit", "jit")])
async def test_d1_the_way_of_loading_is_the_operators(tmp_path: Path, mode: str, how: str) -> None:
    """Without WebSockets LOAD_MODE decides between a load by name and a load by the request."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(**NO_SOCKETS)) as server,
        person(tmp_path, server, load_mode=mode) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_started", detail=how) == 1


async def test_d2_unloaded_between_look_and_question_is_loaded_and_asked_once_more(tmp_path: Path) -> None:
    """The words "Model is unloaded." costs one retry after a fresh look; the person sees the answer only."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server,
        person(tmp_path, server) as ana,
    ):
        server.fault("/v1/chat/completions", "error-event", text="Model is unloaded.")
        assert "You said: oi" in await ana.says("oi")
        assert len(server.bodies) == 2
        assert server.count("load_started") == 0


async def test_d2_a_second_time_is_told(tmp_path: Path) -> None:
    """One retry only: then the person hears of it and may ask again."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server,
        person(tmp_path, server) as ana,
    ):
        server.fault("/v1/chat/completions", "error-event", times=2, text="Model is unloaded.")
        card = await ana.says("oi")
        assert "foi descarregado no meio do caminho" in card
        assert len(server.bodies) == 2
        assert "You said: oi" in await ana.says(f"/{pressed(card, 'Refazer').lstrip('/')}")


async def test_d2_after_an_idle_unload_it_is_loaded_again(tmp_path: Path) -> None:
    """LM Studio unloads what idles; the next message loads it once more and is answered."""
    time = ManualClock()
    async with (
        FakeLMStudio([FakeModel(NOVA)], clock=time) as server,
        person(tmp_path, server) as ana,
    ):
        await ana.says("oi")
        time.advance(3601)
        await server.wait_for("evicted")
        assert "You said: de novo" in await ana.says("de novo")
        assert server.count("load_finished") == 2
        assert len(server.instances()) == 1


@pytest.mark.parametrize("build", [{}, NO_SOCKETS], ids=["sockets", "rest"])
async def test_d3_another_models_load_does_not_kill_a_running_answer(
    tmp_path: Path, build: dict[str, Any]
) -> None:
    """While A answers, B is loaded by name: LM Studio then evicts nothing."""
    hold = asyncio.Event()
    models = [FakeModel(NOVA, hold_reply=hold), FakeModel(MINI)]
    async with (
        FakeLMStudio(models, switches=Switches(evict_busy=True, **build)) as server,
        person(tmp_path, server) as ana,
    ):
        bia = ana.friend("bia")
        await ana.says("/usar nova")
        await bia.says("/usar mini")
        first = ana.begin("conta tudo")
        await server.wait_for("generation_started")
        assert "You said: e eu?" in await bia.says("e eu?")
        assert server.count("evicted") == 0
        hold.set()
        assert "You said: conta tudo" in await first.end()
        assert server.count("load_started", model=NOVA) == 1


async def test_d3_a_request_that_loads_waits_for_the_running_answer(tmp_path: Path) -> None:
    """A build that loads only by request is not asked for B while A answers there."""
    clock, hold = FakeClock(), asyncio.Event()
    models = [FakeModel(NOVA, hold_reply=hold), FakeModel(MINI)]
    old = Switches(evict_busy=True, rest_v1=False, sockets=False)
    async with (
        FakeLMStudio(models, loaded=[NOVA], switches=old) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        bia = ana.friend("bia")
        await ana.says("/usar nova")
        await bia.says("/usar mini")
        first = ana.begin("conta tudo")
        await server.wait_for("generation_started")
        second = bia.begin("e eu?")
        await second.shows("Carregando")
        await clock.asleep(2)
        await clock.advance(5)
        await second.shows("5,0 s")
        assert server.count("load_started", model=MINI) == 0
        hold.set()
        assert "You said: conta tudo" in await first.end()
        async with clock.passing():
            assert "You said: e eu?" in await second.end()


async def test_d4_the_client_makes_room_itself(tmp_path: Path) -> None:
    """What was loaded by name is never evicted by LM Studio: the person's tap unloads it, then it fits."""
    models = [FakeModel(NOVA, size_bytes=6 * GB), FakeModel(MINI, size_bytes=5 * GB)]
    memory = Switches(memory_bytes=8 * GB)
    async with (
        FakeLMStudio(models, loaded=[MINI], switches=memory) as server,
        person(tmp_path, server) as ana,
    ):
        await ana.says("/usar nova")
        card = await ana.says("cabe?")
        assert "Libera Mini 1B" in card
        assert "You said: cabe?" in await ana.says(pressed(card, "Descarregar e carregar"))
        assert server.count("unloaded", model=MINI) == 1
        assert server.count("load_failed") == 0


async def test_d4_also_where_the_host_says_it_only_by_failing(tmp_path: Path) -> None:
    """Without WebSockets nothing tells beforehand: the refusal's card has the same button, and it works."""
    models = [FakeModel(NOVA, size_bytes=6 * GB), FakeModel(MINI, size_bytes=5 * GB)]
    memory = Switches(memory_bytes=8 * GB, **NO_SOCKETS)
    async with (
        FakeLMStudio(models, loaded=[MINI], switches=memory) as server,
        person(tmp_path, server) as ana,
    ):
        await ana.says("/usar nova")
        card = await ana.says("cabe?")
        assert "Não há memória suficiente" in card
        assert "You said: cabe?" in await ana.says(pressed(card, "Descarregar e carregar"))
        assert [i.identifier for i in server.instances()] == [NOVA]


async def test_d5_memory_pressure_evicts_nothing_so_we_do(tmp_path: Path) -> None:
    """MAKE_ROOM=auto unloads the bot's own idle model before the load, so that no load ever fails for it."""
    models = [FakeModel(NOVA, size_bytes=6 * GB), FakeModel(MINI, size_bytes=5 * GB)]
    memory = Switches(memory_bytes=8 * GB, auto_evict=False)
    async with (
        FakeLMStudio(models, switches=memory) as server,
        person(tmp_path, server, make_room="auto") as ana,
    ):
        await ana.says("/load mini")
        await ana.says("/usar nova")
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_failed") == 0
        assert [i.identifier for i in server.instances()] == [NOVA]


async def test_d6_unloading_is_explicit_and_complete(tmp_path: Path) -> None:
    """Where eviction and idle unload are bypassed, /descarregar frees the memory, every copy of it."""
    time = ManualClock()
    async with (
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA, NOVA], clock=time) as server,
        person(tmp_path, server) as ana,
    ):
        time.advance(100_000)
        assert len(server.instances()) == 2
        assert "descarregado" in await ana.says("/descarregar nova")
        assert server.instances() == []
