"""Faults by rule, and the host's own life: stop, start, kill, down for a while."""

import asyncio
import json

import aiohttp
import pytest

from tests.fakes.asking import HELLO, MINI, NOVA, Json, lab, prediction
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel

V1_CHAT, CHAT = "/v1/chat/completions", "/api/v1/chat"
LOAD: Json = {"modelKey": NOVA, "loadConfigStack": {"layers": []}}


async def test_status_once() -> None:
    """A status fault answers once with an error object, then the route works again."""
    async with lab() as (server, ask):
        server.fault("/api/v1/models", "status:503", text="busy")
        first, second = await ask.get("/api/v1/models"), await ask.get("/api/v1/models")
        assert server.count("fault", path="/api/v1/models", detail="status") == 1
    assert (first.status, first.body["error"]["message"]) == (503, "busy")
    assert "models" in second.body


async def test_after_and_times() -> None:
    """A fault can skip requests first and then strike several times, or for ever."""
    async with lab() as (server, ask):
        server.fault("/v1/models", "status:500", after=1, times=2)
        statuses = [(await ask.get("/v1/models")).status for _ in range(4)]
        server.fault("/v1/*", "status:418", times=None)
        for_ever = [(await ask.get("/v1/models")).status for _ in range(3)]
    assert statuses == [200, 500, 500, 200]
    assert for_ever == [418] * 3


async def test_html() -> None:
    """An HTML fault is an error page."""
    async with lab() as (server, ask):
        server.fault("/api/v0/models", "html:502")
        answer = await ask.get("/api/v0/models")
    assert answer.status == 502
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_drop() -> None:
    """A dropped connection gives no answer at all."""
    async with lab() as (server, ask):
        server.fault("/v1/models", "drop", times=None)
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask.get("/v1/models")


@pytest.mark.parametrize("path", [V1_CHAT, CHAT])
async def test_drop_in_mid_stream(path: str) -> None:
    """A connection dropped in mid-stream has shown some tokens and no end."""
    async with lab(FakeModel("a/one", reply="one two three"), loaded=["a/one"]) as (server, ask):
        server.fault(path, "drop-mid:2")
        body = {"model": "a/one", "stream": True} | (
            {"messages": HELLO} if path == V1_CHAT else {"input": "hello"}
        )
        async with ask.session.post(server.url + path, json=body) as answer:
            seen = await answer.content.readuntil(b" two")
            with pytest.raises(aiohttp.ClientError):
                seen += await answer.content.read()
        assert b"three" not in seen


async def test_garbage_and_empty() -> None:
    """A garbage or empty answer is a 200 of the right type, whose content is none."""
    async with lab() as (server, ask):
        for kind in ("garbage", "empty"):
            server.fault(V1_CHAT, kind)
            streamed = await ask.complete(NOVA, stream=True)
            assert streamed.status == 200
            assert streamed.headers["Content-Type"] == "text/event-stream"
            assert not [line for line in streamed.text.split("\n") if line.startswith("data: {}")]
            server.fault("/api/v1/models", kind)
            plain = await ask.get("/api/v1/models")
            assert plain.status == 200
            with pytest.raises(json.JSONDecodeError):
                assert plain.body
        assert server.count("fault") == 4


async def test_error_event() -> None:
    """An error event on /v1 ends the stream without [DONE]; natively chat.end follows."""
    async with lab(loaded=[NOVA]) as (server, ask):
        server.fault(V1_CHAT, "error-event", text="boom")
        server.fault(CHAT, "error-event", text="boom")
        openai, native = await ask.complete(NOVA, stream=True), await ask.chat(NOVA, stream=True)
    assert openai.events == [("error", {"error": {"message": "boom"}, "message": "boom"})]
    assert [name for name, _ in native.events] == ["chat.start", "error", "chat.end"]


async def test_hang() -> None:
    """A hanging request is taken and never answered; other requests go on."""
    async with lab() as (server, ask):
        server.fault("/api/v1/models/load", "hang")
        hanging = asyncio.create_task(ask.load(NOVA))
        await server.wait_for("fault", detail="hang")
        assert (await ask.get("/lmstudio-greeting")).status == 200
        assert not hanging.done()
        hanging.cancel()


async def test_hang_in_mid_stream() -> None:
    """A generation that hangs has sent some tokens and sends no more until the client leaves."""
    async with lab(FakeModel("a/one", reply="one two three"), loaded=["a/one"]) as (server, ask):
        server.fault(V1_CHAT, "hang-mid:2")
        body = {"model": "a/one", "messages": HELLO, "stream": True}
        async with ask.session.post(server.url + V1_CHAT, json=body) as answer:
            await answer.content.readuntil(b" two")
            assert server.count("generation_finished") == 0
        await server.wait_for("generation_stopped")


async def test_crash() -> None:
    """A crash fault lets the engine die in mid-generation and the instance with it."""
    async with lab(loaded=[NOVA]) as (server, ask):
        server.fault(V1_CHAT, "crash:2")
        answer = await ask.complete(NOVA, stream=True)
        assert server.count("crashed", instance=NOVA) == 1
        assert server.instances() == []
    assert len(answer.events) == 3
    assert answer.events[-1][0] == "error"


async def test_down_for_a_while() -> None:
    """A host that goes down loses what it had loaded and comes back on the same port."""
    async with lab(loaded=[NOVA]) as (server, ask):
        server.fault("/v1/models", "down:0.02")
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask.request("POST", "/v1/models")
        await server.wait_for("host_down")
        await server.wait_for("host_up")
        assert await ask.listed() == []


async def test_faults_of_endpoints() -> None:
    """Faults reach WebSocket endpoints by name: errors, early ends, warnings, silence, crashes."""
    async with lab(loaded=[MINI]) as (server, ask), ask.socket("llm") as socket:
        server.fault("loadModel", "status:500", text="boom")
        await socket.open("loadModel", LOAD)
        assert (await socket.receive())["error"]["title"] == "boom"
        server.fault("/llm/loadModel", "empty")
        await socket.open("loadModel", LOAD)
        assert (await socket.receive())["type"] == "channelClose"
        server.fault("loadModel", "warning", text="odd")
        await socket.open("loadModel", LOAD)
        assert await socket.receive() == {"type": "communicationWarning", "warning": "odd"}
        server.fault("listLoaded", "error-event", text="boom")
        assert (await socket.call("listLoaded"))["type"] == "rpcError"
        server.fault("listLoaded", "hang")
        await socket.send(type="rpcCall", endpoint="listLoaded", callId=1)
        await socket.send(type="keepAlive")
        assert (await socket.receive())["type"] == "keepAliveAck"
        server.fault("predict", "crash:1")
        await socket.open("predict", prediction(MINI))
        assert (await socket.rest())[-1]["error"]["title"].startswith("The model has crashed")
        assert server.count("load_started") == 0


@pytest.mark.parametrize(("endpoint", "kind"), [("listLoaded", "drop"), ("predict", "drop-mid:1")])
async def test_dropped_sockets(endpoint: str, kind: str) -> None:
    """A dropped socket ends without a closing frame."""
    async with lab(loaded=[MINI]) as (server, ask), ask.socket("llm") as socket:
        server.fault(endpoint, kind)
        if endpoint == "predict":
            await socket.open("predict", prediction(MINI))
        else:
            await socket.send(type="rpcCall", endpoint=endpoint, callId=1)
        async for _ in socket.raw:
            pass
        assert socket.raw.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
        await server.wait_for("socket_closed")


async def test_garbage_on_a_socket() -> None:
    """A garbage fault sends a frame that is no JSON."""
    async with lab() as (server, ask), ask.socket("llm") as socket:
        server.fault("listLoaded", "garbage")
        await socket.send(type="rpcCall", endpoint="listLoaded", callId=1)
        with pytest.raises(json.JSONDecodeError):
            await socket.receive()


async def test_socket_takes_the_host_down() -> None:
    """A WebSocket call can be the one that brings the host down."""
    async with lab() as (server, ask), ask.socket("llm") as socket:
        server.fault("listLoaded", "down:0.01")
        await socket.send(type="rpcCall", endpoint="listLoaded", callId=1)
        await server.wait_for("host_up")
        assert (await ask.get("/lmstudio-greeting")).status == 200


async def test_unknown_kinds_are_refused() -> None:
    """A fault of an unknown kind is a mistake of the test, told at once."""
    with pytest.raises(ValueError, match="unknown fault kind 'explode'"):
        FakeLMStudio().fault("*", "explode")


async def test_stop_and_start_on_the_same_port() -> None:
    """A stopped server refuses connections; started again it has its port and its models."""
    async with lab(loaded=[NOVA]) as (server, ask):
        url = server.url
        async with ask.socket("llm") as socket:
            await server.stop()
            assert (await socket.raw.receive()).type is aiohttp.WSMsgType.CLOSE
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask.get("/lmstudio-greeting")
        await server.start()
        assert server.url == url
        assert await ask.listed() == [NOVA]


async def test_cut_resets_connections_and_nothing_else() -> None:
    """Who is connected is thrown out; a load goes on, and the host answers at once."""
    hold = asyncio.Event()
    async with lab(FakeModel("a/one", hold_load=hold)) as (server, ask):
        loading = asyncio.create_task(ask.load("a/one"))
        await server.wait_for("load_started")
        server.cut()
        with pytest.raises(aiohttp.ClientError):
            await loading
        assert await ask.states() == {"a/one": "loading"}
        hold.set()
        await server.wait_for("load_finished")


async def test_kill_resets_everything() -> None:
    """A killed host resets streams and sockets at once, and forgets its loads and instances."""
    held = FakeModel("a/one", hold_reply=asyncio.Event())
    slow = FakeModel("a/two", hold_load=asyncio.Event())
    async with lab(held, slow, loaded=["a/one"]) as (server, ask), ask.socket("llm") as socket:
        answering = asyncio.create_task(ask.complete("a/one", stream=True))
        loading = asyncio.create_task(ask.load("a/two"))
        await server.wait_for("generation_started")
        await server.wait_for("load_started")
        await server.kill()
        for task in (answering, loading):
            with pytest.raises(aiohttp.ClientError):
                await task
        assert (await socket.raw.receive()).type is aiohttp.WSMsgType.CLOSED
        assert server.count("load_cancelled") == server.count("generation_failed") == 1
        await server.start()
        assert await ask.listed() == []
