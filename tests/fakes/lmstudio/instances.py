"""A loaded instance of a model, and the load that makes it."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tests.fakes.lmstudio.catalog import FakeModel, Json
from tests.fakes.lmstudio.clock import Timer

_numbers = itertools.count(1)


class LoadFailed(Exception):
    """The load ended without an instance; the text is what LM Studio says."""


class Work(Protocol):
    """A prediction that runs, or waits, on an instance."""

    phase: Literal["queued", "processingPrompt", "generating"]
    task: asyncio.Task[None]

    def fail(self, text: str, reason: str) -> None: ...
    def context_used(self) -> int: ...


@dataclass
class LoadConfig:
    context_length: int
    parallel: int = 4
    eval_batch_size: int = 512
    flash_attention: bool = True
    offload_kv_cache_to_gpu: bool = True
    num_experts: int | None = None

    def listed(self, model: FakeModel) -> Json:
        """The `config` of an instance in the v1 list."""
        if model.type == "embedding":
            return {"context_length": self.context_length}
        if model.is_mlx:
            return {
                "context_length": self.context_length,
                "parallel": self.parallel,
                "reasoning_budget_message": "",
            }
        return {
            "context_length": self.context_length,
            "eval_batch_size": self.eval_batch_size,
            "parallel": self.parallel,
            "flash_attention": self.flash_attention,
            "offload_kv_cache_to_gpu": self.offload_kv_cache_to_gpu,
            "reasoning_budget_message": "",
        }

    def echoed(self, model: FakeModel, context_length: int) -> Json:
        """The `load_config` a load answers with when asked to."""
        if model.type == "embedding" or model.is_mlx:
            return {"context_length": context_length}
        echo: Json = {
            "context_length": context_length,
            "eval_batch_size": self.eval_batch_size,
            "flash_attention": self.flash_attention,
        }
        if self.num_experts is not None:
            echo["num_experts"] = self.num_experts
        echo["offload_kv_cache_to_gpu"] = self.offload_kv_cache_to_gpu
        return echo


@dataclass(eq=False)
class Instance:
    model: FakeModel
    identifier: str
    config: LoadConfig
    jit: bool
    ttl: float | None
    state: Literal["loading", "loaded", "gone"] = "loading"
    number: int = field(default_factory=lambda: next(_numbers))
    loaded_at: float = 0.0
    last_used_ms: int | None = None
    users: int = 0
    work: list[Work] = field(default_factory=list)
    timer: Timer | None = None

    def __post_init__(self) -> None:
        self.reference = f"ref-{self.number:08d}"
        self.slots = asyncio.Semaphore(self.config.parallel)
        self.idle = asyncio.Event()
        self.idle.set()
        self.load = Load(self)

    @property
    def memory(self) -> int:
        return self.model.memory(self.config.context_length)

    @property
    def status(self) -> str:
        phases = {work.phase for work in self.work}
        for phase in ("generating", "processingPrompt"):
            if phase in phases:
                return phase
        return "idle"


class Load:
    """A load under way: its progress can be followed by many, and its last holder can give it up."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.progress = 0.0
        self.evicted: list[Instance] = []
        self.started = time.monotonic()
        self.seconds = 0.0
        self.holders = 0
        self.kept = False
        self.task: asyncio.Task[None] | None = None
        self.done: asyncio.Future[Instance] = asyncio.get_running_loop().create_future()
        self.done.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._watchers: list[asyncio.Queue[float | Instance | None]] = []

    def tell(self, event: float | Instance) -> None:
        if isinstance(event, float):
            self.progress = event
        else:
            self.evicted.append(event)
        for watcher in self._watchers:
            watcher.put_nowait(event)

    def end(self, failure: str | None = None) -> None:
        self.seconds = time.monotonic() - self.started
        if not self.done.done():
            if failure is None:
                self.done.set_result(self.instance)
            else:
                self.done.set_exception(LoadFailed(failure))
        for watcher in self._watchers:
            watcher.put_nowait(None)

    async def follow(self) -> AsyncIterator[float | Instance]:
        """Progress (0..1) and evicted instances until the load ends, well or badly."""
        watcher: asyncio.Queue[float | Instance | None] = asyncio.Queue()
        self._watchers.append(watcher)
        try:
            if not self.done.done():
                for other in list(self.evicted):
                    yield other
                yield self.progress
                while (event := await watcher.get()) is not None:
                    yield event
        finally:
            self._watchers.remove(watcher)

    async def wait(self) -> Instance:
        """The instance, or `LoadFailed`. Giving up waiting does not stop the load."""
        return await asyncio.shield(self.done)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While held by somebody a load goes on; when the last holder leaves early it is given up."""
        self.holders += 1
        try:
            yield
        finally:
            self.holders -= 1
            if not self.holders and not self.kept and not self.done.done():
                self.give_up()

    def give_up(self) -> None:
        if self.task is not None:
            self.task.cancel()
