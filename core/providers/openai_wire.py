"""The OpenAI-compatible chat wire into values, without I/O: every compatible server is decoded here."""

import base64
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
        "messages": [{"role": turn.role.value, "content": _content(turn)} for turn in turns],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if options.temperature is not None:
        body["temperature"] = options.temperature
    if options.max_tokens is not None:
        body["max_tokens"] = options.max_tokens
    return body


def _content(turn: Turn) -> str | list[dict[str, Any]]:
    """Plain text where there is no picture: some servers know nothing else."""
    if not turn.pictures:
        return turn.text
    parts: list[dict[str, Any]] = [{"type": "text", "text": turn.text}] if turn.text else []
    for picture in turn.pictures:
        url = f"data:{picture.mime};base64,{base64.b64encode(picture.data).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return parts


def pieces(chunk: Any) -> Iterator[Piece]:
    """What a chunk (or a whole, unstreamed answer) brings; unknown fields are passed over."""
    if not isinstance(chunk, dict):
        return
    if isinstance(name := chunk.get("model"), str) and name:
        yield Served(name)
    choices = chunk.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            yield from _said(choice)
    match chunk.get("usage"):
        case {"prompt_tokens": int(tokens_in), "completion_tokens": int(tokens_out)}:
            yield Usage(tokens_in, tokens_out)
        case _:
            return


def _said(choice: dict[str, Any]) -> Iterator[Piece]:
    message = choice.get("delta") or choice.get("message")
    if isinstance(message, dict):
        # LM Studio and others write `reasoning_content`; gpt-oss since 0.3.23 `reasoning`.
        thought = message.get("reasoning_content") or message.get("reasoning")
        if isinstance(thought, str) and thought:
            yield Thinking(_whole(thought))
        if isinstance(text := message.get("content"), str) and text:
            yield Delta(_whole(text))
    if isinstance(reason := choice.get("finish_reason"), str):
        yield Finish(reason)


def _whole(text: str) -> str:
    """Half a surrogate pair is valid JSON, but can neither be stored nor shown."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
