"""The WebSocket channels: loading with progress, getting or loading, predicting."""

import asyncio

import pytest

from tests.fakes.asking import MINI, NO_SETTINGS, NOVA, Json, Socket, lab, prediction, query, stack_of
from tests.fakes.lmstudio.server import FakeModel


async def test_load_model_with_progress() -> None:
    """loadModel: resolved, progress, success with the instance, then the channel closes."""
    async with lab(FakeModel("a/one", progress_steps=2)) as (server, ask), ask.socket("llm") as socket:
        stack = stack_of(llm__load__contextLength=8192, llm__load__numParallelSessions=2)
        creation = {"modelKey": "a/one", "identifier": "job-17", "ttlMs": 60_000, "loadConfigStack": stack}
        await socket.open("loadModel", creation)
        resolved, *progress, success, closed = await socket.rest()
        instance = server.instances()[0]
        assert (instance.identifier, instance.ttl, instance.config.parallel) == ("job-17", 60.0, 2)
    assert (resolved["type"], resolved["info"]["modelKey"]) == ("resolved", "a/one")
    assert progress == [{"type": "progress", "progress": at} for at in (0.0, 0.5, 1.0)]
    assert (success["type"], success["info"]["contextLength"]) == ("success", 8192)
    assert closed == {"type": "channelClose", "channelId": 1}


async def test_load_model_stacks_and_refuses_known_identifiers() -> None:
    """Without an identifier copies get `:2`; an identifier in use is a channelError."""
    async with lab(loaded=[NOVA]) as (_, ask), ask.socket("llm") as socket:
        creation = {"modelKey": NOVA, "loadConfigStack": NO_SETTINGS}
        await socket.open("loadModel", creation)
        assert (await socket.rest())[-2]["info"]["identifier"] == f"{NOVA}:2"
        await socket.open("loadModel", creation | {"identifier": NOVA}, channel=2)
        error = (await socket.rest())[-1]
    assert (error["type"], error["channelId"]) == ("channelError", 2)
    assert "already exists" in error["error"]["title"]


async def test_load_failures_are_channel_errors() -> None:
    """A failed load is a channelError with the cause; an unknown key one with its code."""
    async with lab(FakeModel("a/one", load_error="boom")) as (server, ask), ask.socket("llm") as socket:
        for endpoint, key in (("loadModel", "modelKey"), ("getOrLoad", "identifier")):
            await socket.open(endpoint, {key: "a/one", "loadConfigStack": NO_SETTINGS})
            failed = (await socket.rest())[-1]
            assert failed["error"] == {
                "title": "Failed to load model.",
                "rootTitle": "Failed to load model.",
                "cause": "boom",
            }
            await socket.open(endpoint, {key: "a/none", "loadConfigStack": NO_SETTINGS})
            unknown = (await socket.rest())[-1]
            assert unknown["error"]["displayData"]["code"] == "generic.pathNotFound"
        assert server.count("load_failed") == 2


@pytest.mark.parametrize("endpoint", ["loadModel", "getOrLoad"])
async def test_cancelling_a_load(endpoint: str) -> None:
    """A cancel ends the load and the channel; nothing stays in memory."""
    model = FakeModel("a/one", hold_load=asyncio.Event())
    key = "modelKey" if endpoint == "loadModel" else "identifier"
    async with lab(model) as (server, ask), ask.socket("llm") as socket:
        await socket.open(endpoint, {key: "a/one", "loadConfigStack": NO_SETTINGS})
        await server.wait_for("load_started")
        await socket.send(type="channelSend", channelId=1, message={"type": "cancel"}, ackId=3)
        frames = [frame for frame in await _until_error(socket) if frame["type"] != "channelSend"]
        assert frames[0] == {"type": "channelAck", "channelId": 1, "ackId": 3}
        assert frames[1]["error"]["title"] == "Operation canceled."
        await server.wait_for("load_cancelled")
        assert server.instances() == []


async def _until_error(socket: Socket) -> list[Json]:
    frames = [await socket.receive()]
    while frames[-1]["type"] != "channelError":
        frames.append(await socket.receive())
    return frames


async def test_closing_the_socket_gives_up_its_loads() -> None:
    """A socket that closes takes the loads it began along."""
    async with lab(FakeModel("a/one", hold_load=asyncio.Event())) as (server, ask):
        async with ask.socket("llm") as socket:
            await socket.open("loadModel", {"modelKey": "a/one", "loadConfigStack": NO_SETTINGS})
            await server.wait_for("load_started")
        await server.wait_for("load_cancelled")


async def test_get_or_load_reuses() -> None:
    """GetOrLoad loads what is not there, as a JIT load, and reuses it from then on."""
    async with lab(FakeModel("a/one", progress_steps=1)) as (server, ask), ask.socket("llm") as socket:
        creation = {"identifier": "a/one", "loadTtlMs": 5000, "loadConfigStack": NO_SETTINGS}
        await socket.open("getOrLoad", creation)
        start, *progress, success, _ = await socket.rest()
        await socket.open("getOrLoad", creation, channel=2)
        (already, closed) = await socket.rest()
        assert server.count("load_started") == 1
        assert (server.instances()[0].jit, server.instances()[0].ttl) == (True, 5.0)
    assert (start["type"], start["identifier"]) == ("startLoading", "a/one")
    assert progress == [{"type": "loadProgress", "progress": at} for at in (0.0, 1.0)]
    assert success["type"] == "loadSuccess"
    assert already == {"type": "alreadyLoaded", "info": success["info"]}
    assert closed["type"] == "channelClose"


async def test_get_or_load_joins_a_load_under_way() -> None:
    """A second getOrLoad joins the running load, and leaving it does not stop the first."""
    model = FakeModel("a/one", hold_load=asyncio.Event())
    creation = {"identifier": "a/one", "loadConfigStack": NO_SETTINGS}
    async with lab(model) as (server, ask), ask.socket("llm") as socket:
        await socket.open("getOrLoad", creation)
        await server.wait_for("load_started")
        async with ask.socket("llm", "guest:other") as other:
            await other.open("getOrLoad", creation)
            assert (await other.receive())["message"]["type"] == "startLoading"
        await server.wait_for("socket_closed")
        assert model.hold_load is not None
        model.hold_load.set()
        assert (await socket.rest())[-2]["type"] == "loadSuccess"
        assert server.count("load_started") == 1


async def test_get_or_load_tells_of_evictions() -> None:
    """A getOrLoad that replaces a JIT model says which."""
    async with lab() as (_, ask), ask.socket("llm") as socket:
        await ask.complete(NOVA)
        await socket.open("getOrLoad", {"identifier": MINI, "loadConfigStack": NO_SETTINGS})
        messages = await socket.rest()
        assert await ask.listed() == [MINI]
    (told,) = [m for m in messages if m["type"] == "unloadingOtherJITModel"]
    assert told["info"]["modelKey"] == NOVA


async def test_unload() -> None:
    """UnloadModel answers without a result and the instance is gone."""
    async with lab(loaded=[NOVA]) as (_, ask), ask.socket("llm") as socket:
        assert await socket.call("unloadModel", {"identifier": NOVA}) == {"type": "rpcResult", "callId": 7}
        assert (await socket.call("listLoaded"))["result"] == []


async def test_list_loaded_has_only_what_is_ready() -> None:
    """A model that is still loading is not in listLoaded."""
    model = FakeModel("a/one", hold_load=asyncio.Event())
    async with lab(model) as (server, ask), ask.socket("llm") as socket:
        await socket.open("loadModel", {"modelKey": "a/one", "loadConfigStack": NO_SETTINGS})
        await server.wait_for("load_started")
        async with ask.socket("llm") as other:
            assert (await other.call("listLoaded"))["result"] == []
        assert model.hold_load is not None
        model.hold_load.set()
        await socket.rest()
        assert len((await socket.call("listLoaded"))["result"]) == 1


async def test_predict() -> None:
    """predict: prompt progress, fragments, then success with the stats and the stop reason."""
    model = FakeModel("a/one", reply="one two three", thinking="hm")
    async with lab(model, loaded=["a/one"]) as (server, ask), ask.socket("llm") as socket:
        limit = {"checked": True, "value": 3}
        await socket.open("predict", prediction("a/one", llm__prediction__maxPredictedTokens=limit))
        *messages, success, closed = await socket.rest()
        assert server.bodies[0]["modelSpecifier"] == query("a/one")
    progress = [m["progress"] for m in messages if m["type"] == "promptProcessingProgress"]
    fragments = [m["fragment"] for m in messages if m["type"] == "fragment"]
    assert (progress[0], progress[-1]) == (0.0, 1.0)
    assert [(f["content"], f["reasoningType"]) for f in fragments] == [
        ("<think>", "reasoningStartTag"),
        ("hm", "reasoning"),
        ("</think>", "reasoningEndTag"),
        ("one", "none"),
        (" two", "none"),
    ]
    assert success["type"] == "success"
    assert success["stats"]["stopReason"] == "maxPredictedTokensReached"
    assert success["stats"]["predictedTokensCount"] == 3
    assert success["modelInfo"]["identifier"] == "a/one"
    assert closed["type"] == "channelClose"


async def test_cancelling_a_prediction() -> None:
    """A cancelled prediction still succeeds, with what was said and userStopped."""
    model = FakeModel("a/one", reply="one two", hold_reply=asyncio.Event())
    async with lab(model, loaded=["a/one"]) as (server, ask), ask.socket("llm") as socket:
        await socket.open("predict", prediction("a/one"))
        while (await socket.receive())["message"]["type"] != "fragment":
            pass
        await socket.send(type="channelSend", channelId=1, message={"type": "cancel"})
        success, closed = await socket.rest()
        assert server.count("generation_stopped") == 1
    assert success["stats"]["stopReason"] == "userStopped"
    assert closed["type"] == "channelClose"


async def test_cancelling_in_prefill() -> None:
    """A prediction cancelled in its prefill ends when the prefill is over, with nothing said."""
    model = FakeModel("a/one", hold_prefill=asyncio.Event())
    async with lab(model, loaded=["a/one"]) as (server, ask), ask.socket("llm") as socket:
        await socket.open("predict", prediction("a/one"))
        await server.wait_for("generation_started")
        await socket.send(type="channelSend", channelId=1, message={"type": "cancel"}, ackId=1)
        while (await socket.receive())["type"] != "channelAck":
            pass
        assert server.count("generation_stopped") == 0
        assert model.hold_prefill is not None
        model.hold_prefill.set()
        *_, success, _closed = await socket.rest()
    assert success["stats"]["stopReason"] == "userStopped"
    assert success["stats"]["predictedTokensCount"] == 0


async def test_processing_state() -> None:
    """The state of an instance shows what it does and how many wait, the current one included."""
    model = FakeModel("a/one", parallel=1, hold_prefill=asyncio.Event(), hold_reply=asyncio.Event())
    asked = {"specifier": query("a/one"), "throwIfNotFound": True}
    async with lab(model, loaded=["a/one"]) as (server, ask), ask.socket("llm") as socket:
        idle = (await socket.call("getInstanceProcessingState", asked))["result"]
        asking = [asyncio.create_task(ask.complete("a/one")) for _ in range(2)]
        await server.wait_for("generation_queued")
        prefill = (await socket.call("getInstanceProcessingState", asked))["result"]
        assert model.hold_prefill is not None
        assert model.hold_reply is not None
        model.hold_prefill.set()
        model.hold_reply.set()
        await asyncio.gather(*asking)
    assert idle == {"status": "idle", "queued": 0}
    assert prefill == {"status": "processingPrompt", "queued": 2}


async def test_model_unloaded_in_mid_prediction() -> None:
    """A prediction whose model is unloaded ends in a channelError with its code."""
    model = FakeModel("a/one", hold_reply=asyncio.Event())
    async with lab(model, loaded=["a/one"]) as (server, ask), ask.socket("llm") as socket:
        await socket.open("predict", prediction("a/one"))
        await server.wait_for("generation_started")
        async with ask.socket("llm") as other:
            await other.call("unloadModel", {"identifier": "a/one"})
        error = (await socket.rest())[-1]["error"]
    assert error["title"] == "Model is unloaded."
    assert error["displayData"] == {"code": "generic.specificModelUnloaded"}
