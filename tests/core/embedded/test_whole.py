"""A streamed answer put together again."""

from collections.abc import AsyncIterator
from typing import Any

from core.embedded.whole import whole


async def pieces(*deltas: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    yield {"id": "a", "object": "chat.completion.chunk", "choices": [], "prompt_progress": {"total": 3}}
    for delta in deltas:
        yield {"id": "a", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {"id": "a", "choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
    yield {"id": "a", "choices": [], "usage": {"completion_tokens": 2}, "timings": {"n": 1}}


async def test_texts_grow_and_the_figures_stay() -> None:
    """Content and reasoning are joined; reason, usage and timings are those of the end."""
    said = pieces(
        {"role": "assistant", "content": None},
        {"reasoning_content": "hm"},
        {"content": "o"},
        {"content": "i"},
    )
    answer = await whole(said)
    message = {"role": "assistant", "content": "oi", "reasoning_content": "hm"}
    assert answer["object"] == "chat.completion"
    assert answer["choices"] == [{"index": 0, "message": message, "finish_reason": "length"}]
    assert (answer["usage"], answer["timings"]) == ({"completion_tokens": 2}, {"n": 1})
    assert "prompt_progress" not in answer


async def test_calls_of_tools_are_joined() -> None:
    """The name comes first, the arguments piece by piece, several calls side by side."""
    answer = await whole(
        pieces(
            {"tool_calls": [{"index": 0, "id": "1", "function": {"name": "look", "arguments": ""}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]},
            {"tool_calls": [{"index": 1, "id": "2", "function": {"name": "go", "arguments": "{}"}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
        )
    )
    calls = answer["choices"][0]["message"]["tool_calls"]
    assert [(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in calls] == [
        ("1", "look", '{"a":1}'),
        ("2", "go", "{}"),
    ]
