"""The WebSocket namespaces, frame by frame."""

import aiohttp
import pytest

from tests.fakes.asking import EMBED, MINI, NO_SETTINGS, NOVA, TOKEN, Json, lab, query, stack_of
from tests.fakes.lmstudio.server import FakeModel, Switches


async def test_first_frame_lets_in() -> None:
    """With authentication off a guest with any passkey is let in, in every namespace."""
    async with lab() as (_, ask):
        for namespace in ("llm", "embedding", "system", "files", "repository", "diagnostics"):
            async with ask.socket(namespace) as socket:
                assert socket.greeting == {"success": True}


async def test_passkey_is_pinned_while_held() -> None:
    """The first passkey of an identifier holds until its last client leaves."""
    async with lab() as (server, ask):
        async with ask.socket("llm", "guest:a", "one"):
            async with ask.socket("system", "guest:a", "two") as other:
                assert other.greeting["success"] is False
            async with ask.socket("system", "guest:a", "one") as same:
                assert same.greeting["success"] is True
        await server.wait_for("socket_closed", 2)
        async with ask.socket("llm", "guest:a", "two") as later:
            assert later.greeting["success"] is True


async def test_token_opens_sockets() -> None:
    """With a token set its two halves are identifier and passkey; a guest is refused and closed."""
    async with lab(switches=Switches(token=TOKEN)) as (_, ask):
        async with ask.socket("llm", "abcdefgh", "ABCDEFGHIJ0123456789") as let_in:
            assert let_in.greeting == {"success": True}
        async with ask.socket("llm") as refused:
            assert refused.greeting["success"] is False
            assert isinstance(refused.greeting["error"], str)
            assert (await refused.raw.receive()).type is aiohttp.WSMsgType.CLOSE


@pytest.mark.parametrize(
    "frame",
    [
        {"authVersion": 2, "clientIdentifier": "guest:a", "clientPasskey": "b"},
        {"authVersion": 1, "clientIdentifier": "guest:a"},
        {"authVersion": 1, "clientIdentifier": "guest:a", "clientPasskey": "b" * 257},
    ],
)
async def test_bad_first_frames(frame: Json) -> None:
    """A first frame of another version, without a passkey or too long, is refused with a reason."""
    async with lab() as (server, ask):
        raw = await ask.session.ws_connect(f"{server.url}/llm")
        await raw.send_json(frame)
        refused = await raw.receive_json()
    assert refused["success"] is False
    assert isinstance(refused["error"], str)


async def test_no_first_frame_in_time() -> None:
    """A socket that does not authenticate in time is closed."""
    async with lab(switches=Switches(ws_auth_seconds=0.01)) as (server, ask):
        raw = await ask.session.ws_connect(f"{server.url}/llm")
        assert (await raw.receive()).type is aiohttp.WSMsgType.CLOSE


@pytest.mark.parametrize("path", ["llm", "nowhere"])
async def test_upgrades_refused(path: str) -> None:
    """With sockets off every upgrade is refused; an unknown path always."""
    async with lab(switches=Switches(sockets=False)) as (server, ask):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await ask.session.ws_connect(f"{server.url}/{path}")
        server.switches.sockets = True
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await ask.session.ws_connect(f"{server.url}/nowhere")


async def test_keep_alive() -> None:
    """KeepAlive is answered by keepAliveAck."""
    async with lab() as (_, ask), ask.socket("llm") as socket:
        await socket.send(type="keepAlive")
        assert await socket.receive() == {"type": "keepAliveAck"}


async def test_switch_ws_dead() -> None:
    """A socket that sends nothing for too long is closed."""
    async with lab(switches=Switches(ws_dead_seconds=0.01)) as (_, ask), ask.socket("llm") as socket:
        assert (await socket.raw.receive()).type is aiohttp.WSMsgType.CLOSE


WARNED: list[Json] = [
    {"type": "rpcCall", "endpoint": "nonsense", "callId": 1},
    {"type": "rpcCall", "endpoint": "unloadModel", "callId": 1, "parameter": {}},
    {"type": "rpcCall", "endpoint": "getModelInfo", "callId": 1, "parameter": {"specifier": {"type": "x"}}},
    {"type": "channelCreate", "endpoint": "nonsense", "channelId": 1, "creationParameter": {}},
    {
        "type": "channelCreate",
        "endpoint": "loadModel",
        "channelId": 1,
        "creationParameter": {"modelKey": NOVA},
    },
    {
        "type": "channelCreate",
        "endpoint": "loadModel",
        "channelId": 1,
        "creationParameter": {"modelKey": NOVA, "loadConfigStack": NO_SETTINGS, "ttlMs": 0},
    },
    {"type": "channelSend", "channelId": 99, "message": {}},
    {"type": "signalSubscribe", "endpoint": "x", "subscribeId": 1},
]


@pytest.mark.parametrize("frame", WARNED)
async def test_what_is_not_understood_is_only_warned_about(frame: Json) -> None:
    """An unknown endpoint or a bad parameter gets a communicationWarning and no answer."""
    async with lab() as (server, ask), ask.socket("llm") as socket:
        await socket.send(**frame)
        await socket.send(type="keepAlive")
        assert (await socket.receive())["type"] == "communicationWarning"
        assert (await socket.receive())["type"] == "keepAliveAck"
        assert server.count("load_started") == 0


async def test_at_most_five_warnings() -> None:
    """After five warnings a connection gets no more."""
    async with lab() as (_, ask), ask.socket("llm") as socket:
        for _ in range(7):
            await socket.send(type="rpcCall", endpoint="nonsense", callId=1)
        await socket.send(type="keepAlive")
        kinds = [(await socket.receive())["type"] for _ in range(6)]
        assert kinds == ["communicationWarning"] * 5 + ["keepAliveAck"]


async def test_text_that_is_no_json() -> None:
    """A frame that is not JSON is warned about, and the socket goes on."""
    async with lab() as (_, ask), ask.socket("llm") as socket:
        await socket.raw.send_str("nonsense")
        assert (await socket.receive())["type"] == "communicationWarning"


async def test_another_build_says_so() -> None:
    """The switches `version` and `build` are what the system namespace tells."""
    async with lab(switches=Switches(version="0.4.99", build=7)) as (_, ask), ask.socket("system") as socket:
        told = await socket.call("version")
    assert told["result"] == {"version": "0.4.99", "build": 7}


async def test_system_calls() -> None:
    """The system namespace tells the version and lists what is downloaded."""
    async with lab() as (_, ask), ask.socket("system") as socket:
        version = await socket.call("version")
        info = await socket.call("info")
        models = (await socket.call("listDownloadedModels"))["result"]
        variants = (await socket.call("listDownloadedModelVariants", {"modelKey": NOVA}))["result"]
    assert version == {"type": "rpcResult", "callId": 7, "result": {"version": "0.4.25", "build": 1}}
    assert set(info["result"]) == {"pid", "isDaemon", "version"}
    assert [model["modelKey"] for model in models] == [NOVA, MINI, EMBED]
    assert models[0]["trainedForToolUse"] is True
    assert "vision" not in models[2]
    assert variants[0]["selectedVariant"] == f"{NOVA}@q4_k_m"


async def test_calls_about_an_instance() -> None:
    """What a loaded instance is, how it was loaded, and how many tokens a text has."""
    async with lab(loaded=[NOVA, EMBED]) as (_, ask), ask.socket("llm") as socket:
        (listed,) = (await socket.call("listLoaded"))["result"]
        by_name = {"specifier": query(NOVA), "throwIfNotFound": True}
        info = (await socket.call("getModelInfo", by_name))["result"]
        reference = {"type": "instanceReference", "instanceReference": listed["instanceReference"]}
        config = (await socket.call("getLoadConfig", {"specifier": reference}))["result"]
        count = await socket.call("countTokens", {"specifier": query(NOVA), "inputString": "12345678"})
        tokens = await socket.call("tokenize", {"specifier": query(NOVA), "inputString": "12345678"})
    assert listed == info
    assert (info["identifier"], info["contextLength"], info["ttlMs"]) == (NOVA, 4096, None)
    assert {"key": "llm.load.contextLength", "value": 4096} in config["fields"]
    assert count["result"] == {"tokenCount": 2}
    assert len(tokens["result"]["tokens"]) == 2


async def test_calls_about_what_is_not_loaded() -> None:
    """What is not loaded is an rpcError with a code, or null if the caller prefers."""
    async with lab() as (_, ask), ask.socket("llm") as socket:
        ask_for = {"specifier": query(NOVA), "throwIfNotFound": True}
        error = await socket.call("getModelInfo", ask_for)
        nothing = await socket.call("getModelInfo", ask_for | {"throwIfNotFound": False})
        unload = await socket.call("unloadModel", {"identifier": NOVA})
    assert error["type"] == unload["type"] == "rpcError"
    assert error["error"]["displayData"]["code"] == "generic.noModelMatchingQuery"
    assert unload["error"]["displayData"]["code"] == "generic.identifierNotFound"
    assert nothing["result"] is None


async def test_queries_without_a_name() -> None:
    """A query may mean any loaded model, or one by its path."""
    async with lab(loaded=[MINI, NOVA]) as (_, ask), ask.socket("llm") as socket:
        found = []
        for query in ({}, {"path": NOVA}, {"path": "acme/none"}):
            specifier = {"type": "query", "query": query}
            asked = {"specifier": specifier, "throwIfNotFound": False}
            found.append((await socket.call("getModelInfo", asked))["result"])
    assert (found[0]["modelKey"], found[1]["modelKey"], found[2]) == (MINI, NOVA, None)


async def test_estimate() -> None:
    """An estimate says what a load needs and whether the guardrail lets it pass; it loads nothing."""
    model = FakeModel("a/one", size_bytes=1000, context_bytes_per_token=2)
    async with lab(model, switches=Switches(memory_bytes=1500)) as (server, ask):
        async with ask.socket("llm") as socket:
            results = []
            for context in (100, 1000):
                stack = stack_of(llm__load__contextLength=context)
                answer = await socket.call(
                    "estimateModelUsage", {"modelKey": "a/one", "loadConfigStack": stack}
                )
                results.append(answer["result"])
        assert server.count("load_started") == 0
    assert results[0]["memory"]["totalBytes"] == 1200
    assert [result["passesGuardrails"] for result in results] == [True, False]


async def test_an_estimate_may_be_absurd() -> None:
    """What a model is told to say of its size and of the guardrail goes over the reckoning."""
    model = FakeModel("a/one", estimate={"totalBytes": None, "confidence": "low"}, estimate_fits=False)
    async with lab(model) as (_, ask), ask.socket("llm") as socket:
        asked = {"modelKey": "a/one", "loadConfigStack": stack_of()}
        result = (await socket.call("estimateModelUsage", asked))["result"]
    assert (result["memory"]["totalBytes"], result["memory"]["confidence"]) == (None, "low")
    assert result["memory"]["modelBytes"] == model.size_bytes
    assert result["passesGuardrails"] is False
