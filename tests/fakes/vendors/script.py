"""What a fake vendor is told to do with the next question."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any] | list[Any] | str


@dataclass(frozen=True, slots=True)
class Row:
    """A refusal, in the vendor's own shape; a text is sent as a page."""

    status: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Say:
    """An answer. Without words it echoes the question.

    `silence` is waited for before the first byte, `hold` after the first word. `breaks` comes within the
    stream after the words; with `cut` the connection closes there. `reason`: stop, length, refused.
    """

    words: tuple[str, ...] | None = None
    thoughts: tuple[str, ...] = ()
    reason: str = "stop"
    tokens: tuple[int, int] = (11, 4)
    silence: asyncio.Event | None = None
    hold: asyncio.Event | None = None
    breaks: Row | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came. The header `X-Port` is the server's own: the port that it came from."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
