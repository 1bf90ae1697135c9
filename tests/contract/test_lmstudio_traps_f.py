"""Traps F: hangs, timeouts, disconnects. What a person sees and what LM Studio saw."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.providers.lmstudio import socket
from tests.contract.person import person
from tests.fakes.cable import Cable
from tests.fakes.clock import FakeClock
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NOVA = "acme/nova-8b"
MINI = "acme/mini-1b"
NO_SOCKETS: dict[str, Any] = {"sockets": False}
CHAT = "/v1/chat/completions"


async def test_f1_a_load_without_a_sign_of_life_has_ten_minutes(tmp_path: Path) -> None:
    """REST says nothing until the load is done: the card counts, and the answer comes after one load."""
    clock, hold = FakeClock(), asyncio.Event()
    model = FakeModel(NOVA, hold_load=hold)
    async with (
        FakeLMStudio([model], switches=Switches(**NO_SOCKETS)) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        saying = ana.begin("oi")
        await saying.shows("Carregando modelo")
        await server.wait_for("load_started")
        await clock.advance(600)
        await saying.shows("10 min")
        hold.set()
        assert "You said: oi" in await saying.end()
        assert server.count("load_started") == 1


async def test_f1_an_answer_that_never_comes_is_seen_in_the_list(tmp_path: Path) -> None:
    """The load is over, its answer got lost on the way: v0's state is believed, and nothing is loaded twice."""
    clock = FakeClock()
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(**NO_SOCKETS)) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        server.fault("/api/v1/models/load", "hang")
        saying = ana.begin("oi")
        await server.wait_for("fault")
        await clock.asleep()
        server.preload(NOVA)
        async with clock.passing():
            assert "You said: oi" in await saying.end()
        assert server.count("request", path="/api/v1/models/load") == 1
        assert server.count("load_started") == 0


async def test_f1_a_host_that_dies_under_a_silent_load_is_noticed(tmp_path: Path) -> None:
    """The connection stays open in silence, but on another one nobody answers: the person hears of it."""
    clock = FakeClock()
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(**NO_SOCKETS)) as server,
        Cable(server.port) as cable,
        person(tmp_path, clock=clock, lmstudio_urls=(cable.url,)) as ana,
    ):
        server.fault("/api/v1/models/load", "hang")
        saying = ana.begin("oi")
        await server.wait_for("fault")
        await clock.asleep()
        cable.cut()
        async with clock.passing():
            assert "não responde" in await saying.end()


async def test_f2_five_minutes_of_silence_before_the_first_word(tmp_path: Path) -> None:
    """The prompt is read in silence: the card counts, nobody hangs up, and the answer comes."""
    clock, hold = FakeClock(), asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_prefill=hold)], loaded=[NOVA]) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        saying = ana.begin("leia isto")
        await server.wait_for("generation_started")
        await clock.advance(300)
        await saying.shows("5 min")
        hold.set()
        assert "You said: leia isto" in await saying.end()
        assert server.count("generation_stopped") == 0
        assert server.count("generation_started") == 1


async def test_f3_the_slot_of_an_abandoned_prompt_is_given_on_when_the_host_is_idle(tmp_path: Path) -> None:
    """⏹ in mid-prompt: who waits is not sent to LM Studio until it has read to the end, however long it takes."""
    clock, hold = FakeClock(), asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, parallel=1, hold_prefill=hold)], loaded=[NOVA]) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        first = ana.begin("um")
        await server.wait_for("generation_started")
        second = ana.friend("bia").begin("dois")
        await second.shows("1.º na fila")
        ana.stop()
        assert "Parado" in await first.end()
        looks = "/llm/getInstanceProcessingState"
        before = server.count("request", path=looks)
        for n in range(1, 121):
            await server.wait_for("request", before + n, path=looks)
            await clock.asleep()
            await clock.advance(1)
        assert len(server.bodies) == 1
        hold.set()
        async with clock.passing():
            assert "You said: dois" in await second.end()
        assert server.count("generation_queued") == 0
        assert server.count("generation_stopped") == 1


async def test_f3_without_websockets_the_slot_is_held_for_a_grace_time(tmp_path: Path) -> None:
    """A host that does not tell whether it works is given ten seconds to end."""
    clock, hold = FakeClock(), asyncio.Event()
    model = FakeModel(NOVA, parallel=1, hold_prefill=hold)
    async with (
        FakeLMStudio([model], loaded=[NOVA], switches=Switches(**NO_SOCKETS)) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        first = ana.begin("um")
        await server.wait_for("generation_started")
        second = ana.friend("bia").begin("dois")
        await second.shows("1.º na fila")
        ana.stop()
        await first.end()
        await clock.asleep()
        await clock.advance(1)
        assert len(server.bodies) == 1
        hold.set()
        async with clock.passing():
            assert "You said: dois" in await second.end()
        assert 10 <= clock.monotonic() < 60


async def test_f4_the_request_right_after_an_abort_is_tried_once_more(tmp_path: Path) -> None:
    """Refused for the sake of the dead one, it is sent again a little later; the person sees the answer only."""
    clock, hold = FakeClock(), asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_prefill=hold)], loaded=[NOVA]) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        first = ana.begin("um")
        await server.wait_for("generation_started")
        ana.stop()
        await first.end()
        hold.set()
        server.fault(CHAT, "error-event", text="Model is currently generating.")
        saying = ana.begin("dois")
        async with clock.passing():
            assert "You said: dois" in await saying.end()
        assert [body["messages"][-1]["content"] for body in server.bodies] == ["um", "dois", "dois"]


async def test_f4_without_an_abort_a_refusal_is_told_at_once(tmp_path: Path) -> None:
    """The retry is for the dead request's sake alone: else a refusal is a refusal."""
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        server.fault(CHAT, "error-event", text="Model is currently generating.")
        assert "recusou o pedido" in await ana.says("um")
        assert len(server.bodies) == 1


async def test_f5_a_stream_without_a_chunk_is_an_error(tmp_path: Path) -> None:
    """Nothing came and the connection closed: never an empty answer, always a card that says so."""
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        server.fault(CHAT, "empty", times=None)
        assert "não respondeu nada" in await ana.says("oi")


async def test_f5_a_connection_cut_before_the_first_word_fails_over_or_is_told(tmp_path: Path) -> None:
    """LM Link may just cut the connection: with a second host it answers, without one the card says so."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as one,
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as two,
    ):
        one.fault(CHAT, "drop", times=2)
        async with person(tmp_path / "two", one, two) as ana:
            assert "You said: oi" in await ana.says("oi")
            assert two.count("generation_started") == 1
        async with person(tmp_path / "one", one) as ana:
            assert "não está disponível" in await ana.says("oi")


async def test_f6_a_reset_of_a_pooled_connection_is_not_seen(tmp_path: Path) -> None:
    """LM Studio drops idle connections: a GET that meets one is sent again, and nobody notices."""
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        server.fault("/api/v1/models", "drop")
        before = server.count("request", path="/api/v1/models")
        assert "You said: oi" in await ana.says("oi")
        assert server.count("request", path="/api/v1/models") == before + 2


async def test_f7_a_warning_fails_the_call_at_once(tmp_path: Path) -> None:
    """An endpoint that is only warned about is left for the next way of loading: REST."""
    async with FakeLMStudio([FakeModel(NOVA)]) as server, person(tmp_path, server) as ana:
        for endpoint in ("getOrLoad", "loadModel"):
            server.fault(
                endpoint, "warning", text=f"Received channelCreate for unknown endpoint '{endpoint}'"
            )
        assert "You said: oi" in await ana.says("oi")
        assert server.count("request", path="/api/v1/models/load") == 1
        assert server.count("load_started") == 1


async def test_f7_a_channel_that_says_nothing_is_given_up_for_another_way(tmp_path: Path) -> None:
    """After five warnings there are no more: silence from the start is no load, and REST is used."""
    clock = FakeClock()
    async with FakeLMStudio([FakeModel(NOVA)]) as server, person(tmp_path, server, clock=clock) as ana:
        for endpoint in ("getOrLoad", "loadModel"):
            server.fault(endpoint, "hang")
        saying = ana.begin("oi")
        async with clock.passing():
            assert "You said: oi" in await saying.end()
        assert server.count("request", path="/api/v1/models/load") == 1
        assert server.count("load_started") == 1


async def test_f8_a_socket_gone_stale_is_noticed_and_the_load_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer to our signs of life: the client looks on another connection, and nothing is loaded twice."""
    monkeypatch.setattr(socket, "KEEPALIVE", 0.05)
    monkeypatch.setattr(socket, "SILENCE", 0.2)
    hold = asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_load=hold)]) as server,
        Cable(server.port) as cable,
        person(tmp_path, lmstudio_urls=(cable.url,)) as ana,
    ):
        saying = ana.begin("oi")
        await server.wait_for("load_started")
        server.instances()[0].load.kept = True  # the host goes on although its client fell asleep
        cable.hush_sockets()
        hold.set()
        assert "You said: oi" in await saying.end()
        assert server.count("load_started") == 1
