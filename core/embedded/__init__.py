"""The small engine for a machine without LM Studio: its protocol on 127.0.0.1, llama.cpp behind it.

One child process per loaded model; a demonstration model that is fetched on first use; any GGUF
file the person has; and a scripted engine that needs nothing. Importing this package is cheap:
the server and the runtime are imported by `EmbeddedEngine.start`.
"""

import asyncio
import importlib
import importlib.util
import platform
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from core.embedded.fetch import DEMO_BYTES, Fetcher, FetchError, FetchKind
from core.embedded.models import DEMO_KEY, DEMO_LICENCE, SCRIPTED_KEY, Catalogue
from core.embedded.runner import Log, Silent

if TYPE_CHECKING:
    from core.embedded.engine import Engine

__all__ = [
    "DEMO_BYTES",
    "DEMO_KEY",
    "DEMO_LICENCE",
    "SCRIPTED_KEY",
    "EmbeddedEngine",
    "FetchError",
    "FetchKind",
    "default_folders",
    "why_not",
]


def default_folders() -> tuple[Path, ...]:
    """LM Studio's own model folders, those that exist."""
    places = (Path.home() / ".lmstudio" / "models", Path.home() / ".cache" / "lm-studio" / "models")
    return tuple(place for place in places if place.is_dir())


def why_not() -> str | None:
    """Why no model can run here, as far as can be told without importing the runtime; `None` if it can."""
    for name in ("aiohttp", "xllamacpp"):
        if importlib.util.find_spec(name) is None:
            return f"{name} is not installed for {platform.system()} {platform.machine()}"
    return None


class EmbeddedEngine:
    """The engine as the rest of the program sees it: an LM Studio at `url` that wants `token`.

    `data_dir` keeps the fetched model, `folders` are searched for GGUF files. An async context
    manager, or `start` and `aclose`. `url` and `token` are set by `start`.
    """

    def __init__(self, data_dir: Path, folders: Sequence[Path] = (), *, log: Log | None = None) -> None:
        self.url = ""
        self.token = ""
        self._log = log or Silent()
        self._catalogue = Catalogue(data_dir / "models", folders)
        self._fetcher = Fetcher(self._catalogue.demo_path)
        self._engine: Engine | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1; raises `ImportError` without aiohttp (see `why_not`)."""
        if self._engine is None:
            # brings aiohttp: only now, and not on the event loop (a third of a second)
            module = await asyncio.to_thread(importlib.import_module, "core.embedded.engine")
            self._engine = engine = module.Engine(self._catalogue, self._log)
            self.url, self.token = await engine.start()

    async def aclose(self) -> None:
        """End every child and the server, within two seconds."""
        engine, self._engine = self._engine, None
        if engine:
            await engine.aclose()

    def why_not(self) -> str | None:
        """See the function of the same name."""
        return why_not()

    def demo_present(self) -> bool:
        """Whether the demonstration model is here already."""
        return self._catalogue.demo_present()

    def fetch(self) -> AsyncGenerator[tuple[int, int]]:
        """Bring the demonstration model: (bytes so far, bytes in all); see `Fetcher.fetch`."""
        return self._fetcher.fetch()
