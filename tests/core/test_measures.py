"""Figures: kept however an answer ends, added up right, and no burden to anybody."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conversation import Usage
from core.errors import StorageFailed
from core.figures import AnswerFigure
from core.measures import DAY, TOO_LONG, Measures
from core.model import LoadPath, Model, ModelState
from core.storage import Store
from core.storage.measures import MeasureQueries
from core.summary import BROKEN, DONE, STOPPED, AnswerRecord, percentile
from tests.fakes.clock import FakeClock
from tests.fakes.provider import a_model, external

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp()
NOVA = a_model("acme/nova-8b", size_bytes=1000)
API = external("gpt-mini")


@dataclass
class Desk:
    measures: Measures
    store: Store
    clock: FakeClock

    def answer(self, model: Model = NOVA, *, outcome: str = DONE, chat: str = "t:1:0", person: str = "t:1",
               tokens: tuple[int | None, int | None] = (10, 20), first: float | None = 0.5, seconds: float = 2.5) -> None:  # fmt: skip
        self.measures.tell(AnswerFigure(model, person, seconds, first, Usage(*tokens), outcome, chat))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = FakeClock(NOON)
    async with Store.open(tmp_path / "db") as store:
        yield Desk(Measures(store, clock, zone=UTC), store, clock)


async def test_a_hand_count(desk: Desk) -> None:
    """Three days, two models, every ending: each figure is what one counts on one's fingers."""
    desk.answer(API, tokens=(100, 50), first=0.2, seconds=1.2)  # 50 tokens in 1 s
    await desk.clock.advance(DAY)
    desk.answer(tokens=(10, 20), first=0.5, seconds=2.5)  # 20 tokens in 2 s
    desk.answer(tokens=(30, 40), first=1.5, seconds=5.5, person="t:2", chat="t:2:0")  # 40 tokens in 4 s
    await desk.clock.advance(DAY)
    desk.answer(outcome=STOPPED, tokens=(None, None), first=1.0, seconds=9.0)
    desk.answer(outcome=BROKEN, tokens=(None, None), first=None, seconds=60.0, person="")
    desk.answer(outcome=TOO_LONG)  # sent again, shorter: not an answer of its own
    for seconds in (10.0, 20.0, 30.0):
        await desk.measures.loaded(NOVA, seconds, LoadPath.REST)
    for kind in ("needs-room", "crashed", "needs-room", "cancelled"):
        await desk.measures.failed(NOVA, kind)
    found = await desk.measures.summary(30)
    assert found.answers == 5
    assert found.outcomes == {DONE: 3, STOPPED: 1, BROKEN: 1}
    assert (found.tokens_in, found.tokens_out) == (140, 110)
    nova, api = found.models
    assert (nova.model_id, nova.answers, nova.tokens) == (NOVA.id, 4, 100)
    assert nova.first == 1.0  # of 0.5, 1.5 and 1.0
    assert nova.speed == 10.0  # 60 tokens in 6 s
    assert (api.answers, api.first, api.speed) == (1, 0.2, 50.0)
    assert found.people == (("t:1", 180), ("t:2", 70))
    assert found.days == {
        date(2026, 11, 26): {API.id: 1},
        date(2026, 11, 27): {NOVA.id: 2},
        date(2026, 11, 28): {NOVA.id: 2},
    }
    assert (found.loads.n, found.loads.mean, found.loads.p90) == (3, 20.0, 30.0)
    assert found.loads.failed == {"needs-room": 2, "crashed": 1}
    assert found.loads.failure_rate == 0.5


async def test_of_a_chat_a_model_and_lately(desk: Desk) -> None:
    """Only what belongs to it, and nothing older."""
    desk.answer(API)
    await desk.clock.advance(31 * DAY)
    desk.answer()
    desk.answer(API, chat="t:2:0")
    await desk.measures.loaded(NOVA, 10.0, LoadPath.REST)
    here = await desk.measures.summary(30, chat="t:1:0")
    assert [(u.model_id, u.answers) for u in here.models] == [(NOVA.id, 1)]
    assert here.loads.n == 0
    api = await desk.measures.summary(30, models=[API.id])
    assert [(u.model_id, u.answers) for u in api.models] == [(API.id, 1)]
    assert api.loads.n == 0
    assert await desk.measures.ever() == 3


async def test_suggestions(desk: Desk) -> None:
    """Taken = the next choice there within an hour was one of those offered; each is taken once."""
    mini = a_model("acme/mini-1b")
    await desk.measures.suggested("t:1:0", NOVA, [mini, API])
    await desk.measures.chosen("t:2:0", mini)  # another chat
    await desk.measures.chosen("t:1:0", NOVA)  # not offered
    await desk.measures.chosen("t:1:0", replace(mini, host="elsewhere"))  # the same model on another host
    await desk.measures.chosen("t:1:0", API)  # taken already
    await desk.measures.suggested("t:1:0", None, [mini])
    await desk.clock.advance(3601)
    await desk.measures.chosen("t:1:0", mini)  # too late
    await desk.measures.suggested("t:1:0", NOVA, [])  # nothing to offer is no suggestion
    found = await desk.measures.summary(30, chat="t:1:0")
    assert (found.offered, found.taken) == (2, 1)
    assert (await desk.measures.summary(30, chat="t:2:0")).offered == 0


async def test_added_up_per_day(desk: Desk) -> None:
    """What is older than so many days is forgotten one by one; the sums stay."""
    for n in range(4):
        desk.answer(tokens=(n, 10 * n), outcome=DONE if n % 2 else STOPPED)
    desk.answer(API)
    await desk.measures.loaded(NOVA, 10.0, LoadPath.REST)
    await desk.measures.loaded(NOVA, 20.0, LoadPath.REST)
    await desk.measures.failed(NOVA, "crashed")
    await desk.clock.advance(91 * DAY)
    desk.answer()
    before = await desk.measures.ever()
    assert await desk.measures.roll_up(90) == 8
    assert await desk.measures.ever() == before == 6
    rows = await desk.store._all("SELECT * FROM answer_days ORDER BY model_id, outcome")
    assert [
        (r["day"], r["model_id"], r["outcome"], r["answers"], r["tokens_in"], r["tokens_out"]) for r in rows
    ] == [
        ("2026-11-26", NOVA.id, DONE, 2, 4, 40),
        ("2026-11-26", NOVA.id, STOPPED, 2, 2, 20),
        ("2026-11-26", API.id, DONE, 1, 10, 20),
    ]
    loads = await desk.store._all("SELECT outcome, loads, seconds FROM load_days ORDER BY outcome")
    assert [tuple(r) for r in loads] == [("crashed", 1, 0.0), ("ok", 2, 30.0)]
    assert (await desk.measures.summary(3650)).answers == 1
    assert await desk.measures.roll_up(90) == 0


async def test_added_up_again_the_next_night(desk: Desk) -> None:
    """Days that were added up already take more in: nothing counts twice, nothing is lost."""
    desk.answer()
    await desk.measures.flush()
    await desk.clock.advance(90 * DAY + 1)
    await desk.measures.roll_up(90)
    queries = MeasureQueries.over(desk.store)
    await queries.add_answers([AnswerRecord(NOON + 5, NOVA.id, "t:1", "t:1:0", 1, 2, None, 3.0, DONE)])
    await desk.clock.advance(DAY)
    assert await desk.measures.roll_up(90) == 1
    rows = await desk.store._all("SELECT answers, tokens_in, tokens_out, seconds FROM answer_days")
    assert [tuple(r) for r in rows] == [(2, 11, 22, 5.5)]


async def test_the_fastest_measured(desk: Desk) -> None:
    """Load, first word and writing of a usual answer; of models without a figure nothing is said."""
    mini = a_model("acme/mini-1b")
    desk.answer(tokens=(1, 100), first=1.0, seconds=11.0)  # 10 tokens/s
    desk.answer(mini, tokens=(1, 100), first=0.5, seconds=2.5)  # 50 tokens/s
    await desk.measures.flush()
    await desk.measures.loaded(NOVA, 30.0, LoadPath.REST)
    paces = await desk.measures.paces([NOVA, mini, API])
    assert paces == {NOVA.id: 30.0 + 1.0 + 20.0, mini.id: 0.5 + 4.0}
    awake = replace(NOVA, state=ModelState.LOADED)
    assert await desk.measures.paces([awake]) == {NOVA.id: 21.0}


async def test_a_full_disk_disturbs_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is lost with a line in the log; later figures are kept."""

    async def full(*_: object, **__: object) -> None:
        raise StorageFailed("full", "db")

    with monkeypatch.context() as disk:
        disk.setattr(MeasureQueries, "_do", full)
        disk.setattr(MeasureQueries, "add_answers", full)
        desk.answer()
        await desk.measures.flush()
        await desk.measures.suggested("t:1:0", NOVA, [API])
        await desk.measures.chosen("t:1:0", API)
    desk.answer(API)
    found = await desk.measures.summary(30)
    assert [u.model_id for u in found.models] == [API.id]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0.01, 1.0))
def test_percentiles(values: list[float], part: float) -> None:
    """The smallest value that at least so many do not exceed; of none there is none."""
    found = percentile(values, part)
    assert found in values
    assert found is not None
    assert sum(v <= found for v in values) >= part * len(values) - 1e-9
    smaller = [v for v in values if v < found]
    assert len(smaller) < part * len(values) + 1e-9
    assert percentile([], part) is None
