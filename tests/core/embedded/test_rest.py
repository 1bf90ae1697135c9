"""The REST face: who may come in, what the lists say, load, unload and how each fails."""

import asyncio
import io
import json

import aiohttp
import pytest

from core.embedded import DEMO_KEY, SCRIPTED_KEY
from tests.core.embedded.clients import Client, ask, scripted
from tests.core.embedded.ggufs import LLAMA, gguf, put

ROUTES = [
    ("GET", "/api/v1/models"),
    ("POST", "/api/v1/models/load"),
    ("POST", "/api/v1/models/unload"),
    ("POST", "/api/v1/chat"),
    ("GET", "/api/v0/models"),
    ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"),
    ("GET", "/nowhere"),
]


async def test_greets_everybody(bare: Client) -> None:
    """The vendor's own probe is answered without a token."""
    async with (
        aiohttp.ClientSession(bare.engine.url) as stranger,
        stranger.get("/lmstudio-greeting") as response,
    ):
        assert (response.status, await response.json()) == (200, {"lmstudio": True})


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("header", [None, "Bearer sk-lm-aaaaaaaa:bbbbbbbbbbbbbbbbbbbb", "Basic abc", "ção"])
async def test_strangers_stay_outside(bare: Client, method: str, path: str, header: str | None) -> None:
    """No token or a wrong one is a 401 on every route."""
    headers = {"Authorization": header} if header else {}
    async with (
        aiohttp.ClientSession(bare.engine.url, headers=headers) as stranger,
        stranger.request(method, path, json={}) as response,
    ):
        assert response.status == 401
        error = (await response.json())["error"]
        assert (error["type"], error["code"]) == ("invalid_request", "invalid_api_key")


async def test_unknown_routes_answer_like_lm_studio(bare: Client) -> None:
    """A path or method that is not there is a 200 with a bare string."""
    assert await bare.get("/api/v1/status") == {
        "error": "Unexpected endpoint or method. (GET /api/v1/status)"
    }
    assert await bare.get("/api/v1/chat") == {"error": "Unexpected endpoint or method. (GET /api/v1/chat)"}


async def test_v1_list_has_the_whole_catalogue(bare: Client) -> None:
    """Size, quantisation, parameters, context and abilities are what the header says."""
    put(bare.folder / "acme" / "Nova-GGUF" / "Nova-8B.gguf", gguf(LLAMA))
    models = (await bare.get("/api/v1/models"))["models"]
    assert [m["key"] for m in models] == [DEMO_KEY, "acme/nova-8b", SCRIPTED_KEY]
    nova = models[1]
    assert nova["quantization"] == {"name": "Q4_K_M", "bits_per_weight": 4}
    assert (nova["params_string"], nova["max_context_length"], nova["format"]) == ("8B", 32768, "gguf")
    assert nova["capabilities"] == {"vision": False, "trained_for_tool_use": False}
    assert nova["loaded_instances"] == []


async def test_lists_agree_when_loaded(bare: Client) -> None:
    """An instance shows in v1, its state and context in v0, its key in /v1."""
    await bare.load(SCRIPTED_KEY)
    v1 = next(m for m in (await bare.get("/api/v1/models"))["models"] if m["key"] == SCRIPTED_KEY)
    v0 = await bare.get(f"/api/v0/models/{SCRIPTED_KEY}")
    [instance] = v1["loaded_instances"]
    assert instance["id"] == SCRIPTED_KEY
    assert instance["config"]["context_length"] == v0["loaded_context_length"]
    assert v0["state"] == "loaded"
    assert SCRIPTED_KEY in [m["id"] for m in (await bare.get("/v1/models"))["data"]]


async def test_v0_knows_what_is_loading(bare: Client) -> None:
    """The state goes from not-loaded over loading to loaded."""
    assert await bare.state(SCRIPTED_KEY) == "not-loaded"
    load = asyncio.create_task(bare.post("/api/v1/models/load", {"model": SCRIPTED_KEY}))
    async with asyncio.timeout(20):
        while await bare.state(SCRIPTED_KEY) == "not-loaded":
            pass
    assert await bare.state(SCRIPTED_KEY) == "loading"
    assert (await load)[0] == 200
    assert await bare.state(SCRIPTED_KEY) == "loaded"


async def test_load_twice_is_one_instance(bare: Client) -> None:
    """Two loads at once and a third later share one instance; capitals do not matter."""
    body = {"model": SCRIPTED_KEY}
    first, second = await asyncio.gather(*(bare.post("/api/v1/models/load", body) for _ in range(2)))
    third = await bare.post("/api/v1/models/load", {"model": "Scripted-ECHO", "echo_load_config": True})
    assert {s for s, _ in (first, second, third)} == {200}
    assert {b["instance_id"] for _, b in (first, second, third)} == {SCRIPTED_KEY}
    assert third[1]["load_config"]["context_length"] > 0


async def test_a_caller_that_leaves_does_not_end_anothers_load(bare: Client) -> None:
    """One of two waiting callers hangs up; the other still gets the model."""
    body = {"model": SCRIPTED_KEY}
    leaver = asyncio.create_task(bare.post("/api/v1/models/load", body))
    stayer = asyncio.create_task(bare.post("/api/v1/models/load", body))
    async with asyncio.timeout(20):
        while await bare.state(SCRIPTED_KEY) != "loading":
            pass
    leaver.cancel()
    assert (await stayer)[0] == 200


async def test_unload(bare: Client) -> None:
    """Unloading takes the instance off the lists; a second time it is not loaded."""
    await bare.load(SCRIPTED_KEY)
    body = {"instance_id": SCRIPTED_KEY}
    assert await bare.post("/api/v1/models/unload", body) == (200, body)
    assert await bare.state(SCRIPTED_KEY) == "not-loaded"
    status, answer = await bare.post("/api/v1/models/unload", body)
    assert (status, answer["error"]["type"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/api/v1/models/load", {"model": "x", "ttl": 5}, "unrecognized_keys"),
        ("/api/v1/models/load", {}, "missing_required_parameter"),
        ("/api/v1/models/load", {"model": 5}, "invalid_value"),
        ("/api/v1/models/load", {"model": SCRIPTED_KEY, "context_length": 0}, "invalid_value"),
        ("/api/v1/models/load", {"model": SCRIPTED_KEY, "context_length": True}, "invalid_value"),
        ("/api/v1/models/unload", {"model": SCRIPTED_KEY}, "unrecognized_keys"),
        ("/api/v1/chat", {"model": SCRIPTED_KEY, "input": "x", "stop": "y"}, "unrecognized_keys"),
        ("/api/v1/chat", {"model": SCRIPTED_KEY, "input": [{"type": "message"}]}, "invalid_union"),
        ("/api/v1/chat", {"model": SCRIPTED_KEY, "input": 7}, "invalid_value"),
        ("/api/v1/chat", {"model": SCRIPTED_KEY, "input": "x", "previous_response_id": "r"}, "invalid_value"),
        ("/api/v1/chat", [], "invalid_value"),
        ("/v1/chat/completions", {"messages": []}, "missing_required_parameter"),
    ],
)
async def test_bodies_are_checked(bare: Client, path: str, body: object, code: str) -> None:
    """What LM Studio refuses with a 400 is refused here in the same shape."""
    status, answer = await bare.post(path, body)
    assert (status, answer["error"]["code"]) == (400, code)


async def test_a_body_that_is_no_json(bare: Client) -> None:
    """Broken JSON is the sender's fault."""
    async with bare.http.post("/api/v1/models/load", data=b"{") as response:
        assert response.status == 400


async def test_unknown_model_is_never_answered_by_another(bare: Client) -> None:
    """Even with one model loaded a wrong name is an error, in each API's own shape."""
    await bare.load(SCRIPTED_KEY)
    status, answer = await bare.post("/v1/chat/completions", ask(model="nix"))
    assert (status, answer["error"]["code"]) == (400, "model_not_found")
    status, answer = await bare.post("/api/v1/chat", {"model": "nix", "input": "oi"})
    assert (status, answer["error"]["code"]) == (404, "model_not_found")
    status, answer = await bare.post("/api/v1/models/load", {"model": "nix"})
    assert (status, answer["error"]["type"]) == (404, "model_not_found")


async def test_the_demo_must_be_fetched_first(bare: Client) -> None:
    """Loading it without its file says so, on every way in."""
    status, answer = await bare.post("/api/v1/models/load", {"model": DEMO_KEY})
    assert (status, answer["error"]["type"]) == (500, "model_load_failed")
    assert "Model file not downloaded" in answer["error"]["message"]
    status, answer = await bare.post("/v1/chat/completions", ask())
    assert status == 400
    assert "Model file not downloaded" in answer["error"]["message"]


async def test_a_damaged_file_says_why(bare: Client) -> None:
    """A broken header is listed, and loading it gives the reason."""
    put(bare.folder / "acme" / "r" / "bad.gguf", b"GGUF?")
    _, answer = await bare.post("/api/v1/models/load", {"model": "acme/bad"})
    assert "Model file damaged: the file ends inside its header" in answer["error"]["message"]


async def test_what_cannot_fit_is_refused_at_once(bare: Client) -> None:
    """A context larger than the machine's memory gets LM Studio's guardrail sentence."""
    put(bare.folder / "acme" / "r" / "nova.gguf")
    body = {"model": "acme/nova", "context_length": 2**50}
    status, answer = await bare.post("/api/v1/models/load", body)
    assert (status, answer["error"]["type"]) == (500, "model_load_failed")
    assert "insufficient system resources" in answer["error"]["message"]


async def test_embedding_models_are_told_apart(bare: Client) -> None:
    """An encoder is listed as one and cannot be chatted with."""
    put(
        bare.folder / "a" / "r" / "e.gguf", gguf({"general.architecture": "bert", "bert.context_length": 512})
    )
    listed = (await bare.get("/api/v1/models"))["models"][1]
    assert listed["type"] == "embedding"
    status, _ = await bare.post("/api/v1/models/load", {"model": "a/e"})
    assert status == 500


async def test_big_questions_are_taken(bare: Client) -> None:
    """A body of several megabytes is read; that it overflows the context is told as such."""
    data = io.BytesIO(json.dumps(scripted("word " * 600_000)).encode())
    headers = {"Content-Type": "application/json"}
    async with bare.http.post("/v1/chat/completions", data=data, headers=headers) as response:
        assert response.status == 400
        assert "number of tokens to keep from the initial prompt" in (await response.json())["error"]
