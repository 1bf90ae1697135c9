"""Loading just in time, the model a name resolves to, idle time and eviction."""

import asyncio

import pytest

from tests.fakes.asking import EMBED, MINI, NOVA, content, lab
from tests.fakes.lmstudio.clock import ManualClock
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NO_MODELS = "No models loaded. Please load a model in the developer page or use the 'lms load' command."


async def test_rule_1_a_loaded_instance_answers() -> None:
    """A key, a variant or an instance id that is loaded is answered by that instance."""
    async with lab(loaded=[NOVA, NOVA, MINI]) as (server, ask):
        for name in (NOVA, f"{NOVA}:2", f"{NOVA}@q4_k_m", NOVA.upper()):
            answer = await ask.complete(name)
            assert answer.body["model"] == (name if name.endswith(":2") else NOVA)
        assert server.count("load_started") == 0


async def test_rule_1_other_identifiers_are_reported() -> None:
    """An instance loaded under another identifier answers to its key, and says its identifier."""
    async with lab() as (server, ask):
        server.preload(NOVA, identifier="mine")
        assert (await ask.complete(NOVA)).body["model"] == "mine"
        assert (await ask.complete("mine")).body["model"] == "mine"


async def test_rule_2_jit_loads_what_is_downloaded() -> None:
    """A downloaded model that is not loaded is loaded, then answers."""
    async with lab() as (server, ask):
        answer = await ask.complete(NOVA)
        kinds = [record.kind for record in server.log]
        assert server.count("load_started", model=NOVA, detail="jit") == 1
    assert answer.body["model"] == NOVA
    assert kinds == ["request", "load_started", "load_finished", "generation_started", "generation_finished"]


async def test_rule_3_the_only_loaded_model_answers_to_any_name() -> None:
    """With exactly one chat model loaded an unknown name gets its answer, with 200."""
    async with lab(loaded=[NOVA, EMBED]) as (server, ask):
        answer = await ask.complete("acme/unknown")
        server.switches.wrong_model_answers = False
        refused = await ask.complete("acme/unknown")
    assert (answer.status, answer.body["model"]) == (200, NOVA)
    assert refused.status == 400


async def test_rule_4_two_loaded_models_refuse_unknown_names() -> None:
    """With two loaded an unknown name is a 400 that lists the models."""
    async with lab(loaded=[NOVA, MINI]) as (_, ask):
        answer = await ask.complete("acme/unknown")
    assert answer.status == 400
    message = (
        'Invalid model identifier "acme/unknown". Please specify a valid downloaded model '
        f"(e.g., {NOVA}, {MINI}, {EMBED})."
    )
    expected = {
        "message": message,
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }
    assert answer.body == {"error": expected}


async def test_rule_5_no_model_and_no_jit() -> None:
    """With JIT off and nothing loaded even a downloaded model is a 400."""
    async with lab(switches=Switches(jit=False)) as (_, ask):
        answer = await ask.complete(NOVA)
        native = await ask.chat(NOVA)
    assert answer.status == native.status == 400
    expected = {"message": NO_MODELS, "type": "invalid_request_error", "param": "model", "code": None}
    assert answer.body == {"error": expected}


async def test_switch_jit_changes_the_lists() -> None:
    """With JIT off v0 and /v1 list what is loaded; v1 still lists the whole catalogue."""
    async with lab(switches=Switches(jit=False), loaded=[MINI]) as (server, ask):
        assert await ask.states() == {MINI: "loaded"}
        assert [m["id"] for m in (await ask.get("/v1/models")).body["data"]] == [MINI]
        assert len((await ask.get("/api/v1/models")).body["models"]) == 3
        server.switches.jit = True
        assert await ask.states() == {NOVA: "not-loaded", MINI: "loaded", EMBED: "not-loaded"}
        assert len((await ask.get("/v1/models")).body["data"]) == 3


async def test_native_chat_is_stricter() -> None:
    """Native chat answers 404 to an unknown name even when exactly one model is loaded."""
    async with lab(loaded=[NOVA]) as (_, ask):
        answer = await ask.chat("acme/unknown")
    assert answer.status == 404
    assert answer.body["error"]["type"] == "invalid_request"
    assert answer.body["error"]["code"] == "model_not_found"
    assert answer.body["error"]["param"] == "model"


@pytest.mark.parametrize(
    ("switches", "instances"), [(Switches(), [NOVA]), (Switches(jit_race=True), [NOVA, f"{NOVA}:2"])]
)
async def test_switch_jit_race(switches: Switches, instances: list[str]) -> None:
    """Two first requests at once share a load, or, with the race on, make two copies that stay."""
    model = FakeModel(NOVA, hold_load=asyncio.Event())
    async with lab(model, switches=switches) as (server, ask):
        both = [asyncio.create_task(ask.complete(NOVA)) for _ in range(2)]
        await server.wait_for("request", 2)
        await server.wait_for("load_started", len(instances))
        assert model.hold_load is not None
        model.hold_load.set()
        assert [(await one).status for one in both] == [200, 200]
        assert await ask.listed() == instances
        assert server.count("load_started") == len(instances)


async def test_jit_load_failure() -> None:
    """A JIT load that fails is a 400 object unstreamed, and an error event with 200 streamed."""
    async with lab(FakeModel("a/one", load_error="boom")) as (_, ask):
        plain = await ask.complete("a/one")
        streamed = await ask.complete("a/one", stream=True)
    text = 'Failed to load model "a/one". Error: boom'
    assert (plain.status, plain.body) == (400, {"error": {"message": text}})
    assert streamed.status == 200
    assert streamed.events == [("error", {"error": {"message": text}, "message": text})]


async def test_idle_jit_models_go() -> None:
    """A JIT model is unloaded when its time is up, counted from its last request."""
    clock = ManualClock()
    async with lab(clock=clock) as (server, ask):
        await ask.complete(NOVA)
        clock.advance(3000)
        await ask.complete(NOVA)
        clock.advance(3599)
        assert await ask.listed() == [NOVA]
        clock.advance(1)
        assert await ask.listed() == []
        assert server.count("evicted", instance=NOVA) == 1


async def test_idle_time_stands_still_during_a_request() -> None:
    """While a generation runs its model is not idle, however long it takes."""
    clock = ManualClock()
    model = FakeModel("a/one", hold_reply=asyncio.Event())
    async with lab(model, clock=clock) as (server, ask):
        asking = asyncio.create_task(ask.complete("a/one"))
        await server.wait_for("generation_started")
        clock.advance(10_000)
        assert model.hold_reply is not None
        model.hold_reply.set()
        assert (await asking).status == 200
        assert await ask.listed() == ["a/one"]
        clock.advance(3600)
        assert await ask.listed() == []


@pytest.mark.parametrize(("ttl", "seconds"), [(60, 60), ("abc", 3600), (-5, 3600)])
async def test_ttl_of_a_request(ttl: object, seconds: float) -> None:
    """The ttl of the request that loads counts; a senseless one silently means the default."""
    async with lab(clock=ManualClock()) as (server, ask):
        await ask.complete(NOVA, ttl=ttl)
        await ask.complete(NOVA, ttl=5)
        assert server.instances()[0].ttl == seconds


async def test_switch_jit_ttl() -> None:
    """The default time to live of JIT loads can be set."""
    clock = ManualClock()
    async with lab(clock=clock, switches=Switches(jit_ttl_seconds=10)) as (_, ask):
        await ask.chat(NOVA)
        clock.advance(10)
        assert await ask.listed() == []


async def test_real_time_runs_out_too() -> None:
    """With the real clock an idle model goes by itself."""
    async with lab(switches=Switches(jit_ttl_seconds=0.02)) as (server, ask):
        await ask.chat(NOVA)
        await server.wait_for("evicted")


async def test_explicit_loads_have_no_time_to_live() -> None:
    """A model loaded by REST stays, however long it is idle."""
    clock = ManualClock()
    async with lab(clock=clock) as (_, ask):
        await ask.load(NOVA)
        clock.advance(1_000_000)
        assert await ask.listed() == [NOVA]


async def test_auto_evict_keeps_one_jit_model() -> None:
    """A second JIT load evicts the first; an explicitly loaded model stays."""
    models = [FakeModel("a/one"), FakeModel("a/two"), FakeModel("a/three")]
    async with lab(*models) as (server, ask):
        await ask.load("a/one")
        await ask.complete("a/two")
        await ask.complete("a/three")
        assert await ask.listed() == ["a/one", "a/three"]
        assert server.count("evicted", instance="a/two") == 1


async def test_switch_auto_evict() -> None:
    """With auto-evict off JIT models gather."""
    async with lab(switches=Switches(auto_evict=False)) as (_, ask):
        await ask.complete(NOVA)
        await ask.complete(MINI)
        assert await ask.listed() == [NOVA, MINI]


async def test_eviction_waits_for_a_running_generation() -> None:
    """By default the newcomer's load waits until the model it replaces is idle."""
    busy = FakeModel("a/one", hold_reply=asyncio.Event())
    async with lab(busy, FakeModel("a/two")) as (server, ask):
        first = asyncio.create_task(ask.complete("a/one"))
        await server.wait_for("generation_started")
        second = asyncio.create_task(ask.complete("a/two"))
        await server.wait_for("load_started", model="a/two")
        assert server.count("evicted") == 0
        assert busy.hold_reply is not None
        busy.hold_reply.set()
        assert (await first).status == (await second).status == 200
        assert server.count("evicted", instance="a/one") == 1


async def test_switch_evict_busy() -> None:
    """With the switch on, eviction kills a running generation."""
    busy = FakeModel("a/one", hold_reply=asyncio.Event())
    async with lab(busy, FakeModel("a/two"), switches=Switches(evict_busy=True)) as (server, ask):
        first = asyncio.create_task(ask.complete("a/one", stream=True))
        await server.wait_for("generation_started")
        assert (await ask.complete("a/two")).status == 200
        name, data = (await first).events[-1]
        assert (name, data["message"]) == ("error", "Model is unloaded.")


async def test_switch_guardrail_counts_evicted() -> None:
    """The guardrail may count the model about to be replaced, and refuse what would fit."""
    switches = Switches(memory_bytes=6_000_000_000)
    models = [FakeModel("a/one"), FakeModel("a/two")]
    async with lab(*models, switches=switches) as (server, ask):
        await ask.complete("a/one")
        assert (await ask.complete("a/two")).status == 200
        server.switches.guardrail_counts_evicted = True
        refused = await ask.complete("a/one")
        assert "insufficient system resources" in refused.body["error"]["message"]
        assert await ask.listed() == ["a/two"]


async def test_explicit_model_can_starve_a_jit_load() -> None:
    """Auto-evict does not touch an explicit load, so the JIT load fails for want of memory."""
    switches = Switches(memory_bytes=6_000_000_000)
    async with lab(FakeModel("a/one"), FakeModel("a/two"), switches=switches, loaded=["a/one"]) as (_, ask):
        answer = await ask.complete("a/two")
    assert answer.status == 400
    assert "insufficient system resources" in answer.body["error"]["message"]


async def test_client_that_leaves_does_not_stop_a_jit_load() -> None:
    """A JIT load goes on although the request that began it is gone."""
    model = FakeModel("a/one", hold_load=asyncio.Event())
    async with lab(model) as (server, ask):
        asking = asyncio.create_task(ask.complete("a/one"))
        await server.wait_for("load_started")
        asking.cancel()
        assert model.hold_load is not None
        model.hold_load.set()
        await server.wait_for("load_finished")
        assert content(await ask.complete("a/one")).endswith("You said: hello")
        assert server.count("load_started") == 1


async def test_two_jit_models_at_once_take_turns() -> None:
    """Two models asked for at the same time are both answered; the later one replaces the earlier."""
    one = FakeModel("a/one", hold_load=asyncio.Event())
    async with lab(one, FakeModel("a/two")) as (server, ask):
        first = asyncio.create_task(ask.complete("a/one"))
        await server.wait_for("load_started", model="a/one")
        second = asyncio.create_task(ask.complete("a/two"))
        await server.wait_for("load_started", model="a/two")
        assert await ask.states() == {"a/one": "loading", "a/two": "loading"}
        assert one.hold_load is not None
        one.hold_load.set()
        assert (await first).status == (await second).status == 200
        assert await ask.listed() == ["a/two"]


def test_preloading_what_is_not_there() -> None:
    """Having an unknown model in memory is a mistake of the test, told at once."""
    with pytest.raises(KeyError):
        FakeLMStudio().preload("acme/none")
