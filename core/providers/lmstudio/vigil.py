"""Watching over a load that says nothing: LM Studio's REST answers when it is done, or not at all."""

from core.clock import Clock
from core.errors import Unreachable
from core.model import Model
from core.providers.lmstudio import wire
from core.providers.lmstudio.rest import V0, Rest

LOOK = 5.0  # seconds between two looks
TWICE = 2  # looks in a row, before anything is concluded


class Vigil:
    """Looks at the host on another connection now and then."""

    def __init__(self, rest: Rest, model: Model, clock: Clock) -> None:
        self._rest = rest
        self._model = model
        self._clock = clock
        self._looked = clock.monotonic()
        self._deaths = self._loaded = 0

    async def unheard(self) -> bool:
        """Whether the model is loaded though the answer never came; raises Unreachable if the host is dead."""
        if self._clock.monotonic() - self._looked < LOOK:
            return False
        self._looked = self._clock.monotonic()
        self._deaths = 0 if await self._rest.alive() else self._deaths + 1
        if self._deaths:
            if self._deaths >= TWICE:
                raise Unreachable(self._rest.label, "no sign of life")
            return False
        states = wire.states_v0((await self._rest.get(V0)).body)
        mine = [seen.state for name, seen in (states or {}).items() if wire.names(self._model, name)]
        self._loaded = self._loaded + 1 if mine and set(mine) == {"loaded"} else 0
        return self._loaded >= TWICE
