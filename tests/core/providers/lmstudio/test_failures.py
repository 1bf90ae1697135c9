"""LM Studio's failure sentences: every known one, in every wrapper, to its class."""

import pytest

from core.errors import BadRequest, ContextTooLong, LoadFailed
from core.model import FailureKind, ModelState
from core.providers.lmstudio import failures
from tests.fakes.lmstudio.catalog import LOAD_ERRORS
from tests.fakes.provider import a_model

KINDS = {
    "E1": FailureKind.NEEDS_ROOM,
    "E2": FailureKind.NEEDS_ROOM,
    "E3": FailureKind.NEEDS_ROOM,
    "E5": FailureKind.NEEDS_ROOM,
    "E6": FailureKind.NEEDS_ROOM,
    "E7": FailureKind.CRASHED,
    "E8": FailureKind.NO_RUNTIME,
    "E9": FailureKind.CRASHED,
    "E10": FailureKind.HOST_SICK,
    "E11": FailureKind.UNKNOWN,
    "E12": FailureKind.HOST_SICK,
    "E13": FailureKind.CRASHED,
    "E14": FailureKind.UNKNOWN,
}
WRAPPERS = ("{}", "Failed to load LLM 'a/b': Error: {}", 'Failed to load model "a/b". Error: {}')
AGAIN = ("E7", "E9", "E13", "E14")  # the notes: one more try, after looking at the list


def test_every_text_is_expected() -> None:
    """No sentence of the notes is left out here."""
    assert set(KINDS) == set(LOAD_ERRORS)


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("number", sorted(KINDS))
def test_kinds(number: str, wrapper: str) -> None:
    """The wrapper of a route changes neither the class nor the words that are shown."""
    problem = failures.load_failed(a_model(), wrapper.format(LOAD_ERRORS[number]))
    assert problem.kind is KINDS[number]
    assert problem.text == failures.short(LOAD_ERRORS[number])
    assert failures.retry_once(problem.text) == (number in AGAIN)


MORE: list[tuple[str, FailureKind]] = [
    ("Model a/b not found in downloaded models", FailureKind.NOT_INSTALLED),
    ('Invalid model identifier "x". Please specify a valid one', FailureKind.NOT_INSTALLED),
    ("cudaMalloc failed: out of memory", FailureKind.NEEDS_ROOM),
    ("Operation canceled.", FailureKind.CANCELLED),
    ("The model has crashed without additional information. (Exit code: 6)", FailureKind.CRASHED),
    ("Engine protocol applyPromptTemplate request returned 500: Jinja Exception", FailureKind.BAD_TEMPLATE),
    ("Cannot read properties of undefined (reading 'find')", FailureKind.CRASHED),
    ("The request timed out", FailureKind.TIMED_OUT),
    ("Something new", FailureKind.UNKNOWN),
]


@pytest.mark.parametrize(("text", "kind"), MORE)
def test_more_kinds(text: str, kind: FailureKind) -> None:
    """E15 and the texts that stand in no list of load errors."""
    assert failures.kind_of(text) is kind


def test_retry_once() -> None:
    """What may pass is tried again; what asks for room, a runtime or another model is not."""
    for text in ("Operation canceled.", "Model is unloaded.", "Received load-error"):
        assert failures.retry_once(text), text
    for text in ("Failed to load model. Out of memory", "No LM Runtime found", "Jinja", ""):
        assert not failures.retry_once(text), text


OVERFLOWS = (
    "The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 9)",
    "Context size has been exceeded.",
    "the request exceeds the available context size",
)


@pytest.mark.parametrize("text", OVERFLOWS)
def test_overflow(text: str) -> None:
    """A prompt that is too long is told by its text, with the context that is loaded."""
    problem = failures.reply_failed(a_model(state=ModelState.LOADED), text)
    assert isinstance(problem, ContextTooLong)
    assert problem.context == 4096


def test_reply_failed() -> None:
    """A refusal is a bad request unless it says that the model cannot work."""
    assert isinstance(failures.reply_failed(a_model(), "'temperature' must be a number"), BadRequest)
    assert isinstance(failures.reply_failed(a_model(), "The model has crashed"), LoadFailed)


def test_model_gone() -> None:
    """An unloaded model is told by its text."""
    assert failures.model_gone("Model is unloaded.")
    assert failures.model_gone("No models loaded. Please load a model in the developer page")
    assert not failures.model_gone("Model crashed")


def test_short() -> None:
    """One line of at most 300 characters, and never a token."""
    token = "sk-lm-abcdefgh:ABCDEFGHIJ0123456789"
    assert failures.short(f"Malformed\n  token {token} given") == "Malformed token sk-lm-… given"
    long = failures.short("word " * 200)
    assert len(long) == failures.LONGEST
    assert long.endswith("…")
