"""Jobs by the clock: one that fails is tried again, stops no other, and nothing runs twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from core.errors import Unreachable
from core.jobs import AGAIN, Job, Jobs
from core.storage import Store
from core.storage.jobs import JobTable
from core.timetable import FAILED, OK
from tests.fakes.clock import FakeClock

MORNING = datetime(2026, 11, 26, 9, 30, tzinfo=UTC).timestamp()
DAY = 86_400


class Work:
    """Counts its runs; fails as it is told."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.runs = 0
        self.problem = problem
        self.news = asyncio.Event()

    async def __call__(self) -> None:
        self.runs += 1
        self.news.set()
        if self.problem is not None:
            raise self.problem

    async def ran(self, times: int) -> None:
        async with asyncio.timeout(10):
            while self.runs < times:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def table(folder: Path) -> AsyncIterator[JobTable]:
    async with Store.open(folder / "db") as store:
        yield JobTable.over(store)


async def test_one_that_fails_stops_no_other() -> None:
    """A problem, a bug and a job that hangs: the others run on, and the ones that failed are run again."""
    dead, buggy, well = Work(Unreachable("h")), Work(RuntimeError("bug")), Work()
    forever = asyncio.Event()

    async def hang() -> None:
        await forever.wait()

    jobs = Jobs(
        [Job("hang", 0.01, hang), Job("dead", 0.01, dead), Job("bug", 0.01, buggy), Job("well", 0.01, well)]
    )
    jobs.start()
    for work in (dead, buggy, well):
        await work.ran(3)
    states = {state.name: state for state in jobs.states()}
    jobs.stop()
    assert (states["dead"].outcome, states["bug"].outcome, states["well"].outcome) == (FAILED, FAILED, OK)
    assert states["hang"].outcome == ""
    assert all(state.next is not None for state in states.values())


async def test_a_failed_job_is_tried_again_soon() -> None:
    """A job of every hour does not wait for an hour."""
    work, clock = Work(Unreachable("h")), FakeClock()
    jobs = Jobs([Job("slow", 3600, work)], clock=clock)
    jobs.start()
    await jobs._run("slow")
    (state,) = jobs.states()
    jobs.stop()
    assert state.next is not None
    assert state.next - datetime.now(UTC).timestamp() <= AGAIN
    assert (state.last, state.outcome) == (clock.time(), FAILED)


async def test_once_a_day_also_after_a_restart(tmp_path: Path) -> None:
    """The hour comes, the job runs; neither another look nor a restart runs it again before the next morning."""
    work, clock = Work(), FakeClock(MORNING)
    daily = [Job("digest", 600, work, hour=9)]
    async with table(tmp_path) as runs:
        jobs = Jobs(daily, runs, clock, zone=UTC)
        await jobs.open()
        for _ in range(3):
            await jobs._run("digest")
    assert work.runs == 1
    async with table(tmp_path) as runs:
        again = Jobs(daily, runs, clock, zone=UTC)
        await again.open()
        await again._run("digest")
        assert work.runs == 1
        again.start()
        assert again.states()[0].next == MORNING - 1800 + DAY
        again.stop()
        await clock.advance(DAY)
        await again._run("digest")
        await again._run("digest")
    assert work.runs == 2


async def test_a_daily_job_that_failed_is_due_still(tmp_path: Path) -> None:
    """It counts as done only when it ended well."""
    work, clock = Work(Unreachable("h")), FakeClock(MORNING)
    async with table(tmp_path) as runs:
        jobs = Jobs([Job("digest", 600, work, hour=9)], runs, clock, zone=UTC)
        await jobs._run("digest")
        work.problem = None
        await jobs._run("digest")
        await jobs._run("digest")
    assert work.runs == 2


async def test_a_clock_that_stood_still_runs_nothing_twice(tmp_path: Path) -> None:
    """Three days asleep: what happens once a day happens once."""
    work, clock = Work(), FakeClock(MORNING)
    async with table(tmp_path) as runs:
        jobs = Jobs([Job("digest", 600, work, hour=9)], runs, clock, zone=UTC)
        await jobs._run("digest")
        await clock.advance(3 * DAY)
        for _ in range(5):
            await jobs._run("digest")
    assert work.runs == 2
