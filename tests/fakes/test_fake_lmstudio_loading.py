"""Explicit loads: blocking, stacking, failures, memory, and lists that tell half the truth."""

import asyncio
from typing import Any

import pytest

from tests.fakes.asking import EMBED, MINI, NOVA, lab
from tests.fakes.lmstudio.catalog import LOAD_ERRORS
from tests.fakes.lmstudio.server import FakeModel, Switches


async def test_load_answers_when_it_is_ready() -> None:
    """A load answers with the instance, its time, and the settings only if asked."""
    async with lab() as (_, ask):
        plain = (await ask.load(NOVA)).body
        echoed = (await ask.load(MINI, context_length=8192, num_experts=2, echo_load_config=True)).body
    assert plain == {
        "type": "llm",
        "instance_id": NOVA,
        "load_time_seconds": plain["load_time_seconds"],
        "status": "loaded",
    }
    assert echoed["load_config"] == {
        "context_length": 8192,
        "eval_batch_size": 512,
        "flash_attention": True,
        "num_experts": 2,
        "offload_kv_cache_to_gpu": True,
    }


async def test_every_load_is_a_new_instance() -> None:
    """The same key loaded again makes `key:2`, `key:3`; unloading one leaves the others."""
    async with lab() as (server, ask):
        names = [(await ask.load(NOVA)).body["instance_id"] for _ in range(3)]
        gone = await ask.post("/api/v1/models/unload", {"instance_id": NOVA})
        assert await ask.listed() == [f"{NOVA}:2", f"{NOVA}:3"]
        assert server.count("unloaded", instance=NOVA) == 1
    assert names == [NOVA, f"{NOVA}:2", f"{NOVA}:3"]
    assert gone.body == {"instance_id": NOVA}


async def test_load_sends_nothing_before_it_is_done() -> None:
    """While a load runs v1 lists the instance already, v0 says loading, and no header has come."""
    model = FakeModel("a/one", hold_load=asyncio.Event())
    async with lab(model) as (server, ask):
        loading = asyncio.create_task(ask.load("a/one"))
        await server.wait_for("load_started")
        assert await ask.listed() == ["a/one"]
        assert await ask.states() == {"a/one": "loading"}
        assert not loading.done()
        assert model.hold_load is not None
        model.hold_load.set()
        assert (await loading).body["status"] == "loaded"
        assert await ask.states() == {"a/one": "loaded"}


STRICT: list[tuple[dict[str, Any], str, str | None]] = [
    ({"model": NOVA, "ttl": 60}, "unrecognized_keys", None),
    ({"model": NOVA, "stream": True}, "unrecognized_keys", None),
    ({"model": NOVA, "identifier": "x"}, "unrecognized_keys", None),
    ({"context_length": 4096}, "missing_required_parameter", "model"),
    ({"model": NOVA, "context_length": "much"}, "invalid_value", "context_length"),
]


@pytest.mark.parametrize(("body", "code", "param"), STRICT)
async def test_load_bodies_are_strict(body: dict[str, Any], code: str, param: str | None) -> None:
    """Unknown keys, missing keys and wrong types are 400 with their code, and nothing is loaded."""
    async with lab() as (server, ask):
        answer = await ask.post("/api/v1/models/load", body)
        assert server.count("load_started") == 0
    assert answer.status == 400
    assert answer.body["error"]["type"] == "invalid_request"
    assert answer.body["error"]["code"] == code
    assert answer.body["error"].get("param") == param


async def test_unrecognized_key_is_named() -> None:
    """The message of an unknown key is the measured one, to the letter."""
    async with lab() as (_, ask):
        answer = await ask.load(NOVA, ttl=60)
    assert answer.body["error"]["message"] == "Unrecognized key(s) in object: 'ttl'"


async def test_switch_strict_bodies() -> None:
    """With strictness off, unknown keys pass."""
    async with lab(switches=Switches(strict_bodies=False)) as (_, ask):
        assert (await ask.load(NOVA, ttl=60)).status == 200


async def test_switch_unknown_load_keys() -> None:
    """A build that does not know a key yet refuses it by name, and loads without it."""
    async with lab(switches=Switches(unknown_load_keys=("context_length",))) as (server, ask):
        refused = await ask.load(NOVA, context_length=8192)
        assert server.count("load_started") == 0
        assert (await ask.load(NOVA)).status == 200
    assert refused.body["error"]["code"] == "unrecognized_keys"


async def test_load_takes_keys_only() -> None:
    """A key is found whatever its case; `key@quant` and unknown keys are 404."""
    async with lab() as (_, ask):
        assert (await ask.load(NOVA.upper())).body["instance_id"] == NOVA
        for name in (f"{NOVA}@q4_k_m", "acme/none"):
            answer = await ask.load(name)
            assert answer.status == 404
            assert answer.body["error"]["type"] == "model_not_found"
            assert answer.body["error"]["message"] == f"Model {name} not found in downloaded models"


async def test_unload_takes_exact_instance_ids() -> None:
    """Instance ids are case-sensitive; the key `model` is refused; what is not loaded is 404."""
    async with lab(loaded=[NOVA]) as (_, ask):
        upper = await ask.post("/api/v1/models/unload", {"instance_id": NOVA.upper()})
        model = await ask.post("/api/v1/models/unload", {"model": NOVA})
    assert upper.status == 404
    assert upper.body["error"]["message"] == f"Model with instance identifier '{NOVA.upper()}' is not loaded."
    assert model.status == 400


async def test_context_above_the_maximum_is_not_clamped() -> None:
    """GGUF gets the context it asks for, even beyond its maximum."""
    async with lab() as (server, ask):
        assert (await ask.load(MINI, context_length=999_999)).status == 200
        assert server.instances()[0].config.context_length == 999_999


@pytest.mark.parametrize("fitted", [4096, 65536])
async def test_mlx_context_is_what_fits(fitted: int) -> None:
    """An MLX load succeeds with another context than asked, up or down; the echo shows the request."""
    async with lab(FakeModel("m/x", format="mlx", fitted_context=fitted)) as (server, ask):
        echo = await ask.load("m/x", context_length=16384, echo_load_config=True)
        models = (await ask.get("/api/v1/models")).body["models"]
        v0 = (await ask.get("/api/v0/models/m/x")).body
        server.switches.echo_fitted_context = True
        honest = await ask.load("m/x", context_length=16384, echo_load_config=True)
    assert echo.body["load_config"] == {"context_length": 16384}
    assert honest.body["load_config"] == {"context_length": fitted}
    config = {"context_length": fitted, "parallel": 4, "reasoning_budget_message": ""}
    assert models[0]["loaded_instances"] == [{"id": "m/x", "config": config}]
    assert v0["loaded_context_length"] == fitted


@pytest.mark.parametrize("number", sorted(LOAD_ERRORS))
async def test_load_error_is_a_500(number: str) -> None:
    """A load that fails is 500 model_load_failed with its text, and leaves no instance."""
    async with lab(FakeModel("a/one", load_error=LOAD_ERRORS[number])) as (server, ask):
        answer = await ask.load("a/one")
        assert await ask.listed() == []
        assert server.log[-2].kind == "load_failed"
        assert server.log[-2].detail == LOAD_ERRORS[number]
    assert answer.status == 500
    message = f"Failed to load LLM 'a/one': Error: {LOAD_ERRORS[number]}"
    assert answer.body == {"error": {"message": message, "type": "model_load_failed"}}


async def test_load_error_times() -> None:
    """A load can fail so many times and then succeed."""
    async with lab(FakeModel("a/one", load_error=LOAD_ERRORS["E7"], load_error_times=2)) as (_, ask):
        assert [(await ask.load("a/one")).status for _ in range(3)] == [500, 500, 200]


async def test_switch_load_failure_status() -> None:
    """Some notes have load failures as 200 with the error in the body."""
    switches = Switches(load_failure_status=200)
    async with lab(FakeModel("a/one", load_error="boom"), switches=switches) as (_, ask):
        answer = await ask.load("a/one")
    assert answer.status == 200
    assert answer.body["error"]["type"] == "model_load_failed"


async def test_switch_memory_bytes() -> None:
    """The guardrail refuses, at once and with E1's text, a load that would exceed the memory."""
    models = [FakeModel("a/big", size_bytes=6_000_000_000), FakeModel("a/wide", size_bytes=5_000_000_000)]
    async with lab(*models, switches=Switches(memory_bytes=10_000_000_000)) as (server, ask):
        assert (await ask.load("a/big")).status == 200
        refused = await ask.load("a/wide")
        assert await ask.listed() == ["a/big"]
        server.switches.memory_bytes = 11_000_000_000
        assert (await ask.load("a/wide")).status == 200
    assert refused.status == 500
    assert "insufficient system resources" in refused.body["error"]["message"]
    assert "approximately 5.00 GB of memory" in refused.body["error"]["message"]


async def test_memory_counts_copies_and_context() -> None:
    """A second instance of the same key, and a larger context, need memory of their own."""
    model = FakeModel("a/one", size_bytes=1000, context_length=10, context_bytes_per_token=1)
    async with lab(model, switches=Switches(memory_bytes=2015)) as (_, ask):
        assert (await ask.load("a/one")).status == 200
        assert (await ask.load("a/one")).status == 500
        assert (await ask.load("a/one", context_length=5)).status == 200


async def test_load_goes_on_when_the_client_leaves() -> None:
    """A client that disconnects during a load does not stop it."""
    model = FakeModel("a/one", hold_load=asyncio.Event())
    async with lab(model) as (server, ask):
        loading = asyncio.create_task(ask.load("a/one"))
        await server.wait_for("load_started")
        loading.cancel()
        assert model.hold_load is not None
        model.hold_load.set()
        await server.wait_for("load_finished")
        assert await ask.states() == {"a/one": "loaded"}


async def test_switch_disconnect_aborts_load() -> None:
    """With the switch on, a client that leaves takes its load along."""
    model = FakeModel("a/one", hold_load=asyncio.Event())
    async with lab(model, switches=Switches(disconnect_aborts_load=True)) as (server, ask):
        loading = asyncio.create_task(ask.load("a/one"))
        await server.wait_for("load_started")
        loading.cancel()
        await server.wait_for("load_cancelled")
        assert await ask.listed() == []


async def test_unloading_what_is_loading_cancels_it() -> None:
    """An unload of an instance that is still loading ends that load as a failure."""
    model = FakeModel("a/one", hold_load=asyncio.Event())
    async with lab(model) as (server, ask):
        loading = asyncio.create_task(ask.load("a/one"))
        await server.wait_for("load_started")
        await ask.post("/api/v1/models/unload", {"instance_id": "a/one"})
        assert (await loading).body["error"]["message"].endswith("Operation canceled.")
        assert server.count("load_cancelled") == 1


@pytest.mark.parametrize(
    ("how", "while_loading", "afterwards"),
    [("at_start", ["a/one"], ["a/one"]), ("when_ready", [], ["a/one"]), ("empty", [], [])],
)
async def test_switch_v1_list(how: Any, while_loading: list[str], afterwards: list[str]) -> None:
    """The v1 list shows an instance from the start of its load, when ready, or never."""
    model = FakeModel("a/one", hold_load=asyncio.Event())
    async with lab(model, switches=Switches(v1_list=how)) as (server, ask):
        loading = asyncio.create_task(ask.load("a/one"))
        await server.wait_for("load_started")
        assert await ask.listed() == while_loading
        assert model.hold_load is not None
        model.hold_load.set()
        await loading
        assert await ask.listed() == afterwards


@pytest.mark.parametrize(
    ("how", "state"), [("true", "loaded"), ("stuck_loading", "loading"), ("not_loaded", "not-loaded")]
)
async def test_switch_v0_state(how: Any, state: str) -> None:
    """The state v0 shows of a loaded model can contradict v1."""
    async with lab(FakeModel("a/one"), switches=Switches(v0_state=how), loaded=["a/one"]) as (_, ask):
        assert await ask.states() == {"a/one": state}
        assert await ask.listed() == ["a/one"]


async def test_switch_v0_lag() -> None:
    """For a while after the load v0 goes on saying loading."""
    async with lab(FakeModel("a/one"), switches=Switches(v0_lag_seconds=60)) as (server, ask):
        await ask.load("a/one")
        assert await ask.states() == {"a/one": "loading"}
        server.switches.v0_lag_seconds = 0
        assert await ask.states() == {"a/one": "loaded"}


async def test_switch_v0_html_500_at_load() -> None:
    """The first v0 question after a load began is a 500 in HTML; the next is answered."""
    async with lab(switches=Switches(v0_html_500_at_load=True)) as (_, ask):
        assert (await ask.get("/api/v0/models")).status == 200
        await ask.load(NOVA)
        odd = await ask.get("/api/v0/models")
        assert (await ask.get("/api/v0/models")).status == 200
    assert odd.status == 500
    assert odd.headers["Content-Type"].startswith("text/html")
    assert odd.text.startswith("<!DOCTYPE html>")


async def test_v1_list_has_the_documented_shape() -> None:
    """Every field of the catalogue is there for an LLM, and the fewer ones of an embedding model."""
    reasoning = FakeModel("a/one", reasoning=("off", "on", "xhigh"), vision=True, extra={"novelty": 1})
    embedding = FakeModel("a/vec", type="embedding", params=None)
    async with lab(reasoning, embedding, loaded=["a/one", "a/vec"]) as (_, ask):
        llm, vec = (await ask.get("/api/v1/models")).body["models"]
        state, _ = (await ask.get("/api/v0/models")).body["data"]
    assert llm["capabilities"] == {
        "vision": True,
        "trained_for_tool_use": True,
        "reasoning": {"allowed_options": ["off", "on", "xhigh"], "default": "on"},
    }
    assert llm["variants"] == [llm["selected_variant"]] == ["a/one@q4_k_m"]
    assert set(llm["loaded_instances"][0]["config"]) == {
        "context_length",
        "eval_batch_size",
        "parallel",
        "flash_attention",
        "offload_kv_cache_to_gpu",
        "reasoning_budget_message",
    }
    assert llm["novelty"] == 1
    assert set(vec) == set(llm) - {
        "architecture",
        "capabilities",
        "description",
        "variants",
        "selected_variant",
        "novelty",
    }
    assert vec["loaded_instances"] == [{"id": "a/vec", "config": {"context_length": 4096}}]
    assert state["type"] == "vlm"


async def test_v0_finds_one_model_by_either_slash() -> None:
    """`/api/v0/models/{id}` takes a literal slash and %2F; further instances have their own id."""
    async with lab(loaded=[NOVA, NOVA]) as (_, ask):
        literal = (await ask.get(f"/api/v0/models/{NOVA}")).body
        escaped = (await ask.get("/api/v0/models/acme%2Fnova-8b")).body
        second = (await ask.get(f"/api/v0/models/{NOVA}:2")).body
        unknown = await ask.get("/api/v0/models/none")
    assert literal == escaped
    assert second["id"] == f"{NOVA}:2"
    assert unknown.status == 404


async def test_downloads() -> None:
    """What is there is already downloaded; an unknown job is not found."""
    async with lab() as (_, ask):
        there = await ask.post("/api/v1/models/download", {"model": EMBED})
        job = (await ask.post("/api/v1/models/download", {"model": "acme/new"})).body
        status = await ask.get(f"/api/v1/models/download/status/{job['job_id']}")
        unknown = await ask.get("/api/v1/models/download/status/job_x")
    assert there.body == {"status": "already_downloaded"}
    assert status.body["status"] == "downloading"
    assert (unknown.status, unknown.body["error"]["type"]) == (404, "job_not_found")
