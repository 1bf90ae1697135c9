"""A host with so much memory: it says whether a model fits, and who is in it."""

from collections.abc import Iterable, Sequence

from core.model import Estimate, Model, ModelState, Resident
from tests.fakes.provider import FakeLoader

GB = 1024**3


class FakeBox(FakeLoader):
    """`foreign` keys are in memory by somebody else's doing; `busy` ones are answering somebody else."""

    def __init__(self, models: Iterable[Model], *, host: str, memory: int) -> None:
        super().__init__(models, host=host)
        self.memory = memory
        self.busy: set[str] = set()
        self.idle: dict[str, float] = {}
        self.evicted: list[str] = []

    @property
    def used(self) -> int:
        """Bytes that are taken."""
        return sum(m.size_bytes or 0 for m in self.listed if m.state is ModelState.LOADED)

    async def estimate(self, model: Model) -> Estimate | None:
        needed = model.size_bytes or 0
        return Estimate(needed, fits=self.used + needed <= self.memory)

    async def residents(self) -> Sequence[Resident]:
        return [
            Resident(m.key, m.key, m.name, m.size_bytes, idle=self.idle.get(m.key), busy=m.key in self.busy)
            for m in self.listed
            if m.state is ModelState.LOADED
        ]

    async def evict(self, resident: Resident) -> None:
        await super().evict(resident)
        self.evicted.append(resident.key)
