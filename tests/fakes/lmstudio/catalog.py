"""The models a fake LM Studio has on disk, and the texts their loads can fail with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Messages = list[dict[str, str]]
Reply = str | Callable[[Messages], str]
ThinkingStyle = Literal["reasoning_content", "reasoning", "think-tags", "lone-close"]

GUARDRAIL = (
    "Model loading was stopped due to insufficient system resources. Under the current settings, this model "
    "requires approximately {gigabytes} GB of memory, and continuing to load it would likely overload your "
    "system and cause it to freeze. If you believe this is a mistake, you can adjust the model loading "
    "guardrails in settings."
)
CRASHED = "The model has crashed without additional information. (Exit code: null)"
CANCELLED = "Operation canceled."
UNLOADED = "Model is unloaded."

LOAD_ERRORS: dict[str, str] = {
    "E1": GUARDRAIL.format(gigabytes="39.61"),
    "E2": (
        "Model loading aborted due to insufficient system resources. Overloading the system will likely "
        "cause it to freeze. If you believe this is a mistake, you can try to change the model loading "
        "guardrails in the settings."
    ),
    "E3": GUARDRAIL.format(gigabytes="NaN undefined").replace(" GB of", " of"),
    "E5": "Engine process exited unexpectedly. exitCode=null, signal=SIGABRT",
    "E6": (
        "Error loading model. (Exit code: 18446744072635812000). Unknown error. "
        "Try a different model and/or config."
    ),
    "E7": CRASHED,
    "E8": "No LM Runtime found for model format 'gguf'!",
    "E9": (
        "Engine protocol runtime llama-server for llama.cpp exited before becoming healthy. "
        "exitCode=1, signal=null"
    ),
    "E10": (
        "llama-server did not become healthy: Engine protocol healthCheck request failed: "
        "This operation was aborted"
    ),
    "E11": "Invalid load message",
    "E12": (
        "Attempt to pull a snapshot of system resources failed. "
        "Error: 'System resources observer shutdown requested.'"
    ),
    "E13": "Received load-error",
    "E14": "Failed to load model.",
}
"""The texts of load failures, by their number in the notes. E15 is the answer to an unknown key."""


@dataclass(eq=False)
class FakeModel:
    """One downloaded model and how it behaves. Fields may be changed while the server runs."""

    key: str
    display_name: str = ""
    type: Literal["llm", "embedding"] = "llm"
    size_bytes: int = 4_000_000_000
    params: str | None = "8B"
    quant: str = "Q4_K_M"
    bits: float = 4
    arch: str = "nova"
    format: str = "gguf"
    max_context_length: int = 32768
    context_length: int = 4096
    """What a load gets when it does not ask."""
    fitted_context: int | None = None
    """What a load gets whatever it asks (the context auto-fit of MLX)."""
    context_bytes_per_token: int = 0
    estimate: Json = field(default_factory=dict)
    """Laid over the `memory` that the host estimates beforehand: broken or absurd figures."""
    estimate_fits: bool | None = None
    """What the host says of the guardrail beforehand, whatever is free."""
    parallel: int = 4
    vision: bool = False
    tools: bool = True
    reasoning: tuple[str, ...] | None = None
    reasoning_default: str = "on"
    capabilities_known: bool = True
    description: str | None = None
    extra: Json = field(default_factory=dict)
    """Laid over the entry in the v1 list: unknown values and fields."""

    load_seconds: float = 0.0
    progress_steps: int = 5
    load_error: str | None = None
    load_error_at: float = 1.0
    """How far the load gets before it fails, 0..1."""
    load_error_times: int | None = None
    """How many loads fail; None: all."""
    hold_load: asyncio.Event | None = None
    """A load waits here, half way, until the test sets it."""

    reply: Reply | None = None
    token_delay: float = 0.0
    prefill_seconds: float = 0.0
    hold_prefill: asyncio.Event | None = None
    hold_reply: asyncio.Event | None = None
    """A generation waits here after `hold_after` tokens until the test sets it."""
    hold_after: int = 1
    crash_after: int | None = None
    """The engine dies after so many tokens and takes the instance along."""
    crash_times: int | None = None
    crash_text: str = CRASHED
    thinking: str | None = None
    thinking_style: ThinkingStyle = "reasoning_content"

    def __post_init__(self) -> None:
        self.display_name = self.display_name or self.name.replace("-", " ").title()

    @property
    def publisher(self) -> str:
        return self.key.split("/", 1)[0] if "/" in self.key else "local"

    @property
    def name(self) -> str:
        return self.key.rsplit("/", 1)[-1]

    @property
    def variant(self) -> str:
        return f"{self.key}@{self.quant.lower()}"

    @property
    def path(self) -> str:
        return f"{self.publisher}/{self.name}-GGUF/{self.name}-{self.quant}.gguf"

    @property
    def is_mlx(self) -> bool:
        return self.format == "mlx"

    def memory(self, context_length: int) -> int:
        return self.size_bytes + context_length * self.context_bytes_per_token

    def answer(self, messages: Messages) -> str:
        """What the model says; without a script: a few words and what it was told."""
        if callable(self.reply):
            return self.reply(messages)
        if self.reply is not None:
            return self.reply
        said = next((m["content"] for m in reversed(messages) if m["role"] == "user"), "")
        return f"{self.display_name} heard {len(messages)} message(s). You said: {said}"


def default_models() -> list[FakeModel]:
    return [
        FakeModel("acme/nova-8b", "Nova 8B", size_bytes=5_023_000_000, max_context_length=131072),
        FakeModel("acme/mini-1b", "Mini 1B", size_bytes=700_000_000, params="1B", arch="mini"),
        FakeModel(
            "nomic/embed-small",
            "Embed Small",
            type="embedding",
            size_bytes=84_000_000,
            params=None,
            quant="Q4_0",
            max_context_length=2048,
            context_length=2048,
        ),
    ]


def tokens_in(text: str) -> int:
    """The fake's tokenizer: four characters are a token."""
    return -(-len(text) // 4)


def tokens_of(messages: Messages) -> int:
    return sum(tokens_in(m["content"]) for m in messages)
