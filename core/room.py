"""Will it fit, and what would have to leave? Pure decisions over what a host says of itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from core.model import Estimate, Resident


class MakeRoom(Enum):
    """The operator's word (`MAKE_ROOM`): ask a person, unload by itself what is ours and idle, or never."""

    ASK = "ask"
    AUTO = "auto"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do before a load.

    `evict` may leave without a question, one after the other until it fits; `offer` is what a person may be
    asked to let go. `fits` as the host says; `None` = it does not say, so the load is simply tried.
    """

    fits: bool | None
    needed: int | None = None
    evict: tuple[Resident, ...] = ()
    offer: tuple[Resident, ...] = ()

    @property
    def go(self) -> bool:
        """Whether the load may start, once `evict` has left."""
        return self.fits is not False or bool(self.evict)


def plan(
    estimate: Estimate | None, residents: Iterable[Resident], ours: frozenset[str], rule: MakeRoom
) -> Plan:
    """Decide by the host's own estimate. Longest idle leaves first; who answers never does."""
    if estimate is None:
        return Plan(fits=None)
    if estimate.fits:
        return Plan(fits=True, needed=estimate.total_bytes)
    idle = sorted((r for r in residents if not r.busy), key=lambda r: -(r.idle or 0.0))
    if rule is MakeRoom.NEVER:
        return Plan(fits=False, needed=estimate.total_bytes)
    offer = _enough(idle, estimate.total_bytes)
    own = [r for r in idle if r.instance in ours]
    if rule is MakeRoom.AUTO and (leaving := _enough(own, estimate.total_bytes)):
        return Plan(fits=False, needed=estimate.total_bytes, evict=leaving, offer=offer)
    return Plan(fits=False, needed=estimate.total_bytes, offer=offer)


def _enough(idle: list[Resident], needed: int) -> tuple[Resident, ...]:
    """As few as free what is needed; all of them if even that is not enough, or sizes are unknown.

    What is free already is not known (the host tells a verdict, not a number), so this errs towards
    freeing the whole size of the new model; `needed` is 0 where that is unknown too.
    """
    chosen: list[Resident] = []
    freed = 0
    for resident in idle:
        if 0 < needed <= freed:
            break
        chosen.append(resident)
        freed += resident.size_bytes or 0
    return tuple(chosen)
