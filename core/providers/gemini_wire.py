"""Gemini's generateContent wire into values, without I/O (v1beta)."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

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

_REASONS = {"STOP": "stop", "MAX_TOKENS": "length"}
_FORBIDDEN = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}
)
_ROLES = {Role.USER: "user", Role.ASSISTANT: "model"}


def path(model: str) -> str:
    """Where a model is asked; the event stream has no other switch than this one."""
    name = model if "/" in model else f"models/{model}"
    return f"/{quote(name, safe='/')}:streamGenerateContent?alt=sse"


def request(turns: Sequence[Turn], options: ReplyOptions) -> dict[str, Any]:
    """The body of a request; its model stands in the path."""
    body: dict[str, Any] = {
        "contents": [
            {"role": _ROLES[turn.role], "parts": _parts(turn)} for turn in turns if turn.role in _ROLES
        ]
    }
    if system := "\n\n".join(turn.text for turn in turns if turn.role is Role.SYSTEM):
        body["systemInstruction"] = {"parts": [{"text": system}]}
    limits = {"temperature": options.temperature, "maxOutputTokens": options.max_tokens}
    if config := {name: value for name, value in limits.items() if value is not None}:
        body["generationConfig"] = config
    return body


def _parts(turn: Turn) -> list[dict[str, Any]]:
    pictures: list[dict[str, Any]] = [
        {"inlineData": {"mimeType": one.mime, "data": base64_of(one)}} for one in turn.pictures
    ]
    return [*pictures, {"text": turn.text}] if turn.text or not pictures else pictures


def pieces(chunk: Any) -> Iterator[Piece]:
    """What a chunk brings. Usage is cumulative; a part may carry a signature alone and no text."""
    if not isinstance(chunk, dict):
        return
    if isinstance(name := chunk.get("modelVersion"), str) and name:
        yield Served(name)
    if isinstance(objects(chunk.get("promptFeedback")).get("blockReason"), str):
        yield Finish("refused")
    for candidate in items(chunk.get("candidates"))[:1]:
        for part in items(objects(candidate.get("content")).get("parts")):
            if isinstance(text := part.get("text"), str) and text:
                yield Thinking(whole(text)) if part.get("thought") is True else Delta(whole(text))
        if isinstance(reason := candidate.get("finishReason"), str) and reason:
            yield Finish("refused" if reason in _FORBIDDEN else _REASONS.get(reason, reason.lower()))
    usage = objects(chunk.get("usageMetadata"))
    tokens_in, said, thought = (
        count(usage.get(name)) for name in ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    )
    if tokens_in is not None:
        yield Usage(tokens_in, (said or 0) + (thought or 0) if said is not None else None)


def listed(body: Any) -> Page:
    """A page of `/models`: those that generate content."""
    found = tuple(model for row in items(objects(body).get("models")) if (model := _model(row)) is not None)
    after = objects(body).get("nextPageToken")
    return Page(found, after if isinstance(after, str) else "")


def _model(row: dict[str, Any]) -> Listed | None:
    name, title = row.get("name"), row.get("displayName")
    methods = row.get("supportedGenerationMethods")
    if not isinstance(name, str) or not name.removeprefix("models/"):
        return None
    return Listed(
        name.removeprefix("models/"),
        title if isinstance(title, str) else "",
        context=sized(row.get("inputTokenLimit")),
        answer=sized(row.get("outputTokenLimit")),
        chats=isinstance(methods, list) and "generateContent" in methods,
        tools=True,
    )
