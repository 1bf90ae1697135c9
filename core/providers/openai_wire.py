"""The OpenAI-compatible chat wire into values, without I/O: every compatible server is decoded here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.conversation import Delta, ReplyOptions, Thinking, Turn, Usage


@dataclass(frozen=True, slots=True)
class Finish:
    """`finish_reason` of the answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class Served:
    """The model that answers, by the server's own word."""

    name: str


Piece = Thinking | Delta | Finish | Served | Usage


def request(model: str, turns: Sequence[Turn], options: ReplyOptions) -> dict[str, Any]:
    """The body of a streaming chat request; only what is set is sent, so the server's own settings rule."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": turn.role.value, "content": turn.text} for turn in turns],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if options.temperature is not None:
        body["temperature"] = options.temperature
    if options.max_tokens is not None:
        body["max_tokens"] = options.max_tokens
    return body


def pieces(chunk: Any) -> Iterator[Piece]:
    """What a chunk (or a whole, unstreamed answer) brings; unknown fields are passed over."""
    if not isinstance(chunk, dict):
        return
    if isinstance(name := chunk.get("model"), str) and name:
        yield Served(name)
    for choice in chunk.get("choices") or ():
        message = choice.get("delta") or choice.get("message") or {}
        # LM Studio and others write `reasoning_content`; gpt-oss since 0.3.23 `reasoning`.
        thought = message.get("reasoning_content") or message.get("reasoning")
        if isinstance(thought, str) and thought:
            yield Thinking(thought)
        if isinstance(text := message.get("content"), str) and text:
            yield Delta(text)
        if isinstance(reason := choice.get("finish_reason"), str):
            yield Finish(reason)
    match chunk.get("usage"):
        case {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}:
            yield Usage(tokens_in, tokens_out)
        case _:
            return
