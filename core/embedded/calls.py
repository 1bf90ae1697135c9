"""The WebSocket's remote calls: one question, one answer (lmstudio-js, `lms-external-backend-interfaces`)."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from core.embedded import shapes
from core.embedded.history import messages_of
from core.embedded.instances import Instance, Instances, Unknown, fits
from core.embedded.kv import context_of
from core.embedded.models import Entry
from core.embedded.runner import Gone, Json, Refused

_VERSION = "0.0.0"  # LM Studio's own number would be a lie

Rpc = Callable[[Instances, Any], Awaitable[Any]]


class CallFailed(Exception):
    """The answer is an error; `error` as LM Studio serialises one."""

    def __init__(self, title: str, display: Json | None = None) -> None:
        super().__init__(title)
        self.error: Json = {"title": title, "rootTitle": title}
        if display:
            self.error["displayData"] = display


def resolve(instances: Instances, specifier: Json) -> Instance:
    """Find the loaded instance that a specifier means; raises `CallFailed`."""
    found: Instance | None = None
    match specifier:
        case {"type": "instanceReference", "instanceReference": str(reference)}:
            found = next((i for i in instances.loaded() if i.reference == reference), None)
        case {"type": "query", "query": dict(query)}:
            found = _by_query(instances, query)
    if found is None:
        loaded = [i.id for i in instances.loaded()]
        display = {
            "code": "generic.noModelMatchingQuery",
            "query": specifier.get("query", {}),
            "loadedModelsSample": loaded[:5],
            "totalLoadedModels": len(loaded),
        }
        raise CallFailed("No loaded model satisfies all requirements specified in the query.", display)
    return found


def _by_query(instances: Instances, query: Json) -> Instance | None:
    if query.get("vision") or query.get("domain", "llm") != "llm":
        return None
    if name := query.get("identifier") or query.get("path"):
        return instances.by_id(name) or next((i for i in instances.loaded() if _path(i.entry) == name), None)
    return next(iter(instances.loaded()), None)


def _path(entry: Entry) -> str:
    return str(shapes.model_info(entry)["path"])


async def entry_of(instances: Instances, key: str) -> Entry:
    """Find the model with this key or path; raises `CallFailed`."""
    entries = await instances.catalogue.entries()
    found = next((e for e in entries if e.key == key.lower() or _path(e) == key), None)
    if found is None:
        display = {
            "code": "generic.pathNotFound",
            "path": key,
            "availablePathsSample": [e.key for e in entries[:5]],
            "totalModels": len(entries),
        }
        raise CallFailed(f"Cannot find a model with path {key}.", display)
    return found


async def _list_loaded(instances: Instances, _: Any) -> list[Json]:
    return [shapes.instance_info(i) for i in instances.loaded()]


async def _nothing_loaded(_instances: Instances, _: Any) -> list[Json]:
    return []


async def _list_downloaded(instances: Instances, _: Any) -> list[Json]:
    return [shapes.model_info(e) for e in await instances.catalogue.entries()]


async def _unload(instances: Instances, parameter: Any) -> None:
    name: str = parameter["identifier"]
    try:
        await instances.unload(name)
    except Unknown:
        display = {"code": "generic.identifierNotFound", "identifier": name}
        raise CallFailed(f"Cannot find a model with identifier {name}.", display) from None


async def _model_info(instances: Instances, parameter: Any) -> Json | None:
    try:
        return shapes.instance_info(resolve(instances, parameter["specifier"]))
    except CallFailed:
        if parameter.get("throwIfNotFound"):
            raise
        return None


async def _load_config(instances: Instances, parameter: Any) -> Json:
    return shapes.load_fields(resolve(instances, parameter["specifier"]).runner.context)


async def _prediction_config(_instances: Instances, _: Any) -> Json:
    return {"fields": []}


async def _processing_state(instances: Instances, parameter: Any) -> Json | None:
    try:
        instance = resolve(instances, parameter["specifier"])
    except CallFailed:
        if parameter.get("throwIfNotFound"):
            raise
        return None
    return {"status": "generating" if instance.active else "idle", "queued": instance.active}


async def _estimate(instances: Instances, parameter: Any) -> Json:
    entry = await entry_of(instances, parameter["modelKey"])
    context = context_of(parameter.get("loadConfigStack")) or entry.usual_context
    weights, cache = entry.memory_bytes(context)
    memory = {
        "confidence": "low" if entry.header.kv_bytes is None else "high",
        "modelVramBytes": 0,
        "contextVramBytes": 0,
        "totalVramBytes": 0,
        "modelBytes": weights,
        "contextBytes": cache,
        "totalBytes": weights + cache,
    }
    return {"memory": memory, "passesGuardrails": fits(entry, context)}


async def _tokenize(instances: Instances, parameter: Any) -> Json:
    return {"tokens": await _tokens(instances, parameter)}


async def _count_tokens(instances: Instances, parameter: Any) -> Json:
    return {"tokenCount": len(await _tokens(instances, parameter))}


async def _tokens(instances: Instances, parameter: Any) -> list[int]:
    instance = resolve(instances, parameter["specifier"])
    try:
        return await instance.runner.tokenize(parameter["inputString"])
    except (Refused, Gone) as error:
        raise CallFailed(error.text) from error


async def _apply_template(instances: Instances, parameter: Any) -> Json:
    instance = resolve(instances, parameter["specifier"])
    try:
        return {"formatted": await instance.runner.render(messages_of(parameter["history"]))}
    except (Refused, Gone) as error:
        raise CallFailed(error.text) from error


async def _version(_instances: Instances, _: Any) -> Json:
    return {"version": _VERSION, "build": 0}


async def _info(_instances: Instances, _: Any) -> Json:
    return {"pid": os.getpid(), "isDaemon": True, "version": _VERSION}


RPCS: dict[tuple[str, str], Rpc] = {
    ("llm", "listLoaded"): _list_loaded,
    ("llm", "unloadModel"): _unload,
    ("llm", "getModelInfo"): _model_info,
    ("llm", "getLoadConfig"): _load_config,
    ("llm", "getBasePredictionConfig"): _prediction_config,
    ("llm", "getInstanceProcessingState"): _processing_state,
    ("llm", "estimateModelUsage"): _estimate,
    ("llm", "tokenize"): _tokenize,
    ("llm", "countTokens"): _count_tokens,
    ("llm", "applyPromptTemplate"): _apply_template,
    ("embedding", "listLoaded"): _nothing_loaded,
    ("embedding", "unloadModel"): _unload,
    ("system", "listDownloadedModels"): _list_downloaded,
    ("system", "version"): _version,
    ("system", "info"): _info,
}
