"""Anthropic's Messages wire into values, without I/O (API version 2023-06-01)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from core.conversation import Delta, ReplyOptions, Role, Thinking, Turn, Usage
from core.providers.pieces import (
    Finish,
    Listed,
    Page,
    Piece,
    Served,
    base64_of,
    count,
    items,
    objects,
    sized,
    whole,
)

VERSION = "2023-06-01"
UNSAID = 4096  # tokens of an answer whose limit is not known: every model has as many
USUAL = 16_384  # tokens of an answer where nobody asked for a limit; the wire wants one
_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}


def request(model: str, turns: Sequence[Turn], options: ReplyOptions, most: int | None) -> dict[str, Any]:
    """The body of a streaming request. `most` = the longest answer that the model may give, if known."""
    said = [turn for turn in turns if turn.role is not Role.SYSTEM and (turn.text.strip() or turn.pictures)]
    wanted = options.max_tokens or USUAL
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": min(wanted, most or max(UNSAID, options.max_tokens or 0)),
        "messages": [{"role": turn.role.value, "content": _content(turn)} for turn in said],
        "stream": True,
    }
    if system := "\n\n".join(turn.text for turn in turns if turn.role is Role.SYSTEM):
        body["system"] = system
    if options.temperature is not None:
        body["temperature"] = min(options.temperature, 1.0)  # the wire ends there
    return body


def _content(turn: Turn) -> str | list[dict[str, Any]]:
    if not turn.pictures:
        return turn.text
    parts: list[dict[str, Any]] = [
        {"type": "image", "source": {"type": "base64", "media_type": one.mime, "data": base64_of(one)}}
        for one in turn.pictures
    ]
    return [*parts, {"type": "text", "text": turn.text}] if turn.text.strip() else parts


def pieces(event: Any) -> Iterator[Piece]:
    """What an event brings; pings, signatures and unknown events bring nothing."""
    match event:
        case {"type": "message_start", "message": dict(message)}:
            if isinstance(name := message.get("model"), str):
                yield Served(name)
            if (tokens := _read(objects(message.get("usage")))) is not None:
                yield Usage(tokens, None)
        case {"type": "content_block_start", "content_block": dict(block)}:
            yield from _said(block)
        case {"type": "content_block_delta", "delta": dict(delta)}:
            yield from _said(delta)
        case {"type": "message_delta"}:
            if (tokens := count(objects(event.get("usage")).get("output_tokens"))) is not None:
                yield Usage(None, tokens)
            if isinstance(reason := objects(event.get("delta")).get("stop_reason"), str):
                yield Finish(_REASONS.get(reason, reason))
        case _:
            return


def _said(block: dict[str, Any]) -> Iterator[Piece]:
    """The text or the reasoning of a block; signatures and tools have neither."""
    if isinstance(text := block.get("text"), str) and text:
        yield Delta(whole(text))
    if isinstance(thought := block.get("thinking"), str) and thought:
        yield Thinking(whole(thought))


def _read(usage: dict[str, Any]) -> int | None:
    """Tokens of the prompt, those in a cache too."""
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    counts = [tokens for name in names if (tokens := count(usage.get(name))) is not None]
    return sum(counts) if counts else None


def listed(body: Any) -> Page:
    """A page of `/v1/models`; retired models are left out."""
    found = tuple(model for row in items(objects(body).get("data")) if (model := _model(row)) is not None)
    last = objects(body).get("last_id")
    return Page(found, last if objects(body).get("has_more") is True and isinstance(last, str) else "")


def _model(row: dict[str, Any]) -> Listed | None:
    key, name = row.get("id"), row.get("display_name")
    if not isinstance(key, str) or not key or row.get("lifecycle") == "retired":
        return None
    sees = objects(objects(row.get("capabilities")).get("image_input")).get("supported")
    return Listed(
        key,
        name if isinstance(name, str) else "",
        context=sized(row.get("max_input_tokens")),
        answer=sized(row.get("max_tokens")),
        sees=sees if isinstance(sees, bool) else None,
        tools=True,
        created=_moment(row.get("created_at")),
    )


def _moment(text: Any) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):
        return 0.0
