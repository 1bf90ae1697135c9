"""The OpenAI-compatible chat wire into values, without I/O: every compatible server is decoded here."""

from collections.abc import Iterator, Sequence
from typing import Any

from core.conversation import Delta, ReplyOptions, Thinking, Turn, Usage
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
        url = f"data:{picture.mime};base64,{base64_of(picture)}"
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
            yield Thinking(whole(thought))
        text = message.get("content") or message.get("refusal")
        if isinstance(text, str) and text:
            yield Delta(whole(text))
        elif isinstance(text, list):  # Mistral's reasoning models send parts
            yield from _parts(text)
    if isinstance(reason := choice.get("finish_reason"), str):
        yield Finish("refused" if reason == "content_filter" else reason)


def _parts(parts: list[Any]) -> Iterator[Piece]:
    for part in items(parts):
        match part:
            case {"type": "text", "text": str(text)} if text:
                yield Delta(whole(text))
            case {"type": "thinking", "thinking": list(thoughts)}:
                for thought in items(thoughts):
                    if isinstance(said := thought.get("text"), str) and said:
                        yield Thinking(whole(said))
            case _:
                pass


def listed(body: Any) -> Page:
    """A listing in the many shapes of compatible servers: OpenAI, Mistral, Hugging Face, Groq, OpenRouter, vLLM.

    Cohere's own listing is read too (`models`, `next_page_token`).
    """
    rows = body if isinstance(body, list) else objects(body).get("data") or objects(body).get("models")
    found = tuple(model for row in items(rows) if (model := _model(row)) is not None)
    after = objects(body).get("next_page_token")
    return Page(found, after if isinstance(after, str) else "")


# The context, under the name that each server gives it.
_CONTEXTS = ("context_length", "max_context_length", "context_window", "max_model_len", "max_input_tokens")


def _model(row: dict[str, Any]) -> Listed | None:
    key: object = row.get("id") or row.get("name")
    if not isinstance(key, str) or not key:
        return None
    features, inputs, outputs = _abilities(row)
    able = objects(row.get("capabilities"))
    contexts = [sized(row.get(field)) for field in _CONTEXTS]
    contexts += [sized(one.get("context_length")) for one in items(row.get("providers"))]
    sees = able.get("vision")
    if not isinstance(sees, bool):
        sees = "image" in inputs if inputs else ("vision" in features if features else None)
    chats = able.get("completion_chat", True) is not False and row.get("type") not in _OTHER_TYPES
    shown: object = row.get("display_name") or row.get("name")
    return Listed(
        key,
        shown if isinstance(shown, str) else "",
        context=max((c for c in contexts if c), default=None),
        answer=sized(objects(row.get("top_provider")).get("max_completion_tokens")),
        sees=sees,
        tools=able.get("function_calling") is True or "tools" in features,
        chats=chats and row.get("active") is not False and (not outputs or "text" in outputs),
        created=float(count(row.get("created")) or 0),
    )


_OTHER_TYPES = frozenset({"embedding", "embeddings", "image", "audio", "moderation", "rerank", "transcribe"})


def _abilities(row: dict[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """Features, what may come in, what comes out: as words."""
    kinds = objects(row.get("architecture"))
    words = (
        row.get("features") or row.get("supported_parameters"),
        kinds.get("input_modalities"),
        kinds.get("output_modalities"),
    )
    features, inputs, outputs = (
        [word for word in one if isinstance(word, str)] if isinstance(one, list) else [] for one in words
    )
    return features, inputs, outputs
