"""A model in the words of each of LM Studio's four lists. Values in, JSON out, no I/O."""

from collections.abc import Sequence
from typing import Any

from core.embedded.gguf import bits_of
from core.embedded.instances import Instance
from core.embedded.models import Entry
from core.embedded.runner import Json


def v1_entry(entry: Entry, instances: Sequence[Instance]) -> Json:
    """One element of `GET /api/v1/models` (LM Studio docs, REST v1, list)."""
    header = entry.header
    quant = {"name": header.quant, "bits_per_weight": bits_of(header.quant)} if header.quant else None
    listed: Json = {
        "type": "embedding" if header.embedding else "llm",
        "publisher": entry.publisher,
        "key": entry.key,
        "display_name": entry.name,
        "architecture": header.architecture,
        "quantization": quant,
        "size_bytes": entry.size_bytes,
        "params_string": header.params,
        "loaded_instances": [
            {"id": i.id, "config": v1_config(i)} for i in instances if i.entry.key == entry.key
        ],
        "max_context_length": entry.max_context,
        "format": "gguf",
        "description": None,
    }
    if not header.embedding:
        listed["capabilities"] = {"vision": False, "trained_for_tool_use": header.tools}
    return listed


def v1_config(instance: Instance) -> Json:
    """The settings of a loaded instance, as v1 lists them."""
    context = instance.runner.context
    return {"context_length": context, "parallel": instance.entry.parallel(context)}


def v0_entry(entry: Entry, instance: Instance | None, *, loading: bool) -> Json:
    """One element of `GET /api/v0/models`: the list that knows `loading`."""
    state = "loaded" if instance else "loading" if loading else "not-loaded"
    listed: Json = {
        "id": entry.key,
        "object": "model",
        "type": "embeddings" if entry.header.embedding else "llm",
        "publisher": entry.publisher,
        "arch": entry.header.architecture,
        "compatibility_type": "gguf",
        "quantization": entry.header.quant,
        "state": state,
        "max_context_length": entry.max_context,
        "capabilities": ["tool_use"] if entry.header.tools else [],
    }
    if instance:
        listed["loaded_context_length"] = instance.runner.context
    return listed


def openai_entry(entry: Entry) -> Json:
    """One element of `GET /v1/models`."""
    return {"id": entry.key, "object": "model", "owned_by": "organization_owner"}


def model_info(entry: Entry) -> Json:
    """Describe a model as the WebSocket does: `ModelInfo` of the vendor's SDK; unknown optionals are left out."""
    where = entry.path.name if entry.path else entry.key
    info: dict[str, Any] = {
        "type": "embedding" if entry.header.embedding else "llm",
        "modelKey": entry.key,
        "format": "gguf",
        "displayName": entry.name,
        "publisher": entry.publisher,
        "path": f"{entry.publisher}/{where}",
        "sizeBytes": entry.size_bytes,
        "indexedModelIdentifier": entry.key,
        "deviceIdentifier": None,
        "paramsString": entry.header.params,
        "architecture": entry.header.architecture,
        "quantization": {"name": entry.header.quant, "bits": bits_of(entry.header.quant)}
        if entry.header.quant
        else None,
        "maxContextLength": entry.max_context,
    }
    if not entry.header.embedding:
        info |= {"vision": False, "trainedForToolUse": entry.header.tools}
    required = ("deviceIdentifier",)
    return {k: v for k, v in info.items() if v is not None or k in required}


def instance_info(instance: Instance) -> Json:
    """Describe a loaded instance as the WebSocket does; `lastUsedTime` in milliseconds since the epoch."""
    return model_info(instance.entry) | {
        "identifier": instance.id,
        "instanceReference": instance.reference,
        "ttlMs": None,
        "lastUsedTime": instance.last_used and int(instance.last_used * 1000),
        "contextLength": instance.runner.context,
    }


def load_fields(context: int) -> Json:
    """The load settings of an instance, as the WebSocket lists them."""
    return {"fields": [{"key": "llm.load.contextLength", "value": context}]}
