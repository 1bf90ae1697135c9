"""Traps E: load failures and their texts. What a person sees, and how often LM Studio was asked to load."""

from pathlib import Path

import pytest

from tests.contract.person import person, pressed
from tests.fakes.lmstudio.catalog import LOAD_ERRORS
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NOVA = "acme/nova-8b"
MINI = "acme/mini-1b"
TINY = "acme/tiny-1b"
GB = 10**9
NEEDS_ROOM = "Não há memória suficiente"
CRASHED = "O modelo caiu ao carregar"
SICK = "está com defeito e recusa todo carregamento"
UNKNOWN = "O carregamento falhou sem que o motivo fosse dito"


async def failing(tmp_path: Path, text: str, *, loads: int, says: str) -> str:
    """The card of a load that fails with that text, by every way of loading; asserts how often it was tried."""
    card = ""
    for sockets in (True, False):
        models = [FakeModel(NOVA, load_error=text), FakeModel(MINI), FakeModel(TINY)]
        folder = tmp_path / ("sockets" if sockets else "rest")
        async with (
            FakeLMStudio(models, switches=Switches(sockets=sockets)) as server,
            person(folder, server) as ana,
        ):
            await ana.says("/usar nova")
            card = await ana.says("oi")
            assert says in card
            assert 'Modelo "Nova 8B" não está disponível' in card
            assert server.count("load_started", model=NOVA) == loads
            assert server.count("load_started") == loads  # and no other model was tried instead
            assert server.instances() == []
            # Put aside: the next message does not try again by itself.
            assert says in await ana.says("e agora?")
            assert server.count("load_started") == loads
            assert "❌" in await ana.says("/models nova")
    return card


async def mended(tmp_path: Path, text: str) -> None:
    """A load that fails so once is tried again once, and the person sees the answer."""
    for sockets in (True, False):
        model = FakeModel(NOVA, load_error=text, load_error_times=1)
        folder = tmp_path / ("sockets" if sockets else "rest")
        async with (
            FakeLMStudio([model], switches=Switches(sockets=sockets)) as server,
            person(folder, server) as ana,
        ):
            assert "You said: oi" in await ana.says("oi")
            assert server.count("load_started") == 2
            assert len(server.instances()) == 1


async def test_e1_the_guardrail_refuses(tmp_path: Path) -> None:
    """Needs room first: said in our words and in LM Studio's, tried once."""
    card = await failing(tmp_path, LOAD_ERRORS["E1"], loads=1, says=NEEDS_ROOM)
    assert "approximately 39.61 GB" in card


async def test_e2_the_guardrail_in_its_older_words(tmp_path: Path) -> None:
    """The older wording means the same."""
    await failing(tmp_path, LOAD_ERRORS["E2"], loads=1, says=NEEDS_ROOM)


async def test_e3_a_broken_estimate_is_no_number(tmp_path: Path) -> None:
    """The words "NaN undefined of memory" is still a guardrail; nothing is reckoned with its number."""
    await failing(tmp_path, LOAD_ERRORS["E3"], loads=1, says=NEEDS_ROOM)


@pytest.mark.parametrize("absurd", [float("nan"), float("inf"), 1e300, None, -1])
async def test_e3_an_absurd_estimate_beforehand_does_not_keep_a_load_from_its_try(
    tmp_path: Path, absurd: float | None
) -> None:
    """An estimate that is no size counts as none: the load is tried and works."""
    model = FakeModel(NOVA, estimate={"totalBytes": absurd})
    memory = Switches(memory_bytes=8 * GB)
    async with FakeLMStudio([model], switches=memory) as server, person(tmp_path, server) as ana:
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_finished") == 1


async def test_e4_the_old_model_leaves_before_the_new_one_is_asked_for(tmp_path: Path) -> None:
    """A guardrail that counts the model about to be replaced never meets the two together."""
    models = [FakeModel(NOVA, size_bytes=6 * GB), FakeModel(MINI, size_bytes=5 * GB)]
    strict = Switches(memory_bytes=8 * GB, guardrail_counts_evicted=True)
    async with (
        FakeLMStudio(models, switches=strict) as server,
        person(tmp_path, server, make_room="auto") as ana,
    ):
        await ana.says("/load mini")
        await ana.says("/usar nova")
        assert "You said: oi" in await ana.says("oi")
        kinds = [(r.kind, r.model) for r in server.log if r.kind in {"unloaded", "evicted", "load_started"}]
        assert kinds == [("load_started", MINI), ("unloaded", MINI), ("load_started", NOVA)]


async def test_e4_a_person_can_insist_when_the_guardrail_is_stuck(tmp_path: Path) -> None:
    """The button to load anyway sends the load whatever the estimate says; the answer is the host's."""
    model = FakeModel(NOVA, estimate={"totalBytes": 273 * GB}, estimate_fits=False)
    async with FakeLMStudio([model]) as server, person(tmp_path, server) as ana:
        card = await ana.says("oi")
        assert "273,0 GB" in card
        assert server.count("load_started") == 0
        assert "You said: oi" in await ana.says(pressed(card, "Carregar assim mesmo"))


async def test_e5_a_hidden_out_of_memory_does_not_start_a_row_of_loads(tmp_path: Path) -> None:
    """SIGABRT while loading is taken for too little memory, and no other model is tried by itself."""
    await failing(tmp_path, LOAD_ERRORS["E5"], loads=1, says=NEEDS_ROOM)


async def test_e6_the_engine_died_loading(tmp_path: Path) -> None:
    """The words "Error loading model. (Exit code: …)" needs room first."""
    await failing(tmp_path, LOAD_ERRORS["E6"], loads=1, says=NEEDS_ROOM)


async def test_e7_a_crash_while_loading_is_tried_once_more(tmp_path: Path) -> None:
    """Two tries, then it is put aside; if the second one works nobody hears of the first."""
    await failing(tmp_path / "ever", LOAD_ERRORS["E7"], loads=2, says=CRASHED)
    await mended(tmp_path / "once", LOAD_ERRORS["E7"])


async def test_e7_a_crash_before_the_first_word_is_loaded_and_asked_once_more(tmp_path: Path) -> None:
    """The instance is gone with the engine: it is loaded again, the question asked again, and answered."""
    model = FakeModel(NOVA, crash_after=0, crash_times=1)
    async with FakeLMStudio([model]) as server, person(tmp_path, server) as ana:
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_finished") == 2
        assert server.count("crashed") == 1


async def test_e7_a_model_that_crashes_every_time_is_put_aside(tmp_path: Path) -> None:
    """Two crashes are enough: the card says so, and the next message loads nothing."""
    async with FakeLMStudio([FakeModel(NOVA, crash_after=0)]) as server, person(tmp_path, server) as ana:
        assert CRASHED in await ana.says("oi")
        assert server.count("crashed") == 2
        assert CRASHED in await ana.says("e agora?")
        assert server.count("load_started") == 2


async def test_e7_a_crash_in_mid_answer_keeps_what_had_come(tmp_path: Path) -> None:
    """What was said stays, with a button that loads the model again and answers anew."""
    model = FakeModel(NOVA, crash_after=3, crash_times=1)
    async with FakeLMStudio([model]) as server, person(tmp_path, server) as ana:
        card = await ana.says("oi")
        assert "Nova 8B heard" in card
        assert "A resposta foi interrompida" in card
        assert "You said: oi" in await ana.says(pressed(card, "Refazer"))
        assert server.count("load_finished") == 2


async def test_e8_no_runtime_is_permanent(tmp_path: Path) -> None:
    """The card says what to install; one try."""
    await failing(tmp_path, LOAD_ERRORS["E8"], loads=1, says="Falta ao LM Studio o programa (runtime)")


async def test_e9_an_engine_that_did_not_start_is_tried_once_more(tmp_path: Path) -> None:
    """The words "exited before becoming healthy" may pass: two tries."""
    await failing(tmp_path / "ever", LOAD_ERRORS["E9"], loads=2, says=CRASHED)
    await mended(tmp_path / "once", LOAD_ERRORS["E9"])


async def sick(tmp_path: Path, text: str) -> None:
    """One refused load puts the whole host aside: for another model not even a load is tried."""
    await failing(tmp_path, text, loads=1, says=SICK)
    models = [FakeModel(NOVA, load_error=text), FakeModel(MINI)]
    async with FakeLMStudio(models) as server, person(tmp_path / "other", server) as ana:
        await ana.says("/usar nova")
        await ana.says("oi")
        await ana.says("/usar mini")
        assert SICK in await ana.says("e você?")
        assert server.count("load_started") == 1


async def test_e10_a_load_that_sticks_at_the_end_means_a_sick_host(tmp_path: Path) -> None:
    """The words "did not become healthy" after 100 %: stop using the host and tell the person."""
    await sick(tmp_path, LOAD_ERRORS["E10"])


async def test_e11_invalid_load_message_is_told_in_its_own_words(tmp_path: Path) -> None:
    """Nothing is known of it but its words: they are shown, and it is not tried again."""
    assert "Invalid load message" in await failing(tmp_path, LOAD_ERRORS["E11"], loads=1, says=UNKNOWN)


async def test_e12_the_resources_observer_is_down_means_a_sick_host(tmp_path: Path) -> None:
    """Every load fails until LM Studio is restarted: stop using the host and tell the person."""
    await sick(tmp_path, LOAD_ERRORS["E12"])


@pytest.mark.parametrize("text", [LOAD_ERRORS["E13"], "Cannot read properties of undefined (reading 'find')"])
async def test_e13_an_internal_wrapper_is_tried_once_more(tmp_path: Path, text: str) -> None:
    """Its cause is only in the host's log: two tries."""
    await failing(tmp_path / "ever", text, loads=2, says=CRASHED)
    await mended(tmp_path / "once", text)


@pytest.mark.parametrize(
    ("text", "says"),
    [(LOAD_ERRORS["E14"], UNKNOWN), ("Operation canceled.", "O carregamento foi cancelado")],
)
async def test_e14_a_load_aborted_for_no_reason_is_tried_once_more(
    tmp_path: Path, text: str, says: str
) -> None:
    """The words "Operation canceled." and "Failed to load model." say nothing: two tries."""
    await failing(tmp_path / "ever", text, loads=2, says=says)
    await mended(tmp_path / "once", text)


async def test_e15_a_model_that_is_not_on_disk_is_permanent(tmp_path: Path) -> None:
    """Deleted after it was chosen: the card says that it is not installed, and no load is tried."""
    async with (
        FakeLMStudio([FakeModel(NOVA), FakeModel(MINI)]) as server,
        person(tmp_path, server) as ana,
    ):
        await ana.says("/usar nova")
        server.host.models = [m for m in server.host.models if m.key != NOVA]
        card = await ana.says("oi")
        assert "não está instalado" in card
        assert "Mini 1B" in card
        assert server.count("load_started") == 0


async def test_e15_a_404_of_the_load_itself_is_permanent(tmp_path: Path) -> None:
    """Listed, yet not found by the load: one request, and the person hears that it is not installed."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(sockets=False)) as server,
        person(tmp_path, server) as ana,
    ):
        text = f"Model {NOVA} not found in downloaded models"
        server.fault("/api/v1/models/load", "status:404", times=None, text=text)
        assert "não está instalado" in await ana.says("oi")
        assert server.count("request", path="/api/v1/models/load") == 1
