"""The remote procedure calls of the WebSocket namespaces."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.lmstudio.catalog import FakeModel, Json, tokens_in
from tests.fakes.lmstudio.exchange import Core
from tests.fakes.lmstudio.instances import LoadConfig
from tests.fakes.lmstudio.openai import vector
from tests.fakes.lmstudio.socket_shapes import (
    Shape,
    demand,
    find,
    history_messages,
    instance_info,
    load_config,
    model_info,
    not_loaded,
    on_disk,
    stack_fields,
)


@dataclass(frozen=True)
class Call:
    """An rpcCall with parameters that passed the check."""

    core: Core
    namespace: str
    parameter: Json


@dataclass(frozen=True)
class Rpc:
    shape: Shape
    answer: Callable[[Call], Any]


def requested_config(core: Core, model: FakeModel, stack: Json) -> LoadConfig:
    """A load's settings from its config stack."""
    fields = stack_fields(stack)
    config = core.host.config_for(model, fields.get(f"{model.type}.load.contextLength"))
    config.parallel = fields.get("llm.load.numParallelSessions") or config.parallel
    config.eval_batch_size = fields.get("llm.load.llama.evalBatchSize") or config.eval_batch_size
    config.flash_attention = bool(fields.get("llm.load.llama.flashAttention", config.flash_attention))
    config.num_experts = fields.get("llm.load.numExperts", config.num_experts)
    offload = fields.get("llm.load.offloadKVCacheToGpu", config.offload_kv_cache_to_gpu)
    config.offload_kv_cache_to_gpu = bool(offload)
    return config


def _list_loaded(call: Call) -> list[Json]:
    return [instance_info(i) for i in call.core.host.loaded(call.namespace)]


def _unload(call: Call) -> None:
    name = call.parameter["identifier"]
    instance = call.core.host.instance(name)
    if instance is None or instance.model.type != call.namespace:
        raise not_loaded(call.core.host, call.namespace, name)
    call.core.host.unload(instance)


def _model_info(call: Call) -> Json | None:
    specifier = call.parameter["specifier"]
    if call.parameter.get("throwIfNotFound"):
        return instance_info(demand(call.core.host, call.namespace, specifier))
    found = find(call.core.host, call.namespace, specifier)
    return None if found is None else instance_info(found)


def _processing_state(call: Call) -> Json | None:
    specifier = call.parameter["specifier"]
    instance = find(call.core.host, call.namespace, specifier)
    if instance is None:
        if call.parameter.get("throwIfNotFound"):
            demand(call.core.host, call.namespace, specifier)
        return None
    return {"status": instance.status, "queued": len(instance.work)}


def _load_config(call: Call) -> Json:
    return load_config(demand(call.core.host, call.namespace, call.parameter["specifier"]))


def _estimate(call: Call) -> Json:
    host = call.core.host
    model = on_disk(host, call.namespace, call.parameter["modelKey"])
    config = requested_config(call.core, model, call.parameter["loadConfigStack"])
    context = model.memory(config.context_length) - model.size_bytes
    return {
        "memory": {
            "confidence": "high",
            "modelVramBytes": model.size_bytes,
            "contextVramBytes": context,
            "totalVramBytes": model.size_bytes + context,
            "modelBytes": model.size_bytes,
            "contextBytes": context,
            "totalBytes": model.size_bytes + context,
        }
        | model.estimate,
        "passesGuardrails": host.fits(model, config) if model.estimate_fits is None else model.estimate_fits,
    }


def _count_tokens(call: Call) -> Json:
    demand(call.core.host, call.namespace, call.parameter["specifier"])
    return {"tokenCount": tokens_in(call.parameter["inputString"])}


def _tokenize(call: Call) -> Json:
    demand(call.core.host, call.namespace, call.parameter["specifier"])
    text = call.parameter["inputString"]
    return {"tokens": [sum(text[at : at + 4].encode()) for at in range(0, len(text), 4)]}


def _apply_template(call: Call) -> Json:
    demand(call.core.host, call.namespace, call.parameter["specifier"])
    messages = history_messages(call.parameter["history"])
    turns = [f"<|{m['role']}|>\n{m['content']}\n" for m in messages]
    return {"formatted": "".join(turns) + "<|assistant|>\n"}


def _base_config(call: Call) -> Json:
    demand(call.core.host, call.namespace, call.parameter["specifier"])
    return {"fields": []}


def _embed(call: Call) -> Json:
    demand(call.core.host, call.namespace, call.parameter["modelSpecifier"])
    return {"embedding": vector(call.parameter["inputString"])}


def _downloaded(call: Call) -> list[Json]:
    return [model_info(model) for model in call.core.host.models]


def _variants(call: Call) -> list[Json]:
    wanted = call.parameter["modelKey"]
    return [model_info(model) for model in call.core.host.models if model.key == wanted]


def _version(call: Call) -> Json:
    return {"version": call.core.switches.version, "build": call.core.switches.build}


def _info(call: Call) -> Json:
    return {"pid": os.getpid(), "isDaemon": False, "version": call.core.switches.version}


_SPECIFIER = {"specifier": "specifier"}
_TEXT = {"specifier": "specifier", "inputString": "str"}
_MODEL_CALLS = {
    "listLoaded": Rpc({}, _list_loaded),
    "unloadModel": Rpc({"identifier": "str", "deviceIdentifier": "str?"}, _unload),
    "getModelInfo": Rpc({"specifier": "specifier", "throwIfNotFound": "bool"}, _model_info),
    "getLoadConfig": Rpc(_SPECIFIER, _load_config),
    "getBasePredictionConfig": Rpc(_SPECIFIER, _base_config),
    "getInstanceProcessingState": Rpc(
        {"specifier": "specifier", "throwIfNotFound": "bool"}, _processing_state
    ),
    "estimateModelUsage": Rpc(
        {"modelKey": "str", "loadConfigStack": "stack", "deviceIdentifier": "str?"}, _estimate
    ),
    "countTokens": Rpc(_TEXT, _count_tokens),
    "tokenize": Rpc(_TEXT, _tokenize),
}
CALLS: dict[str, dict[str, Rpc]] = {
    "llm": _MODEL_CALLS
    | {"applyPromptTemplate": Rpc({"specifier": "specifier", "history": "history"}, _apply_template)},
    "embedding": _MODEL_CALLS
    | {"embedString": Rpc({"modelSpecifier": "specifier", "inputString": "str"}, _embed)},
    "system": {
        "listDownloadedModels": Rpc({}, _downloaded),
        "listDownloadedModelVariants": Rpc({"modelKey": "str"}, _variants),
        "version": Rpc({}, _version),
        "info": Rpc({}, _info),
    },
}
