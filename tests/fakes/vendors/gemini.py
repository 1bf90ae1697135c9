"""Google's Gemini API, v1beta, as recorded."""

from typing import Any

from aiohttp import web

from tests.fakes.vendors.script import Asked, Json, Row, Say
from tests.fakes.vendors.server import FakeVendor, event

REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "refused": "SAFETY"}
FIELDS = frozenset({"contents", "systemInstruction", "generationConfig"})
CONFIG = frozenset({"temperature", "maxOutputTokens", "topP", "candidateCount"})
INFO = "type.googleapis.com/google.rpc."


def error(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        inner["details"] = list(details)
    return {"error": inner}


def info(reason: str) -> dict[str, Any]:
    return {"@type": f"{INFO}ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": {}}


class FakeGemini(FakeVendor):
    """`generativelanguage.googleapis.com/v1beta`."""

    path = "/v1beta"
    key = "AIzaFake0123456789abcdefghijklmnop"
    page = 3

    def is_chat(self, path: str) -> bool:
        return path.endswith(":streamGenerateContent")

    def default_models(self) -> list[dict[str, Any]]:
        def model(name: str, title: str, *methods: str) -> dict[str, Any]:
            return {
                "name": f"models/{name}",
                "version": "001",
                "displayName": title,
                "description": "",
                "inputTokenLimit": 1_048_576,
                "outputTokenLimit": 65_536,
                "supportedGenerationMethods": list(methods),
                "temperature": 1,
                "topP": 0.95,
                "maxTemperature": 2,
            }

        return [
            model("gemini-embedding-001", "Gemini Embedding", "embedContent"),
            model("gemini-3-pro", "Gemini 3 Pro", "generateContent", "countTokens"),
            model("gemini-3-flash", "Gemini 3 Flash", "generateContent", "countTokens"),
            model("gemini-3-flash-image", "Nano Banana", "generateContent"),
            model("gemini-3-flash-tts", "Gemini TTS", "generateContent"),
        ]

    def allowed(self, request: web.BaseRequest) -> bool:
        assert "key" not in request.query, "a key in an address ends up in logs"
        return request.headers.get("x-goog-api-key") == self.key

    def stranger(self) -> Row:
        message = "API key not valid. Please pass a valid API key."
        return Row(400, error(400, "INVALID_ARGUMENT", message, info("API_KEY_INVALID")))

    def lost(self, path: str) -> Row:
        return Row(404, error(404, "NOT_FOUND", f"{path} is not found"))

    async def serve(self, asked: Asked) -> Row | Say | Json:
        if asked.path == f"{self.path}/models":
            return self.listings.popleft() if self.listings else self.listed(asked)
        if self.is_chat(asked.path):
            assert asked.query["alt"] == "sse"
            return self.refuses(asked.body) or self.next()
        return self.lost(asked.path)

    def listed(self, asked: Asked) -> Json:
        start = int(asked.query.get("pageToken", "0"))
        page = {"models": self.models[start : start + self.page]}
        more = start + self.page < len(self.models)
        return {**page, "nextPageToken": str(start + self.page)} if more else page

    def refuses(self, body: dict[str, Any]) -> Row | None:
        """What is wrong with the request, by the vendor's own rules."""
        unknown = [*(body.keys() - FIELDS), *(body.get("generationConfig", {}).keys() - CONFIG)]
        wrong = [
            f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.' for name in unknown
        ]
        if any(content["role"] not in {"user", "model"} for content in body["contents"]):
            wrong.append("Please use a valid role: user, model.")
        return Row(400, error(400, "INVALID_ARGUMENT", wrong[0])) if wrong else None

    async def stream(self, response: web.StreamResponse, say: Say, asked: Asked) -> None:
        words = ("You said: ", _last(asked.body)) if say.words is None else say.words
        for thought in say.thoughts:
            await event(response, self.chunk(asked, say, [{"text": thought, "thought": True}]))
        for n, word in enumerate(words):
            await event(response, self.chunk(asked, say, [{"text": word}], sofar=n + 1))
            await self.pause(say, n)
        if say.breaks is not None:
            await event(response, say.breaks.body)
            return
        if not say.cut:
            # The last part carries a signature and no text.
            parts = [{"text": "", "thoughtSignature": "c2ln"}]
            reason = REASONS.get(say.reason, say.reason)
            await event(response, self.chunk(asked, say, parts, reason, sofar=say.tokens[1]))

    def chunk(
        self, asked: Asked, say: Say, parts: list[dict[str, Any]], reason: str = "", sofar: int = 0
    ) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if reason:
            candidate["finishReason"] = reason
        usage: dict[str, Any] = {"promptTokenCount": say.tokens[0], "totalTokenCount": say.tokens[0] + sofar}
        if sofar:
            usage["candidatesTokenCount"] = sofar
        model = asked.path.rpartition("/")[2].partition(":")[0]
        return {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": model,
            "responseId": "fake",
        }


def _last(body: dict[str, Any]) -> str:
    return " ".join(part.get("text", "[picture]") for part in body["contents"][-1]["parts"])
