"""The fake's HTTP manners: headers, unknown routes, absent APIs, authentication."""

import asyncio

import pytest

from tests.fakes.asking import MINI, NOVA, TOKEN, lab
from tests.fakes.lmstudio.server import FakeLMStudio, Switches


async def test_greeting_says_it_is_lm_studio() -> None:
    """The vendor's own probe is answered with exactly its body."""
    async with lab() as (_, ask):
        answer = await ask.get("/lmstudio-greeting")
    assert (answer.status, answer.body) == (200, {"lmstudio": True})


async def test_answers_look_like_express() -> None:
    """JSON comes pretty-printed with no final newline, under Express's headers."""
    async with lab() as (_, ask):
        answer = await ask.get("/api/v1/models")
    assert answer.text.startswith('{\n  "models": [')
    assert not answer.text.endswith("\n")
    assert answer.headers["X-Powered-By"] == "Express"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Keep-Alive"] == "timeout=5"
    assert answer.headers["ETag"].startswith('W/"')
    assert "Server" not in answer.headers


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v1/status"), ("POST", "/v1/models/unload")])
async def test_unknown_route_answers_200(method: str, path: str) -> None:
    """An unknown route or method is a 200 whose error is a string."""
    async with lab() as (_, ask):
        answer = await ask.request(method, path)
    assert answer.status == 200
    assert answer.body == {"error": f"Unexpected endpoint or method. ({method} {path})"}


async def test_switch_unknown_route_status() -> None:
    """Some builds answer unknown routes with 404 and the same text."""
    async with lab(switches=Switches(unknown_route_status=404)) as (_, ask):
        answer = await ask.get("/nowhere")
    assert answer.status == 404
    assert answer.body["error"].startswith("Unexpected endpoint")


async def test_old_builds_lack_whole_apis() -> None:
    """An API switched off is an unknown route; the others stay."""
    async with lab(switches=Switches(rest_v1=False, rest_v0=False, greeting=False)) as (server, ask):
        for path in ("/api/v1/models", "/api/v0/models", "/lmstudio-greeting"):
            assert isinstance((await ask.get(path)).body["error"], str)
        assert "data" in (await ask.get("/v1/models")).body
        server.switches.rest_v0 = True
        assert "data" in (await ask.get("/api/v0/models")).body


async def test_switch_keep_alive() -> None:
    """An idle connection is closed by the server after the keep-alive time."""
    async with lab(switches=Switches(keep_alive_seconds=0.05)) as (server, ask):
        reader, writer = await _raw(server)
        writer.write(b"GET /lmstudio-greeting HTTP/1.1\r\nHost: x\r\n\r\n")
        everything = await reader.read()
        assert b"Keep-Alive: timeout=0.05" in everything
        writer.close()
        await writer.wait_closed()
        assert (await ask.get("/lmstudio-greeting")).status == 200


async def test_one_connection_carries_many_requests() -> None:
    """Within the keep-alive time a second request on the same connection is answered."""
    async with lab() as (server, _):
        reader, writer = await _raw(server)
        for _ in range(2):
            writer.write(b"GET /lmstudio-greeting HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"}")
        writer.close()
        await writer.wait_closed()


ROUTES = [
    ("GET", "/api/v1/models"),
    ("POST", "/api/v1/chat"),
    ("GET", "/api/v0/models"),
    ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"),
    ("GET", "/nowhere"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_switch_token_guards_every_route(method: str, path: str) -> None:
    """With a token set, a call without one is a 401 that says so."""
    async with lab(switches=Switches(token=TOKEN)) as (server, ask):
        answer = await ask.request(method, path)
        assert server.count("auth_refused", path=path) == 1
    assert answer.status == 401
    assert answer.body["error"]["type"] == "invalid_request"
    assert answer.body["error"]["code"] == "invalid_api_key"
    assert answer.body["error"]["message"].startswith("An LM Studio API token is required")


async def test_wrong_token_is_malformed() -> None:
    """A wrong token is named, shortened, in the message; the right one is let in."""
    async with lab(switches=Switches(token=TOKEN)) as (_, ask):
        wrong = await ask.get("/v1/models", Authorization="Bearer sk-lm-zzzzzzzz:nonsense")
        right = await ask.get("/v1/models", Authorization=f"Bearer {TOKEN}")
        greeting = await ask.get("/lmstudio-greeting")
    assert wrong.status == 401
    expected = "Malformed LM Studio API token provided: sk-lm-zzzz****"
    assert wrong.body["error"]["message"].startswith(expected)
    assert right.status == 200
    assert greeting.status == 200


async def test_switch_auth_hides_routes() -> None:
    """An old build with authentication on shows unauthenticated callers an unknown route."""
    async with lab(switches=Switches(token=TOKEN, auth_hides_routes=True)) as (_, ask):
        answer = await ask.get("/v1/models")
    assert answer.status == 200
    assert isinstance(answer.body["error"], str)


async def test_any_token_does_when_authentication_is_off() -> None:
    """Without authentication a token, right or wrong, changes nothing."""
    async with lab() as (_, ask):
        assert (await ask.get("/v1/models", Authorization="Bearer what-ever")).status == 200


async def test_body_that_is_no_json() -> None:
    """A body that cannot be parsed is a 400, not a crash."""
    async with lab() as (_, ask):
        answer = await ask.post("/api/v1/chat", b"{nonsense")
    assert answer.status == 400
    assert answer.body["error"]["code"] == "invalid_json"


async def test_requests_and_chat_bodies_are_kept() -> None:
    """The log has every request in order; the bodies of chats are kept as they came."""
    async with lab(loaded=[NOVA]) as (server, ask):
        await ask.get("/api/v1/models")
        await ask.complete(NOVA, temperature=0.5)
        await ask.chat(MINI, nonsense=1)
        seen = [(r.method, r.path) for r in server.log if r.kind == "request"]
        assert seen == [("GET", "/api/v1/models"), ("POST", "/v1/chat/completions"), ("POST", "/api/v1/chat")]
        assert server.bodies[0]["temperature"] == 0.5
        assert server.bodies[1] == {"model": MINI, "input": "hello", "nonsense": 1}


async def test_waiting_for_what_does_not_come_says_what_came() -> None:
    """A wait that runs out names what it waited for and what it saw."""
    async with lab() as (server, ask):
        await ask.get("/v1/models")
        with pytest.raises(TimeoutError, match=r"1 x load_started .*last seen: request"):
            await server.wait_for("load_started", timeout=0.01)


async def _raw(server: FakeLMStudio) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", server.port)
