"""The OpenAI-compatible chat and v0's: shapes, limits, thinking, errors in streams."""

from typing import Any

import pytest

from tests.fakes.asking import EMBED, HELLO, NOVA, Json, content, lab
from tests.fakes.lmstudio.server import FakeModel, Switches

OVERFLOW = "The number of tokens to keep from the initial prompt is greater than the context length"


async def test_answer_has_the_measured_shape() -> None:
    """An unstreamed answer has the fields LM Studio adds to OpenAI's."""
    async with lab(FakeModel("a/one", reply="Hi you"), loaded=["a/one"]) as (_, ask):
        body = (await ask.complete("a/one")).body
    message = {"role": "assistant", "content": "Hi you", "reasoning_content": "", "tool_calls": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    assert body["choices"] == [choice]
    assert body["usage"] == {
        "prompt_tokens": 2,
        "completion_tokens": 2,
        "total_tokens": 4,
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    assert body["system_fingerprint"] == body["model"] == "a/one"
    assert (body["object"], body["stats"]) == ("chat.completion", {})


async def test_stream_is_chunks_then_done() -> None:
    """A stream is unnamed chunks, a finish reason, on request the usage, then [DONE]."""
    async with lab(FakeModel("a/one", reply="Hi you"), loaded=["a/one"]) as (_, ask):
        plain = await ask.complete("a/one", stream=True)
        counted = await ask.complete("a/one", stream=True, stream_options={"include_usage": True})
    assert content(plain) == "Hi you"
    *chunks, (_, done) = plain.events
    assert done == "[DONE]"
    assert {name for name, _ in plain.events} == {""}
    assert chunks[0][1]["choices"][0]["delta"] == {"role": "assistant", "content": "Hi"}
    assert chunks[-1][1]["choices"][0]["finish_reason"] == "stop"
    usage = counted.events[-2][1]
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 4


@pytest.mark.parametrize(
    ("asked", "text", "finish"),
    [
        ({"max_tokens": 2}, "one two", "length"),
        ({"max_completion_tokens": 1}, "one", "length"),
        ({"max_tokens": -1}, "one two three four", "stop"),
        ({"stop": ["thr"]}, "one two ", "stop"),
        ({"stop": " four", "unknown_key": 1}, "one two three", "stop"),
    ],
)
async def test_limits(asked: dict[str, Any], text: str, finish: str) -> None:
    """max_tokens and stop cut the answer, streamed or not; unknown keys pass."""
    async with lab(FakeModel("a/one", reply="one two three four"), loaded=["a/one"]) as (_, ask):
        for stream in (False, True):
            answer = await ask.complete("a/one", stream=stream, **asked)
            assert content(answer) == text
            assert f'"finish_reason": "{finish}"' in answer.text


async def test_context_runs_full() -> None:
    """When prompt and answer fill the context the finish reason is length."""
    async with lab(FakeModel("a/one", reply="a b c d e", context_length=4), loaded=["a/one"]) as (_, ask):
        answer = await ask.complete("a/one")
    assert answer.body["choices"][0]["finish_reason"] == "length"
    assert answer.body["usage"]["total_tokens"] == 4


async def test_overflow_is_a_string_error() -> None:
    """Too long a prompt: 400 with a string unstreamed; 200 and an error event, no [DONE], streamed."""
    messages = [{"role": "user", "content": "x" * 100}]
    async with lab(FakeModel("a/one", context_length=20), loaded=["a/one"]) as (server, ask):
        plain = await ask.complete("a/one", messages)
        streamed = await ask.complete("a/one", messages, stream=True)
        assert server.count("generation_failed") == 2
    assert plain.status == 400
    assert plain.body["error"].startswith(OVERFLOW)
    assert streamed.status == 200
    text = plain.body["error"]
    assert streamed.events == [("error", {"error": {"message": text}, "message": text})]


@pytest.mark.parametrize(("style", "shown"), [("data", 'data: {"error": "boom"}'), ("empty", "")])
async def test_switch_stream_error(style: Any, shown: str) -> None:
    """A failed stream may show a bare string, or nothing at all."""
    switches = Switches(stream_error=style)
    model = FakeModel("a/one", crash_after=0, crash_text="boom")
    async with lab(model, loaded=["a/one"], switches=switches) as (_, ask):
        answer = await ask.complete("a/one", stream=True)
    assert (answer.status, answer.text.strip()) == (200, shown)


async def test_switch_streams_dead() -> None:
    """Streams open and close without a word; the same request unstreamed is answered."""
    async with lab(loaded=[NOVA], switches=Switches(streams_dead=True)) as (server, ask):
        streamed = await ask.complete(NOVA, stream=True)
        assert server.count("generation_started") == 0
        plain = await ask.complete(NOVA)
    assert (streamed.status, streamed.text) == (200, "")
    assert "You said: hello" in content(plain)


@pytest.mark.parametrize("stream", [False, True])
async def test_switch_variant_names(stream: bool) -> None:  # noqa: FBT001  # both shapes of an answer
    """The model is named with its quantisation, streamed or not."""
    async with lab(loaded=[NOVA], switches=Switches(variant_names=True)) as (_, ask):
        answer = await ask.complete(NOVA, stream=stream)
    named = answer.events[0][1]["model"] if stream else answer.body["model"]
    assert named == f"{NOVA}@q4_k_m"


async def test_switch_string_errors() -> None:
    """Errors that are objects become bare strings."""
    async with lab(switches=Switches(string_errors=True, jit=False)) as (_, ask):
        answer = await ask.complete(NOVA)
    assert answer.status == 400
    assert answer.body["error"].startswith("No models loaded.")


@pytest.mark.parametrize(
    ("style", "said", "field"),
    [
        ("reasoning_content", "answer", "reasoning_content"),
        ("reasoning", "answer", "reasoning"),
        ("think-tags", "<think>\nhm ok\n</think>\n\nanswer", None),
        ("lone-close", "hm ok\n</think>\n\nanswer", None),
    ],
)
async def test_thinking_styles(style: Any, said: str, field: str | None) -> None:
    """Thinking comes in a field of its own or as text with tags, streamed or not."""
    model = FakeModel("a/one", reply="answer", thinking="hm ok", thinking_style=style)
    async with lab(model, loaded=["a/one"]) as (_, ask):
        plain = await ask.complete("a/one")
        streamed = await ask.complete("a/one", stream=True)
    assert content(plain) == content(streamed) == said
    message = plain.body["choices"][0]["message"]
    deltas = [d["choices"][0]["delta"] for _, d in streamed.events if d != "[DONE]"]
    if field is None:
        assert message["reasoning_content"] == ""
    else:
        assert message[field] == "".join(delta.get(field, "") for delta in deltas) == "hm ok"
        assert plain.body["usage"]["completion_tokens_details"]["reasoning_tokens"] == 2


async def test_scripted_answers_see_the_messages() -> None:
    """A reply may be a function of the messages; parts of a content are joined."""

    def reply(messages: list[dict[str, str]]) -> str:
        return f"{messages[0]['role']}:{messages[-1]['content']}"

    async with lab(FakeModel("a/one", reply=reply)) as (_, ask):
        parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
        messages: list[Json] = [{"role": "system", "content": "s"}, {"role": "user", "content": parts}]
        assert content(await ask.complete("a/one", messages)) == "system:a\nb"


async def test_missing_messages() -> None:
    """A body without messages is a 400 with a string."""
    async with lab() as (_, ask):
        answer = await ask.post("/v1/chat/completions", {"model": NOVA})
    assert (answer.status, answer.body) == (400, {"error": "'messages' field is required"})


async def test_v0_chat_says_more() -> None:
    """v0's chat adds numbers, the model and the runtime, streamed in the last chunk."""
    body = {"model": NOVA, "messages": HELLO}
    async with lab(loaded=[NOVA]) as (_, ask):
        plain = (await ask.post("/api/v0/chat/completions", body)).body
        streamed = await ask.post("/api/v0/chat/completions", body | {"stream": True})
    assert set(plain["stats"]) == {
        "tokens_per_second",
        "time_to_first_token",
        "generation_time",
        "stop_reason",
    }
    assert plain["stats"]["stop_reason"] == "eosFound"
    info = {"arch": "nova", "quant": "Q4_K_M", "format": "gguf", "context_length": 4096}
    assert plain["model_info"] == streamed.events[-2][1]["model_info"] == info
    assert plain["runtime"]["supported_formats"] == ["gguf"]


async def test_embeddings() -> None:
    """Embeddings load just in time, cut long input off silently and count no tokens."""
    async with lab() as (server, ask):
        body = {"model": EMBED, "input": ["a" * 8192, "a" * 9000, "b"]}
        answer = (await ask.post("/v1/embeddings", body)).body
        assert server.count("load_finished", model=EMBED) == 1
    one, longer, other = [item["embedding"] for item in answer["data"]]
    assert one == longer != other
    assert answer["usage"] == {"prompt_tokens": 0, "total_tokens": 0}
    assert answer["model"] == f"{EMBED}@q4_0"
