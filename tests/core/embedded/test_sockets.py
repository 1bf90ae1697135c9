"""The WebSocket: its first frame, calls, channels, calling off, and what it does not know."""

import asyncio

import aiohttp
import pytest

from core.embedded import SCRIPTED_KEY
from tests.core.embedded.clients import Client, history, query

LOAD = {"modelKey": SCRIPTED_KEY, "loadConfigStack": {"layers": []}}
PREDICT = {
    "modelSpecifier": query(SCRIPTED_KEY),
    "history": history("oi"),
    "predictionConfigStack": {"layers": []},
}


async def test_the_right_token_is_welcome(bare: Client) -> None:
    """The token's halves open every namespace."""
    for namespace in ("llm", "embedding", "system", "files", "repository"):
        async with bare.socket(namespace) as frames:
            assert frames.welcome == {"success": True}


async def test_a_wrong_token_is_told_and_closed(bare: Client) -> None:
    """Wrong halves get `success: false`, and nothing after it."""
    async with bare.socket(token="sk-lm-aaaaaaaa:bbbbbbbbbbbbbbbbbbbb") as frames:
        assert frames.welcome["success"] is False
        assert frames.welcome["error"]
        assert (await frames.socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE


@pytest.mark.parametrize("first", ["nonsense", "[]", '{"authVersion": 1}'])
async def test_a_strange_first_frame_is_closed(bare: Client, first: str) -> None:
    """Who does not say the password stays out."""
    async with bare.http.ws_connect("/llm") as socket:
        await socket.send_str(first)
        message = await socket.receive(timeout=5)
        if message.type is aiohttp.WSMsgType.TEXT:
            assert message.json()["success"] is False
            message = await socket.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.CLOSE


async def test_other_paths_do_not_upgrade(bare: Client) -> None:
    """A namespace that is not there refuses the upgrade."""
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await bare.http.ws_connect("/runtime")


async def test_what_it_does_not_know_is_a_warning(bare: Client) -> None:
    """Unknown calls, channels, frames and bad parameters get a communicationWarning and no error."""
    async with bare.socket() as frames:
        answers = [
            await frames.call("openPodBayDoors"),
            await frames.call("unloadModel", {}),
            await frames.ask(type="channelCreate", endpoint="nix", channelId=1, creationParameter={}),
            await frames.ask(type="channelCreate", endpoint="loadModel", channelId=2, creationParameter={}),
            await frames.ask(type="newspeak"),
        ]
        assert {a["type"] for a in answers} == {"communicationWarning"}
        assert await frames.ask(type="keepAlive") == {"type": "keepAliveAck"}


async def test_load_with_progress(bare: Client) -> None:
    """`loadModel` resolves, rises to 1, and gives the instance; a second one gives the same."""
    async with bare.socket() as frames:
        await frames.open("loadModel", LOAD)
        packets = [p async for p in frames.packets()]
        steps = [p["progress"] for p in packets[1:-1]]
        assert packets[0]["type"] == "resolved"
        assert steps == sorted(set(steps))
        assert steps[-1] == 1
        await frames.open("loadModel", LOAD)
        again = [p async for p in frames.packets()]
    assert packets[-1] == again[-1]
    assert packets[-1]["info"]["identifier"] == SCRIPTED_KEY


async def test_get_or_load(bare: Client) -> None:
    """`getOrLoad` loads once and then says that it is loaded."""
    async with bare.socket() as frames:
        await frames.open("getOrLoad", {"identifier": SCRIPTED_KEY})
        kinds = [p["type"] async for p in frames.packets()]
        await frames.open("getOrLoad", {"identifier": SCRIPTED_KEY})
        assert [p["type"] async for p in frames.packets()] == ["alreadyLoaded"]
    assert (kinds[0], kinds[1], kinds[-1]) == ("startLoading", "loadProgress", "loadSuccess")


async def test_a_load_can_be_called_off(bare: Client) -> None:
    """Cancel ends the load, says so, and leaves nothing behind."""
    async with bare.socket() as frames:
        await frames.open("loadModel", LOAD)
        await frames.next()
        await frames.cancel()
        last = [p async for p in frames.packets()][-1]
    assert last["error"]["title"] == "Operation canceled."
    assert await bare.state(SCRIPTED_KEY) == "not-loaded"


async def test_a_closed_socket_ends_its_load(bare: Client) -> None:
    """Nobody waits any more: the load is given up."""
    async with bare.socket() as frames:
        await frames.open("loadModel", LOAD)
        await frames.next()
    async with asyncio.timeout(20):
        while await bare.state(SCRIPTED_KEY) != "not-loaded":
            pass


async def test_unknown_models_fail_on_the_channel(bare: Client) -> None:
    """A key that is not there is a channelError with LM Studio's code."""
    async with bare.socket() as frames:
        await frames.open("loadModel", LOAD | {"modelKey": "nix"})
        [error] = [p async for p in frames.packets()]
    assert error["error"]["displayData"]["code"] == "generic.pathNotFound"


async def test_predict_gives_fragments_and_stats(bare: Client) -> None:
    """The answer comes in fragments; the last packet says how it went."""
    await bare.load(SCRIPTED_KEY)
    async with bare.socket() as frames:
        await frames.open("predict", PREDICT)
        packets = [p async for p in frames.packets()]
    assert {p["type"] for p in packets[:-1]} == {"fragment"}
    assert packets[-1]["stats"]["stopReason"] == "eosFound"
    assert packets[-1]["stats"]["predictedTokensCount"] == len(packets) - 1


async def test_a_prediction_can_be_called_off(bare: Client) -> None:
    """Cancel ends the answer as `userStopped`."""
    await bare.load(SCRIPTED_KEY)
    async with bare.socket() as frames:
        await frames.open("predict", PREDICT)
        await frames.next()
        await frames.cancel()
        last = [p async for p in frames.packets()][-1]
        state = await frames.call("getInstanceProcessingState", {"specifier": query(SCRIPTED_KEY)})
    assert last["stats"]["stopReason"] == "userStopped"
    assert state["result"] == {"status": "idle", "queued": 0}


async def test_predict_needs_a_loaded_model(bare: Client) -> None:
    """Nothing is loaded behind the caller's back here."""
    async with bare.socket() as frames:
        await frames.open("predict", PREDICT)
        [error] = [p async for p in frames.packets()]
    assert error["error"]["displayData"]["code"] == "generic.noModelMatchingQuery"


async def test_calls_about_a_loaded_model(bare: Client) -> None:
    """Lists, info, settings and estimates agree on the context."""
    instance = await bare.load(SCRIPTED_KEY)
    specifier = {"specifier": {"type": "instanceReference", "instanceReference": instance.reference}}
    async with bare.socket() as frames:
        [listed] = (await frames.call("listLoaded"))["result"]
        info = (await frames.call("getModelInfo", specifier))["result"]
        config = (await frames.call("getLoadConfig", specifier))["result"]
        estimate = (await frames.call("estimateModelUsage", LOAD))["result"]
    assert listed == info
    assert config["fields"] == [{"key": "llm.load.contextLength", "value": info["contextLength"]}]
    assert estimate["passesGuardrails"] is True


async def test_absent_models_are_errors_or_nothing(bare: Client) -> None:
    """`throwIfNotFound` decides between an error and no result; unloading one is an error."""
    async with bare.socket() as frames:
        quiet = await frames.call("getModelInfo", {"specifier": query("nix"), "throwIfNotFound": False})
        loud = await frames.call("getModelInfo", {"specifier": query("nix"), "throwIfNotFound": True})
        gone = await frames.call("unloadModel", {"identifier": "nix"})
    assert (quiet["type"], loud["type"], gone["type"]) == ("rpcResult", "rpcError", "rpcError")
    assert gone["error"]["displayData"]["code"] == "generic.identifierNotFound"


async def test_system_calls(bare: Client) -> None:
    """The catalogue and a version that claims to be nothing else."""
    async with bare.socket("system") as frames:
        listed = (await frames.call("listDownloadedModels"))["result"]
        version = (await frames.call("version"))["result"]
        info = (await frames.call("info"))["result"]
    assert SCRIPTED_KEY in [m["modelKey"] for m in listed]
    assert version["version"] == info["version"] == "0.0.0"
