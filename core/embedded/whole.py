"""A streamed answer put together again.

Every answer of llama.cpp is asked for as a stream, also where one piece is wanted: it notices a reader that
has left only when it writes, so a request for one piece would go on to its end unheard.
"""

from collections.abc import AsyncIterator
from typing import Any

Json = dict[str, Any]
_OF_PIECES = frozenset({"object", "choices", "prompt_progress"})
_TEXTS = ("content", "reasoning_content")


async def whole(chunks: AsyncIterator[Json]) -> Json:
    """The `chat.completion` that these `chat.completion.chunk`s are the pieces of."""
    answer: Json = {"object": "chat.completion", "usage": {}}
    choices: dict[int, Json] = {}
    async for chunk in chunks:
        answer |= {key: value for key, value in chunk.items() if key not in _OF_PIECES}
        for choice in chunk.get("choices") or ():
            _add(choices, choice)
    return answer | {"choices": [choices[index] for index in sorted(choices)]}


def _add(choices: dict[int, Json], piece: Json) -> None:
    index = piece.get("index", 0)
    fresh = {"index": index, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
    choice = choices.setdefault(index, fresh)
    choice["finish_reason"] = piece.get("finish_reason") or choice["finish_reason"]
    delta, message = piece.get("delta") or {}, choice["message"]
    for name in _TEXTS:
        if delta.get(name):
            message[name] = message.get(name, "") + delta[name]
    for call in delta.get("tool_calls") or ():
        _add_call(message.setdefault("tool_calls", []), call)


def _add_call(calls: list[Json], piece: Json) -> None:
    """A call comes with its name first; its arguments grow."""
    index = piece.get("index", len(calls))
    while len(calls) <= index:
        calls.append({"type": "function", "function": {"name": "", "arguments": ""}})
    call, function = calls[index], piece.get("function") or {}
    if piece.get("id"):
        call["id"] = piece["id"]
    call["function"]["name"] += function.get("name") or ""
    call["function"]["arguments"] += function.get("arguments") or ""
