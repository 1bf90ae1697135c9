"""What goes first in a chat: last cards before first ones, both before progress, and in a rank whoever came first."""

import itertools
from collections.abc import Callable
from enum import IntEnum

from core.clock import Clock


class Rank(IntEnum):
    """What goes first."""

    FINAL = 0
    FIRST = 1
    PROGRESS = 2


class Turns:
    """Those who wait for their turn in one chat. `look` = seconds after which who is not the first looks again."""

    def __init__(self, clock: Clock, look: float) -> None:
        self._clock = clock
        self._look = look
        self._arrivals = itertools.count()
        self._places: list[tuple[Rank, int]] = []

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._places)

    async def stand(self, rank: Rank, wait: Callable[[Rank], float]) -> None:
        """Until it is one's turn; `wait` = seconds until a call of that rank may leave, not positive if it may now."""
        place = (rank, next(self._arrivals))
        self._places.append(place)
        try:
            while True:
                left = wait(rank)
                if left <= 0 and min(self._places) == place:
                    return
                await self._clock.sleep(left if left > 0 else self._look)
        finally:
            self._places.remove(place)
