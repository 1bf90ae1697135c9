"""What the server asks of an engine, whichever it is, and how one says no."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.model import FailureKind

Json = dict[str, Any]


class Log(Protocol):
    """The part of a structured logger that the engine uses; never given what a person wrote."""

    def info(self, event: str, **data: Any) -> Any:
        """Something worth knowing happened."""
        ...

    def warning(self, event: str, **data: Any) -> Any:
        """Something went wrong that the program can live with."""
        ...


class Silent:
    """A log that keeps nothing."""

    def info(self, event: str, **data: Any) -> None:
        """See `Log.info`."""

    def warning(self, event: str, **data: Any) -> None:
        """See `Log.warning`."""


@dataclass(eq=False)
class LoadError(Exception):
    """A model could not be loaded; `text` is written so that LM Studio's own wordings are found in it."""

    kind: FailureKind
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(eq=False)
class Refused(Exception):
    """The engine did not accept a request. `status` as HTTP has it; `overflow`: the prompt is too long."""

    status: int
    text: str
    overflow: bool = False

    def __str__(self) -> str:
        return self.text


@dataclass(eq=False)
class Gone(Exception):
    """The engine ended while it was answering."""

    text: str
    unloaded: bool = False

    def __str__(self) -> str:
        return self.text


def overflow_text(asked: int, room: int) -> str:
    """LM Studio's sentence for a prompt of `asked` tokens in a context of `room`."""
    return (
        "The number of tokens to keep from the initial prompt is greater than the context length "
        f"(n_keep: {asked} >= n_ctx: {room}). Try to load the model with a larger context length, "
        "or provide a shorter input."
    )


class Runner(Protocol):
    """One loaded model. Chats are OpenAI bodies, answers are OpenAI chunks."""

    @property
    def context(self) -> int:
        """Tokens that one conversation may hold."""
        ...

    @property
    def exited(self) -> asyncio.Future[str]:
        """Done when the engine has ended; the result says why."""
        ...

    def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[Json]:
        """Answer in chunks; raises `Refused` or `Gone`. Closing the iterator stops the model."""
        ...

    async def complete(self, body: Mapping[str, Any]) -> Json:
        """Answer at once; raises `Refused` or `Gone`. Cancelling stops the model."""
        ...

    async def tokenize(self, text: str) -> list[int]:
        """The numbers that the model sees for a text."""
        ...

    async def render(self, messages: Sequence[Json]) -> str:
        """The prompt that the model sees for a conversation."""
        ...

    async def aclose(self) -> None:
        """Let go of everything; returns when the memory is free."""
        ...
