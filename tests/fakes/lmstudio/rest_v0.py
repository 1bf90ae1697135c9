"""Native REST v0: the list with each model's state."""

import time
from urllib.parse import unquote

from aiohttp import web

from tests.fakes.lmstudio.catalog import FakeModel, Json
from tests.fakes.lmstudio.exchange import Exchange
from tests.fakes.lmstudio.instances import Instance
from tests.fakes.lmstudio.wire import ApiError, html_answer


def _state(x: Exchange, instance: Instance | None) -> str:
    if instance is None or x.switches.v0_state == "not_loaded":
        return "not-loaded"
    lagging = time.monotonic() - instance.loaded_at < x.switches.v0_lag_seconds
    if instance.state == "loading" or lagging or x.switches.v0_state == "stuck_loading":
        return "loading"
    return "loaded"


def _entry(x: Exchange, model: FakeModel, instance: Instance | None) -> Json:
    kind = "embeddings" if model.type == "embedding" else "vlm" if model.vision else "llm"
    state = _state(x, instance)
    entry: Json = {
        "id": instance.identifier if instance is not None else model.key,
        "object": "model",
        "type": kind,
        "publisher": model.publisher,
        "arch": model.arch,
        "compatibility_type": model.format,
        "quantization": model.quant,
        "state": state,
        "max_context_length": model.max_context_length,
    }
    if instance is not None and state == "loaded":
        entry["loaded_context_length"] = instance.config.context_length
    if model.type == "llm" and model.tools:
        entry["capabilities"] = ["tool_use"]
    return entry


def _entries(x: Exchange) -> list[Json]:
    """Each model under its key, further instances under their own id; with JIT off only what is loaded."""
    entries = []
    for model in x.host.models:
        instances = [i for i in x.host.instances if i.model is model]
        if x.switches.jit and not any(i.identifier == model.key for i in instances):
            entries.append(_entry(x, model, None))
        entries += [_entry(x, model, instance) for instance in instances]
    return entries


async def models(x: Exchange) -> web.StreamResponse:
    fresh, x.host.fresh_loads = x.host.fresh_loads, 0
    if fresh and x.switches.v0_html_500_at_load:
        return html_answer(500)
    return x.answer({"data": _entries(x), "object": "list"})


async def one_model(x: Exchange) -> web.StreamResponse:
    """Slashes in the id may be literal or %2F."""
    wanted = unquote(x.path).removeprefix("/api/v0/models/")
    for entry in _entries(x):
        if entry["id"] == wanted:
            return x.answer(entry)
    raise ApiError(404, {"error": f"Model '{wanted}' not found"})
