"""What travels on the WebSockets: model infos, error objects, specifiers, parameter checks."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.lmstudio.catalog import FakeModel, Json, Messages
from tests.fakes.lmstudio.instances import Instance
from tests.fakes.lmstudio.state import Host

SAMPLE = 5


class SocketError(Exception):
    """A call or channel that fails with an error object."""

    def __init__(self, title: str, *, cause: str | None = None, display: Json | None = None) -> None:
        super().__init__(title)
        self.error: Json = {"title": title, "rootTitle": title}
        if cause is not None:
            self.error["cause"] = cause
        if display is not None:
            self.error["displayData"] = display


class BadParameter(Exception):
    """Parameters that fail validation: the client only gets a communicationWarning."""


def model_info(model: FakeModel) -> Json:
    info: Json = {
        "type": model.type,
        "modelKey": model.key,
        "format": model.format,
        "displayName": model.display_name,
        "publisher": model.publisher,
        "path": model.path,
        "sizeBytes": model.size_bytes,
        "indexedModelIdentifier": model.path,
        "deviceIdentifier": None,
        "architecture": model.arch,
        "quantization": {"name": model.quant, "bits": model.bits},
        "variants": [model.variant],
        "selectedVariant": model.variant,
        "maxContextLength": model.max_context_length,
    }
    if model.params is not None:
        info["paramsString"] = model.params
    if model.type == "llm":
        info |= {"vision": model.vision, "trainedForToolUse": model.tools}
    return info


def instance_info(instance: Instance) -> Json:
    return model_info(instance.model) | {
        "identifier": instance.identifier,
        "instanceReference": instance.reference,
        "ttlMs": None if instance.ttl is None else int(instance.ttl * 1000),
        "lastUsedTime": instance.last_used_ms,
        "contextLength": instance.config.context_length,
    }


def load_config(instance: Instance) -> Json:
    """The settings of an instance as key-value fields."""
    config, kind = instance.config, instance.model.type
    fields: list[Json] = [{"key": f"{kind}.load.contextLength", "value": config.context_length}]
    if kind == "llm":
        fields.append({"key": "llm.load.numParallelSessions", "value": config.parallel})
        if not instance.model.is_mlx:
            fields += [
                {"key": "llm.load.llama.evalBatchSize", "value": config.eval_batch_size},
                {"key": "llm.load.llama.flashAttention", "value": config.flash_attention},
                {"key": "llm.load.offloadKVCacheToGpu", "value": config.offload_kv_cache_to_gpu},
            ]
    return {"fields": fields}


def stack_fields(stack: Json) -> dict[str, Any]:
    """The fields of a config stack; later layers win."""
    fields: dict[str, Any] = {}
    for layer in stack["layers"]:
        for item in layer.get("config", {}).get("fields", []):
            fields[item["key"]] = item.get("value")
    return fields


def history_messages(history: Json) -> Messages:
    messages: Messages = []
    for message in history["messages"]:
        parts = message.get("content", [])
        texts = [str(part.get("text", "")) for part in parts if isinstance(part, dict)]
        messages.append({"role": str(message.get("role", "user")), "content": "\n".join(texts)})
    return messages


# ---------------------------------------------------------------- finding


def find(host: Host, namespace: str, specifier: Json) -> Instance | None:
    """The loaded instance a specifier means."""
    loaded = host.loaded(namespace)
    if specifier["type"] == "instanceReference":
        wanted = specifier["instanceReference"]
        return next((i for i in loaded if i.reference == wanted), None)
    query = specifier["query"]
    name = query.get("identifier")
    if name is not None:
        found = host.instance_for(name)
        return found if found in loaded else None
    path = query.get("path")
    fitting = (i for i in loaded if path is None or path in (i.model.path, i.model.key, i.model.publisher))
    return next(fitting, None)


def demand(host: Host, namespace: str, specifier: Json) -> Instance:
    instance = find(host, namespace, specifier)
    if instance is None:
        loaded = [i.identifier for i in host.loaded(namespace)]
        display = {
            "code": "generic.noModelMatchingQuery",
            "query": specifier.get("query", {}),
            "loadedModelsSample": loaded[:SAMPLE],
            "totalLoadedModels": len(loaded),
        }
        raise SocketError("No model found that fits the query.", display=display)
    return instance


def not_loaded(host: Host, namespace: str, identifier: str) -> SocketError:
    loaded = [i.identifier for i in host.loaded(namespace)]
    display = {
        "code": "generic.identifierNotFound",
        "identifier": identifier,
        "loadedModelsSample": loaded[:SAMPLE],
        "totalLoadedModels": len(loaded),
    }
    return SocketError(f'Cannot find a model with the identifier "{identifier}".', display=display)


def on_disk(host: Host, namespace: str, key: str) -> FakeModel:
    """The downloaded model of a key or path."""
    models = [m for m in host.models if m.type == namespace]
    for model in models:
        if key.lower() in (model.key.lower(), model.path.lower(), model.variant.lower()):
            return model
    display = {
        "code": "generic.pathNotFound",
        "path": key,
        "availablePathsSample": [m.path for m in models[:SAMPLE]],
        "totalModels": len(models),
    }
    raise SocketError(f'Cannot find a model with the path "{key}".', display=display)


# ---------------------------------------------------------------- checking

Shape = Mapping[str, str]
"""Key to kind; a kind that ends in ? may be missing or null."""


def conform(parameter: Any, shape: Shape) -> Json:
    """The parameter as a dict, or `BadParameter`. Unknown keys are let through."""
    given = {} if parameter is None else parameter
    if not isinstance(given, dict):
        raise BadParameter("expected an object")
    for key, kind in shape.items():
        value = given.get(key)
        if value is None and kind.endswith("?"):
            continue
        if not _FITS[kind.rstrip("?")](value):
            raise BadParameter(f"{key}: expected {kind.rstrip('?')}")
    return given


_FITS: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "ms": lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1,
    "stack": lambda value: isinstance(value, dict) and _layered(value.get("layers")),
    "specifier": lambda value: isinstance(value, dict) and _specified(value),
    "history": lambda value: isinstance(value, dict) and isinstance(value.get("messages"), list),
}


def _layered(layers: Any) -> bool:
    if not isinstance(layers, list):
        return False
    for layer in layers:
        config = layer.get("config") if isinstance(layer, dict) else None
        fields = config.get("fields") if isinstance(config, dict) else None
        if not isinstance(fields, list) or not all(isinstance(f, dict) and "key" in f for f in fields):
            return False
    return True


def _specified(value: Json) -> bool:
    if value.get("type") == "query":
        return isinstance(value.get("query"), dict)
    return value.get("type") == "instanceReference" and isinstance(value.get("instanceReference"), str)
