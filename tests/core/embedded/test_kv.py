"""LM Studio's layered settings and its chat history, in OpenAI's words."""

from core.embedded.history import messages_of
from core.embedded.kv import context_of, sampling_of


def stack(*layers: dict[str, object]) -> dict[str, object]:
    """One layer per dictionary, the last one strongest."""
    fields = [[{"key": k, "value": v} for k, v in layer.items()] for layer in layers]
    return {"layers": [{"layerName": "apiOverride", "config": {"fields": f}} for f in fields]}


def test_sampling_is_translated() -> None:
    """Plain, checked and structured settings arrive; unchecked and unknown ones do not."""
    given = stack(
        {"llm.prediction.temperature": 1.0, "llm.prediction.stopStrings": ["END"]},
        {
            "llm.prediction.temperature": 0.2,
            "llm.prediction.maxPredictedTokens": {"checked": True, "value": 7},
            "llm.prediction.topPSampling": {"checked": False, "value": 0.5},
            "llm.prediction.structured": {"type": "json", "jsonSchema": {"type": "object"}},
            "llm.prediction.newInTheFuture": 1,
        },
    )
    assert sampling_of(given) == {
        "temperature": 0.2,
        "stop": ["END"],
        "max_tokens": 7,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}},
        },
    }


def test_context_is_read() -> None:
    """The context that a load asks for, or nothing."""
    assert context_of(stack({"llm.load.contextLength": 1024})) == 1024
    assert context_of(stack({"llm.load.contextLength": -1})) is None
    assert context_of(None) is None


def test_history_keeps_what_was_said() -> None:
    """Texts are joined; files and results of tools are left out."""
    history = {
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "file"}, {"type": "text", "text": "b"}],
            },
            {"role": "tool", "content": [{"type": "toolCallResult", "content": "42"}]},
        ]
    }
    assert messages_of(history) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "ab"},
    ]
