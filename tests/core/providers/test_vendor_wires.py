"""Anthropic's and Gemini's wires, and listings of every shape: what is sent, and that nothing breaks the decoding."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conversation import Delta, Picture, ReplyOptions, Role, Thinking, Turn, Usage
from core.providers import anthropic_wire, gemini_wire, openai_wire
from core.providers.pieces import Finish, Listed, Page, Piece, Served

WORDS = st.sampled_from(
    ["type", "message", "delta", "content_block", "usage", "text", "thinking", "stop_reason", "input_tokens",
     "candidates", "content", "parts", "thought", "finishReason", "usageMetadata", "promptTokenCount", "models",
     "data", "id", "name", "capabilities", "architecture", "providers", "output_tokens", "promptFeedback",
     "message_start", "content_block_delta", "message_delta", "features", "created_at", "has_more", "last_id"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=14,
)
TALK = [
    Turn(Role.SYSTEM, "seja breve"),
    Turn(Role.USER, "oi"),
    Turn(Role.ASSISTANT, "  "),
    Turn(Role.USER, "e isto?", pictures=(Picture("image/png", b"\x01"),)),
]


@given(JSON)
def test_no_event_breaks_a_stream(data: Any) -> None:
    """Whatever JSON comes: pieces of the right types, or nothing."""
    for wire in (anthropic_wire, gemini_wire, openai_wire):
        for piece in wire.pieces(data):
            match piece:
                case Usage(tokens_in, tokens_out):
                    assert all(n is None or isinstance(n, int) for n in (tokens_in, tokens_out))
                case Delta(text) | Thinking(text) | Finish(text) | Served(text):
                    assert isinstance(text, str)


@given(JSON)
def test_no_body_breaks_a_listing(data: Any) -> None:
    """Whatever JSON comes: models with a key and limits that are numbers, or none."""
    for wire in (anthropic_wire, gemini_wire, openai_wire):
        page = wire.listed(data)
        assert isinstance(page, Page)
        for model in page.models:
            assert model.key
            assert isinstance(model.name, str)
            assert all(n is None or n > 0 for n in (model.context, model.answer))


def test_what_anthropic_is_sent() -> None:
    """The instruction apart, no empty turn, pictures before their text, always a limit."""
    body = anthropic_wire.request("claude", TALK, ReplyOptions(temperature=0.0), None)
    assert body["system"] == "seja breve"
    assert body["max_tokens"] == anthropic_wire.UNSAID
    assert [message["role"] for message in body["messages"]] == ["user", "user"]
    source = {"type": "base64", "media_type": "image/png", "data": "AQ=="}
    wanted = [{"type": "image", "source": source}, {"type": "text", "text": "e isto?"}]
    assert body["messages"][-1]["content"] == wanted
    assert body["temperature"] == 0.0
    assert "temperature" not in anthropic_wire.request("claude", TALK, ReplyOptions(), 10)


def test_what_gemini_is_sent() -> None:
    """The instruction apart, its own names for roles, only what is set; the model stands in the path."""
    body = gemini_wire.request(TALK, ReplyOptions(max_tokens=7))
    assert body["systemInstruction"] == {"parts": [{"text": "seja breve"}]}
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]
    assert body["contents"][-1]["parts"][0] == {"inlineData": {"mimeType": "image/png", "data": "AQ=="}}
    assert body["generationConfig"] == {"maxOutputTokens": 7}
    assert gemini_wire.path("gemini-3") == "/models/gemini-3:streamGenerateContent?alt=sse"
    assert gemini_wire.path("tunedModels/a b") == "/tunedModels/a%20b:streamGenerateContent?alt=sse"


GEMINI: list[tuple[Any, list[Piece]]] = [
    ({"candidates": [{"content": {"parts": [{"thoughtSignature": "c2ln"}]}}]}, []),
    ({"candidates": [{"finishReason": "MAX_TOKENS"}]}, [Finish("length")]),
    ({"candidates": [{"finishReason": "PROHIBITED_CONTENT"}]}, [Finish("refused")]),
    ({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]}, [Finish("malformed_function_call")]),
    ({"promptFeedback": {"blockReason": "SAFETY"}}, [Finish("refused")]),
    (
        {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 3}},
        [Usage(5, 5)],
    ),
    ({"usageMetadata": {"promptTokenCount": 5}}, [Usage(5, None)]),
]


@pytest.mark.parametrize(("chunk", "expected"), GEMINI)
def test_chunks_of_gemini(chunk: Any, expected: list[Piece]) -> None:
    """Signatures are no text, thoughts are counted as said, every block is a refusal."""
    assert list(gemini_wire.pieces(chunk)) == expected


LISTED: list[tuple[dict[str, Any], Listed]] = [
    ({"id": "a", "context_window": 8192, "active": False}, Listed("a", context=8192, chats=False)),  # Groq
    ({"id": "a", "type": "chat", "display_name": "A"}, Listed("a", "A")),  # Together
    ({"id": "a", "type": "embedding"}, Listed("a", chats=False)),
    (
        {  # OpenRouter
            "id": "x/a",
            "name": "X: A",
            "created": 7,
            "context_length": 131072,
            "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
            "top_provider": {"max_completion_tokens": 4096},
            "supported_parameters": ["tools", "temperature"],
        },
        Listed("x/a", "X: A", 131072, 4096, sees=True, tools=True, created=7.0),
    ),
    ({"id": "a", "architecture": {"output_modalities": ["image"]}}, Listed("a", chats=False)),
]


@pytest.mark.parametrize(("row", "expected"), LISTED)
def test_rows_of_compatible_servers(row: dict[str, Any], expected: Listed) -> None:
    """Each server's own names for the same facts; a bare list is a listing too."""
    assert openai_wire.listed({"object": "list", "data": [row]}) == Page((expected,))
    assert openai_wire.listed([row, {"no": "key"}]) == Page((expected,))
