"""The scripted engine: it says what it is, on every way in, and can be stopped."""

from core.embedded import SCRIPTED_KEY
from core.embedded.scripted import DISCLAIMER
from tests.core.embedded.clients import Client, history, names, query, scripted


async def test_says_that_it_is_no_model(bare: Client) -> None:
    """Every answer starts with the disclaimer and ends with the echo."""
    status, answer = await bare.post("/v1/chat/completions", scripted("olá, tudo bem?"))
    text = answer["choices"][0]["message"]["content"]
    assert status == 200
    assert text.startswith(DISCLAIMER)
    assert text.endswith("olá, tudo bem?")
    assert answer["usage"]["total_tokens"] > 0


async def test_streams_word_by_word(bare: Client) -> None:
    """The stream is OpenAI's: a role, pieces, a reason, the usage that was asked for, the end."""
    body = scripted(stream=True, stream_options={"include_usage": True})
    events = [data for _, data in await bare.events("/v1/chat/completions", body)]
    assert events[-1] == "[DONE]"
    assert events[-2]["choices"] == []
    assert events[-2]["usage"]["completion_tokens"] > 10
    assert events[-3]["choices"][0]["finish_reason"] == "stop"
    pieces = [e["choices"][0]["delta"].get("content") or "" for e in events[:-2]]
    assert "".join(pieces).startswith(DISCLAIMER)
    assert len(pieces) > 10


async def test_no_usage_unless_asked(bare: Client) -> None:
    """Without `include_usage` every chunk has a choice."""
    events = await bare.events("/v1/chat/completions", scripted(stream=True))
    assert all(data["choices"] for _, data in events[:-1])


async def test_native_stream_has_every_stage(bare: Client) -> None:
    """A chat that loads the model shows the load, then the message, then the whole."""
    events = await bare.events("/api/v1/chat", {"model": SCRIPTED_KEY, "input": "oi", "stream": True})
    assert names(events) == [
        "chat.start", "model_load.start", "model_load.progress", "model_load.end",
        "message.start", "message.delta", "message.end", "chat.end",
    ]  # fmt: skip
    steps = [data["progress"] for name, data in events if name == "model_load.progress"]
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, 1)
    result = events[-1][1]["result"]
    said = "".join(data["content"] for name, data in events if name == "message.delta")
    assert result["output"] == [{"type": "message", "content": said}]
    assert result["stats"]["model_load_time_seconds"] > 0


async def test_native_answers_continue(bare: Client) -> None:
    """A stored answer can be continued; with store off there is no id."""
    body = {"model": SCRIPTED_KEY, "input": [{"type": "text", "content": "oi"}]}
    _, first = await bare.post("/api/v1/chat", body)
    more = body | {"previous_response_id": first["response_id"], "store": False}
    status, second = await bare.post("/api/v1/chat", more)
    assert status == 200
    assert "response_id" not in second
    assert second["stats"]["input_tokens"] > first["stats"]["input_tokens"]


async def test_limit_is_kept(bare: Client) -> None:
    """A limit of tokens ends the answer with the reason `length`."""
    _, answer = await bare.post("/v1/chat/completions", scripted(max_tokens=3))
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 3


async def test_unloading_ends_the_answer(bare: Client) -> None:
    """An answer that runs while its model is unloaded ends with LM Studio's words."""
    await bare.load(SCRIPTED_KEY)
    async with bare.socket() as frames:
        await frames.open("predict", {"modelSpecifier": query(SCRIPTED_KEY), "history": history("oi")})
        assert (await frames.next())["message"]["type"] == "fragment"
        await bare.post("/api/v1/models/unload", {"instance_id": SCRIPTED_KEY})
        last = [packet async for packet in frames.packets()][-1]
    assert last["type"] == "channelError"
    assert last["error"]["title"] == "Model is unloaded."
