"""The OpenAI-compatible wire: requests with nothing but what is set, chunks of any shape."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conversation import Delta, ReplyOptions, Role, Thinking, Turn, Usage
from core.providers import openai_wire
from core.providers.pieces import Finish, Piece, Served

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MESSAGE = st.fixed_dictionaries({}, optional={"content": JSON, "reasoning_content": JSON, "reasoning": JSON})
CHOICE = st.fixed_dictionaries(
    {}, optional={"delta": JSON | MESSAGE, "message": JSON | MESSAGE, "finish_reason": JSON}
)
USAGE = st.fixed_dictionaries({"prompt_tokens": JSON, "completion_tokens": JSON})
CHUNK = st.fixed_dictionaries(
    {}, optional={"model": JSON, "choices": JSON | st.lists(JSON | CHOICE, max_size=3), "usage": JSON | USAGE}
)


def pieces(chunk: Any) -> list[Piece]:
    return list(openai_wire.pieces(chunk))


def test_request() -> None:
    """Roles in the wire's words, always streamed with usage; what is not set is not sent."""
    turns = [Turn(Role.SYSTEM, "be brief"), Turn(Role.USER, "oi")]
    body = openai_wire.request("a/b", turns, ReplyOptions())
    assert body == {
        "model": "a/b",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "oi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    more = openai_wire.request("a/b", turns, ReplyOptions(temperature=0.0, max_tokens=7))
    assert more == body | {"temperature": 0.0, "max_tokens": 7}


SHAPES: list[tuple[Any, list[Piece]]] = [
    ({"model": "m", "choices": [{"delta": {"content": "a"}}]}, [Served("m"), Delta("a")]),
    ({"choices": [{"delta": {"reasoning_content": "t"}}]}, [Thinking("t")]),
    ({"choices": [{"delta": {"reasoning": "t"}}]}, [Thinking("t")]),
    (
        {"choices": [{"message": {"content": "a", "reasoning_content": ""}, "finish_reason": "stop"}]},
        [Delta("a"), Finish("stop")],
    ),
    ({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}, [Usage(3, 4)]),
    ({"choices": [{"delta": {"role": "assistant"}, "finish_reason": None}]}, []),
    ({"choices": None}, []),
    ("text", []),
]


@pytest.mark.parametrize(("chunk", "expected"), SHAPES)
def test_chunks(chunk: Any, expected: list[Piece]) -> None:
    """Text, reasoning in both fields, the end, the usage; a whole answer counts as one chunk."""
    assert pieces(chunk) == expected


@given(JSON | CHUNK)
def test_chunks_survive_anything(chunk: Any) -> None:
    """No JSON whatever breaks a stream, and every piece has the type it says."""
    for piece in pieces(chunk):
        match piece:
            case Usage(tokens_in, tokens_out):
                assert all(n is None or isinstance(n, int) for n in (tokens_in, tokens_out))
            case Thinking(text) | Delta(text) | Finish(text) | Served(text):
                assert isinstance(text, str)


def test_half_characters_are_mended() -> None:
    """Half a surrogate pair cannot be stored or shown: it becomes the sign for a broken character."""
    chunk = {"choices": [{"delta": {"content": "a\ud83d", "reasoning": "\ude00b"}}]}
    assert pieces(chunk) == [Thinking("\ufffdb"), Delta("a\ufffd")]
