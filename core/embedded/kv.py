"""LM Studio's layered settings (`kvConfigStack`): keys like `llm.load.contextLength` to plain values."""

from typing import Any

from core.embedded.runner import Json

_PLAIN = {"temperature": "temperature", "topKSampling": "top_k", "stopStrings": "stop"}
_CHECKED = {
    "maxPredictedTokens": "max_tokens",
    "minPSampling": "min_p",
    "topPSampling": "top_p",
    "repeatPenalty": "repeat_penalty",
}


def values_of(stack: Any) -> dict[str, Any]:
    """Every setting by its key; a later layer wins."""
    layers = stack.get("layers", []) if isinstance(stack, dict) else []
    return {f["key"]: f.get("value") for layer in layers for f in layer["config"]["fields"]}


def context_of(stack: Any) -> int | None:
    """Give the context (tokens) that a load asks for, if it does."""
    value = values_of(stack).get("llm.load.contextLength")
    return value if isinstance(value, int) and value > 0 else None


def sampling_of(stack: Any) -> Json:
    """Give the settings of a prediction in OpenAI's words; those it does not know are left out."""
    values = values_of(stack)
    body: Json = {}
    for theirs, ours in _PLAIN.items():
        if (value := values.get(f"llm.prediction.{theirs}")) is not None:
            body[ours] = value
    for theirs, ours in _CHECKED.items():
        match values.get(f"llm.prediction.{theirs}"):
            case {"checked": True, "value": int() | float() as value}:
                body[ours] = value
    match values.get("llm.prediction.structured"):
        case {"type": "json", "jsonSchema": dict(schema)}:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema},
            }
    return body
