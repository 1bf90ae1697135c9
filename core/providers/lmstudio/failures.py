"""LM Studio's failure sentences into kinds. Wrappers vary, so texts are matched loosely, without case.

The sentences were collected from LM Studio 0.3.24 to 0.4.25 and its public bug tracker.
"""

import re

from core.errors import BadRequest, ContextTooLong, LoadFailed, Problem
from core.model import FailureKind, Model

# The first match wins: a crash text may mention memory, a guardrail text never mentions a crash.
_KINDS: tuple[tuple[FailureKind, tuple[str, ...]], ...] = (
    (FailureKind.NOT_INSTALLED, ("not found in downloaded models", "model_not_found", "nomodelmatchingquery",
                                 "invalid model identifier", "path not found", "pathnotfound")),
    (FailureKind.NO_RUNTIME, ("no lm runtime found", "missingruntimeextension", "enginedoesnotsupport")),
    (FailureKind.HOST_SICK, ("system resources observer shutdown", "snapshot of system resources failed",
                             "did not become healthy")),
    (FailureKind.NEEDS_ROOM, ("insufficient system resources", "out of memory", "guardrail", "sigabrt",
                              "cudamalloc", "not enough memory", "failed to allocate",
                              "error loading model. (exit code")),
    (FailureKind.CRASHED, ("has crashed", "exited before becoming healthy", "exit code", "received load-error",
                           "cannot read properties of undefined", "sigsegv", "sigill", "engine process")),
    (FailureKind.CANCELLED, ("operation canceled", "operation cancelled", "cancelled by", "aborted")),
    (FailureKind.BAD_TEMPLATE, ("jinja", "applyprompttemplate", "prompt template")),
    (FailureKind.TIMED_OUT, ("timed out", "timeout")),
)  # fmt: skip

_RETRY_ONCE = (
    "exited before becoming healthy",
    "has crashed without additional information",
    "received load-error",
    "cannot read properties of undefined",
    "operation canceled",
    "already exists",  # another program was first: the next look finds its instance
    "model is unloaded",
)
_OVERFLOW = (
    "number of tokens to keep from the initial prompt",
    "context size has been exceeded",
    "exceed_context_size",
    "exceeds the available context size",
    "greater than the context length",
    "contextlengthreached",
    "context_length_exceeded",
)
_GONE = ("model is unloaded", "no models loaded", "specificmodelunloaded", "model unloaded", "is not loaded")
LONGEST = 300
NO_RESULT = "the load ended without a result"  # our own words: the connection broke, or somebody else gave up
_SAYS_NOTHING = "failed to load model."  # a wrapper without a cause: worth another try
# Tokens of LM Studio have this form; no text that is shown or logged may carry one.
_TOKEN = re.compile(r"sk-lm-[A-Za-z0-9]{8}:[A-Za-z0-9]{20}")


def kind_of(text: str) -> FailureKind:
    """The class of a load failure."""
    lowered = text.lower()
    for kind, marks in _KINDS:
        if any(mark in lowered for mark in marks):
            return kind
    return FailureKind.UNKNOWN


def retry_once(text: str) -> bool:
    """Whether one more try, after looking at the list again, has a chance."""
    lowered = short(text).lower()
    return lowered in {_SAYS_NOTHING, NO_RESULT} or any(mark in lowered for mark in _RETRY_ONCE)


def overflow(text: str) -> bool:
    """Whether the prompt was longer than the context. The status differs by route, the text does not."""
    return any(mark in text.lower() for mark in _OVERFLOW)


def model_gone(text: str) -> bool:
    """Whether the model was unloaded between our check and the request."""
    return any(mark in text.lower() for mark in _GONE)


def short(text: str) -> str:
    """One line of at most 300 characters, without wrappers and tokens."""
    line = _TOKEN.sub("sk-lm-…", " ".join(text.split()))
    line = re.sub(r"^Failed to load (?:LLM|model) ['\"].*?['\"][:.]\s*(?:Error:\s*)?", "", line)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def load_failed(model: Model, text: str) -> LoadFailed:
    """The Problem of a load that failed with that text."""
    return LoadFailed(model, kind_of(text), short(text))


def reply_failed(model: Model, text: str) -> Problem:
    """The Problem of a chat request that was refused with that text."""
    if overflow(text):
        return ContextTooLong(model, model.loaded_context)
    kind = kind_of(text)
    if kind is FailureKind.UNKNOWN:
        return BadRequest(model, short(text))
    return LoadFailed(model, kind, short(text))
