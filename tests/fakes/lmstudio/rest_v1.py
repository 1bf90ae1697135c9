"""Native REST v1 but for chat: the list, load, unload, downloads."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from aiohttp import web

from tests.fakes.lmstudio.catalog import FakeModel, Json
from tests.fakes.lmstudio.checks import Kind, check, whole
from tests.fakes.lmstudio.exchange import Exchange
from tests.fakes.lmstudio.instances import Instance, LoadFailed
from tests.fakes.lmstudio.wire import ApiError, native_error

LOAD_KEYS: Mapping[str, Kind] = {
    "model": "str",
    "context_length": "number",
    "eval_batch_size": "number",
    "flash_attention": "bool",
    "num_experts": "number",
    "offload_kv_cache_to_gpu": "bool",
    "echo_load_config": "bool",
}


def _listed(x: Exchange, model: FakeModel) -> list[Json]:
    instances = [i for i in x.host.instances if i.model is model]
    if x.switches.v1_list == "empty":
        instances = []
    elif x.switches.v1_list == "when_ready":
        instances = [i for i in instances if i.state == "loaded"]
    return [{"id": i.identifier, "config": i.config.listed(model)} for i in instances]


def _entry(x: Exchange, model: FakeModel) -> Json:
    entry: Json = {
        "type": model.type,
        "publisher": model.publisher,
        "key": model.key,
        "display_name": model.display_name,
    }
    if model.type == "llm":
        entry["architecture"] = model.arch
    entry |= {
        "quantization": {"name": model.quant, "bits_per_weight": model.bits},
        "size_bytes": model.size_bytes,
        "params_string": model.params,
        "loaded_instances": _listed(x, model),
        "max_context_length": model.max_context_length,
        "format": model.format,
    }
    if model.type == "llm":
        if model.capabilities_known:
            entry["capabilities"] = _capabilities(model)
        entry |= {
            "description": model.description,
            "variants": [model.variant],
            "selected_variant": model.variant,
        }
    return entry | model.extra


def _capabilities(model: FakeModel) -> Json:
    capabilities: Json = {"vision": model.vision, "trained_for_tool_use": model.tools}
    if model.reasoning is not None:
        capabilities["reasoning"] = {
            "allowed_options": list(model.reasoning),
            "default": model.reasoning_default,
        }
    return capabilities


async def models(x: Exchange) -> web.StreamResponse:
    """The whole catalogue, whatever the JIT setting."""
    return x.answer({"models": [_entry(x, model) for model in x.host.models]})


def load_failure(x: Exchange, model: FakeModel, text: str) -> ApiError:
    noun = "LLM" if model.type == "llm" else "embedding model"
    message = f"Failed to load {noun} '{model.key}': Error: {text}"
    return native_error(x.switches.load_failure_status, message, "model_load_failed")


async def load(x: Exchange) -> web.StreamResponse:
    """A new instance, always; nothing is sent before it is ready."""
    body = await x.body()
    known = {key: kind for key, kind in LOAD_KEYS.items() if key not in x.switches.unknown_load_keys}
    check(body, known, ("model",), strict=x.switches.strict_bodies)
    model = x.host.model(body["model"])
    if model is None:
        message = f"Model {body['model']} not found in downloaded models"
        raise native_error(404, message, "model_not_found")
    requested = whole(body.get("context_length"))
    config = x.host.config_for(model, requested)
    config.eval_batch_size = whole(body.get("eval_batch_size")) or config.eval_batch_size
    config.flash_attention = body.get("flash_attention", config.flash_attention)
    config.offload_kv_cache_to_gpu = body.get("offload_kv_cache_to_gpu", config.offload_kv_cache_to_gpu)
    config.num_experts = whole(body.get("num_experts"))
    under_way = x.host.start_load(model, config)
    under_way.kept = not x.switches.disconnect_aborts_load
    try:
        with under_way.held():
            instance = await under_way.wait()
    except LoadFailed as failure:
        raise load_failure(x, model, str(failure)) from None
    answer: Json = {
        "type": model.type,
        "instance_id": instance.identifier,
        "load_time_seconds": round(under_way.seconds, 3),
        "status": "loaded",
    }
    if body.get("echo_load_config"):
        granted = instance.config.context_length
        shown = granted if x.switches.echo_fitted_context else requested or granted
        answer["load_config"] = instance.config.echoed(model, shown)
    return x.answer(answer)


async def unload(x: Exchange) -> web.StreamResponse:
    """One instance, by its exact id."""
    body = await x.body()
    check(body, {"instance_id": "str"}, ("instance_id",), strict=x.switches.strict_bodies)
    instance: Instance | None = x.host.instance(body["instance_id"])
    if instance is None:
        message = f"Model with instance identifier '{body['instance_id']}' is not loaded."
        raise native_error(404, message, "model_not_found")
    x.host.unload(instance)
    await asyncio.sleep(0)
    return x.answer({"instance_id": body["instance_id"]})


async def download(x: Exchange) -> web.StreamResponse:
    """Already there, or a job that never gets anywhere."""
    body = await x.body()
    check(body, {"model": "str", "quantization": "str"}, ("model",), strict=x.switches.strict_bodies)
    if x.host.model(body["model"]) is not None:
        return x.answer({"status": "already_downloaded"})
    started = datetime.now(UTC).isoformat()
    job = {"job_id": "job_0a1b", "status": "downloading", "total_size_bytes": 4096, "started_at": started}
    return x.answer(job)


async def download_status(x: Exchange) -> web.StreamResponse:
    job = x.path.rsplit("/", 1)[-1]
    if job != "job_0a1b":
        raise native_error(404, f"Job {job} not found", "job_not_found")
    status = {"job_id": job, "status": "downloading", "total_size_bytes": 4096, "downloaded_bytes": 0}
    return x.answer(status)
