"""What the wires of external APIs are decoded into. Frozen values, no I/O."""

import base64
from dataclasses import dataclass
from typing import Any

from core.conversation import Delta, Picture, Thinking, Usage


@dataclass(frozen=True, slots=True)
class Finish:
    """Why the answer ends: `stop`, `length`, `refused`, or the wire's own word."""

    reason: str


@dataclass(frozen=True, slots=True)
class Served:
    """The model that answers, by the server's own word."""

    name: str


Piece = Thinking | Delta | Finish | Served | Usage


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as a vendor lists it; what it does not say is `None`. Contexts and answers in tokens."""

    key: str
    name: str = ""
    context: int | None = None
    answer: int | None = None
    sees: bool | None = None
    tools: bool = False
    chats: bool = True
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing; `after` leads to the next one, if there is one."""

    models: tuple[Listed, ...]
    after: str = ""


def whole(text: str) -> str:
    """Half a surrogate pair is valid JSON, but can neither be stored nor shown."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def base64_of(picture: Picture) -> str:
    """A picture as every wire carries it."""
    return base64.b64encode(picture.data).decode()


def count(value: Any) -> int | None:
    """A number of tokens, if it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def sized(value: Any) -> int | None:
    """A limit in tokens; 0 means that none is stated."""
    return count(value) or None


def items(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, whatever it is."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def objects(value: Any) -> dict[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}
