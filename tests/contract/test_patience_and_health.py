"""Patience where LM Studio is slow, and quick notice where it is dead or sick: what a person sees."""

import asyncio
from pathlib import Path

import pytest

from tests.contract.person import Person, Saying, person
from tests.fakes.cable import Cable
from tests.fakes.clock import FakeClock
from tests.fakes.lmstudio.catalog import LOAD_ERRORS
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NOVA = "acme/nova-8b"
MINI = "acme/mini-1b"
TOKEN = "sk-lm-abcdefgh:ABCDEFGHIJ0123456789"
SICK = "recusa todo carregamento"
LISTS = ("/api/v1/models", "/api/v0/models", "/v1/models")


async def counting(saying: Saying, clock: FakeClock, minutes: int) -> None:
    """Let minutes pass; the card tells each of them, and each only once its time has come."""
    for minute in range(1, minutes + 1):
        assert not any(f"{minute} min" in text for text in saying.texts)
        await clock.advance(60)
        await saying.shows(f"{minute} min")


@pytest.mark.parametrize("sockets", [True, False], ids=["sockets", "rest"])
async def test_a_cold_load_of_ten_minutes_succeeds_under_a_living_card(
    tmp_path: Path, *, sockets: bool
) -> None:
    """The elapsed time counts up minute by minute, the load happens once, and the answer comes."""
    clock, hold = FakeClock(), asyncio.Event()
    models = [FakeModel(NOVA, hold_load=hold)]
    async with (
        FakeLMStudio(models, switches=Switches(sockets=sockets)) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        saying = ana.begin("oi")
        await server.wait_for("load_started")
        await clock.asleep()
        await counting(saying, clock, 9)
        await clock.advance(60)
        await saying.shows("10 min")
        hold.set()
        answer = await saying.end()
        assert "You said: oi" in answer
        assert "Modelo carregado com sucesso (Nova 8B, 10 min" in answer
        assert server.count("load_started") == 1


async def test_a_prompt_of_five_minutes_succeeds_under_a_living_card(tmp_path: Path) -> None:
    """While LM Studio reads in silence the card counts, and the host is seen to live on another connection."""
    clock, hold = FakeClock(), asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_prefill=hold)], loaded=[NOVA]) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        saying = ana.begin("leia isto")
        await server.wait_for("generation_started")
        await clock.asleep()
        await counting(saying, clock, 5)
        assert server.count("request", path="/lmstudio-greeting") >= 5
        hold.set()
        assert "You said: leia isto" in await saying.end()
        assert len(server.bodies) == 1


async def test_a_host_that_dies_in_mid_prompt_is_noticed_within_seconds(tmp_path: Path) -> None:
    """The old connection stays open and silent; nobody answers on a new one: six seconds, then the card."""
    clock = FakeClock()
    async with (
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server,
        Cable(server.port) as cable,
        person(tmp_path, clock=clock, lmstudio_urls=(cable.url,)) as ana,
    ):
        server.fault("/v1/chat/completions", "hang")
        saying = ana.begin("oi")
        await server.wait_for("fault")
        await clock.asleep()
        cable.cut()
        await clock.advance(5)
        await clock.advance(1)
        card = await saying.end()
        assert "não está disponível" in card
        assert "não responde" in card
        assert clock.monotonic() == 6


async def test_a_host_that_dies_in_mid_answer_keeps_what_had_come(tmp_path: Path) -> None:
    """Noticed as quickly; the words that came stay on the card."""
    clock, hold = FakeClock(), asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_reply=hold, hold_after=3)], loaded=[NOVA]) as server,
        Cable(server.port) as cable,
        person(tmp_path, clock=clock, lmstudio_urls=(cable.url,)) as ana,
    ):
        saying = ana.begin("oi")
        await saying.shows("Nova 8B heard")
        await clock.asleep()
        cable.cut()
        await clock.advance(5)
        await clock.advance(1)
        card = await saying.end()
        assert "Nova 8B heard" in card
        assert "interrompida" in card
        assert clock.monotonic() == 6


async def test_the_first_word_has_more_patience_than_the_next(tmp_path: Path) -> None:
    """Eleven silent minutes before the first word are borne; between two words they end the answer."""
    for kind in ("hold_prefill", "hold_reply"):
        clock, hold = FakeClock(), asyncio.Event()
        model = FakeModel(NOVA, hold_after=3)
        setattr(model, kind, hold)
        async with (
            FakeLMStudio([model], loaded=[NOVA]) as server,
            person(tmp_path / kind, server, clock=clock) as ana,
        ):
            saying = ana.begin("oi")
            await server.wait_for("generation_started")
            if kind == "hold_reply":
                await saying.shows("Nova 8B heard")
            await clock.asleep()
            await clock.advance(660)
            if kind == "hold_prefill":
                await saying.shows("11 min")
                hold.set()
                assert "You said: oi" in await saying.end()
            else:
                assert "interrompida" in await saying.end()
                await server.wait_for("generation_stopped")


# ---------------------------------------------------------------- sick hosts


async def fallen_sick(ana: Person) -> None:
    await ana.says("/usar nova")
    assert SICK in await ana.says("oi")


@pytest.mark.parametrize("number", ["E10", "E12"])
async def test_a_sick_host_is_put_aside_for_all_its_models_until_its_cool_down_ends(
    tmp_path: Path, number: str
) -> None:
    """/status says so and for how long; nothing is loaded meanwhile; afterwards it is used again by itself."""
    clock = FakeClock()
    models = [FakeModel(NOVA, load_error=LOAD_ERRORS[number], load_error_times=1), FakeModel(MINI)]
    async with FakeLMStudio(models) as server, person(tmp_path, server, clock=clock) as ana:
        await fallen_sick(ana)
        status = await ana.says("/status")
        assert "🤒" in status
        assert "posto de lado por mais 30 s" in status
        assert "Reinicie o LM Studio" in status
        bia = ana.friend("bia")
        await bia.says("/usar mini")
        assert SICK in await bia.says("e você?")
        assert server.count("load_started") == 1
        await clock.advance(31)
        assert "🤒" not in await ana.says("/status")
        assert "You said: e agora?" in await bia.says("e agora?")
        assert server.count("load_finished", model=MINI) == 1


async def test_a_sick_host_is_used_again_after_reset(tmp_path: Path) -> None:
    """LM Studio was restarted: /reset, and no cool-down counts any more."""
    clock = FakeClock()
    models = [FakeModel(NOVA, load_error=LOAD_ERRORS["E12"], load_error_times=1), FakeModel(MINI)]
    async with FakeLMStudio(models) as server, person(tmp_path, server, clock=clock) as ana:
        await fallen_sick(ana)
        assert "2 de 2 modelos disponíveis" in await ana.says("/reset")
        assert "🤒" not in await ana.says("/status")
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_finished") == 1


async def test_another_host_takes_over_from_a_sick_one(tmp_path: Path) -> None:
    """The same model elsewhere answers; the sick host is asked for one load and left alone."""
    async with (
        FakeLMStudio([FakeModel(NOVA), FakeModel(MINI)]) as one,
        FakeLMStudio([FakeModel(NOVA), FakeModel(MINI)]) as two,
        person(tmp_path, one, two) as ana,
    ):
        sick, well = sorted((one, two), key=lambda host: host.url)  # all else equal, the first one is asked
        sick.model(NOVA).load_error = LOAD_ERRORS["E10"]
        await ana.says("/usar nova")
        assert "You said: oi" in await ana.says("oi")
        await ana.says("/usar mini")
        assert "You said: e você?" in await ana.says("e você?")
        assert sick.count("load_started") == 1
        assert well.count("load_finished") == 2


@pytest.mark.parametrize("number", ["E8", "E12"])
async def test_the_cool_down_doubles_from_thirty_seconds_to_thirty_minutes(
    tmp_path: Path, number: str
) -> None:
    """A second before its end nothing is tried, a second after it one load is."""
    clock = FakeClock()
    async with (
        FakeLMStudio([FakeModel(NOVA, load_error=LOAD_ERRORS[number])]) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        await ana.says("/usar nova")
        await ana.says("oi")
        for tries, pause in enumerate([30, 60, 120, 240, 480, 960, 1800, 1800], start=1):
            await clock.advance(pause - 1)
            await ana.says("e agora?")
            assert server.count("load_started") == tries
            await clock.advance(2)
            await ana.says("e agora?")
            assert server.count("load_started") == tries + 1


async def test_a_sick_host_is_not_tried_anew_for_each_of_its_models(tmp_path: Path) -> None:
    """The cool-down is the host's: after a second refusal, of another model, it is twice as long."""
    clock, text = FakeClock(), LOAD_ERRORS["E12"]
    models = [FakeModel(NOVA, load_error=text), FakeModel(MINI, load_error=text)]
    async with FakeLMStudio(models) as server, person(tmp_path, server, clock=clock) as ana:
        await fallen_sick(ana)
        await clock.advance(31)
        await ana.says("/usar mini")
        assert SICK in await ana.says("e você?")
        assert "posto de lado por mais 1 min" in await ana.says("/status")
        await clock.advance(31)
        assert SICK in await ana.says("e agora?")
        assert server.count("load_started") == 2


# ---------------------------------------------------------------- what the host can, and where it is


async def test_what_a_host_can_is_asked_once_and_again_after_a_lost_connection(tmp_path: Path) -> None:
    """A missing route is not asked for again while the host is there; after it was away, once more."""
    build = Switches(rest_v1=False, sockets=False)
    async with FakeLMStudio([FakeModel(NOVA)], switches=build) as server, person(tmp_path, server) as ana:

        def counts() -> list[int]:
            return [server.count("request", method="GET", path=path) for path in LISTS]

        for text in ("oi", "/models", "/status", "de novo"):
            await ana.says(text)
        v1, v0, openai = counts()
        assert (v1, openai) == (1, 0)
        assert v0 > 4
        await server.kill()
        assert "não responde" in await ana.says("/status")
        await server.start()
        for text in ("/status", "/models", "oi"):
            await ana.says(text)
        assert counts()[0] == 2


async def test_a_version_is_asked_for_once_and_again_after_a_lost_connection(tmp_path: Path) -> None:
    """Over WebSocket, since HTTP has no version: /status ten times asks for it once."""
    async with FakeLMStudio([FakeModel(NOVA)]) as server, person(tmp_path, server) as ana:
        for _ in range(3):
            assert "versão 0.4.25" in await ana.says("/status")
        assert server.count("request", path="/system/version") == 1
        await server.kill()
        await ana.says("/status")
        server.switches.version = "0.5.0"
        await server.start()
        assert "versão 0.5.0" in await ana.says("/status")


async def test_a_token_is_sent_to_whoever_asks_for_none_too(tmp_path: Path) -> None:
    """Authentication is switched on while the program runs: nobody notices."""
    async with (
        FakeLMStudio([FakeModel(NOVA)]) as server,
        person(tmp_path, server, lmstudio_token=TOKEN) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        server.switches.token = TOKEN
        server.switches.auth_hides_routes = True
        assert "You said: e agora?" in await ana.says("e agora?")
        await ana.says("/status")
        assert server.count("auth_refused") == 0


FORMS = [
    "http://{}",
    "http://{}/",
    "{}",
    "{}/v1",
    "http://{}/v1",
    "http://{}/v1/",
    "http://{}/api/v1",
    "http://{}/api/v1/models",
    "http://{}/api/v0",
    "http://{}/v1/chat/completions?x=1#y",
    "HTTP://{}/V1",
    "ws://{}/llm",
    "  http://{}  ",
]


@pytest.mark.parametrize("form", FORMS)
async def test_an_address_works_in_any_form_people_write(tmp_path: Path, form: str) -> None:
    """Scheme or none, any path: looking, loading, answering and unloading reach the same host."""
    async with FakeLMStudio([FakeModel(NOVA)]) as server:
        place = f"127.0.0.1:{server.port}"
        async with person(tmp_path, lmstudio_urls=form.format(place)) as ana:
            assert "You said: oi" in await ana.says("oi")
            assert place in await ana.says("/status")
            assert "descarregado" in await ana.says("/descarregar")
            assert server.instances() == []


async def test_one_host_written_twice_is_one_host(tmp_path: Path) -> None:
    """Two forms of the same address are one place: one row in /status, one load."""
    async with FakeLMStudio([FakeModel(NOVA)]) as server:
        urls = f"{server.url}/v1, 127.0.0.1:{server.port}"
        async with person(tmp_path, lmstudio_urls=urls) as ana:
            assert "You said: oi" in await ana.says("oi")
            assert (await ana.says("/status")).count("versão 0.4.25") == 1
            assert server.count("load_started") == 1
