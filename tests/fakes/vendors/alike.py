"""The vendors that speak OpenAI's wire, each with what is its own."""

from typing import Any

from aiohttp import web

from tests.fakes.vendors.openai import CREATED, FakeOpenAI, error
from tests.fakes.vendors.script import Asked, Json, Row, Say
from tests.fakes.vendors.server import event

PLAIN = frozenset({"model", "messages", "stream", "temperature", "max_tokens"})


class FakeMistral(FakeOpenAI):
    """`api.mistral.ai/v1`: refuses every field it does not know; usage comes unasked in the last chunk."""

    key = "fakeMistral0123456789abcdefghij"
    fields = PLAIN

    def default_models(self) -> list[dict[str, Any]]:
        def model(name: str, context: int, **able: bool) -> dict[str, Any]:
            capabilities = {"completion_chat": True, "function_calling": True, "vision": False, **able}
            return {
                "id": name,
                "object": "model",
                "created": CREATED,
                "owned_by": "mistralai",
                "capabilities": capabilities,
                "name": name,
                "max_context_length": context,
                "aliases": [],
                "type": "base",
            }

        return [
            model("codestral-fim", 8192, completion_chat=False),
            model("mistral-small-latest", 131072, vision=True),
            model("mistral-medium-latest", 131072, vision=True),
            model("mistral-large-2512", 262144),
        ]

    def stranger(self) -> Row:
        return Row(401, {"detail": "Unauthorized"})

    def refuses(self, body: dict[str, Any]) -> Row | None:
        unknown = [name for name in body if name not in self.fields]
        detail = [
            {
                "type": "extra_forbidden",
                "loc": ["body", name],
                "msg": "Extra inputs are not permitted",
                "input": 1,
            }
            for name in unknown
        ]
        return Row(422, {"detail": detail}) if detail else None

    async def finish(self, response: web.StreamResponse, say: Say, asked: Asked, reason: str) -> None:
        tokens = {"prompt_tokens": say.tokens[0], "completion_tokens": say.tokens[1], "total_tokens": 0}
        await event(response, {**self.chunk(asked, {"content": ""}, reason), "usage": tokens})


class FakeCohere(FakeOpenAI):
    """`api.cohere.ai/compatibility/v1`, with its own listing and key check beside it."""

    path = "/compatibility/v1"
    key = "fakeCohere0123456789abcdefghij"
    fields = PLAIN
    page = 2

    def default_models(self) -> list[dict[str, Any]]:
        def model(name: str, context: int, *features: str) -> dict[str, Any]:
            return {
                "name": name,
                "endpoints": ["generate", "chat", "summarize"],
                "finetuned": False,
                "context_length": context,
                "tokenizer_url": "",
                "default_endpoints": [],
                "features": ["json_mode", "safety_modes", *features],
            }

        return [
            model("command-r7b-12-2024", 132096, "tools"),
            model("command-a-03-2025", 288000, "tools"),
            model("command-a-vision-07-2025", 128000, "vision"),
        ]

    def stranger(self) -> Row:
        return Row(401, {"id": "5c1f", "message": "invalid api token"})

    def lost(self, path: str) -> Row:
        return Row(404, {"id": "5c1f", "message": f"no route {path}"})

    def refuses(self, body: dict[str, Any]) -> Row | None:
        unknown = [name for name in body if name not in self.fields]
        message = f"invalid request: unknown field {unknown[0]}" if unknown else ""
        return Row(422, {"id": "5c1f", "message": message}) if unknown else None

    async def serve(self, asked: Asked) -> Row | Say | Json:
        if asked.path == "/v1/check-api-key":
            return {"valid": True, "organization_id": "org", "owner_id": "own"}
        if asked.path == "/v1/models":
            if self.listings:
                return self.listings.popleft()
            assert asked.query["endpoint"] == "chat"
            start = int(asked.query.get("page_token", "0"))
            page = {"models": self.models[start : start + self.page]}
            more = start + self.page < len(self.models)
            return {**page, "next_page_token": str(start + self.page)} if more else page
        return await super().serve(asked)

    async def public(self, asked: Asked) -> Row | Json | None:
        good = asked.headers.get("Authorization") == f"Bearer {self.key}"
        return {"valid": False} if asked.path == "/v1/check-api-key" and not good else None

    async def finish(self, response: web.StreamResponse, say: Say, asked: Asked, reason: str) -> None:
        tokens = {"prompt_tokens": say.tokens[0], "completion_tokens": say.tokens[1], "total_tokens": 0}
        await event(response, {**self.chunk(asked, {}, reason), "usage": tokens})


class FakeAI21(FakeOpenAI):
    """`api.ai21.com/studio/v1`: lists no models."""

    path = "/studio/v1"
    key = "fakeAI21x0123456789abcdefghij"
    fields = PLAIN

    def default_models(self) -> list[dict[str, Any]]:
        return []

    def stranger(self) -> Row:
        return Row(401, {"detail": "Forbidden: Bad or missing API token."})

    def refuses(self, body: dict[str, Any]) -> Row | None:
        unknown = [name for name in body if name not in self.fields]
        return Row(422, {"detail": [{"loc": ["body", unknown[0]], "msg": "extra"}]}) if unknown else None

    async def serve(self, asked: Asked) -> Row | Say | Json:
        if asked.path.endswith("/models"):
            return Row(404, {"detail": "Not Found"})
        return await super().serve(asked)

    async def finish(self, response: web.StreamResponse, say: Say, asked: Asked, reason: str) -> None:
        tokens = {"prompt_tokens": say.tokens[0], "completion_tokens": say.tokens[1], "total_tokens": 0}
        await event(response, {**self.chunk(asked, {}, reason), "usage": tokens})


class FakeHuggingFace(FakeOpenAI):
    """`router.huggingface.co/v1`, whose listing anybody may read, and `huggingface.co/api/whoami-v2`."""

    key = "hf_fake0123456789abcdefghij"
    fields = PLAIN | {"stream_options"}

    def __init__(self) -> None:
        super().__init__()
        self.permissions = ["inference.serverless.write"]

    def default_models(self) -> list[dict[str, Any]]:
        def model(name: str, inputs: list[str], context: int | None) -> dict[str, Any]:
            provider = {"provider": "one", "status": "live", "supports_tools": True}
            return {
                "id": name,
                "object": "model",
                "created": CREATED,
                "owned_by": name.partition("/")[0],
                "architecture": {"input_modalities": inputs, "output_modalities": ["text"]},
                "providers": [{**provider, "context_length": context} if context else provider],
            }

        return [
            model("acme/tiny-chat", ["text"], None),
            model("Qwen/Qwen3-VL-32B-Instruct", ["text", "image"], 262144),
            model("openai/gpt-oss-120b", ["text"], 131072),
        ]

    def stranger(self) -> Row:
        return Row(401, {"error": "Invalid username or password."})

    async def public(self, asked: Asked) -> Row | Json | None:
        if asked.path == f"{self.path}/models":
            return self.listings.popleft() if self.listings else {"object": "list", "data": self.models}
        return None

    async def serve(self, asked: Asked) -> Row | Say | Json:
        if asked.path == "/api/whoami-v2":
            fine = {"canReadGatedRepos": False, "global": [], "scoped": [{"permissions": self.permissions}]}
            token = {"displayName": "t", "role": "fineGrained", "fineGrained": fine}
            return {"type": "user", "name": "ana", "auth": {"type": "access_token", "accessToken": token}}
        return await super().serve(asked)


class FakeGenspark(FakeOpenAI):
    """`genspark.ai/api/llm_proxy/v1`: undocumented; as a third party has described it."""

    path = "/api/llm_proxy/v1"
    key = "gsk-fake0123456789abcdefghij"
    fields = PLAIN | {"stream_options"}
    blocked = (
        "This account is not permitted to use the Genspark API. ",
        "Please contact support if you think that is a mistake.",
    )

    def default_models(self) -> list[dict[str, Any]]:
        names = ("gpt-6", "claude-sonnet-5", "gemini-3-flash", "text-embedding-4-large")
        return [{"id": name, "object": "model", "created": CREATED, "owned_by": "genspark"} for name in names]

    def stranger(self) -> Row:
        return Row(401, error("Invalid API key", "authentication_error"))


class FakeServer(FakeOpenAI):
    """Any compatible server of one's own: vLLM, llama-swap. It wants no key, unless it is `guarded` as routers are.

    `lists_openly`: then everybody may see its models all the same.
    """

    fields = PLAIN | {"stream_options"}
    guarded = False
    lists_openly = False

    def default_models(self) -> list[dict[str, Any]]:
        return [
            {"id": "acme/own-7b", "object": "model", "created": CREATED, "max_model_len": 32768},
            {"id": "acme/embed-1b", "object": "model", "created": CREATED},
        ]

    def allowed(self, request: web.BaseRequest) -> bool:
        listing = request.method == "GET" and self.lists_openly
        return not self.guarded or listing or super().allowed(request)
