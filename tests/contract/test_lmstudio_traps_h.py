"""Traps H: versions, SDKs, neighbours. What a person sees and what LM Studio saw."""

from pathlib import Path
from typing import Any

import pytest

from bot.cards import Reply
from tests.contract.person import person
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NOVA = "acme/nova-8b"
TOKEN = "sk-lm-abcdefgh:ABCDEFGHIJ0123456789"
V1, V0, OPENAI = "/api/v1/models", "/api/v0/models", "/v1/models"
BUILDS: dict[str, dict[str, Any]] = {
    "v1": {},
    "v0": {"rest_v1": False, "sockets": False},
    "openai": {"rest_v1": False, "rest_v0": False, "sockets": False},
}


def asked(server: FakeLMStudio) -> tuple[int, int, int]:
    """How often each list was asked for, best first."""
    v1, v0, openai = (server.count("request", method="GET", path=path) for path in (V1, V0, OPENAI))
    return v1, v0, openai


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("build", BUILDS)
async def test_h1_the_best_api_is_found_by_its_shape_and_remembered(
    tmp_path: Path, build: str, status: int
) -> None:
    """Any build answers; a route that is missing is asked for once, however its absence is told."""
    switches = Switches(unknown_route_status=status, **BUILDS[build])
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=switches) as server,
        person(tmp_path, server) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert f"API {build}" in await ana.says("/status")
        v1, v0, openai = asked(server)
        assert (v1 > 1, v0 > 1, openai > 1) == (build == "v1", build != "openai", build == "openai")
        assert min(v1, v0) >= 1
        assert openai == 0 or build == "openai"


async def test_h1_after_a_lost_connection_it_is_found_out_afresh(tmp_path: Path) -> None:
    """The host comes back as a newer build: its better API is used without a restart of the program."""
    old = Switches(**BUILDS["openai"])
    async with FakeLMStudio([FakeModel(NOVA)], switches=old) as server, person(tmp_path, server) as ana:
        assert "API openai" in await ana.says("/status")
        await server.kill()
        assert "não responde" in await ana.says("/status")
        server.switches.rest_v1 = server.switches.rest_v0 = server.switches.sockets = True
        await server.start()
        status = await ana.says("/status")
        assert "API v1" in status
        assert "WebSocket" in status
        assert "sem WebSocket" not in status


async def test_h1_a_401_is_no_missing_route(tmp_path: Path) -> None:
    """A host that wants a token is not taken for an older build: the person is told of the token."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(token=TOKEN)) as server,
        person(tmp_path, server) as ana,
    ):
        assert "exige um token (401)" in await ana.says("/status")
        assert asked(server)[2] == 0


@pytest.mark.parametrize("version", ["0.4.25", "0.0.21", "9.9-beta"])
async def test_h2_a_version_is_shown_and_decides_nothing(tmp_path: Path, version: str) -> None:
    """The daemon's numbers are another series: whatever it says, loading and answering are the same."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(version=version)) as server,
        person(tmp_path, server) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        status = await ana.says("/status")
        assert f"versão {version}" in status
        assert "último carregamento por WebSocket" in status


async def test_h3_a_neighbour_with_the_same_api_and_a_new_format_is_used(tmp_path: Path) -> None:
    """Bionic serves `splash` models and need not greet as LM Studio: they are listed, loaded and answer."""
    async with (
        FakeLMStudio([FakeModel(NOVA, format="splash")], switches=Switches(greeting=False)) as server,
        person(tmp_path, server) as ana,
    ):
        assert NOVA in await ana.says("/models")
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_finished") == 1


@pytest.mark.parametrize("build", BUILDS)
async def test_h4_the_token_is_sent_with_every_request_on_every_wire(tmp_path: Path, build: str) -> None:
    """HTTP and WebSocket, look, estimate, load, answer and unload: nothing is ever refused."""
    switches = Switches(token=TOKEN, **BUILDS[build])
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=switches) as server,
        person(tmp_path, server, lmstudio_token=TOKEN) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        await ana.says("/status")
        await ana.says("/descarregar nova")
        assert server.count("auth_refused") == 0
        assert server.count("socket_opened") == 0 or build == "v1"


async def test_h4_no_card_shows_the_token(tmp_path: Path) -> None:
    """A wrong token is refused; the card says which setting to look at, and never its value."""
    wrong = TOKEN.replace("A", "Z")
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=Switches(token=TOKEN)) as server,
        person(tmp_path, server, lmstudio_token=wrong) as ana,
    ):
        for text in ("oi", "/status", "/load nova"):
            saying = ana.begin(text)
            await saying.end()
            assert not any(part in shown for shown in saying.texts for part in (wrong, wrong[-20:]))


ODD: list[dict[str, Any]] = [
    {"bosToken": {"new": [1, 2]}, "format": "yuzu", "capabilities": {"reasoning": {"allowed_options": 7}}},
    {"quantization": None, "params_string": 8, "size_bytes": "big", "architecture": ["x"]},
    {"max_context_length": None, "display_name": None, "capabilities": [1], "variants": "none"},
]


@pytest.mark.parametrize("extra", ODD)
async def test_h5_fields_of_another_build_are_tolerated(tmp_path: Path, extra: dict[str, Any]) -> None:
    """Unknown, missing and oddly typed fields keep no model from being listed and answering."""
    models = [FakeModel(NOVA, extra=extra), FakeModel("acme/drafter", extra={"type": "drafter"})]
    async with FakeLMStudio(models) as server, person(tmp_path, server) as ana:
        assert NOVA in await ana.says("/models")
        assert "You said: oi" in await ana.says("oi")


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize("evict", [True, False])
async def test_h6_whatever_the_host_is_switched_to_it_answers(
    tmp_path: Path, *, jit: bool, token: str | None, evict: bool
) -> None:
    """Authentication, just-in-time loading and eviction cannot be set from outside: any setting works."""
    switches = Switches(jit=jit, token=token, auto_evict=evict)
    async with (
        FakeLMStudio([FakeModel(NOVA)], switches=switches) as server,
        person(tmp_path, server, lmstudio_token=TOKEN) as ana,
    ):
        assert "You said: oi" in await ana.says("oi")
        assert server.count("load_started") == 1


@pytest.mark.parametrize("style", ["reasoning_content", "reasoning", "think-tags", "lone-close"])
async def test_h7_reasoning_is_told_apart_wherever_it_comes(tmp_path: Path, style: Any) -> None:
    """In a field of its own, in another, in tags, or closed only: never a part of the answer."""
    model = FakeModel(
        NOVA,
        thinking="hmm deixa ver isso",
        thinking_style=style,
        reply="Quarenta e dois.",
        reasoning=("off", "xhigh"),
        reasoning_default="xhigh",
    )
    async with FakeLMStudio([model]) as server, person(tmp_path, server) as ana:
        saying = ana.begin("oi")
        card = await saying.end()
        assert "Quarenta e dois." in card
        assert "deixa ver" not in card
        assert "think>" not in card
        assert isinstance(saying.last, Reply)
        assert saying.last.thinking_label == "💭 raciocínio (4 palavras)"
        await ana.says("e agora?")
        assert "deixa ver" not in str(server.bodies[-1]["messages"])


async def test_h8_reasoning_that_eats_the_whole_budget_is_told(tmp_path: Path) -> None:
    """/v1 has a finish reason: an answer that is cut says so, also when only reasoning came."""
    model = FakeModel(NOVA, context_length=300, thinking="hmm " * 400, reply="nunca")
    async with FakeLMStudio([model], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        card = await ana.says("oi")
        assert "só raciocinou e não chegou a responder" in card
        assert "chegou ao limite de tokens" in card
        assert "nunca" not in card
        assert server.count("request", path="/v1/chat/completions") == 1


async def test_h9_nothing_is_left_on_the_host(tmp_path: Path) -> None:
    """Native chat keeps every call for 30 days: it is never used, and nothing asks to be stored."""
    async with FakeLMStudio([FakeModel(NOVA)]) as server, person(tmp_path, server) as ana:
        await ana.says("um segredo")
        await ana.says("e outro")
        assert server.count("request", path="/api/v1/chat") == 0
        assert server.count("request", path="/v1/responses") == 0
        assert [body.get("store") for body in server.bodies] == [None, None]
        assert not any("previous_response_id" in body for body in server.bodies)
