"""How much each person may use: messages a minute, tokens a day."""

from collections import OrderedDict, deque
from dataclasses import dataclass

from core.clock import Clock

MINUTE = 60.0
DAY = 86400.0
_REMEMBERED = 10_000  # people whose last minute is known


@dataclass(frozen=True, slots=True)
class Allowance:
    """`messages` a minute, tokens a day of `local` models and of `external` APIs; `None` = no limit."""

    messages: int | None = None
    local: int | None = None
    external: int | None = None

    def tokens(self, *, external: bool) -> int | None:
        """The tokens a day of that kind."""
        return self.external if external else self.local


UNLIMITED = Allowance()


class Pace:
    """The messages of the last minute, person by person."""

    def __init__(self, clock: Clock, window: float = MINUTE) -> None:
        self._clock = clock
        self._window = window
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def admit(self, person: str, limit: int | None) -> float:
        """Count a message; 0, or the seconds until one is taken again (then it is not counted)."""
        if limit is None:
            return 0.0
        now = self._clock.monotonic()
        times = self._times.setdefault(person, deque())
        self._times.move_to_end(person)
        while len(self._times) > _REMEMBERED:
            self._times.popitem(last=False)
        while times and times[0] <= now - self._window:
            times.popleft()
        if len(times) >= limit:
            return times[-limit] + self._window - now
        times.append(now)
        return 0.0
