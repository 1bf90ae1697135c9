"""Strict validation of native bodies, and the finding of the model a request means."""

from collections.abc import Mapping
from typing import Any, Literal

from tests.fakes.lmstudio.catalog import FakeModel, Json
from tests.fakes.lmstudio.exchange import Exchange
from tests.fakes.lmstudio.instances import Instance
from tests.fakes.lmstudio.wire import ApiError, invalid

Kind = Literal["str", "number", "bool", "list", "any"]
NO_MODELS = "No models loaded. Please load a model in the developer page or use the 'lms load' command."


def is_kind(value: Any, kind: Kind) -> bool:
    match kind:
        case "str":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "bool":
            return isinstance(value, bool)
        case "list":
            return isinstance(value, list)
        case "any":
            return True


def check(body: Json, known: Mapping[str, Kind], required: tuple[str, ...], *, strict: bool) -> None:
    """Refuse a native body the way LM Studio does: unknown keys, missing keys, wrong types."""
    unknown = [key for key in body if key not in known]
    if unknown and strict:
        names = ", ".join(f"'{key}'" for key in unknown)
        raise invalid(f"Unrecognized key(s) in object: {names}", "unrecognized_keys")
    for key in required:
        if body.get(key) is None:
            raise invalid(f'"{key}" is required', "missing_required_parameter", key)
    for key, value in body.items():
        kind = known.get(key, "any")
        if not is_kind(value, kind):
            raise invalid(f"Invalid value for '{key}': expected {kind}", "invalid_value", key)


def whole(value: Any) -> int | None:
    """A number of the wire as an int; anything else as None."""
    return int(value) if is_kind(value, "number") else None


def invalid_identifier(x: Exchange, name: str) -> str:
    keys = ", ".join(model.key for model in x.host.models)
    return f'Invalid model identifier "{name}". Please specify a valid downloaded model (e.g., {keys}).'


def ready_or_loading(x: Exchange, name: str, kind: str) -> Instance | None:
    """The instance that answers to a name; with the JIT race on, one still loading does not."""
    instance = x.host.instance_for(name)
    if instance is None or instance.model.type != kind:
        return None
    if x.switches.jit and x.switches.jit_race and instance.state == "loading":
        return None
    instance.load.kept = True
    return instance


def named(x: Exchange, name: str, kind: str = "llm") -> Instance | FakeModel:
    """The five rules by which /v1 and v0 find the model of a request."""
    if (instance := ready_or_loading(x, name, kind)) is not None:
        return instance
    model = x.host.model_or_variant(name)
    if model is not None and model.type == kind and x.switches.jit:
        return model
    loaded = x.host.loaded(kind)
    if len(loaded) == 1 and x.switches.wrong_model_answers:
        return loaded[0]
    if not loaded and (model is not None or not x.switches.jit):
        raise _openai_error(NO_MODELS, None)
    raise _openai_error(invalid_identifier(x, name), "model_not_found")


def _openai_error(message: str, code: str | None) -> ApiError:
    error = {"message": message, "type": "invalid_request_error", "param": "model", "code": code}
    return ApiError(400, {"error": error})


def begin_jit(x: Exchange, model: FakeModel, ttl: Any = None, context_length: int | None = None) -> Instance:
    """Start the load a request needs. Its time to live is the request's, if that makes sense."""
    seconds = ttl if is_kind(ttl, "number") and ttl > 0 else x.switches.jit_ttl_seconds
    config = x.host.config_for(model, context_length)
    load = x.host.start_load(model, config, jit=True, ttl=float(seconds))
    load.kept = True
    return load.instance
