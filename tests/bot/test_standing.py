"""Platforms side by side: one that ends leaves the others alone, and everybody can be told how each stands."""

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest
import structlog.testing

from bot.begin import complain
from bot.standing import Standing, first
from bot.surface import Responder, Surface
from bot.texts import Speech
from core.conversation import ChatRef
from core.errors import Problem, SettingWrong, StorageFailed, Unreachable
from tests.fakes.responder import FakeResponder


class FakePlatform:
    """Runs until it is let go, or ends with an exception."""

    def __init__(self, name: str = "fake", ending: Exception | None = None, *, failed: bool = False) -> None:
        self.name = name
        self.trouble = ""
        self.failed = failed
        self.let_go = asyncio.Event()
        self._ending = ending

    async def run(self, responder: Responder) -> None:
        del responder
        if self._ending is not None:
            raise self._ending
        await self.let_go.wait()

    async def private(self, person: str) -> ChatRef | None:
        return ChatRef(*person.split(":"))

    def surface(self, chat: ChatRef, standing: Sequence[str] = (), person: str = "") -> Surface:
        raise NotImplementedError


def standing() -> Standing:
    return Standing(complain=partial(complain, t=Speech("en")))


@pytest.mark.parametrize(
    ("ending", "told", "trouble"),
    [
        (SettingWrong("TELEGRAM_BOT_TOKEN", "refused"), "TELEGRAM_BOT_TOKEN cannot be used", "SettingWrong"),
        (ExceptionGroup("g", [Unreachable("h")]), "h does not answer", "Unreachable"),
        (ValueError("words of a person"), "", "crashed: ValueError"),
        (ExceptionGroup("g", [ValueError("words of a person")]), "", "crashed: ExceptionGroup"),
    ],
)
async def test_a_platform_that_ends_badly_says_so(
    ending: Exception, told: str, trouble: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its code is 1 and nothing escapes that would end the others; an exception's words are not logged."""
    platforms = standing()
    with structlog.testing.capture_logs() as lines:
        assert await platforms.run(FakePlatform(ending=ending), FakeResponder()) == 1
    assert told in capsys.readouterr().err
    assert [line["log_level"] for line in lines] == ["error"]
    assert "words of a person" not in str(lines) + str(platforms.troubles())
    assert trouble in platforms.troubles()["fake"]


async def test_how_each_one_stands() -> None:
    """Nothing is wrong with one that runs, unless it says so itself; one that has ended is named."""
    platforms, talks, waits = standing(), FakePlatform("talks"), FakePlatform("waits")
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(platforms.run(p, FakeResponder())) for p in (talks, waits)]
        await asyncio.sleep(0)
        assert platforms.troubles() == {"talks": "", "waits": ""}
        waits.trouble = "does not answer"
        talks.let_go.set()
        assert await runs[0] == 0
        assert platforms.troubles() == {"talks": "ended", "waits": "does not answer"}
        waits.let_go.set()


async def test_a_platform_that_failed_in_part() -> None:
    """The console's error cards make its code 1."""
    platform = FakePlatform(failed=True)
    platform.let_go.set()
    assert await standing().run(platform, FakeResponder()) == 1


def test_the_first_problem_of_a_group_is_told() -> None:
    """When several platforms fail at once, one cause is named instead of a traceback."""
    full = StorageFailed("full", "/x")
    group = BaseExceptionGroup("a", [BaseExceptionGroup("b", [full, ValueError("x")]), Unreachable("c")])
    problems, _ = group.split(Problem)
    assert problems is not None
    assert first(problems) is full
