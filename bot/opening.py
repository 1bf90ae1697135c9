"""What a platform is given when it is opened: settings, words and a place for web hooks, nothing of the engine.

Each package in `bot.platforms` has `open_platform(opening)`; `bot.app` finds it by the package's name, so a
further platform touches nothing here.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.surface import Platform

Take = Callable[[Mapping[str, str], bytes], Awaitable[int]]
"""Takes the headers (names in lower case) and the body of a POST; returns the HTTP status to answer with."""


class Say(Protocol):
    """Words in one language: `say("stop.done")`."""

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key`, filled in."""
        ...


class Web(Protocol):
    """The program's own small HTTP server."""

    def receive(self, path: str, take: Take) -> None:
        """Hand every POST to `path` to `take`; a second call for the same path replaces the first."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """`setting` = a setting's value by its name in lower case; `speak` = words in a person's language.

    `web` is `None` where the HTTP server is off (`HTTP_PORT` is not set).
    """

    setting: Callable[[str], Any]
    speak: Callable[[str | None], Say]
    data_dir: Path
    web: Web | None = None


OpenPlatform = Callable[[Opening], Platform]
