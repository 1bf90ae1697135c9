"""The values everything is told in: models, conversations, problems, time."""

import asyncio
import dataclasses

import pytest

from core import errors
from core.clock import Clock, SystemClock
from core.conversation import ChatRef
from core.errors import ModelUnknown, Problem, Unreachable
from core.model import Failure, FailureKind, HostHealth, ModelState, Suggestion
from tests.fakes.clock import FakeClock, settle
from tests.fakes.provider import a_model, external

PROBLEMS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Problem)]


def make(kind: type[Problem]) -> Problem:
    """A Problem with something in each field that must be given."""
    values = {
        "model": a_model(),
        "failure": Failure(FailureKind.CRASHED, "boom", 1.0),
        "options": (a_model(),),
        "near": (a_model(),),
        "kind": FailureKind.CRASHED,
    }
    return kind(**{f.name: values.get(f.name, "said") for f in dataclasses.fields(kind)})


@pytest.mark.parametrize("kind", PROBLEMS)
def test_problems(kind: type[Problem]) -> None:
    """Every Problem names its text, its remedies are command lines, and its line for the log is short."""
    problem = make(kind)
    assert problem.key.startswith("problem.")
    assert all(problem.remedies)
    assert str(problem).startswith(kind.__name__ + "(")
    assert len(str(problem)) < 500


def test_problems_are_brief_in_the_log() -> None:
    """A model is named by its id and a long text is cut: no log line drowns."""
    assert str(ModelUnknown("x", (a_model(),))) == (
        "ModelUnknown(name=x, near=[lmstudio|fake:1|acme/nova-8b], verb=use)"
    )
    assert len(str(Unreachable("h", "long " * 1000))) < 300


def test_model() -> None:
    """Identity is provider, host and key; the tag leaves the host out and fits a button."""
    model = a_model("a/b")
    assert model.id == "lmstudio|fake:1|a/b"
    assert (model.tag, len(model.tag)) == (a_model("a/b", ModelState.LOADED, name="other").tag, 8)
    assert model.tag == a_model("a/b", host="other:1").tag  # the same model, wherever it runs
    assert model.id != a_model("a/b", host="other:1").id
    assert (model.local, external().local) == (True, False)
    assert (model.usable, a_model(state=ModelState.INACTIVE).usable) == (True, False)


def test_suggestion() -> None:
    """The best is the first; an empty suggestion has none."""
    assert Suggestion((a_model(), external())).best == a_model()
    assert Suggestion().best is None
    assert HostHealth("lmstudio", "h:1", reachable=False).via is None


@pytest.mark.parametrize(
    "chat", [ChatRef("telegram", "42"), ChatRef("discord", "1", "2"), ChatRef("console", "a", "b:c")]
)
def test_chat_ref(chat: ChatRef) -> None:
    """What is written can be read back."""
    assert ChatRef.parse(str(chat)) == chat


async def test_system_clock() -> None:
    """The machine's clock moves on, and sleeping lets others run."""
    clock: Clock = SystemClock()
    began = clock.monotonic()
    ran: list[int] = []
    asyncio.get_running_loop().call_soon(ran.append, 1)
    await clock.sleep(0)
    assert ran == [1]
    assert clock.monotonic() >= began
    assert clock.time() > 1_700_000_000


async def test_fake_clock() -> None:
    """Sleepers wake in order, each at its own moment, and may sleep again."""
    clock, woke = FakeClock(), []

    async def sleeper(name: str, *pauses: float) -> None:
        for pause in pauses:
            await clock.sleep(pause)
            woke.append((name, clock.monotonic()))

    tasks = [asyncio.create_task(sleeper("a", 3, 3)), asyncio.create_task(sleeper("b", 2, 2))]
    await clock.asleep(2)
    await clock.advance(5)
    assert woke == [("b", 2), ("a", 3), ("b", 4)]
    assert (clock.monotonic(), clock.sleepers) == (5, 1)
    tasks[0].cancel()
    await settle()
    assert clock.sleepers == 0
    rushing = FakeClock(rushing=True)
    await rushing.sleep(7)
    assert (rushing.monotonic(), rushing.slept) == (7, [7])
