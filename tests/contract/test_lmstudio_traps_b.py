"""LM Studio's traps B: state that lies. What a person sees and what the server saw."""

import asyncio
from pathlib import Path

import pytest

from tests.contract.person import person
from tests.fakes.lmstudio.clock import ManualClock
from tests.fakes.lmstudio.journal import Record
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NOVA = "acme/nova-8b"
MINI = "acme/mini-1b"
EMBED = "acme/embed-small"
CHAT = "/v1/chat/completions"
GB = 10**9


def begin_foreign_load(server: FakeLMStudio, key: str) -> None:
    """Another program loads that model."""
    model = server.model(key)
    server.host.start_load(model, server.host.config_for(model))


def kinds(server: FakeLMStudio, *wanted: str) -> list[str]:
    """The records of these kinds, in order."""
    return [record.kind for record in server.log if record.kind in wanted]


async def test_b1_a_model_that_is_still_loading_is_not_taken_for_ready(tmp_path: Path) -> None:
    """v1 lists the instance from the start of the load: the person waits for it, and nothing is asked before."""
    hold = asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_load=hold)]) as server,
        person(tmp_path, server) as ana,
    ):
        begin_foreign_load(server, NOVA)
        assert f"🔄 {NOVA}" in await ana.says("/models")
        saying = ana.begin("oi")
        await saying.shows("Carregando modelo")
        assert server.bodies == []
        hold.set()
        assert "You said: oi" in await saying.end()
        assert kinds(server, "load_started", "load_finished", "generation_started") == [
            "load_started",
            "load_finished",
            "generation_started",
        ]


@pytest.mark.parametrize("sockets", [True, False])
async def test_b2_an_empty_list_is_not_believed_alone(tmp_path: Path, sockets: bool) -> None:  # noqa: FBT001  # both ways
    """v1 lists no instance of a loaded model: it answers without a load, and unloading finds it all the same."""
    switches = Switches(v1_list="empty", sockets=sockets)
    async with (
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA, NOVA], switches=switches) as server,
        person(tmp_path, server) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_started") == 0
        assert "descarregado." in await ana.says("/unload nova")
        assert server.instances() == []


async def test_b3_absence_from_v0_is_not_absence_from_the_disk(tmp_path: Path) -> None:
    """With just-in-time loading off v0 lists what is loaded only; the person sees and uses everything."""
    async with (
        FakeLMStudio(
            [FakeModel(NOVA), FakeModel(MINI)], loaded=[MINI], switches=Switches(jit=False)
        ) as server,
        person(tmp_path, server) as ana,
    ):
        listing = await ana.says("/models")
        assert f"💤 {NOVA}" in listing
        assert f"✓ {MINI}" in listing
        await ana.says("/use nova")
        assert "You said: oi" in await ana.says("oi")
        assert server.bodies[-1]["model"] == NOVA


async def test_b3_a_model_that_left_the_memory_of_an_old_build_is_still_there(tmp_path: Path) -> None:
    """Where v0 is all there is, a model that is listed no more is loaded again, not called uninstalled."""
    switches = Switches(jit=False, rest_v1=False)
    async with (
        FakeLMStudio([FakeModel(NOVA), FakeModel(MINI)], loaded=[NOVA, MINI], switches=switches) as server,
        person(tmp_path, server) as ana,
    ):
        await ana.says("/use nova")
        assert "descarregado." in await ana.says("/unload nova")
        assert f"💤 {NOVA}" in await ana.says("/models")
        assert "You said: oi" in await ana.says("oi")
        assert server.bodies[-1]["model"] == NOVA


async def test_b4_the_words_of_another_model_are_not_shown(tmp_path: Path) -> None:
    """Unloaded in between, its question is answered by the one model left: it is loaded again and asked anew."""
    models = [FakeModel(NOVA), FakeModel(MINI, reply="I am somebody else")]
    async with (
        FakeLMStudio(models, loaded=[NOVA, MINI], switches=Switches(jit=False)) as server,
        person(tmp_path, server) as ana,
    ):
        await ana.says("/use nova")

        def unload_once(record: Record) -> None:
            if record.path == CHAT and server.count("request", path=CHAT) == 1:
                server.host.unload(server.instances()[0])

        server.journal.listeners.append(unload_once)
        saying = ana.begin("oi")
        assert "You said: oi" in await saying.end()
        assert not any("somebody else" in text for text in saying.texts)
        assert server.count("generation_started", model=MINI) == 1
        assert server.count("load_started", model=NOVA) == 1


async def test_b4_a_name_that_is_not_in_the_catalogue_is_not_sent(tmp_path: Path) -> None:
    """An unknown name is told at once with those that resemble it; LM Studio is not asked."""
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        card = await ana.says("/use nova-9b")
        assert "Não conheço o modelo “nova-9b”" in card
        assert "[nova-8b] /use #" in card
        assert server.bodies == []


async def test_b4_a_load_answered_by_another_model_is_no_load(tmp_path: Path) -> None:
    """An old build without just-in-time loading lets the loaded model answer: nobody is told of a load."""
    switches = Switches(jit=False, rest_v1=False, sockets=False)
    async with (
        FakeLMStudio([FakeModel(NOVA), FakeModel(MINI)], loaded=[NOVA, MINI], switches=switches) as server,
        person(tmp_path, server) as ana,
    ):
        await ana.says("/use nova")
        server.host.unload(server.instances()[0])
        saying = ana.begin("/load nova")
        assert "não está disponível" in await saying.end()
        assert not any("carregado com sucesso" in text for text in saying.texts)
        assert [i.identifier for i in server.instances()] == [MINI]


async def test_b5_an_instance_under_a_name_of_its_own_is_found_and_used(tmp_path: Path) -> None:
    """The list maps it to its model: it is shown as loaded, asked by its name, and unloaded by it."""
    async with FakeLMStudio([FakeModel(NOVA)]) as server, person(tmp_path, server) as ana:
        server.preload(NOVA, identifier="My-Nova")
        assert f"✓ {NOVA}" in await ana.says("/models")
        assert "You said: oi" in await ana.says("oi")
        assert server.bodies[-1]["model"] == "My-Nova"
        assert server.count("load_started") == 0
        assert "descarregado." in await ana.says("/unload nova")
        assert server.instances() == []


@pytest.mark.parametrize("sockets", [True, False])
@pytest.mark.parametrize("fitted", [4864, 20000])
async def test_b6_the_context_that_came_counts_not_the_one_asked_for(
    tmp_path: Path,
    fitted: int,
    sockets: bool,  # noqa: FBT001  # both ways
) -> None:
    """Fitted up or down, the person sees what is loaded, and no message loads it again."""
    models = [FakeModel(NOVA, format="mlx", fitted_context=fitted)]
    async with (
        FakeLMStudio(models, switches=Switches(sockets=sockets)) as server,
        person(tmp_path, server, context_length=8192) as ana,
    ):
        assert f"Contexto: {fitted} tokens" in await ana.says("/load nova")
        await ana.says("um")
        await ana.says("dois")
        assert f"contexto {fitted} de 32768" in await ana.says("/models")
        assert server.count("load_started") == 1


async def test_b6_prompts_are_fitted_to_the_context_that_came(tmp_path: Path) -> None:
    """With 4864 tokens of 16384 a long conversation is trimmed before it overflows."""
    models = [FakeModel(NOVA, format="mlx", fitted_context=4864)]
    async with FakeLMStudio(models) as server, person(tmp_path, server, context_length=16384) as ana:
        answers = [await ana.says(f"{number} " + "palavra " * 700) for number in range(3)]
        assert any("as mensagens mais antigas já não são enviadas" in answer for answer in answers)
        assert server.count("request", path=CHAT) == 3


async def test_b7_an_explicit_load_carries_its_own_values(tmp_path: Path) -> None:
    """With LOAD_MODE=explicit no chat request and no reuse call loads: the load names its context itself."""
    async with (
        FakeLMStudio([FakeModel(NOVA)]) as server,
        person(tmp_path, server, context_length=16384, load_mode="explicit") as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert [record.detail for record in server.log if record.kind == "load_started"] == ["explicit"]
        assert server.instances()[0].config.context_length == 16384
        assert len(server.bodies) == 1


async def test_b7_jit_alone_is_used_where_the_operator_wants_it(tmp_path: Path) -> None:
    """With LOAD_MODE=jit neither WebSocket nor REST loads."""
    async with FakeLMStudio([FakeModel(NOVA)]) as server, person(tmp_path, server, load_mode="jit") as ana:
        assert "You said: oi" in await ana.says("oi")
        assert server.count("request", path="/llm/getOrLoad") == 0
        assert server.count("request", path="/api/v1/models/load") == 0
        assert "último carregamento por just-in-time" in await ana.says("/status")


async def test_b8_no_more_are_sent_than_the_instance_runs_at_once(tmp_path: Path) -> None:
    """Two slots: the third person sees a place in our queue, LM Studio's own queue stays empty."""
    hold = asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, parallel=2, hold_reply=hold)], loaded=[NOVA]) as server,
        person(tmp_path, server) as ana,
    ):
        first, second = ana.begin("um"), ana.friend("bia").begin("dois")
        await server.wait_for("generation_started", 2)
        third = ana.friend("caio").begin("três")
        await third.shows("1.º na fila")
        assert len(server.bodies) == 2
        hold.set()
        for saying, word in ((first, "um"), (second, "dois"), (third, "três")):
            assert f"You said: {word}" in await saying.end()
        assert server.count("generation_queued") == 0


async def test_b8_where_no_number_is_told_it_is_four(tmp_path: Path) -> None:
    """v0 tells no slots: LM Studio's default of four is kept to."""
    hold = asyncio.Event()
    async with (
        FakeLMStudio(
            [FakeModel(NOVA, hold_reply=hold, context_length=32768)],
            loaded=[NOVA],
            switches=Switches(rest_v1=False),
        ) as server,
        person(tmp_path, server) as ana,
    ):
        first = [ana.friend(f"p{n}").begin("oi") for n in range(4)]
        await server.wait_for("generation_started", 4)
        fifth = ana.friend("p5").begin("oi")
        await fifth.shows("1.º na fila")
        assert len(server.bodies) == 4
        hold.set()
        await asyncio.gather(*(saying.end() for saying in (*first, fifth)))
        assert server.count("generation_queued") == 0


async def test_b9_a_quantisation_behind_the_name_is_the_same_model(tmp_path: Path) -> None:
    """An answer that names `key@quant` is the model's own; an embedding model is neither shown nor asked."""
    models = [FakeModel(NOVA), FakeModel(EMBED, type="embedding")]
    async with (
        FakeLMStudio(models, loaded=[NOVA, EMBED], switches=Switches(variant_names=True)) as server,
        person(tmp_path, server) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert EMBED not in await ana.says("/models")
        assert server.count("request", path="/v1/embeddings") == 0


async def test_b10_memory_is_freed_by_unloading_not_by_waiting(tmp_path: Path) -> None:
    """No request carries a `ttl`; what LM Studio lets go by itself is loaded again with the next message."""
    clock = ManualClock()
    async with FakeLMStudio([FakeModel(NOVA)], clock=clock) as server, person(tmp_path, server) as ana:
        await ana.says("um")
        clock.advance(3700)
        assert server.instances() == []
        assert "You said: dois" in await ana.says("dois")
        assert server.count("load_finished") == 2
        assert "descarregado." in await ana.says("/unload nova")
        assert server.instances() == []
        assert not any("ttl" in body for body in server.bodies)


async def test_b11_what_is_loaded_says_nothing_of_this_machines_memory(tmp_path: Path) -> None:
    """Over LM Link huge models may be loaded elsewhere: the host's own estimate decides, so nothing is refused."""
    models = [FakeModel(NOVA), FakeModel(MINI, size_bytes=900 * GB)]
    async with (
        FakeLMStudio(models, loaded=[MINI, MINI]) as server,
        person(tmp_path, server) as ana,
    ):
        assert "carregado com sucesso" in await ana.says("/load nova")
        assert server.count("unloaded") == 0
        assert len(server.instances()) == 3


@pytest.mark.parametrize("fault", ["html", "status:404", "html:200"])
async def test_b12_another_program_on_the_port_is_not_lm_studio(tmp_path: Path, fault: str) -> None:
    """Whatever it answers, the person hears that no LM Studio is there and how to start it."""
    async with FakeLMStudio([FakeModel(NOVA)]) as server:
        server.fault("*", fault, times=None)
        async with person(tmp_path, server) as ana:
            card = await ana.says("oi")
            assert f"Nenhum LM Studio respondeu em 127.0.0.1:{server.port}" in card
            assert "Start Server" in card
            assert "❌ 127.0.0.1" in await ana.says("/status")
            server.faults.rules.clear()
            assert "You said: oi" in await ana.says("oi")
