"""What a fake LM Studio holds in memory: loads, instances, idle time, eviction, the guardrail."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from tests.fakes.lmstudio.catalog import CANCELLED, GUARDRAIL, UNLOADED, FakeModel
from tests.fakes.lmstudio.clock import Clock
from tests.fakes.lmstudio.instances import Instance, Load, LoadConfig, LoadFailed
from tests.fakes.lmstudio.journal import Journal
from tests.fakes.lmstudio.switches import Switches


class Host:
    """The models on disk and the instances in memory."""

    def __init__(
        self, models: Sequence[FakeModel], switches: Switches, journal: Journal, clock: Clock
    ) -> None:
        self.models = list(models)
        self.switches = switches
        self.journal = journal
        self.clock = clock
        self.instances: list[Instance] = []
        self.fresh_loads = 0
        """Loads begun since v0 was last asked."""

    # ------------------------------------------------------------ finding

    def model(self, key: str) -> FakeModel | None:
        """By key alone, whatever its case."""
        return next((m for m in self.models if m.key.lower() == key.lower()), None)

    def model_or_variant(self, name: str) -> FakeModel | None:
        """By key or `key@quant`, as a chat may name it."""
        found = (m for m in self.models if name.lower() in (m.key.lower(), m.variant.lower()))
        return next(found, None)

    def instance(self, identifier: str) -> Instance | None:
        return next((i for i in self.instances if i.identifier == identifier), None)

    def instance_for(self, name: str) -> Instance | None:
        """By instance id, else any instance of the named model: a loaded one, the oldest first."""
        if (exact := self.instance(name)) is not None:
            return exact
        model = self.model_or_variant(name)
        candidates = [i for i in self.instances if i.model is model]
        return min(candidates, key=lambda i: (i.state != "loaded", i.number), default=None)

    def loaded(self, kind: str) -> list[Instance]:
        return [i for i in self.instances if i.state == "loaded" and i.model.type == kind]

    # ------------------------------------------------------------ loading

    def config_for(self, model: FakeModel, context_length: int | None = None) -> LoadConfig:
        """A load's settings; the context is what the model makes of the request, never clamped."""
        granted = model.fitted_context or context_length or model.context_length
        return LoadConfig(context_length=granted, parallel=model.parallel)

    def start_load(
        self,
        model: FakeModel,
        config: LoadConfig,
        *,
        identifier: str | None = None,
        jit: bool = False,
        ttl: float | None = None,
    ) -> Load:
        """Begin a load: always a new instance. It is in the list from now on."""
        if identifier is not None and self.instance(identifier) is not None:
            raise LoadFailed(f"Model with identifier '{identifier}' already exists.")
        instance = Instance(model, identifier or self._next_identifier(model), replace(config), jit, ttl)
        self.instances.append(instance)
        self.fresh_loads += 1
        self._note("load_started", instance, "jit" if jit else "explicit")
        task = asyncio.create_task(self._run(instance))
        task.add_done_callback(lambda _task: self._never_ran(instance))
        instance.load.task = task
        return instance.load

    def preload(
        self, key: str, *, identifier: str | None = None, context_length: int | None = None
    ) -> Instance:
        """An explicit load that is over before the test begins."""
        model = self.model(key)
        if model is None:
            raise KeyError(key)
        config = self.config_for(model, context_length)
        instance = Instance(
            model, identifier or self._next_identifier(model), config, jit=False, ttl=None, state="loaded"
        )
        instance.loaded_at = time.monotonic() - self.switches.v0_lag_seconds
        self.instances.append(instance)
        instance.load.end()
        return instance

    def _next_identifier(self, model: FakeModel) -> str:
        names = [model.key, *(f"{model.key}:{n}" for n in range(2, len(self.instances) + 3))]
        return next(name for name in names if self.instance(name) is None)

    async def _run(self, instance: Instance) -> None:
        load = instance.load
        try:
            if self.switches.guardrail_counts_evicted:
                self._guard(instance)
            if instance.jit and self.switches.auto_evict:
                await self._evict_others(instance)
            self._guard(instance)
            await self._engine(instance)
        except LoadFailed as failure:
            self._forget(instance)
            self._note("load_failed", instance, str(failure))
            load.end(str(failure))
        except asyncio.CancelledError:
            self._forget(instance)
            self._note("load_cancelled", instance)
            load.end(CANCELLED)
        else:
            instance.state = "loaded"
            instance.loaded_at = time.monotonic()
            self._note("load_finished", instance)
            load.end()
            self._rest(instance)

    def _never_ran(self, instance: Instance) -> None:
        """A load given up before its first step ends here."""
        if not instance.load.done.done():
            self._forget(instance)
            self._note("load_cancelled", instance)
            instance.load.end(CANCELLED)

    async def _engine(self, instance: Instance) -> None:
        """The load itself, step by step."""
        model, load = instance.model, instance.load
        error = model.load_error
        if error is not None and model.load_error_times is not None:
            if model.load_error_times <= 0:
                error = None
            else:
                model.load_error_times -= 1
        steps = max(1, model.progress_steps)
        for step in range(steps):
            if error is not None and step / steps >= model.load_error_at:
                raise LoadFailed(error)
            if model.hold_load is not None and step >= steps // 2:
                await model.hold_load.wait()
            await asyncio.sleep(model.load_seconds / steps)
            load.tell((step + 1) / steps)
        if error is not None:
            raise LoadFailed(error)

    def _guard(self, instance: Instance) -> None:
        limit = self.switches.memory_bytes
        if limit is not None and sum(i.memory for i in self.instances) > limit:
            raise LoadFailed(GUARDRAIL.format(gigabytes=f"{instance.memory / 1e9:.2f}"))

    def fits(self, model: FakeModel, config: LoadConfig) -> bool:
        limit = self.switches.memory_bytes
        used = sum(i.memory for i in self.instances)
        return limit is None or used + model.memory(config.context_length) <= limit

    # ------------------------------------------------------------ eviction and idle time

    async def _evict_others(self, newcomer: Instance) -> None:
        """At most one JIT model: those loaded before go; copies of the same model stay."""
        for other in list(self.instances):
            if not other.jit or other.model is newcomer.model or other.number > newcomer.number:
                continue
            if not other.load.done.done():
                await asyncio.wait([other.load.done])
            if not self.switches.evict_busy:
                await other.idle.wait()
            if other.state == "loaded":
                newcomer.load.tell(other)
                self.drop(other, "evicted")

    @contextmanager
    def using(self, instance: Instance) -> Iterator[None]:
        """An instance in use is not idle: its time to live stands still."""
        instance.users += 1
        instance.idle.clear()
        if instance.timer is not None:
            instance.timer.cancel()
            instance.timer = None
        try:
            yield
        finally:
            instance.users -= 1
            instance.last_used_ms = int(time.time() * 1000)
            self._rest(instance)

    def _rest(self, instance: Instance) -> None:
        if instance.users:
            return
        instance.idle.set()
        if instance.ttl is not None and instance.state == "loaded" and instance.timer is None:
            instance.timer = self.clock.call_later(instance.ttl, lambda: self.drop(instance, "evicted"))

    # ------------------------------------------------------------ leaving

    def unload(self, instance: Instance) -> None:
        if instance.state == "loading":
            instance.load.give_up()
            self._forget(instance)
        else:
            self.drop(instance, "unloaded")

    def drop(
        self, instance: Instance, kind: str, text: str = UNLOADED, reason: str = "modelUnloaded"
    ) -> None:
        """Take an instance out of memory; what runs on it ends."""
        if instance.state != "loaded":
            return
        self._forget(instance)
        self._note(kind, instance)
        for work in list(instance.work):
            work.fail(text, reason)

    def clear(self) -> list[asyncio.Task[None]]:
        """The process dies: nothing is in memory any more. Returns what has still to end."""
        tasks = []
        for instance in list(self.instances):
            if instance.load.task is not None and not instance.load.task.done():
                instance.load.task.cancel()
                tasks.append(instance.load.task)
            for work in list(instance.work):
                work.fail("The host is gone.", "failed")
                tasks.append(work.task)
            self._forget(instance)
        return tasks

    def _forget(self, instance: Instance) -> None:
        if instance in self.instances:
            self.instances.remove(instance)
        instance.state = "gone"
        if instance.timer is not None:
            instance.timer.cancel()
            instance.timer = None

    def _note(self, kind: str, instance: Instance, detail: str = "") -> None:
        self.journal.add(kind, model=instance.model.key, instance=instance.identifier, detail=detail)
