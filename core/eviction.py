"""Who leaves a host's memory for a load: asked of the host, decided by `core.room`, done one by one."""

from contextlib import suppress

import structlog

from core.admission import Admission
from core.errors import DoesNotFit, Problem
from core.flight import Flight
from core.model import Estimate, FailureKind, MakingRoom, Model, Resident
from core.providers.base import Loader
from core.room import MakeRoom, Plan, plan
from core.storage import Store

log = structlog.get_logger(__name__)


class Eviction:
    """Makes room before a load, as far as the operator's rule or a person's consent goes."""

    def __init__(self, store: Store, admission: Admission, rule: MakeRoom) -> None:
        self._store = store
        self._admission = admission
        self._rule = rule

    async def make_room(self, flight: Flight, loader: Loader) -> None:
        """Let others leave if the host says that there is no room, and if they may. Raises DoesNotFit."""
        model = flight.model
        if flight.consent == "anyway":
            return
        estimate = await loader.estimate(model)
        asked = flight.consent == "room"
        if estimate is None or estimate.fits:
            if not asked:
                return
            # The load was refused all the same: a guardrail counts otherwise, or nothing is told beforehand.
            estimate = Estimate(model.size_bytes or 0, fits=False)
        residents = await self._idle(model, loader)
        rule = MakeRoom.AUTO if asked else self._rule
        instances = frozenset(r.instance for r in residents)
        ours = instances if asked else await self._store.ours(model.host)
        decided = plan(estimate, residents, ours, rule)
        if not decided.evict:
            raise DoesNotFit(model, decided.needed, decided.offer)
        await self._evict(flight, loader, decided)

    async def could_leave(self, flight: Flight, loader: Loader, kind: FailureKind) -> tuple[Resident, ...]:
        """Who could leave for a load that its host refused for lack of room."""
        if kind is FailureKind.NEEDS_ROOM and not flight.consent and self._rule is not MakeRoom.NEVER:
            with suppress(Problem):
                return tuple(await self._idle(flight.model, loader))
        return ()

    async def _idle(self, model: Model, loader: Loader) -> list[Resident]:
        residents = await loader.residents()
        asked = [r for r in residents if self._admission.busy(f"{model.host}|{r.instance}")]
        return [r for r in residents if not r.busy and r not in asked]

    async def _evict(self, flight: Flight, loader: Loader, decided: Plan) -> None:
        """One after the other, until the host says that it fits."""
        model, estimate = flight.model, None
        for resident in decided.evict:
            flight.publish(MakingRoom(model, (resident.name,)))
            log.info("making room", for_model=model.id, evicted=resident.instance)
            await loader.evict(resident)
            await self._store.disclaim(model.host, resident.instance)
            estimate = await loader.estimate(model)
            if estimate is not None and estimate.fits:
                return
        if estimate is not None:
            raise DoesNotFit(model, decided.needed)
