"""When which model is to be awake, and who has slept long enough. Pure; local time of the machine."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

LEAD = timedelta(minutes=5)  # what an hour will need is loaded so long before it begins
USED_AT_LEAST = 2  # answers at that hour of that weekday; one is an accident
OK, FAILED = "ok", "failed"
_AUTO = re.compile(r"auto:([1-9]\d?)")
_SLOT = re.compile(r"(?P<model>\S+)@(?P<from>\d{1,2}:\d{2})-(?P<to>\d{1,2}:\d{2})")
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Slot:
    """A model that is wanted each day from `begins` to `ends`, minutes since midnight; past midnight if `ends` < `begins`."""

    model: str
    begins: int
    ends: int

    def opened(self, now: datetime) -> datetime | None:
        """When the slot that is open now has begun; `None` if it is not open."""
        minute = now.hour * 60 + now.minute
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.begins <= minute < self.ends or (self.ends < self.begins <= minute):
            return midnight + timedelta(minutes=self.begins)
        if minute < self.ends < self.begins:
            return midnight - timedelta(minutes=_DAY - self.begins)
        return None


@dataclass(frozen=True, slots=True)
class Preloads:
    """What `PRELOAD` says: the `auto` models most used at this hour of this weekday, and slots."""

    auto: int = 0
    slots: tuple[Slot, ...] = ()


def parse(words: Iterable[str]) -> Preloads:
    """Read `auto:1` and `qwen3-8b@08:00-18:00`. Raises ValueError."""
    auto, slots = 0, []
    for word in words:
        if found := _AUTO.fullmatch(word):
            auto = int(found[1])
        elif found := _SLOT.fullmatch(word):
            slots.append(Slot(found["model"], _minutes(found["from"]), _minutes(found["to"])))
        else:
            raise ValueError("not like auto:1 or qwen3-8b@08:00-18:00")
    return Preloads(auto, tuple(slots))


def _minutes(clock: str) -> int:
    hours, minutes = map(int, clock.split(":"))
    if not (hours * 60 + minutes <= _DAY and minutes < 60):  # noqa: PLR2004  # minutes of an hour
        raise ValueError("no time of a day")
    return hours * 60 + minutes


@dataclass(frozen=True, slots=True)
class Wish:
    """A model that is to be awake, by what somebody would type; `window` names the time, so that it is tried once."""

    model: str
    window: str


def wishes(preloads: Preloads, now: datetime, used: Mapping[str, int]) -> list[Wish]:
    """What is to be awake at `now`; `used` = answers by model id at the hour that `ahead(now)` names."""
    opened = [(slot, slot.opened(now)) for slot in preloads.slots]
    found = [Wish(slot.model, f"slot {since:%Y-%m-%d %H:%M}") for slot, since in opened if since is not None]
    often = [model for model, times in used.items() if times >= USED_AT_LEAST]
    often.sort(key=lambda model: (-used[model], model))
    found += [Wish(model, f"hour {ahead(now):%Y-%m-%d %H}") for model in often[: preloads.auto]]
    return found


def ahead(now: datetime) -> datetime:
    """The moment whose hour is prepared for."""
    return now + LEAD


@dataclass(frozen=True, slots=True)
class Sleeper:
    """An instance of ours that nobody uses now: `idle` seconds, used `uses` times since the program began."""

    instance: str
    idle: float
    uses: int


def to_retire(sleepers: Iterable[Sleeper], after: float) -> list[Sleeper]:
    """Who leaves the memory after so many idle seconds: least used first, then whoever sleeps longest."""
    return sorted((s for s in sleepers if s.idle >= after), key=lambda s: (s.uses, -s.idle))


def daily_due(now: datetime, hour: int, last: datetime | None) -> bool:
    """Whether what happens once a day at that hour is due: also later, when the program is there again."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return now >= today and (last is None or last < today)


def daily_next(now: datetime, hour: int) -> datetime:
    """When that hour comes next."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if now < today else today + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job stands: its last run (seconds since the epoch; 0 = never), its outcome, and the next run."""

    name: str
    last: float = 0.0
    outcome: str = ""
    next: float | None = None
