"""A vendor's refusals into what they mean: any body shape, any status, without I/O.

Decided by error codes and the status. A message's words count only where a vendor gives no code: for a
prompt that is too long, and for the few sayings in its entry.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from core.errors import (
    ApiProblem,
    ApiUnreachable,
    BadRequest,
    ContextTooLong,
    KeyRejected,
    ModelMissing,
    NoMoney,
    Overloaded,
    Problem,
    RateLimited,
    Refused,
)
from core.model import Model
from core.providers.pieces import items, objects
from core.providers.vendors import Meaning, Vendor

LONGEST = 300  # characters of a server's wording
LONGEST_WAIT = 86_400.0  # seconds: what asks for more says "not today"
_CODES: Mapping[str, Meaning] = {
    "invalid_api_key": Meaning.KEY,
    "authentication_error": Meaning.KEY,
    "permission_error": Meaning.KEY,
    "insufficient_quota": Meaning.MONEY,
    "rate_limit_error": Meaning.RATE,
    "rate_limit_exceeded": Meaning.RATE,
    "overloaded_error": Meaning.BUSY,
    "context_length_exceeded": Meaning.LENGTH,
    "request_too_large": Meaning.LENGTH,
    "model_not_found": Meaning.MODEL,
    "model_not_supported": Meaning.MODEL,
    "not_found_error": Meaning.MODEL,
    "not_found": Meaning.MODEL,
    "content_filter": Meaning.SAFETY,
    "content_policy_violation": Meaning.SAFETY,
}
_STATUSES: Mapping[int, Meaning] = {
    401: Meaning.KEY,
    403: Meaning.KEY,
    498: Meaning.KEY,
    402: Meaning.MONEY,
    404: Meaning.MODEL,
    408: Meaning.BUSY,
    413: Meaning.LENGTH,
    424: Meaning.BUSY,
    429: Meaning.RATE,
}
# What counts most, where several are said: money before the rate, since waiting does not help.
_WEIGHT = (
    Meaning.LENGTH,
    Meaning.MONEY,
    Meaning.MODEL,
    Meaning.KEY,
    Meaning.SAFETY,
    Meaning.RATE,
    Meaning.BUSY,
)
_TOO_LONG = (
    "context length",
    "context window",
    "context size",
    "maximum context",
    "prompt is too long",
    "too large for model",
    "too many tokens",
    "maximum number of tokens",
    "number of tokens to keep",
    "input is too long",
)
_RETRIED = frozenset({408, 424, 500, 502, 503, 504, 529})
_KEYS = re.compile(r"\b(?:sk|gsk|hf|xai)[-_][A-Za-z0-9*_-]{8,}|\bAIza[A-Za-z0-9*_-]{8,}")
_UNTAKEN = frozenset({"unsupported_parameter", "unsupported_value", "extra_forbidden", "unknown_parameter"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server said instead of an answer.

    `status` 0 = within a stream that had begun. `codes` are its machine words in small letters. `text` holds
    no key. `after` seconds, if it says how long to wait; `again` = its own word on whether to retry.
    `field` = the field of the request that it does not take.
    """

    status: int
    codes: frozenset[str] = frozenset()
    text: str = ""
    after: float | None = None
    again: bool | None = None
    field: str = ""

    def meaning(self, vendor: Vendor) -> Meaning:
        """Its class, by the vendor's codes, everybody's codes, the status, and words where nothing else is."""
        said = {vendor.codes.get(code) or _CODES.get(code) for code in self.codes}
        by_code = next((meaning for meaning in _WEIGHT if meaning in said), None)
        lowered = self.text.lower()
        if by_code is None and any(words in lowered for words in _TOO_LONG):
            return Meaning.LENGTH
        by_saying = next((m for words, m in vendor.sayings.items() if words in lowered), None)
        busy = Meaning.BUSY if self.status >= 500 or not self.status else Meaning.BAD  # noqa: PLR2004  # a server's fault
        return by_code or by_saying or _STATUSES.get(self.status) or busy

    def retriable(self, vendor: Vendor) -> bool:
        """Whether the same request has a chance a little later."""
        meaning = self.meaning(vendor)
        if meaning not in {Meaning.RATE, Meaning.BUSY}:
            return False
        if self.again is not None:
            return self.again
        if meaning is Meaning.RATE:  # without a hint nobody knows when: minutes, or tomorrow
            return self.after is not None
        return self.status in _RETRIED or self.status == 0

    def without(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """The request without the optional field that the server does not take, if that is what is wrong."""
        optional = self.field in body and self.field in {"temperature", "stream_options", "max_tokens"}
        if not optional or not (self.codes & _UNTAKEN):
            return None
        return {name: value for name, value in body.items() if name != self.field}


def read(status: int, headers: Mapping[str, str], body: Any, key: str = "") -> Refusal:
    """A refusal from whatever came: JSON of any shape, or text."""
    body = next(iter(items(body)), {}) if isinstance(body, list) else body  # Gemini wraps it in an array
    inner = objects(body).get("error", body)
    found = objects(inner)
    details = [*items(found.get("details")), objects(found.get("details")), *items(found.get("detail"))]
    codes = frozenset(word.lower() for word in _words(objects(body), found, details))
    return Refusal(
        status or _status(found.get("code")),
        codes,
        short(_text(body, inner), key) or (f"HTTP {status}" if status else ""),
        None if (after := _after(headers, details)) is None else min(after, LONGEST_WAIT),
        {"true": True, "false": False}.get(headers.get("x-should-retry", "")),
        _field(found, details),
    )


def _status(code: Any) -> int:
    """The status that an error within a stream names, if it does."""
    return code if isinstance(code, int) and 400 <= code < 600 else 0  # noqa: PLR2004  # HTTP's errors


def _words(body: dict[str, Any], error: dict[str, Any], details: list[dict[str, Any]]) -> Iterator[str]:
    for one, names in ((body, ("code",)), (error, ("code", "type", "status", "error_code"))):
        yield from (word for name in names if isinstance(word := one.get(name), str))
    for detail in details:
        for name in ("reason", "error_code", "type"):
            if isinstance(word := detail.get(name), str):
                yield word
        for violation in items(detail.get("violations")):
            if "PerDay" in str(violation.get("quotaId")):
                yield "PerDay"


def _text(body: Any, inner: Any) -> str:
    for one in (inner, body):
        if isinstance(one, str):
            return one
        for name in ("message", "detail", "error", "msg"):
            said = objects(one).get(name)
            if isinstance(said, str):
                return said
            if texts := [str(part.get("msg")) for part in items(said) if part.get("msg")]:
                return "; ".join(texts)
    return ""


def _field(error: dict[str, Any], details: list[dict[str, Any]]) -> str:
    if isinstance(param := error.get("param"), str):
        return param
    places = [place for detail in details if isinstance(place := detail.get("loc"), list) and place]
    return str(places[0][-1]) if places else ""


def _after(headers: Mapping[str, str], details: list[dict[str, Any]]) -> float | None:
    """Seconds to wait: `retry-after-ms`, `retry-after`, or Google's RetryInfo (`"17.5s"`)."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    if (seconds := _number(headers.get("retry-after"))) is not None:
        return seconds
    if (seconds := _until(headers.get("retry-after"), headers.get("date"))) is not None:
        return seconds
    delays = (_number(str(detail.get("retryDelay", "")).removesuffix("s")) for detail in details)
    return next((delay for delay in delays if delay is not None), None)


def _until(moment: str | None, now: str | None) -> float | None:
    """Seconds from the server's own time to a moment that it names as a date."""
    try:
        return max(
            0.0, (parsedate_to_datetime(moment or "") - parsedate_to_datetime(now or "")).total_seconds()
        )
    except (TypeError, ValueError):
        return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def short(text: str, key: str = "") -> str:
    """One line of at most 300 characters, without anything that looks like a key."""
    line = " ".join((text.replace(key, "•••") if key else text).split())
    line = _KEYS.sub("•••", line)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def problem(  # noqa: PLR0911  # one return for each meaning
    refusal: Refusal, vendor: Vendor, model: Model | None, *, own: bool
) -> Problem:
    """The Problem of a refusal; `model` = the one that was asked, if one was."""
    name, text, after = vendor.name, refusal.text, refusal.after
    match refusal.meaning(vendor):
        case Meaning.KEY:
            return KeyRejected(name, own, text)
        case Meaning.MONEY:
            return NoMoney(name, own, text)
        case Meaning.RATE:
            return RateLimited(name, own, text, after)
        case Meaning.BUSY:
            return Overloaded(name, own, text, after)
        case _ if model is None:
            return ApiUnreachable(name, own, text) if refusal.status == 404 else ApiProblem(name, own, text)  # noqa: PLR2004  # no such address
        case Meaning.LENGTH:
            return ContextTooLong(model, model.max_context)
        case Meaning.MODEL:
            return ModelMissing(name, own, text)
        case Meaning.SAFETY:
            return Refused(model, text)
        case Meaning.BAD:
            return BadRequest(model, text)
