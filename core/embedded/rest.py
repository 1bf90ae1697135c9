"""LM Studio's REST for models: the lists of v1, v0 and /v1, load and unload."""

from aiohttp import web

from core.embedded import shapes
from core.embedded.instances import Instances, Unknown
from core.embedded.replies import Refusal, load_failed, read, typed
from core.embedded.runner import Json, LoadError

_LOAD_KEYS = (
    "model", "context_length", "eval_batch_size", "flash_attention", "num_experts",
    "offload_kv_cache_to_gpu", "echo_load_config",
)  # fmt: skip


class Rest:
    """Handlers over one set of instances."""

    def __init__(self, instances: Instances) -> None:
        self._instances = instances
        self._catalogue = instances.catalogue

    def routes(self) -> list[web.RouteDef]:
        """Where each handler answers."""
        return [
            web.get("/lmstudio-greeting", self.greeting, allow_head=False),
            web.get("/api/v1/models", self.v1_models, allow_head=False),
            web.post("/api/v1/models/load", self.load),
            web.post("/api/v1/models/unload", self.unload),
            web.get("/api/v0/models", self.v0_models, allow_head=False),
            web.get("/api/v0/models/{key:.+}", self.v0_model, allow_head=False),
            web.get("/v1/models", self.openai_models, allow_head=False),
        ]

    async def greeting(self, _: web.Request) -> web.Response:
        """Say that this speaks LM Studio; the only answer that needs no token."""
        return web.json_response({"lmstudio": True})

    async def v1_models(self, _: web.Request) -> web.Response:
        """The whole catalogue. An instance appears when it is ready, not when its load starts."""
        loaded = self._instances.loaded()
        entries = await self._catalogue.entries()
        return web.json_response({"models": [shapes.v1_entry(e, loaded) for e in entries]})

    async def v0_models(self, _: web.Request) -> web.Response:
        """The list with `state`."""
        return web.json_response({"data": await self._v0(), "object": "list"})

    async def v0_model(self, request: web.Request) -> web.Response:
        """One element of the list with `state`."""
        key = request.match_info["key"].lower()
        found = next((e for e in await self._v0() if e["id"] == key), None)
        if found is None:
            raise Refusal(404, f"Model {key} not found", "invalid_request", "model_not_found", "model")
        return web.json_response(found)

    async def _v0(self) -> list[Json]:
        known = self._instances
        return [
            shapes.v0_entry(e, known.of(e.key), loading=known.loading(e.key))
            for e in await self._catalogue.entries()
        ]

    async def openai_models(self, _: web.Request) -> web.Response:
        """The list that OpenAI's clients read."""
        entries = await self._catalogue.entries()
        return web.json_response({"data": [shapes.openai_entry(e) for e in entries], "object": "list"})

    async def load(self, request: web.Request) -> web.Response:
        """Load and answer when done. Unlike LM Studio a loaded model is given again, not copied."""
        body = await read(request, allowed=_LOAD_KEYS, required=("model",))
        name: str = typed(body, "model", str)
        context = typed(body, "context_length", int)
        if context is not None and context < 1:
            raise Refusal(
                400,
                "Invalid value for 'context_length'",
                "invalid_request",
                "invalid_value",
                "context_length",
            )
        if await self._catalogue.find(name) is None:
            text = f"Model {name} not found in downloaded models"
            raise Refusal(404, text, "model_not_found", "model_not_found")
        try:
            instance = await self._instances.load(name, context=context)
        except LoadError as error:
            raise load_failed(name, error.text) from error
        answer: Json = {
            "type": "llm",
            "instance_id": instance.id,
            "load_time_seconds": round(instance.load_seconds, 3),
            "status": "loaded",
        }
        if typed(body, "echo_load_config", bool):
            answer["load_config"] = {"context_length": instance.runner.context}
        return web.json_response(answer)

    async def unload(self, request: web.Request) -> web.Response:
        """Unload an instance; answers when its memory is free."""
        body = await read(request, allowed=("instance_id",), required=("instance_id",))
        name: str = typed(body, "instance_id", str)
        try:
            instance = await self._instances.unload(name)
        except Unknown:
            text = f"Model with instance identifier '{name}' is not loaded."
            raise Refusal(404, text, "model_not_found", "model_not_found") from None
        return web.json_response({"instance_id": instance.id})
