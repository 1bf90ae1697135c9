"""/health: what makes the whole ill, and what is only told."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.begin import complain
from bot.health import Health
from bot.standing import Standing
from bot.texts import Speech
from core.engine import Engine, open_engine
from core.errors import Unauthorized, Unreachable
from core.providers.base import Provider
from core.settings import Settings
from tests.bot.test_standing import FakePlatform
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, FakeProvider
from tests.fakes.responder import FakeResponder


class Whole:
    """An engine that is started, one platform that runs, and the health of both."""

    def __init__(self, engine: Engine, clock: FakeClock) -> None:
        self.engine = engine
        self.clock = clock
        self.platforms = Standing(complain=partial(complain, t=Speech("en")))
        self.platform = FakePlatform("telegram")
        self.health = Health(engine, self.platforms)

    async def told(self) -> dict[str, Any]:
        well, told = await self.health.tell()
        assert well is (told["status"] == "ok")
        return dict(told)

    async def reasons(self) -> list[str]:
        return list((await self.told())["reasons"])


@asynccontextmanager
async def whole(folder: Path, *providers: Provider, start: bool = True) -> AsyncIterator[Whole]:
    settings = Settings(_env_file=None, data_dir=folder, embedded="off")
    clock = FakeClock()
    async with open_engine(settings, clock=clock, providers=providers) as engine:
        one = Whole(engine, clock)
        if start:
            engine.start()
            await asyncio.gather(*engine._background)
        running = asyncio.create_task(one.platforms.run(one.platform, FakeResponder()))
        await asyncio.sleep(0)
        try:
            yield one
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_well(tmp_path: Path) -> None:
    """Every part is named and well."""
    async with whole(tmp_path, FakeLoader(), FakeProvider()) as one:
        told = await one.told()
    assert told == {
        "status": "ok",
        "reasons": [],
        "platforms": {"telegram": {"ok": True}},
        "hosts": {"lmstudio fake:1": {"ok": True}, "vendor": {"ok": True}},
        "database": {"database": {"ok": True}},
        "scheduler": {"scheduler": {"ok": True}},
    }


async def test_one_host_of_two_is_down(tmp_path: Path) -> None:
    """It is told with its reason, but the bot still does what it is there for."""
    down = FakeLoader()
    down.problem = Unreachable("fake:1", "refused")
    async with whole(tmp_path, down, FakeProvider()) as one:
        told = await one.told()
    assert told["status"] == "ok"
    assert told["hosts"]["lmstudio fake:1"] == {"ok": False, "reason": "refused"}


@pytest.mark.parametrize(
    ("problem", "reason"),
    [(Unreachable("fake:1", "refused"), "refused"), (Unauthorized("fake:1", token_set=False), "a token")],
)
async def test_no_host_answers(tmp_path: Path, problem: Exception, reason: str) -> None:
    """Nobody can be answered then: the whole is ill."""
    down = FakeLoader()
    down.problem = problem
    async with whole(tmp_path, down) as one:
        told = await one.told()
    assert told["reasons"] == ["hosts: none answers"]
    assert reason in told["hosts"]["lmstudio fake:1"]["reason"]


async def test_a_platform_that_ended(tmp_path: Path) -> None:
    """Others run on, and yet somebody must look at it."""
    async with whole(tmp_path, FakeLoader()) as one:
        one.platform.trouble = "another program takes its messages"
        assert await one.reasons() == ["telegram: another program takes its messages"]
        one.platform.let_go.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await one.reasons() == ["telegram: ended"]


async def test_a_database_that_cannot_be_written(tmp_path: Path) -> None:
    """Answers still flow, but nothing is remembered: the reason is SQLite's own."""
    async with whole(tmp_path, FakeLoader()) as one:
        await one.engine.store._db.execute("PRAGMA query_only = 1")
        (reason,) = await one.reasons()
        assert "readonly database" in reason
        await one.engine.store._db.execute("PRAGMA query_only = 0")
        assert await one.reasons() == []


async def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told before the first write fails."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=12_000_000))
    async with whole(tmp_path, FakeLoader()) as one:
        assert await one.reasons() == ["database: only 12 MB free"]


async def test_before_the_start_is_over(tmp_path: Path) -> None:
    """Not yet ready is not well: whoever starts programs one after the other waits."""
    async with whole(tmp_path, FakeLoader(), start=False) as one:
        reasons = await one.reasons()
    assert reasons == ["scheduler: not started yet", "hosts: none answers"]


async def test_a_scheduler_that_hangs(tmp_path: Path) -> None:
    """When nothing looks at the hosts any more, it is found out; and when it has ended as well."""
    async with whole(tmp_path, FakeLoader()) as one:
        await one.clock.advance(300)
        assert await one.reasons() == []
        await one.clock.advance(100)
        assert await one.reasons() == ["scheduler: looked at the hosts 400 s ago"]
        await one.engine.catalog.sync()
        assert await one.reasons() == []
        assert one.engine.jobs is not None
        one.engine.jobs.stop()
        await asyncio.sleep(0)
        assert await one.reasons() == ["scheduler: stopped"]
