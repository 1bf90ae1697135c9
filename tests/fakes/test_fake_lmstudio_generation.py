"""Predictions side by side: slots and the queue, clients that leave, crashes, a shared context."""

import asyncio
from typing import Any

import pytest

from tests.fakes.asking import HELLO, Ask, Json, lab
from tests.fakes.lmstudio.catalog import CRASHED
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches


def _held(**more: Any) -> FakeModel:
    return FakeModel("a/one", reply="one two three", hold_reply=asyncio.Event(), **more)


def _release(server: FakeLMStudio) -> None:
    gate = server.model("a/one").hold_reply
    assert gate is not None
    gate.set()


def _asking(ask: Ask, count: int, **more: Any) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(ask.complete("a/one", **more)) for _ in range(count)]


async def test_four_at_a_time_then_a_queue() -> None:
    """Four predictions run at once; the fifth and sixth wait, without a sign, and are answered later."""
    async with lab(_held(), loaded=["a/one"]) as (server, ask):
        asking = _asking(ask, 6)
        await server.wait_for("generation_queued", 2)
        assert server.count("generation_started") == 4
        assert not any(task.done() for task in asking)
        _release(server)
        assert [(await task).status for task in asking] == [200] * 6


async def test_parallel_of_a_model() -> None:
    """The number of slots is the model's, and shown in the v1 list."""
    async with lab(_held(parallel=1), loaded=["a/one"]) as (server, ask):
        asking = _asking(ask, 2)
        await server.wait_for("generation_queued")
        assert server.count("generation_started") == 1
        config = (await ask.get("/api/v1/models")).body["models"][0]["loaded_instances"][0]["config"]
        assert config["parallel"] == 1
        _release(server)
        await asyncio.gather(*asking)


async def test_closing_the_connection_stops_the_generation() -> None:
    """A client that leaves in mid-stream stops its generation and frees the slot."""
    async with lab(_held(parallel=1), loaded=["a/one"]) as (server, ask):
        body = {"model": "a/one", "messages": HELLO, "stream": True}
        async with ask.session.post(server.url + "/v1/chat/completions", json=body) as answer:
            await answer.content.readuntil(b"one")
        await server.wait_for("generation_stopped")
        _release(server)
        assert (await ask.complete("a/one")).status == 200
        assert server.count("generation_finished") == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": HELLO}),
        ("/api/v0/chat/completions", {"messages": HELLO}),
        ("/api/v1/chat", {"input": "hello"}),
        ("/api/v1/chat", {"input": "hello", "stream": True}),
    ],
)
async def test_closing_stops_every_kind_of_chat(path: str, body: Json) -> None:
    """A client that leaves stops its generation on every API, streamed or not."""
    async with lab(_held(), loaded=["a/one"]) as (server, ask):
        leaving = asyncio.create_task(ask.post(path, {"model": "a/one", **body}))
        await server.wait_for("generation_started")
        leaving.cancel()
        await server.wait_for("generation_stopped")
        assert server.instances()[0].status == "idle"


async def test_prefill_runs_to_its_end_first() -> None:
    """A client that leaves during prefill leaves a busy slot until the prefill is over."""
    model = FakeModel("a/one", parallel=1, hold_prefill=asyncio.Event())
    async with lab(model, loaded=["a/one"]) as (server, ask):
        leaving = asyncio.create_task(ask.complete("a/one"))
        await server.wait_for("generation_started")
        leaving.cancel()
        asking = asyncio.create_task(ask.complete("a/one"))
        await server.wait_for("generation_queued")
        assert server.count("generation_stopped") == 0
        assert model.hold_prefill is not None
        model.hold_prefill.set()
        assert (await asking).status == 200
        kinds = [r.kind for r in server.log if r.kind.startswith("generation")]
        assert kinds[2:] == ["generation_stopped", "generation_started", "generation_finished"]


async def test_nothing_is_sent_during_prefill() -> None:
    """A /v1 stream is open but silent until the prefill ends."""
    model = FakeModel("a/one", hold_prefill=asyncio.Event())
    async with lab(model, loaded=["a/one"]) as (server, ask):
        body = {"model": "a/one", "messages": HELLO, "stream": True}
        async with ask.session.post(server.url + "/v1/chat/completions", json=body) as answer:
            assert answer.status == 200
            await server.wait_for("generation_started")
            assert answer.content.total_bytes == 0
            assert model.hold_prefill is not None
            model.hold_prefill.set()
            assert (await answer.content.read()).endswith(b"data: [DONE]\n\n")


async def test_leaving_the_queue() -> None:
    """A client that leaves while queued is never started."""
    async with lab(_held(parallel=1), loaded=["a/one"]) as (server, ask):
        first, second = _asking(ask, 2)
        await server.wait_for("generation_queued")
        second.cancel()
        await server.wait_for("generation_stopped")
        _release(server)
        assert (await first).status == 200
        assert server.count("generation_started") == 1


async def test_switch_stop_on_disconnect() -> None:
    """Behind a proxy that keeps the connection, a generation goes on although the client left."""
    switches = Switches(stop_on_disconnect=False)
    async with lab(_held(), loaded=["a/one"], switches=switches) as (server, ask):
        (leaving,) = _asking(ask, 1, stream=True)
        await server.wait_for("generation_started")
        leaving.cancel()
        _release(server)
        await server.wait_for("generation_finished")


async def test_crash_takes_all_generations_along() -> None:
    """When the engine dies the instance is gone and every prediction on it fails with E7."""
    async with lab(_held(), loaded=["a/one"]) as (server, ask):
        (waiting,) = _asking(ask, 1)
        await server.wait_for("generation_started")
        server.fault("/v1/chat/completions", "crash:1")
        crashed = await ask.complete("a/one")
        assert (await waiting).body == crashed.body == {"error": CRASHED}
        assert crashed.status == 400
        assert server.instances() == []


async def test_crash_times() -> None:
    """A model can crash so many times and then work."""
    model = FakeModel("a/one", crash_after=1, crash_times=1)
    async with lab(model, loaded=["a/one"]) as (server, ask):
        first = await ask.complete("a/one", stream=True)
        second = await ask.complete("a/one", stream=True)
        assert server.count("load_finished") == 1
    assert first.events[-1][1]["message"] == CRASHED
    assert second.events[-1][1] == "[DONE]"


async def test_unloading_ends_a_generation() -> None:
    """A model unloaded in mid-generation ends it with the text `Model is unloaded`."""
    async with lab(_held(), loaded=["a/one"]) as (server, ask):
        (asking,) = _asking(ask, 1, stream=True)
        await server.wait_for("generation_started")
        await ask.post("/api/v1/models/unload", {"instance_id": "a/one"})
        assert (await asking).events[-1] == (
            "error",
            {"error": {"message": "Model is unloaded."}, "message": "Model is unloaded."},
        )


async def test_switch_shared_context() -> None:
    """With a shared context one prediction too many fails all that run; the model stays."""
    model = _held(context_length=8)
    async with lab(model, loaded=["a/one"], switches=Switches(shared_context=True)) as (server, ask):
        asking = _asking(ask, 2)
        await server.wait_for("generation_started", 2)
        _release(server)
        assert [(await task).body for task in asking] == [{"error": "Context size has been exceeded."}] * 2
        assert len(server.instances()) == 1
        assert (await ask.complete("a/one")).status == 200


async def test_delays_are_real() -> None:
    """Load, prefill and token delays take the time they say."""
    model = FakeModel("a/one", reply="a b", load_seconds=0.02, prefill_seconds=0.02, token_delay=0.01)
    async with lab(model) as (_, ask):
        stats = (await ask.chat("a/one")).body["stats"]
    assert stats["model_load_time_seconds"] >= 0.02
    assert stats["time_to_first_token_seconds"] >= 0.03
