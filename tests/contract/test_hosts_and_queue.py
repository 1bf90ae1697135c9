"""Several hosts as one pool, a queue one can see, and room in memory: what a person sees and what hosts saw."""

import asyncio
from pathlib import Path

from core.conversation import Picture
from tests.contract.person import person, pressed
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NOVA = "acme/nova-8b"
MINI = "acme/mini-1b"
GB = 10**9


async def test_the_same_model_on_two_hosts_is_one_row_with_two_places(tmp_path: Path) -> None:
    """The list has one row that names both hosts; a name is not ambiguous because two hosts have it."""
    async with (
        FakeLMStudio([FakeModel(NOVA)]) as one,
        FakeLMStudio([FakeModel(NOVA)]) as two,
        person(tmp_path, one, two) as ana,
    ):
        listing = await ana.says("/models")
        assert listing.count(f"{NOVA} —") == 1
        places = sorted(f"127.0.0.1:{host.port} 💤" for host in (one, two))
        assert ", ".join(places) in listing
        assert "Agora uso" in await ana.says("/usar nova")


async def test_it_answers_where_it_is_loaded(tmp_path: Path) -> None:
    """The host that has the model in memory answers; the other one loads nothing."""
    async with (
        FakeLMStudio([FakeModel(NOVA)]) as asleep,
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as awake,
        person(tmp_path, asleep, awake) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert asleep.count("load_started") == 0
        assert awake.count("generation_started") == 1


async def test_the_least_busy_of_two_answers(tmp_path: Path) -> None:
    """While one host answers, the next chat goes to the other one."""
    hold = asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_reply=hold)], loaded=[NOVA]) as one,
        FakeLMStudio([FakeModel(NOVA, hold_reply=hold)], loaded=[NOVA]) as two,
        person(tmp_path, one, two) as ana,
    ):
        first = ana.begin("oi")
        await asyncio.wait(
            [asyncio.ensure_future(h.wait_for("generation_started", timeout=10)) for h in (one, two)],
            return_when=asyncio.FIRST_COMPLETED,
        )
        second = ana.friend("bia").begin("oi")
        await asyncio.gather(one.wait_for("generation_started"), two.wait_for("generation_started"))
        hold.set()
        assert "You said: oi" in await first.end()
        assert "You said: oi" in await second.end()


async def test_a_dead_host_is_failed_over_before_the_first_word_and_said(tmp_path: Path) -> None:
    """The other host answers, and a footnote says so; back again, the first host is used without a restart."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as one,
        FakeLMStudio([FakeModel(NOVA)]) as two,
        person(tmp_path, one, two) as ana,
    ):
        one.fault("/v1/chat/completions", "drop", times=1)
        answer = await ana.says("oi")
        assert "You said: oi" in answer
        assert f"↪ respondido por 127.0.0.1:{two.port}: 127.0.0.1:{one.port} não pôde responder" in answer
        await two.kill()
        assert "You said: de novo" in await ana.says("de novo")


async def test_a_load_that_fails_here_is_tried_there(tmp_path: Path) -> None:
    """A model that one host cannot load answers from the other one."""
    async with (
        FakeLMStudio([FakeModel(NOVA, load_error="E7 The model has crashed")]) as one,
        FakeLMStudio([FakeModel(NOVA)]) as two,
        person(tmp_path, one, two) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert two.count("load_finished") == 1


async def test_those_who_wait_see_their_place_and_are_answered_in_order(tmp_path: Path) -> None:
    """With one slot the second and third chat see "1.º na fila" and "2.º na fila"; LM Studio sees one at a time."""
    hold = asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, parallel=1, hold_reply=hold)], loaded=[NOVA]) as server,
        person(tmp_path, server) as ana,
    ):
        first = ana.begin("um")
        await server.wait_for("generation_started")
        second = ana.friend("bia").begin("dois")
        await second.shows("1.º na fila")
        third = ana.friend("caio").begin("três")
        await third.shows("2.º na fila")
        assert len(server.bodies) == 1
        hold.set()
        assert "You said: um" in await first.end()
        assert "You said: dois" in await second.end()
        assert "You said: três" in await third.end()
        assert server.count("generation_queued") == 0


async def test_cancelling_leaves_the_queue(tmp_path: Path) -> None:
    """Who stops waiting is never sent to LM Studio, and the next one moves up."""
    hold = asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, parallel=1, hold_reply=hold)], loaded=[NOVA]) as server,
        person(tmp_path, server) as ana,
    ):
        first = ana.begin("um")
        await server.wait_for("generation_started")
        bia, caio = ana.friend("bia"), ana.friend("caio")
        second = bia.begin("dois")
        await second.shows("1.º na fila")
        third = caio.begin("três")
        await third.shows("2.º na fila")
        bia.stop()
        assert "Parado" in await second.end()
        await third.shows("1.º na fila")
        hold.set()
        await first.end()
        assert "You said: três" in await third.end()
        assert [body["messages"][-1]["content"] for body in server.bodies] == ["um", "três"]


async def test_what_does_not_fit_is_asked_about_and_one_tap_makes_room(tmp_path: Path) -> None:
    """The card names what would leave; the button unloads it, loads the model and answers the question."""
    models = [FakeModel(NOVA, size_bytes=6 * GB), FakeModel(MINI, "Mini 1B", size_bytes=5 * GB)]
    async with (
        FakeLMStudio(models, loaded=[MINI], switches=Switches(memory_bytes=8 * GB)) as server,
        person(tmp_path, server) as ana,
    ):
        await ana.says("/usar nova")
        card = await ana.says("cabe?")
        assert 'O modelo "Nova 8B" não cabe na memória agora' in card
        assert "Libera Mini 1B (5,0 GB)" in card
        assert server.count("load_started") == 0
        saying = ana.begin(pressed(card, "Descarregar e carregar"))
        assert "You said: cabe?" in await saying.end()
        assert any("Liberando memória" in text for text in saying.texts)
        assert [i.identifier for i in server.instances()] == [NOVA]


async def test_auto_makes_room_only_with_what_the_bot_loaded(tmp_path: Path) -> None:
    """MAKE_ROOM=auto unloads its own idle model without a word and never somebody else's."""
    models = [FakeModel(NOVA, size_bytes=6 * GB), FakeModel(MINI, size_bytes=5 * GB)]
    async with (
        FakeLMStudio(models, switches=Switches(memory_bytes=8 * GB)) as server,
        person(tmp_path, server, make_room="auto") as ana,
    ):
        await ana.says("/load mini")
        await ana.says("/usar nova")
        assert "You said: oi" in await ana.says("oi")
        assert [i.identifier for i in server.instances()] == [NOVA]
        await ana.says("/unload nova")
        server.preload(MINI)
        assert "não cabe na memória agora" in await ana.says("e agora?")
        assert [i.identifier for i in server.instances()] == [MINI]


async def test_a_person_can_insist(tmp_path: Path) -> None:
    """The button to load anyway tries the load; what LM Studio says of it is what the person hears."""
    models = [FakeModel(NOVA, size_bytes=6 * GB), FakeModel(MINI, size_bytes=5 * GB)]
    async with (
        FakeLMStudio(models, loaded=[MINI], switches=Switches(memory_bytes=8 * GB)) as server,
        person(tmp_path, server) as ana,
    ):
        await ana.says("/usar nova")
        card = await ana.says("cabe?")
        assert "Não há memória suficiente" in await ana.says(pressed(card, "Carregar assim mesmo"))
        assert server.count("load_started") == 1
        assert [i.identifier for i in server.instances()] == [MINI]


async def test_the_operators_context_is_asked_for_and_what_came_is_read_back(tmp_path: Path) -> None:
    """CONTEXT_LENGTH goes with the load; an MLX model that gets less is budgeted on what it got."""
    models = [FakeModel(NOVA, format="mlx", fitted_context=5000, reply=lambda messages: str(len(messages)))]
    async with (
        FakeLMStudio(models) as server,
        person(tmp_path, server, context_length=16384, load_mode="explicit") as ana,
    ):
        await ana.says("oi")
        assert "contexto 5000 de" in await ana.says("/models")
        status = await ana.says("/status")
        assert "Carregamento: explicit; contexto: 16384" in status


async def test_pictures_go_to_models_that_see_and_to_no_other(tmp_path: Path) -> None:
    """A blind model is not even loaded for a picture; the suggestion is one that sees and gets the picture."""
    models = [FakeModel(NOVA), FakeModel("acme/eye-2b", "Eye 2B", vision=True, reply="um gato")]
    async with FakeLMStudio(models) as server, person(tmp_path, server) as ana:
        await ana.says("/usar nova")
        card = await ana.says("o que é isto?", Picture("image/png", b"not really a png"))
        assert "não enxerga imagens" in card
        assert server.count("load_started") == 0
        assert "um gato" in await ana.says(pressed(card, "Usar eye-2b"))
        parts = server.bodies[-1]["messages"][-1]["content"]
        assert [part["type"] for part in parts] == ["text", "image_url"]
