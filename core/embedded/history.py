"""LM Studio's chat history (its `ChatHistoryData`) in OpenAI's words."""

from typing import Any

from core.embedded.runner import Json


def messages_of(history: Any) -> list[Json]:
    """Each message with its text; files and tool calls, which this engine cannot use, are left out."""
    return [
        {"role": m["role"], "content": _text(m["content"])}
        for m in history["messages"]
        if m["role"] != "tool"
    ]


def _text(parts: list[Json]) -> str:
    return "".join(p["text"] for p in parts if p["type"] == "text")
