"""What happens by the clock. Each job runs by itself: one that fails is tried again and stops no other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from core.clock import Clock, SystemClock
from core.errors import Problem, StorageFailed
from core.storage.jobs import JobTable
from core.timetable import FAILED, OK, JobState, daily_due, daily_next

log = structlog.get_logger(__name__)

AGAIN = 60.0  # seconds after which a job that failed is tried again, at the latest with its next run


@dataclass(frozen=True, slots=True)
class Job:
    """`run` every so many seconds. What it returns says nothing; what it raises is logged.

    With `hour` it runs once a day, at that hour of local time or as soon after it as the program is there, and
    `every` says how often it is looked whether that is now; such a run is remembered across restarts.
    """

    name: str
    every: float
    run: Callable[[], Awaitable[object]]
    hour: int | None = None


class Jobs:
    """The scheduler of the program; `start()` needs a running event loop."""

    def __init__(
        self,
        jobs: Sequence[Job],
        table: JobTable | None = None,
        clock: Clock | None = None,
        *,
        zone: tzinfo | None = None,
    ) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._table = table
        self._clock = clock or SystemClock()
        self._zone = zone
        self._last: dict[str, tuple[float, str]] = {}
        # coalesce: after sleep a missed run happens once. The default grace of 1 s would drop it.
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)
        for job in jobs:
            self._scheduler.add_job(self._run, "interval", seconds=job.every, id=job.name, args=[job.name])

    async def open(self) -> None:
        """Remember the runs before the restart."""
        if self._table is None:
            return
        try:
            self._last = await self._table.runs()
        except StorageFailed as lost:
            log.warning("runs of jobs not known", problem=str(lost))

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return bool(self._scheduler.running)

    def stop(self) -> None:
        """End without waiting for a run under way."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def states(self) -> list[JobState]:
        """Every job in its order."""
        return [self._state(name) for name in self._jobs]

    def _state(self, name: str) -> JobState:
        last, outcome = self._last.get(name, (0.0, ""))
        hour = self._jobs[name].hour
        when = getattr(self._scheduler.get_job(name), "next_run_time", None)
        if when is not None and hour is not None and not self._due(name, hour):
            when = daily_next(self._now(), hour)
        return JobState(name, last, outcome, when.timestamp() if when else None)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time(), self._zone).astimezone(self._zone)

    def _due(self, name: str, hour: int) -> bool:
        at, outcome = self._last.get(name, (0.0, ""))
        last = datetime.fromtimestamp(at, self._zone).astimezone(self._zone) if outcome == OK else None
        return daily_due(self._now(), hour, last)

    async def _run(self, name: str) -> None:
        job, outcome = self._jobs[name], OK
        if job.hour is not None and not self._due(name, job.hour):
            return
        try:
            await job.run()
        except asyncio.CancelledError:
            raise
        except Problem as problem:
            outcome = FAILED
            log.warning("job failed", job=name, problem=str(problem))
        except Exception:  # a bug in one job must not end the others
            outcome = FAILED
            log.exception("job failed", job=name)
        await self._over(name, outcome)
        if outcome == FAILED and job.every > AGAIN:
            self._soon(name)

    def _soon(self, name: str) -> None:
        """Sooner than planned; after that every so many seconds as before."""
        if self._scheduler.running:
            again = datetime.now(UTC) + timedelta(seconds=AGAIN)
            self._scheduler.modify_job(name, next_run_time=again)

    async def _over(self, name: str, outcome: str) -> None:
        now = self._clock.time()
        self._last[name] = (now, outcome)
        if self._table is None or self._jobs[name].hour is None:
            return
        try:
            await self._table.ran(name, now, outcome)
        except StorageFailed as full:
            log.warning("run of a job not recorded", job=name, problem=str(full))
