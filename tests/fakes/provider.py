"""Sources of answers that follow a script: an external API, and a host that loads its models first."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from core.conversation import Delta, Done, ReplyEvent, ReplyOptions, Turn, Usage
from core.errors import KeyRejected, ModelUnknown, Problem
from core.model import (
    Estimate,
    Failure,
    HostHealth,
    LoadEvent,
    Loading,
    LoadPath,
    Model,
    ModelState,
    Ready,
    Resident,
)

Line = ReplyEvent | Problem | asyncio.Event
"""What a scripted answer is made of: an event, a failure, or something to wait for."""
Step = float | None | Problem | asyncio.Event
"""What a scripted load is made of: a fraction (`None`: unknown), a failure, or something to wait for."""

ANSWER: tuple[Line, ...] = (Delta("Certainly"), Delta("."), Done("stop", Usage(12, 2)))


def a_model(key: str = "acme/nova-8b", state: ModelState = ModelState.ON_DISK, **fields: Any) -> Model:
    """A model on the fake loader's host; any field may be given."""
    given: dict[str, Any] = {"provider": "lmstudio", "host": "fake:1", "name": key, **fields}
    if state is ModelState.LOADED:
        given = {"instance": key, "loaded_context": 4096, **given}
    return Model(key=key, state=state, **given)


def external(key: str = "gpt-mini", **fields: Any) -> Model:
    """A model of the fake vendor."""
    return a_model(key, ModelState.EXTERNAL, **{"provider": "vendor", "host": "", **fields})


class FakeProvider:
    """An external API. Its models answer at once, with `answers` in turn and then with ANSWER."""

    def __init__(
        self, models: Iterable[Model] = (external(),), *, name: str = "vendor", host: str = ""
    ) -> None:
        self._name = name
        self._host = host
        self.listed = list(models)
        self.answers: list[Sequence[Line]] = []
        self.problem: Exception | None = None  # raised by everything but an answer
        self.hold: asyncio.Event | None = None  # a listing waits here
        self.calls: Counter[str] = Counter()
        self.asked: list[tuple[Model, tuple[Turn, ...], ReplyOptions]] = []
        self.stopped = 0  # answers whose reader left before the end
        self.closed = False
        self.accepts: frozenset[str] | None = None  # keys; `None`: whatever is given
        self.refusal: Callable[[str], Problem] | None = None  # of a key that is not accepted
        self.checked: list[str] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def host(self) -> str:
        return self._host

    def called(self, what: str) -> None:
        self.calls[what] += 1
        if self.problem is not None:
            raise self.problem

    async def models(self) -> Sequence[Model]:
        self.called("models")
        if self.hold is not None:
            await self.hold.wait()
        await asyncio.sleep(0)
        return list(self.listed)

    async def check(self, key: SecretStr | None = None) -> None:
        self.called("check" if key is None else "check key")
        if key is None:
            return
        self.checked.append(secret := key.get_secret_value())
        if self.accepts is not None and secret not in self.accepts:
            refusal = self.refusal or (lambda told: KeyRejected(self._name, text=f"Incorrect key: {told}"))
            raise refusal(secret)

    async def reply(
        self, model: Model, turns: Sequence[Turn], options: ReplyOptions
    ) -> AsyncGenerator[ReplyEvent]:
        self.calls["reply"] += 1
        self.asked.append((model, tuple(turns), options))
        script = self.answers.pop(0) if self.answers else ANSWER
        try:
            for line in script:
                match line:
                    case asyncio.Event():
                        await line.wait()
                    case Problem():
                        raise line
                    case _:
                        yield line
        except (GeneratorExit, asyncio.CancelledError):
            self.stopped += 1
            raise

    async def aclose(self) -> None:
        self.calls["aclose"] += 1
        self.closed = True


class FakeLoader(FakeProvider):
    """A host. A load follows `loads[key]` in turn, then 0 to 1 in steps; it ends loaded, or with its failure."""

    def __init__(
        self, models: Iterable[Model] = (a_model(),), *, name: str = "lmstudio", host: str = "fake:1"
    ) -> None:
        super().__init__(models, name=name, host=host)
        self.loads: dict[str, list[Sequence[Step]]] = {}
        self.loaded: list[str] = []  # keys, in the order in which their loads began
        self.cancelled: list[str] = []
        self.at_once = 0  # the most loads that ever ran side by side
        self.seconds = 4.0  # what a load says it took
        self.via = LoadPath.SOCKET
        self.listed_after_unload = True
        self.hold_cancel: asyncio.Event | None = None  # a load that is called back ends only then
        self.problem_of_load: Exception | None = None
        self._running = 0
        self._news = asyncio.Event()

    def put(self, key: str, state: ModelState, failure: Failure | None = None) -> Model:
        """Let the host list the model in that state from now on."""
        old = next(m for m in self.listed if m.key == key)
        loaded = state is ModelState.LOADED
        new = replace(
            old,
            state=state,
            failure=failure,
            instance=key if loaded else None,
            loaded_context=4096 if loaded else None,
        )
        self.listed[self.listed.index(old)] = new
        return new

    async def begun(self, n: int = 1) -> None:
        """Return once `n` loads have begun, counted from the start."""
        async with asyncio.timeout(10):
            while len(self.loaded) < n:
                self._news.clear()
                await self._news.wait()

    async def health(self) -> HostHealth:
        return HostHealth(self.name, self.host, reachable=self.problem is None)

    async def load(self, model: Model) -> AsyncGenerator[LoadEvent]:
        self.called("load")
        if self.problem_of_load is not None:
            raise self.problem_of_load
        self.loaded.append(model.key)
        self._news.set()
        script = self.loads[model.key].pop(0) if self.loads.get(model.key) else (0.0, 0.5, 1.0)
        self._running += 1
        self.at_once = max(self.at_once, self._running)
        try:
            self.put(model.key, ModelState.LOADING)
            for step in script:
                match step:
                    case asyncio.Event():
                        await step.wait()
                    case Problem():
                        raise step
                    case _:
                        yield Loading(model, step, 0.0)
                        await asyncio.sleep(0)
            ready = self.put(model.key, ModelState.LOADED)
        except Problem:
            self.put(model.key, ModelState.ON_DISK)
            raise
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled.append(model.key)
            if self.hold_cancel is not None:
                await self.hold_cancel.wait()
            self.put(model.key, ModelState.ON_DISK)
            raise
        finally:
            self._running -= 1
        yield Ready(ready, self.seconds, self.via)

    async def unload(self, model: Model) -> None:
        self.called("unload")
        if all(m.key != model.key for m in self.listed):
            raise ModelUnknown(model.key)
        gone = self.put(model.key, ModelState.ON_DISK)
        if not self.listed_after_unload:  # as with just-in-time loading off
            self.listed.remove(gone)

    async def estimate(self, model: Model) -> Estimate | None:
        self.called("estimate")
        return Estimate(model.size_bytes, fits=True) if model.size_bytes else None

    async def residents(self) -> Sequence[Resident]:
        self.called("residents")
        loaded = [m for m in self.listed if m.state is ModelState.LOADED]
        return [Resident(m.instance or m.key, m.key, m.name, m.size_bytes) for m in loaded]

    async def evict(self, resident: Resident) -> None:
        self.called("evict")
        self.put(resident.key, ModelState.ON_DISK)
