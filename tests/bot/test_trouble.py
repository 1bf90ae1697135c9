"""A Problem that somebody is told of stands in the log once, with its cause, and is counted."""

from collections import Counter
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from bot.trouble import report
from bot.watch import Watch, watching
from core.conversation import Delta
from core.errors import Interrupted, LoadFailed, ModelUnknown, NothingAsked, Unreachable
from core.model import FailureKind, ModelState
from tests.bot.talk import talking
from tests.fakes.provider import FakeLoader, a_model

NOVA, MINI = a_model(state=ModelState.LOADED), a_model("acme/mini-1b")


class FakeCounts:
    def __init__(self) -> None:
        self.problems: Counter[str] = Counter()

    def problem(self, kind: str) -> None:
        self.problems[kind] += 1

    def paused(self, platform: str) -> None: ...

    def landed(self, platform: str, seconds: float) -> None: ...


def problems(lines: list[MutableMapping[str, Any]]) -> list[str]:
    return [str(line["kind"]) for line in lines if "kind" in line and "problem" in line]


def test_once() -> None:
    """Whoever tells of it again on the way up adds nothing."""
    counts = FakeCounts()
    watching.set(Watch("telegram", counts))
    problem = Unreachable("pc:1234", "refused")
    problem.__cause__ = ConnectionRefusedError("words that may quote somebody")
    with structlog.testing.capture_logs() as lines:
        report(problem, "no answer")
        report(problem)
    assert lines == [
        {
            "event": "no answer",
            "log_level": "info",
            "kind": "Unreachable",
            "problem": "Unreachable(host=pc:1234, detail=refused)",
            "cause": "ConnectionRefusedError",
        }
    ]
    assert counts.problems == {"Unreachable": 1}


def test_what_was_typed_is_left_out() -> None:
    """The name of a model that nobody knows may be anything."""
    with structlog.testing.capture_logs() as lines:
        report(ModelUnknown("canary"))
    assert "canary" not in str(lines)


CASES: dict[str, str] = {
    "/use xyzzy": "ModelUnknown",
    "/retry": "NothingAsked",
    "/load mini": "LoadFailed",
    "oi": "Interrupted",
    "tudo": "Interrupted",
}


@pytest.mark.parametrize(("said", "kind"), CASES.items())
async def test_every_way_to_be_told(tmp_path: Path, said: str, kind: str) -> None:
    """Commands, loads, answers that never began and answers that broke: one line each."""
    host = FakeLoader([NOVA, MINI])
    host.loads[MINI.key] = [(LoadFailed(MINI, FailureKind.CRASHED, "exit 6"),)]
    cut: list[Delta | Interrupted] = [Interrupted(NOVA, "ReadError")]
    host.answers = [[Delta("half"), *cut] if said == "tudo" else cut]
    counts = FakeCounts()
    watching.set(Watch("console", counts))
    async with talking(tmp_path, host) as talk:
        with structlog.testing.capture_logs() as lines:
            await talk.say(said)
    assert problems(lines) == [kind]
    assert counts.problems == {kind: 1}


def test_no_model_at_all() -> None:
    """A Problem without data is told by its name."""
    with structlog.testing.capture_logs() as lines:
        report(NothingAsked())
    assert problems(lines) == ["NothingAsked"]
