"""The embedded engine as a provider: an LM Studio client in front of our own small server.

What is special about it stands here: its one demonstration model is fetched on first use, the scripted
engine is found by its name only, and a machine on which the runtime cannot work says why.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from core.clock import Clock
from core.conversation import ReplyEvent, ReplyOptions, Turn
from core.embedded import (
    DEMO_BYTES,
    DEMO_KEY,
    DEMO_LICENCE,
    SCRIPTED_KEY,
    EmbeddedEngine,
    FetchError,
    default_folders,
)
from core.errors import LoadFailed
from core.model import (
    Estimate,
    Failure,
    FailureKind,
    Fetching,
    HostHealth,
    LoadEvent,
    Model,
    ModelState,
    Resident,
)
from core.providers.lmstudio import LMStudio

NAME = "embedded"


class Embedded:
    """Starts with `start()`; ends its child processes with `aclose()`."""

    def __init__(
        self, data_dir: Path, folders: Sequence[Path], clock: Clock, *, load_patience: float = 1800.0
    ) -> None:
        self._engine = EmbeddedEngine(data_dir, folders or default_folders())
        self._clock = clock
        self._patience = load_patience
        self._client: LMStudio | None = None

    async def start(self) -> None:
        """Open the server on a random port of 127.0.0.1, with a random token."""
        await self._engine.start()
        self._client = LMStudio(
            self._engine.url,
            token=self._engine.token,
            name=NAME,
            label=NAME,
            clock=self._clock,
            load_patience=self._patience,
        )

    @property
    def name(self) -> str:
        """See `Provider.name`."""
        return NAME

    @property
    def host(self) -> str:
        """See `Provider.host`."""
        return NAME

    @property
    def _lmstudio(self) -> LMStudio:
        assert self._client is not None, "start() first"
        return self._client

    async def models(self) -> Sequence[Model]:
        """See `Provider.models`."""
        missing = self._engine.why_not()
        return [self._marked(model, missing) for model in await self._lmstudio.models()]

    def _marked(self, model: Model, missing: str | None) -> Model:
        if model.key == SCRIPTED_KEY:
            return replace(model, by_name_only=True, demo=True)
        marked = self._demo(model) if model.key == DEMO_KEY else model
        if missing is None or model.state is ModelState.LOADED:
            return marked
        failure = Failure(FailureKind.ENGINE_MISSING, missing, 0.0)
        return replace(marked, state=ModelState.INACTIVE, failure=failure)

    def _demo(self, model: Model) -> Model:
        missing = None if self._engine.demo_present() else DEMO_BYTES
        return replace(model, demo=True, licence=DEMO_LICENCE, fetch_bytes=missing)

    async def check(self, key: SecretStr | None = None) -> None:
        """See `Provider.check`."""
        await self._lmstudio.check(key)

    def reply(self, model: Model, turns: Sequence[Turn], options: ReplyOptions) -> AsyncGenerator[ReplyEvent]:
        """See `Provider.reply`."""
        return self._lmstudio.reply(model, turns, options)

    async def load(self, model: Model) -> AsyncGenerator[LoadEvent]:
        """See `Loader.load`; the demonstration model is fetched first where it is not there yet."""
        if model.key == DEMO_KEY and not self._engine.demo_present():
            async with aclosing(self._fetch(model)) as fetching:
                async for event in fetching:
                    yield event
        try:
            async with aclosing(self._lmstudio.load(model)) as events:
                async for event in events:
                    yield replace(event, model=self._marked(event.model, None))
        except LoadFailed as failed:
            if failed.kind is not FailureKind.NO_RUNTIME:
                raise
            # Not LM Studio's runtime is missing but ours: another sentence, another remedy.
            text = failed.text.rpartition("! ")[2]
            raise LoadFailed(failed.model, FailureKind.ENGINE_MISSING, text) from failed

    async def _fetch(self, model: Model) -> AsyncGenerator[LoadEvent]:
        started = self._clock.monotonic()
        try:
            async with aclosing(self._engine.fetch()) as steps:
                async for done, total in steps:
                    elapsed = self._clock.monotonic() - started
                    yield Fetching(model, done, total, DEMO_LICENCE, elapsed)
        except FetchError as failed:
            raise LoadFailed(model, FailureKind.FETCH_FAILED, failed.kind.value) from failed

    async def unload(self, model: Model) -> None:
        """See `Loader.unload`."""
        await self._lmstudio.unload(model)

    async def estimate(self, model: Model) -> Estimate | None:
        """See `Loader.estimate`."""
        return await self._lmstudio.estimate(model)

    async def residents(self) -> Sequence[Resident]:
        """See `Loader.residents`."""
        return await self._lmstudio.residents()

    async def evict(self, resident: Resident) -> None:
        """See `Loader.evict`."""
        await self._lmstudio.evict(resident)

    async def health(self) -> HostHealth:
        """See `Loader.health`."""
        return await self._lmstudio.health()

    async def aclose(self) -> None:
        """See `Provider.aclose`; every child process ends."""
        if self._client is not None:
            await self._client.aclose()
        await self._engine.aclose()
