"""Every way in which vendors refuse, as recorded: status, body, headers, and what it means for a person.

The meaning is the name of a class in `core.errors`. AI21's bodies are not documented: two shapes stand here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.vendors import anthropic, gemini, openai
from tests.fakes.vendors.script import Row

HTML = "<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"


@dataclass(frozen=True, slots=True)
class Refused:
    """A row of the table. `tries` = how often the question is sent in all; `after` seconds to wait, if told."""

    label: str
    row: Row
    meaning: str
    tries: int = 1
    after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def _openai(status: int, message: str, kind: str, code: str | None = None, **headers: str) -> Row:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Row(status, openai.error(message, kind, code), named)


OPENAI = (
    Refused("bad key", _openai(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"), "KeyRejected"),
    Refused("quota", _openai(429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota", x_should_retry="false"), "NoMoney"),
    Refused("credit", _openai(429, "Your credit balance is exhausted.", "billing", "credit_balance_exhausted", retry_after="1"), "NoMoney"),
    Refused("rate with a long wait", _openai(429, "Rate limit reached for gpt-6.", "tokens", "rate_limit_exceeded", retry_after="60"), "RateLimited", 1, 60.0),
    Refused("rate with a short wait", _openai(429, "Rate limit reached for gpt-6.", "requests", "rate_limit_exceeded", retry_after_ms="20"), "RateLimited", 3, 0.02),
    Refused("rate without a hint", _openai(429, "Rate limit reached for gpt-6.", "requests", "rate_limit_exceeded"), "RateLimited"),
    Refused("slow down", _openai(429, "Slow down.", "server_error", "slow_down"), "RateLimited"),
    Refused("overloaded", _openai(503, "The server is overloaded.", "server_error", "server_is_overloaded", retry_after="0"), "Overloaded", 3, 0.0),
    Refused("overloaded, not to be retried", _openai(503, "The server is overloaded.", "server_error", "server_is_overloaded", x_should_retry="false"), "Overloaded"),
    Refused("broken", _openai(500, "The server had an error.", "server_error", retry_after="0"), "Overloaded", 3, 0.0),
    Refused("a page of a proxy", Row(502, HTML, {"retry-after": "0"}), "Overloaded", 3, 0.0),
    Refused("too long", _openai(400, "This model's maximum context length is 272000 tokens.", "invalid_request_error", "context_length_exceeded"), "ContextTooLong"),
    Refused("no such model", _openai(404, "The model `gpt-9` does not exist.", "invalid_request_error", "model_not_found"), "ModelMissing"),
    Refused("forbidden", _openai(400, "Your request was rejected by our safety system.", "invalid_request_error", "content_policy_violation"), "Refused"),
    Refused("bad request", _openai(400, "Invalid type for 'messages[0].content'.", "invalid_request_error", "invalid_type"), "BadRequest"),
    Refused("country", _openai(403, "Country not supported.", "request_forbidden", "unsupported_country_region_territory"), "KeyRejected"),
)  # fmt: skip

ANTHROPIC = (
    Refused("bad key", Row(401, anthropic.error("authentication_error", "invalid x-api-key")), "KeyRejected"),
    Refused("no permission", Row(403, anthropic.error("permission_error", "Your key may not use this.")), "KeyRejected"),
    Refused("no money", Row(402, anthropic.error("billing_error", "Your credit is used up.")), "NoMoney"),
    Refused("own spend limit", Row(400, anthropic.error("invalid_request_error", "You have reached your specified API usage limits. You will regain access on 2026-12-01.")), "NoMoney"),
    Refused("empty balance", Row(400, anthropic.error("invalid_request_error", "Your credit balance is too low to access the Anthropic API.")), "NoMoney"),
    Refused("spend limit", Row(429, anthropic.error("rate_limit_error", "Spend limit reached.", error_code="enforced_spend_limit_reached")), "NoMoney"),
    Refused("rate", Row(429, anthropic.error("rate_limit_error", "This request would exceed your rate limit."), {"retry-after": "45"}), "RateLimited", 1, 45.0),
    Refused("rate without a hint", Row(429, anthropic.error("rate_limit_error", "Slow down.")), "RateLimited"),
    Refused("529", Row(529, anthropic.error("overloaded_error", "Overloaded"), {"retry-after": "0"}), "Overloaded", 3, 0.0),
    Refused("529, not to be retried", Row(529, anthropic.error("overloaded_error", "Overloaded"), {"x-should-retry": "false"}), "Overloaded"),
    Refused("broken", Row(500, anthropic.error("api_error", "Internal server error"), {"retry-after": "0"}), "Overloaded", 3, 0.0),
    Refused("too long", Row(400, anthropic.error("invalid_request_error", "prompt is too long: 212345 tokens > 200000 maximum")), "ContextTooLong"),
    Refused("too large", Row(413, anthropic.error("request_too_large", "Request exceeds the maximum size")), "ContextTooLong"),
    Refused("no such model", Row(404, anthropic.error("not_found_error", "model: claude-9")), "ModelMissing"),
    Refused("bad request", Row(400, anthropic.error("invalid_request_error", "messages: roles must alternate")), "BadRequest"),
)  # fmt: skip

_DAILY = {"@type": f"{gemini.INFO}QuotaFailure", "violations": [{"quotaMetric": "m", "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "50"}]}  # fmt: skip
_RETRY = {"@type": f"{gemini.INFO}RetryInfo", "retryDelay": "37s"}
_SOON = {"@type": f"{gemini.INFO}RetryInfo", "retryDelay": "0.02s"}
GEMINI = (
    Refused("bad key", Row(400, gemini.error(400, "INVALID_ARGUMENT", "API key not valid.", gemini.info("API_KEY_INVALID"))), "KeyRejected"),
    Refused("no permission", Row(403, gemini.error(403, "PERMISSION_DENIED", "Your API key was reported as leaked.")), "KeyRejected"),
    Refused("wrapped in an array", Row(400, [gemini.error(400, "INVALID_ARGUMENT", "API key not valid.", gemini.info("API_KEY_INVALID"))]), "KeyRejected"),
    Refused("daily quota", Row(429, gemini.error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", _DAILY, _RETRY)), "NoMoney"),
    Refused("no free tier", Row(400, gemini.error(400, "FAILED_PRECONDITION", "Free tier is not available in your country.")), "NoMoney"),
    Refused("rate", Row(429, gemini.error(429, "RESOURCE_EXHAUSTED", "Too many requests.", _RETRY)), "RateLimited", 1, 37.0),
    Refused("rate with a short wait", Row(429, gemini.error(429, "RESOURCE_EXHAUSTED", "Too many requests.", _SOON)), "RateLimited", 3, 0.02),
    Refused("rate without a hint", Row(429, gemini.error(429, "RESOURCE_EXHAUSTED", "Too many requests.")), "RateLimited"),
    Refused("overloaded", Row(503, gemini.error(503, "UNAVAILABLE", "The model is overloaded."), {"retry-after": "0"}), "Overloaded", 3, 0.0),
    Refused("broken", Row(500, gemini.error(500, "INTERNAL", "An internal error has occurred."), {"retry-after": "0"}), "Overloaded", 3, 0.0),
    Refused("too long", Row(400, gemini.error(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).")), "ContextTooLong"),
    Refused("no such model", Row(404, gemini.error(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta.")), "ModelMissing"),
    Refused("bad request", Row(400, gemini.error(400, "INVALID_ARGUMENT", "Unable to process input image.")), "BadRequest"),
)  # fmt: skip


def _flat(status: int, message: str, kind: str, code: str, **headers: str) -> Row:
    body = {"object": "error", "message": message, "type": kind, "param": None, "code": code}
    return Row(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


MISTRAL = (
    Refused("bad key", Row(401, {"detail": "Unauthorized"}), "KeyRejected"),
    Refused("no money", _flat(402, "Your account is out of credit.", "payment_required", "1400"), "NoMoney"),
    Refused("rate", _flat(429, "Service tier capacity exceeded.", "service_tier_capacity_exceeded", "3505"), "RateLimited"),
    Refused("overloaded", _flat(503, "Service unavailable.", "internal_server_error", "3000", retry_after="0"), "Overloaded", 3, 0.0),
    Refused("bad gateway", Row(502, HTML, {"retry-after": "0"}), "Overloaded", 3, 0.0),
    Refused("too long", _flat(400, "Prompt contains 140000 tokens, too large for model with 131072 maximum context length", "invalid_request_error", "3051"), "ContextTooLong"),
    Refused("unknown field", Row(422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "thing"], "msg": "Extra inputs are not permitted"}]}), "BadRequest"),
)  # fmt: skip
COHERE = (
    Refused("bad key", Row(401, {"id": "5c1f", "message": "invalid api token"}), "KeyRejected"),
    Refused("bad key, 498", Row(498, {"id": "5c1f", "message": "invalid token"}), "KeyRejected"),
    Refused("no money", Row(402, {"id": "5c1f", "message": "please add or update your payment method"}), "NoMoney"),
    Refused("trial key", Row(429, {"id": "5c1f", "message": "You are using a Trial key, which is limited to 20 API calls / minute."}), "RateLimited"),
    Refused("trial key used up", Row(429, {"id": "5c1f", "message": "You are using a Trial key, which is limited to 1000 API calls / month."}), "NoMoney"),
    Refused("overloaded", Row(503, {"id": "5c1f", "message": "upstream unavailable"}, {"retry-after": "0"}), "Overloaded", 3, 0.0),
    Refused("too long", Row(400, {"id": "5c1f", "message": "too many tokens: total number of tokens in the prompt cannot exceed 288000"}), "ContextTooLong"),
    Refused("no such model", Row(404, {"id": "5c1f", "message": "model 'command-z' not found"}), "ModelMissing"),
)  # fmt: skip
COMPATIBLE = (
    Refused("a router's moderation", Row(403, {"error": {"code": 403, "message": "This model requires moderation and your input was flagged for hate.", "metadata": {"reasons": ["hate"]}}}), "Refused"),
    Refused("bad key", Row(401, {"error": {"code": 401, "message": "No auth credentials found"}}), "KeyRejected"),
    Refused("no money", Row(402, {"error": {"code": 402, "message": "Insufficient credits"}}), "NoMoney"),
)  # fmt: skip
AI21 = (
    Refused("bad key", Row(401, {"detail": "Forbidden: Bad or missing API token."}), "KeyRejected"),
    Refused("forbidden", Row(403, "Forbidden"), "KeyRejected"),
    Refused("rate", Row(429, {"detail": "Too Many Requests"}), "RateLimited"),
    Refused("overloaded", Row(503, {"detail": "Service Unavailable"}, {"retry-after": "0"}), "Overloaded", 3, 0.0),
    Refused("failed dependency", Row(424, {"detail": "Failed Dependency"}, {"retry-after": "0"}), "Overloaded", 3, 0.0),
    Refused("too long", Row(422, {"detail": [{"loc": ["body", "messages"], "msg": "too many tokens in the prompt", "type": "value_error"}]}), "ContextTooLong"),
)  # fmt: skip
HUGGINGFACE = (
    Refused("bad key", Row(401, {"error": "Invalid username or password."}), "KeyRejected"),
    Refused("no permission", Row(403, {"error": "This authentication method does not have sufficient permissions to call Inference Providers."}), "KeyRejected"),
    Refused("no money", Row(402, {"error": "You have exceeded your monthly included credits for Inference Providers."}), "NoMoney"),
    Refused("rate", Row(429, {"error": "Rate limit reached. Please log in or use a HF access token"}), "RateLimited"),
    Refused("overloaded", Row(503, {"error": "Service temporarily unavailable"}, {"retry-after": "0"}), "Overloaded", 3, 0.0),
    Refused("not served", Row(400, openai.error("The requested model 'x/y' is not supported by any provider you have enabled.", "invalid_request_error", "model_not_supported", "model")), "ModelMissing"),
)  # fmt: skip
GENSPARK = (
    Refused("wrong model", Row(400, openai.error("Model x is not allowed. Allowed models: gpt-6, claude-sonnet-5", "invalid_request_error")), "BadRequest"),
    Refused("own shape", Row(422, {"status": -2, "message": "thinking.type must be enabled or disabled", "errors": [{"field": "thinking.type"}]}), "BadRequest"),
    # A model behind the proxy is broken: the key is good, as the listing shows.
    Refused("a broken model's 401", Row(401, openai.error("Unauthorized", "authentication_error")), "Overloaded"),
)  # fmt: skip
