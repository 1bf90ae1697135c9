"""The real model in a real child over real sockets: load, stream, stop, crash, unload, two at once."""

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.embedded import DEMO_KEY, EmbeddedEngine
from core.embedded.models import DEMO_FILE
from tests.core.embedded.clients import (
    LONG,
    OVERLONG,
    Client,
    Kept,
    ask,
    client_of,
    history,
    llama_of,
    names,
    query,
    sse,
    until_busy,
    until_idle,
)

LOADED_AT_LEAST = 80 * 2**20  # bytes: the weights are 98 MB


async def test_native_chat_loads_and_streams(real: Client) -> None:
    """One request shows the load, the prompt, the message and the numbers, in that order."""
    body = {"model": DEMO_KEY, "input": "Say hello.", "stream": True, "max_output_tokens": 12}
    events = await real.events("/api/v1/chat", body)
    assert names(events) == [
        "chat.start", "model_load.start", "model_load.progress", "model_load.end",
        "prompt_processing.start", "prompt_processing.progress", "prompt_processing.end",
        "message.start", "message.delta", "message.end", "chat.end",
    ]  # fmt: skip
    steps = [data["progress"] for name, data in events if name == "model_load.progress"]
    assert steps == sorted(set(steps))
    stats = events[-1][1]["result"]["stats"]
    assert 0 < stats["total_output_tokens"] <= 12
    assert stats["input_tokens"] > 0
    assert stats["tokens_per_second"] > 0
    assert stats["model_load_time_seconds"] > 0


async def test_a_reader_that_leaves_stops_the_model(real: Client) -> None:
    """Closing the connection in mid-answer leaves the child idle; so does it while the prompt is read."""
    instance = await real.load()
    for text in (LONG, "word " * 1500):
        async with real.http.post("/v1/chat/completions", json=ask(text, stream=True)) as response:
            if text is LONG:
                await anext(sse(response))
        await until_idle(instance)
    waiting = asyncio.create_task(real.post("/v1/chat/completions", ask(LONG)))
    await until_busy(instance)
    waiting.cancel()
    await until_idle(instance)


async def test_unload_gives_the_memory_back(real: Client) -> None:
    """The child holds the weights while loaded and does not exist afterwards."""
    child = psutil.Process(llama_of(await real.load()).pid)
    assert child.memory_info().rss > LOADED_AT_LEAST
    status, _ = await real.post("/api/v1/models/unload", {"instance_id": DEMO_KEY})
    assert status == 200
    assert not child.is_running()
    assert await real.state(DEMO_KEY) == "not-loaded"


async def test_a_crash_in_mid_answer_is_told(real: Client) -> None:
    """When the child dies the stream ends with an error frame, and the next chat loads it anew."""
    child = psutil.Process(llama_of(await real.load()).pid)
    events: list[tuple[str, Any]] = []
    async with real.http.post("/v1/chat/completions", json=ask(LONG, stream=True)) as response:
        async for event in sse(response):
            if not events:
                child.kill()
            events.append(event)
    name, data = events[-1]
    assert name == "error"
    assert "The model has crashed" in data["error"]["message"]
    assert await real.state(DEMO_KEY) == "not-loaded"
    status, _ = await real.post("/v1/chat/completions", ask(max_tokens=2))
    assert status == 200


async def test_unloading_ends_the_answer_at_once(real: Client) -> None:
    """Whoever reads an answer while its model is unloaded hears it without waiting."""
    await real.load()
    events: list[tuple[str, Any]] = []
    began = 0.0
    async with real.http.post("/v1/chat/completions", json=ask(LONG, stream=True)) as response:
        async for event in sse(response):
            if not events:
                await real.post("/api/v1/models/unload", {"instance_id": DEMO_KEY})
                began = time.monotonic()
            events.append(event)
    assert time.monotonic() - began < 1
    assert events[-1][1]["error"]["message"] == "Model is unloaded."
    instance = await real.load()
    whole = asyncio.create_task(real.post("/v1/chat/completions", ask(LONG)))
    await until_busy(instance)
    await real.post("/api/v1/models/unload", {"instance_id": DEMO_KEY})
    status, answer = await whole
    assert (status, answer["error"]["message"]) == (500, "Model is unloaded.")


@pytest.mark.skipif(sys.platform == "win32", reason="a console sends Ctrl+C another way there")
async def test_ctrl_c_is_not_for_the_child(real: Client) -> None:
    """A terminal sends Ctrl+C to the child too: there it means nothing."""
    psutil.Process(llama_of(await real.load()).pid).send_signal(signal.SIGINT)
    status, _ = await real.post("/v1/chat/completions", ask(max_tokens=2))
    assert status == 200


async def test_serves_a_file_that_the_person_has(model_data: Path, tmp_path: Path) -> None:
    """Any GGUF file in LM Studio's layout is listed by its header, loads and answers."""
    place = tmp_path / "acme" / "Nova-GGUF"
    place.mkdir(parents=True)
    (place / "Nova-Q4_1.gguf").symlink_to(model_data / "models" / DEMO_FILE)
    key = "acme/nova-q4_1"
    async with EmbeddedEngine(tmp_path / "data", [tmp_path]) as engine, client_of(engine) as client:
        listed = next(m for m in (await client.get("/api/v1/models"))["models"] if m["key"] == key)
        assert (listed["architecture"], listed["params_string"]) == ("llama", "135M")
        assert (listed["quantization"]["name"], listed["max_context_length"]) == ("Q4_1", 8192)
        await client.post("/api/v1/models/load", {"model": key, "context_length": 256})
        status, answer = await client.post("/v1/chat/completions", ask(model=key, max_tokens=2))
    assert (status, answer["model"]) == (200, key)


async def test_the_log_never_holds_what_was_said(model_data: Path) -> None:
    """Answers, refusals, crashes: whatever is logged, the person's words are not in it."""
    log = Kept()
    async with EmbeddedEngine(model_data, log=log) as engine, client_of(engine) as client:
        child = psutil.Process(llama_of(await client.load()).pid)
        for text in ("Xylophone", "Xylophone " * 5000):
            await client.post("/v1/chat/completions", ask(text, max_tokens=2))
            await client.post("/api/v1/chat", {"model": DEMO_KEY, "input": text, "max_output_tokens": 2})
        async with client.http.post("/v1/chat/completions", json=ask("Xylophone", stream=True)) as response:
            child.kill()
            await response.read()
        await client.post("/v1/chat/completions", {"model": DEMO_KEY, "messages": "Xylophone"})
    assert {"embedded.loaded", "embedded.crashed"} <= {event for event, _ in log.lines}
    assert "xylophone" not in repr(log.lines).lower()


async def test_two_chats_at_once(real: Client) -> None:
    """Two answers stream side by side: each starts before the other has ended."""
    await real.load()
    spans: list[tuple[float, float]] = []

    async def chat() -> None:
        async with real.http.post("/v1/chat/completions", json=ask(LONG, stream=True, max_tokens=40)) as r:
            times = [time.monotonic() async for _ in sse(r)]
        spans.append((times[0], times[-1]))

    await asyncio.gather(chat(), chat())
    (one_start, one_end), (two_start, two_end) = spans
    assert one_start < two_end
    assert two_start < one_end


async def test_each_chat_has_a_context_of_its_own(real: Client) -> None:
    """Two chats that together are longer than the context do not break each other off."""
    await real.post("/api/v1/models/load", {"model": DEMO_KEY, "context_length": 256})
    bodies = [ask(f"{n} " + "word " * 150, stream=True, max_tokens=2) for n in range(2)]
    for events in await asyncio.gather(*(real.events("/v1/chat/completions", b) for b in bodies)):
        assert events[-1][1] == "[DONE]"


async def test_too_long_a_prompt_has_one_wording(real: Client) -> None:
    """Plain, streamed, native and by socket: the sentence of LM Studio is in every answer."""
    words = "number of tokens to keep from the initial prompt is greater than the context length"
    await real.load()
    status, answer = await real.post("/v1/chat/completions", ask(OVERLONG))
    assert status == 400
    assert words in answer["error"]
    [(name, data)] = await real.events("/v1/chat/completions", ask(OVERLONG, stream=True))
    assert name == "error"
    assert words in data["error"]["message"]
    status, answer = await real.post("/api/v1/chat", {"model": DEMO_KEY, "input": OVERLONG})
    assert status == 500
    assert words in answer["error"]["message"]
    async with real.socket() as frames:
        await frames.open("predict", {"modelSpecifier": query(DEMO_KEY), "history": history(OVERLONG)})
        assert words in [p async for p in frames.packets()][-1]["error"]["title"]


async def test_native_errors_are_followed_by_the_end(real: Client) -> None:
    """In the native stream an error is an event, and chat.end still comes."""
    events = await real.events("/api/v1/chat", {"model": DEMO_KEY, "input": OVERLONG, "stream": True})
    assert [name for name, _ in events][-2:] == ["error", "chat.end"]


async def test_context_is_what_was_asked_for(real: Client) -> None:
    """A load with a context gets it, and every list says the same number."""
    body = {"model": DEMO_KEY, "context_length": 1024, "echo_load_config": True}
    status, answer = await real.post("/api/v1/models/load", body)
    assert (status, answer["load_config"]["context_length"]) == (200, 1024)
    assert (await real.get(f"/api/v0/models/{DEMO_KEY}"))["loaded_context_length"] == 1024


async def test_the_child_lets_nobody_else_in(real: Client) -> None:
    """Its own port wants a key that only the engine knows."""
    process = llama_of(await real.load())._process
    async with real.http.get(f"{process.url}/v1/models", headers={"Authorization": "Bearer x"}) as response:
        assert response.status == 401
        assert "evil" not in response.headers.get("Access-Control-Allow-Origin", "")


async def test_a_damaged_demo_is_thrown_away(own_copy: Path) -> None:
    """A file of the right size with wrong bytes is noticed at load, and can then be fetched anew."""
    engine = EmbeddedEngine(own_copy)
    path = engine._catalogue.demo_path
    with path.open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"bit rot")
    async with engine, client_of(engine) as client:
        assert engine.demo_present()
        status, answer = await client.post("/api/v1/models/load", {"model": DEMO_KEY})
        assert status == 500
        assert "Model file damaged" in answer["error"]["message"]
        assert not engine.demo_present()


async def test_closing_ends_everything(model_data: Path) -> None:
    """Within two seconds no child is left, even while one answers."""
    async with EmbeddedEngine(model_data) as engine, client_of(engine) as client:
        child = psutil.Process(llama_of(await client.load()).pid)
        async with client.http.post("/v1/chat/completions", json=ask(LONG, stream=True)) as response:
            await anext(sse(response))
            began = time.monotonic()
            await engine.aclose()
            assert time.monotonic() - began < 2
        assert not child.is_running()


@pytest.mark.parametrize("wanted", [None, "job-17"])
async def test_real_load_by_socket(real: Client, wanted: str | None) -> None:
    """Progress rises to 1 and the instance has the name that was asked for."""
    async with real.socket() as frames:
        await frames.open("loadModel", {"modelKey": DEMO_KEY, "identifier": wanted})
        packets = [p async for p in frames.packets()]
        steps = [p["progress"] for p in packets if p["type"] == "progress"]
        assert (steps, steps[-1]) == (sorted(set(steps)), 1)
        assert packets[-1]["info"]["identifier"] == (wanted or DEMO_KEY)
        tokens = await frames.call(
            "countTokens", {"specifier": query(wanted or DEMO_KEY), "inputString": "hello world"}
        )
    assert tokens["result"]["tokenCount"] == 2
