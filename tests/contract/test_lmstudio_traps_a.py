"""LM Studio's traps A: status codes and error shapes that lie. What a person sees and what the server saw."""

import asyncio
from pathlib import Path

import pytest

from tests.contract.person import person, pressed
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NOVA = "acme/nova-8b"
MINI = "acme/mini-1b"
CHAT = "/v1/chat/completions"
LOAD = "/api/v1/models/load"
TOKEN = "sk-lm-abcd1234:abcdefghij0123456789"
OVERFLOW = (
    "The number of tokens to keep from the initial prompt is greater than the context length "
    "(n_keep: 9000>= n_ctx: 4096). Try to load the model with a larger context length."
)
JINJA = (
    "Engine protocol applyPromptTemplate request returned 500: Jinja Exception: "
    "System message must be at the beginning."
)


@pytest.mark.parametrize("status", [200, 404])
async def test_a1_a_missing_route_is_known_by_its_body(tmp_path: Path, status: int) -> None:
    """Whatever the status of unknown routes, a build without v1 is listed and answers by its other routes."""
    switches = Switches(rest_v1=False, sockets=False, unknown_route_status=status)
    async with FakeLMStudio([FakeModel(NOVA)], switches=switches) as server, person(tmp_path, server) as ana:
        assert f"💤 {NOVA}" in await ana.says("/models")
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_finished") == 1
        shown = await ana.says("/status")
        assert "API v0" in shown
        assert "último carregamento por just-in-time" in shown
        card = await ana.says("/unload nova")
        assert "não deixa descarregar de fora" in card
        assert "descarregado." not in card
        assert len(server.instances()) == 1


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/api/v1/chat?x=1"])
async def test_a2_an_address_with_a_path_is_cut_to_its_origin(tmp_path: Path, path: str) -> None:
    """With `/v1` in LMSTUDIO_URLS everything works, and unloading really unloads."""
    async with (
        FakeLMStudio([FakeModel(NOVA)]) as server,
        person(tmp_path, server, lmstudio_urls=(server.url + path,)) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert "descarregado." in await ana.says("/unload nova")
        assert server.instances() == []
        assert not [record for record in server.log if record.path.startswith("/v1/models/")]


@pytest.mark.parametrize("strings", [False, True])
async def test_a3_errors_are_objects_or_strings(tmp_path: Path, strings: bool) -> None:  # noqa: FBT001  # both shapes
    """The same words reach the person whether `error` is an object or a bare string."""
    switches = Switches(rest_v1=False, sockets=False, string_errors=strings)
    models = [FakeModel(NOVA, load_error="No LM Runtime found for model format 'gguf'!")]
    async with FakeLMStudio(models, switches=switches) as server, person(tmp_path, server) as ana:
        card = await ana.says("oi")
        assert 'Modelo "acme/nova-8b" não está disponível' in card
        assert "Falta ao LM Studio o programa (runtime)" in card
        assert "(LM Studio disse: No LM Runtime found for model format 'gguf'!)" in card
        assert server.count("load_started") == 1


@pytest.mark.parametrize(
    "switches", [Switches(stream_error="event"), Switches(stream_error="data")], ids=["event", "data"]
)
async def test_a4_a_failed_stream_is_no_empty_success(tmp_path: Path, switches: Switches) -> None:
    """An error frame under status 200 is told with its words; nothing is taken for an answer."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA], switches=switches) as server,
        person(tmp_path, server) as ana,
    ):
        server.fault(CHAT, "error-event", text="Something is odd here")
        saying = ana.begin("oi")
        card = await saying.end()
        assert "recusou o pedido" in card
        assert "Something is odd here" in card
        assert not any("resposta vazia" in text for text in saying.texts)
        assert "You said: oi" in await ana.says("/retry")
        assert [m["content"] for m in server.bodies[-1]["messages"]] == ["oi"]


async def test_a4_a_stream_without_a_single_chunk_is_asked_for_its_reason(tmp_path: Path) -> None:
    """A stream that closes with nothing is an error: the same request unstreamed tells which."""
    switches = Switches(stream_error="empty")
    models = [FakeModel(NOVA, context_length=512)]
    async with (
        FakeLMStudio(models, loaded=[NOVA], switches=switches) as server,
        person(tmp_path, server) as ana,
    ):
        card = await ana.says("palavra " * 2000)
        assert "Esta mensagem sozinha é maior que o contexto do modelo" in card
        assert [body["stream"] for body in server.bodies] == [True, False]


async def test_a5_an_error_after_the_first_words_keeps_them_and_is_an_error(tmp_path: Path) -> None:
    """What had come stays above the reason; it is not passed off as a whole answer."""
    models = [FakeModel(NOVA, reply="um dois três quatro", crash_after=2, crash_times=1)]
    async with FakeLMStudio(models, loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        saying = ana.begin("conte")
        card = await saying.end()
        assert card.startswith("um dois\n")
        assert "A resposta foi interrompida: The model has crashed" in card
        assert server.count("request", path="/api/v1/chat") == 0
        assert "um dois três quatro" in await ana.says(pressed(card, "Refazer"))


@pytest.mark.parametrize("status", [500, 200])
async def test_a6_a_load_failed_whatever_its_status(tmp_path: Path, status: int) -> None:
    """Only `status: loaded` with an instance is a load; the model is shown inactive with its reason."""
    switches = Switches(sockets=False, load_failure_status=status)
    models = [FakeModel(NOVA, load_error="No LM Runtime found for model format 'gguf'!"), FakeModel(MINI)]
    async with FakeLMStudio(models, switches=switches) as server, person(tmp_path, server) as ana:
        card = await ana.says("/load nova")
        assert "Falta ao LM Studio o programa (runtime)" in card
        assert f"❌ {NOVA}" in await ana.says("/models")
        assert server.count("load_started") == 1
        assert server.bodies == []


async def test_a6_an_empty_answer_to_a_load_is_no_load(tmp_path: Path) -> None:
    """A 200 without a body is a failure, not a loaded model."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(sockets=False)) as server,
        person(tmp_path, server) as ana,
    ):
        server.fault(LOAD, "empty")
        saying = ana.begin("/load nova")
        assert "não está disponível" in await saying.end()
        assert not any("carregado com sucesso" in text for text in saying.texts)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("status:400", OVERFLOW),
        ("status:500", OVERFLOW),
        ("error-event", OVERFLOW),
        ("error-event", "Context size has been exceeded."),
    ],
)
async def test_a7_too_long_is_known_by_its_words(tmp_path: Path, fault: str, text: str) -> None:
    """Whatever the status, the person hears that the message is too long, and it is not sent again as it is."""
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        server.fault(CHAT, fault, times=None, text=text)
        card = await ana.says("oi")
        assert "Esta mensagem sozinha é maior que o contexto do modelo" in card
        assert "está carregado com 4096 tokens" in card
        assert server.count("request", path=CHAT) == 1
        assert len(server.instances()) == 1


async def test_a7_a_long_conversation_is_cut_until_it_fits(tmp_path: Path) -> None:
    """What the server finds too long is sent again with fewer old messages, and the person is told."""
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        await ana.says("primeira")
        await ana.says("segunda")
        server.fault(CHAT, "error-event", text=OVERFLOW)
        answer = await ana.says("terceira")
        assert "You said: terceira" in answer
        assert "as mensagens mais antigas já não são enviadas" in answer
        assert "primeira" not in str(server.bodies[-1]["messages"])


async def test_a8_a_broken_template_is_not_asked_again(tmp_path: Path) -> None:
    """A Jinja failure is told as the template's, after one request; the system message always comes first."""
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        await ana.says("/system Responda em versos.")
        await ana.says("um")
        await ana.says("dois")
        roles = [message["role"] for message in server.bodies[-1]["messages"]]
        assert roles == ["system", "user", "assistant", "user"]
        before = server.count("request", path=CHAT)
        server.fault(CHAT, "status:500", times=None, text=JINJA)
        card = await ana.says("três")
        assert "O modelo de conversa (template) dele está quebrado" in card
        assert "Jinja Exception" in card
        assert server.count("request", path=CHAT) == before + 1


async def test_a9_minified_names_are_a_refused_request(tmp_path: Path) -> None:
    """A crash of the server's own validation is told once as a refusal; the model stays in use."""
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        server.fault(CHAT, "status:400", text="_0x51b2c3 is not iterable")
        card = await ana.says("oi")
        assert 'O modelo "Nova 8B" recusou o pedido' in card
        assert server.count("request", path=CHAT) == 1
        assert f"✓ {NOVA}" in await ana.says("/models")
        assert "You said: e agora?" in await ana.says("e agora?")


async def test_a10_a_key_that_a_build_does_not_know_is_dropped_once(tmp_path: Path) -> None:
    """A strict build that refuses `context_length` gets the load without it, and what came is shown."""
    switches = Switches(sockets=False, unknown_load_keys=("context_length",))
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=switches) as server,
        person(tmp_path, server, context_length=16384) as ana,
    ):
        assert "Contexto: 4096 tokens" in await ana.says("/load nova")
        assert server.count("request", path=LOAD) == 2
        assert server.count("load_started") == 1


async def test_a12_a_page_of_html_as_a_load_begins_is_asked_again(tmp_path: Path) -> None:
    """The one 500 with HTML that v0 sends then is not taken for an answer: the model is shown as loading."""
    hold = asyncio.Event()
    switches = Switches(v0_html_500_at_load=True)
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_load=hold)], switches=switches) as server,
        person(tmp_path, server) as ana,
    ):
        server.host.start_load(server.model(NOVA), server.host.config_for(server.model(NOVA)))
        asked = server.count("request", path="/api/v0/models")
        assert f"🔄 {NOVA}" in await ana.says("/models")
        assert server.count("request", path="/api/v0/models") == asked + 2
        saying = ana.begin("oi")
        await saying.shows("Carregando modelo")
        assert server.bodies == []
        hold.set()
        assert "You said: oi" in await saying.end()
        assert server.count("load_started") == 1


async def test_a13_routes_that_hide_from_strangers_are_a_missing_token(tmp_path: Path) -> None:
    """An old build that calls every route unknown without a token is told as wanting one."""
    switches = Switches(token=TOKEN, auth_hides_routes=True)
    async with FakeLMStudio([FakeModel(NOVA)], switches=switches) as server, person(tmp_path, server) as ana:
        shown = await ana.says("/status")
        assert "exige um token (401)" in shown
        assert "LMSTUDIO_TOKEN" in shown
        assert "Carregando" not in await ana.says("oi")
        assert server.count("load_started") == 0


async def test_a13_a_token_that_is_set_goes_with_every_request(tmp_path: Path) -> None:
    """Listing, loading, answering and unloading: nothing is ever asked without it."""
    switches = Switches(token=TOKEN, auth_hides_routes=True)
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=switches) as server,
        person(tmp_path, server, lmstudio_token=TOKEN) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert "descarregado." in await ana.says("/unload nova")
        assert server.count("auth_refused") == 0


async def test_a14_a_build_whose_streams_are_dead_answers_in_one_piece(tmp_path: Path) -> None:
    """Where a stream brings nothing the answer is asked for unstreamed, each time until streams live again."""
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        server.switches.streams_dead = True
        assert "You said: oi" in await ana.says("oi")
        assert "You said: de novo" in await ana.says("de novo")
        assert [body["stream"] for body in server.bodies] == [True, False, True, False]
        assert server.count("generation_finished") == 2
        server.switches.streams_dead = False
        assert "You said: e agora" in await ana.says("e agora")
        assert server.bodies[-1]["stream"] is True
