"""Native chat: validation, the order of events, errors in streams, stored conversations."""

import asyncio
from typing import Any

import pytest

from tests.fakes.asking import EMBED, MINI, NOVA, lab
from tests.fakes.lmstudio.server import FakeModel, Switches

BAD: list[tuple[dict[str, Any], str, str | None]] = [
    ({"model": NOVA}, "missing_required_parameter", "input"),
    ({"input": "x"}, "missing_required_parameter", "model"),
    ({"model": NOVA, "input": "x", "ttl": 5}, "unrecognized_keys", None),
    ({"model": NOVA, "input": "x", "stop": ["a"]}, "unrecognized_keys", None),
    ({"model": NOVA, "input": "x", "temperature": "hot"}, "invalid_value", "temperature"),
    ({"model": NOVA, "input": [{"type": "message", "content": "x"}]}, "invalid_union", "input"),
    (
        {"model": NOVA, "input": "x", "previous_response_id": "resp_x"},
        "invalid_value",
        "previous_response_id",
    ),
]


@pytest.mark.parametrize(("body", "code", "param"), BAD)
async def test_bad_bodies(body: dict[str, Any], code: str, param: str | None) -> None:
    """A body that breaks the rules is a 400 with its code, also when it asks for a stream."""
    async with lab() as (server, ask):
        for more in ({}, {"stream": True}):
            answer = await ask.post("/api/v1/chat", body | more)
            assert answer.status == 400
            assert answer.body["error"]["code"] == code
            assert answer.body["error"].get("param") == param
        assert server.count("load_started") == 0


async def test_answer_has_the_documented_shape() -> None:
    """One answer: the instance, the output, the numbers, an id; the load time only if it loaded."""
    async with lab(FakeModel(NOVA, reply="Hello!")) as (_, ask):
        first = (await ask.chat(NOVA)).body
        second = (await ask.chat(NOVA, store=False)).body
    assert first["model_instance_id"] == NOVA
    assert first["output"] == [{"type": "message", "content": "Hello!"}]
    assert first["response_id"].startswith("resp_")
    assert "response_id" not in second
    assert set(first["stats"]) - set(second["stats"]) == {"model_load_time_seconds"}
    assert second["stats"]["input_tokens"] == 2
    assert second["stats"]["total_output_tokens"] == 1


async def test_stream_that_loads_has_every_event_in_order() -> None:
    """A streamed chat that loads: chat.start, load, prompt, reasoning, message, chat.end."""
    model = FakeModel("a/one", reply="yes it is", thinking="hm ok", progress_steps=2)
    async with lab(model) as (_, ask):
        answer = await ask.chat("a/one", stream=True)
    names = [name for name, _ in answer.events]
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert all(data["type"] == name for name, data in answer.events)
    assert list(dict.fromkeys(names)) == [
        "chat.start",
        "model_load.start",
        "model_load.progress",
        "model_load.end",
        "prompt_processing.start",
        "prompt_processing.progress",
        "prompt_processing.end",
        "reasoning.start",
        "reasoning.delta",
        "reasoning.end",
        "message.start",
        "message.delta",
        "message.end",
        "chat.end",
    ]
    progress = [data["progress"] for name, data in answer.events if name == "model_load.progress"]
    assert progress == [0.0, 0.5, 1.0]
    result = answer.events[-1][1]["result"]
    assert result["output"] == [
        {"type": "reasoning", "content": "hm ok"},
        {"type": "message", "content": "yes it is"},
    ]
    assert result["stats"]["reasoning_output_tokens"] == 2


async def test_stream_of_a_loaded_model_has_no_load_events() -> None:
    """When the model is loaded already, no model_load event comes."""
    async with lab(loaded=[NOVA]) as (_, ask):
        answer = await ask.chat(NOVA, stream=True)
    assert not [name for name, _ in answer.events if name.startswith("model_load")]


async def test_load_progress_comes_while_it_loads() -> None:
    """Load progress is seen during the load, not after it."""
    model = FakeModel("a/one", hold_load=asyncio.Event(), progress_steps=4)
    async with lab(model) as (server, ask):
        body = {"model": "a/one", "input": "x", "stream": True}
        async with ask.session.post(server.url + "/api/v1/chat", json=body) as answer:
            seen = await answer.content.readuntil(b'"progress": 0.5}\n\n')
            assert b"model_load.end" not in seen
            assert model.hold_load is not None
            model.hold_load.set()
            assert b"chat.end" in await answer.content.read()


async def test_error_does_not_end_the_stream() -> None:
    """A crash in mid-generation is an error event; chat.end follows with what was said."""
    model = FakeModel("a/one", reply="one two three", crash_after=2)
    async with lab(model, loaded=["a/one"]) as (server, ask):
        answer = await ask.chat("a/one", stream=True)
        assert await ask.listed() == []
        assert server.count("crashed") == 1
    (error, data), (end, last) = answer.events[-2:]
    assert (error, end) == ("error", "chat.end")
    assert data["error"]["message"].startswith("The model has crashed")
    assert last["result"]["output"] == [{"type": "message", "content": "one two"}]
    assert "response_id" not in last["result"]


async def test_failed_load_in_a_chat() -> None:
    """A load that fails inside a chat: 500 unstreamed; streamed an error event, then chat.end."""
    async with lab(FakeModel("a/one", load_error="boom")) as (_, ask):
        plain = await ask.chat("a/one")
        streamed = await ask.chat("a/one", stream=True)
    assert plain.status == 500
    assert plain.body["error"]["type"] == "model_load_failed"
    assert [name for name, _ in streamed.events][-2:] == ["error", "chat.end"]
    assert streamed.events[-2][1]["error"] == plain.body["error"]


async def test_prompt_longer_than_the_context() -> None:
    """Too long a prompt is a 500 object here, and an error event when streamed."""
    model = FakeModel("a/one", context_length=10)
    async with lab(model, loaded=["a/one"]) as (_, ask):
        plain = await ask.chat("a/one", "x" * 41)
        streamed = await ask.chat("a/one", "x" * 41, stream=True)
        fits = await ask.chat("a/one", "x" * 36)
    assert plain.status == 500
    assert plain.body["error"]["type"] == "internal_error"
    assert plain.body["error"]["code"] == "unknown"
    text = "The number of tokens to keep from the initial prompt is greater than the context length"
    assert plain.body["error"]["message"].startswith(text)
    assert [name for name, _ in streamed.events] == ["chat.start", "error", "chat.end"]
    assert fits.status == 200


async def test_reasoning_setting() -> None:
    """An unsupported reasoning setting is refused; `off` silences the thinking of a model that has it."""
    thinker = FakeModel("a/one", thinking="hm", reasoning=("off", "on"))
    async with lab(thinker, FakeModel("a/two")) as (_, ask):
        quiet = await ask.chat("a/one", reasoning="off")
        refused = await ask.chat("a/one", reasoning="high")
        plain = await ask.chat("a/two", reasoning="off")
    assert [item["type"] for item in quiet.body["output"]] == ["message"]
    assert refused.status == plain.status == 400
    assert refused.body["error"]["code"] == "invalid_value"
    message = "Reasoning setting 'high' is not supported by model 'a/one'. Supported settings: 'off', 'on'"
    assert refused.body["error"]["message"] == message


async def test_stored_conversations_branch() -> None:
    """A previous response is remembered with what was said, and can be continued twice."""

    def recall(messages: list[dict[str, str]]) -> str:
        return " | ".join(message["content"] for message in messages)

    async with lab(FakeModel("a/one", reply=recall)) as (_, ask):
        first = (await ask.chat("a/one", "A", system_prompt="S")).body
        again = [await ask.chat("a/one", t, previous_response_id=first["response_id"]) for t in "BC"]
    assert first["output"][0]["content"] == "S | A"
    assert [a.body["output"][0]["content"] for a in again] == ["S | A | S | A | B", "S | A | S | A | C"]
    assert len({first["response_id"], *(a.body["response_id"] for a in again)}) == 3


async def test_input_items_and_limits() -> None:
    """Text items are read, images let through; max_output_tokens cuts without a finish reason."""
    image = {"type": "image", "data_url": "data:image/png;base64,AAAA"}
    async with lab(loaded=[MINI]) as (_, ask):
        items = [{"type": "text", "content": "look"}, image]
        answer = await ask.post("/api/v1/chat", {"model": MINI, "input": items, "max_output_tokens": 3})
    assert answer.body["output"][0]["content"] == "Mini 1B heard"
    assert answer.body["stats"]["total_output_tokens"] == 3


async def test_context_length_counts_for_the_jit_load() -> None:
    """The context_length of a chat is that of the load it causes, and ignored afterwards."""
    async with lab() as (server, ask):
        await ask.chat(NOVA, context_length=2048)
        await ask.chat(NOVA, context_length=9999)
        assert [i.config.context_length for i in server.instances()] == [2048]


async def test_embedding_models_do_not_chat() -> None:
    """An embedding model is no model for a chat."""
    async with lab() as (_, ask):
        assert (await ask.chat(EMBED)).status == 404


async def test_switch_double_prompt_end() -> None:
    """prompt_processing.end can come twice."""
    async with lab(loaded=[NOVA], switches=Switches(double_prompt_end=True)) as (_, ask):
        names = [name for name, _ in (await ask.chat(NOVA, stream=True)).events]
    assert names.count("prompt_processing.end") == 2
