"""Models come and go by the clock, and never at anybody's expense."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.admission import Admission
from core.catalog import Catalog
from core.conversation import Usage
from core.errors import Unreachable
from core.figures import AnswerFigure
from core.lifecycle import Lifecycle
from core.measures import Measures
from core.model import LoadPath, Model, ModelState, Ready
from core.schedule import Schedule
from core.storage import Store
from core.timetable import parse
from tests.fakes.box import GB, FakeBox
from tests.fakes.clock import FakeClock
from tests.fakes.provider import a_model

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
DAY_MODEL, NIGHT_MODEL, FOREIGN = "acme/day-8b", "acme/night-12b", "acme/foreign-6b"
SIZES = {DAY_MODEL: 8 * GB, NIGHT_MODEL: 12 * GB, FOREIGN: 6 * GB}


def models(host: str, *keys: str) -> list[Model]:
    return [a_model(key, host=host, size_bytes=SIZES[key]) for key in keys]


@dataclass
class House:
    """Two hosts of 16 GB: on the second one somebody else's model is always in memory, often busy."""

    clock: FakeClock
    store: Store
    catalog: Catalog
    lifecycle: Lifecycle
    measures: Measures
    admission: Admission
    schedule: Schedule
    one: FakeBox
    two: FakeBox
    uses: Counter[tuple[int, int, str]] = field(default_factory=Counter)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.time(), UTC)

    async def used_at(self, hour: datetime, _: float) -> Mapping[str, int]:
        """What `Uses` is: counted answers by model at that hour of that weekday."""
        return {m: n for (day, h, m), n in self.uses.items() if (day, h) == (hour.weekday(), hour.hour)}

    async def ask(self, key: str) -> bool:
        """Somebody uses that model; whether it was awake already."""
        model = next(row.best for row in self.catalog.rows() if row.best.key == key)
        place = (await self.lifecycle.places(model))[0]
        async with aclosing(self.lifecycle.ensure(place)) as events:
            *_, last = [event async for event in events]
        assert isinstance(last, Ready)
        self.measures.tell(AnswerFigure(last.model, "p", 1.0, 0.1, Usage(1, 1), "done"))
        self.uses[self.now.weekday(), self.now.hour, last.model.id] += 1
        return last.via is LoadPath.ALREADY

    def awake(self, box: FakeBox) -> set[str]:
        return {m.key for m in box.listed if m.state is ModelState.LOADED}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = FakeClock(MONDAY.timestamp())
    one = FakeBox(models("one:1", DAY_MODEL, NIGHT_MODEL, FOREIGN), host="one:1", memory=16 * GB)
    two = FakeBox(models("two:1", DAY_MODEL, FOREIGN), host="two:1", memory=16 * GB)
    two.put(FOREIGN, ModelState.LOADED)
    async with Store.open(tmp_path / "db") as store:
        catalog = Catalog(store, clock)
        for box in (one, two):
            catalog.add(box)
        await catalog.sync()
        measures, admission = Measures(store, clock), Admission(clock)
        lifecycle = Lifecycle(catalog, store, measures, clock, admission=admission)

        async def used_at(hour: datetime, since: float) -> Mapping[str, int]:
            return await made.used_at(hour, since)

        schedule = Schedule(catalog, lifecycle, store, clock, uses=used_at, zone=UTC)
        measures.listen(schedule.heard)
        made = House(clock, store, catalog, lifecycle, measures, admission, schedule, one, two)
        yield made
        await lifecycle.aclose()
        await catalog.aclose()


# ---------------------------------------------------------------- load beforehand


async def test_a_slot_loads_once(house: House) -> None:
    """When it opens; what a person unloads in it stays unloaded, until it opens the next day."""
    house.schedule.preloads = parse(["night@01:00-03:00"])
    assert await house.schedule.preload() == []
    await house.clock.advance(3600)
    assert await house.schedule.preload() == [NIGHT_MODEL]
    assert await house.schedule.preload() == []
    loaded = house.catalog.find("night")
    await house.lifecycle.unload(loaded)
    assert await house.schedule.preload() == []
    await house.clock.advance(24 * 3600)
    assert await house.schedule.preload() == [NIGHT_MODEL]


async def test_what_was_awake_already_is_not_brought_back(house: House) -> None:
    """Somebody's own load counts as the one of the slot: unloading it by hand is a person's word, too."""
    house.schedule.preloads = parse(["night@00:00-03:00"])
    await house.ask(NIGHT_MODEL)
    assert await house.schedule.preload() == []
    await house.lifecycle.unload(house.catalog.find("night"))
    assert await house.schedule.preload() == []


async def test_only_into_free_room(house: House) -> None:
    """Where something else is in memory nothing is pushed out; as soon as there is room, the model is loaded."""
    house.one.put(FOREIGN, ModelState.LOADED)
    await house.catalog.sync()
    house.schedule.preloads = parse(["night@00:00-03:00"])
    assert await house.schedule.preload() == []
    assert house.awake(house.one) == {FOREIGN}
    house.one.put(FOREIGN, ModelState.ON_DISK)
    await house.catalog.sync()
    assert await house.schedule.preload() == [NIGHT_MODEL]
    assert house.one.evicted == []


async def test_nothing_is_pushed_out_even_where_room_is_made_for_people(house: House) -> None:
    """MAKE_ROOM=auto is for those who ask; the clock asks for nothing."""
    assert not await house.ask(DAY_MODEL)
    house.schedule.preloads = parse(["night@00:00-03:00"])
    assert await house.schedule.preload() == []
    assert house.one.evicted == []


@pytest.mark.parametrize("name", ["nobody", "acme"])
async def test_a_name_that_means_no_one_model(house: House, name: str) -> None:
    """Unknown or ambiguous: it is logged, and the others are loaded."""
    house.schedule.preloads = parse([f"{name}@00:00-03:00", "night@00:00-03:00"])
    assert await house.schedule.preload() == [NIGHT_MODEL]


async def test_one_that_fails_stops_no_other(house: House) -> None:
    """Its host has died since it was looked at: the next wish is loaded all the same, and the failure is told."""
    house.one.problem = Unreachable("one:1")
    house.two.put(FOREIGN, ModelState.ON_DISK)
    await house.catalog.sync()
    house.catalog._models = {  # as they were a moment ago
        name: replace(model, state=ModelState.ON_DISK, failure=None)
        for name, model in house.catalog._models.items()
    }
    house.schedule.preloads = parse(["night@00:00-03:00", "foreign@00:00-03:00"])
    with pytest.raises(Unreachable):
        await house.schedule.preload()
    assert house.awake(house.two) == {FOREIGN}


async def test_habits(house: House) -> None:
    """The model most used at this hour of this weekday, some minutes before the hour; not on other days."""
    house.uses[0, 10, f"lmstudio|one:1|{NIGHT_MODEL}"] = 5
    house.uses[0, 10, f"lmstudio|two:1|{DAY_MODEL}"] = 3
    house.uses[0, 10, f"lmstudio|one:1|{DAY_MODEL}"] = 3  # six in all: hosts are one pool
    house.schedule.preloads = parse(["auto:1"])
    await house.clock.advance(9 * 3600 + 54 * 60)
    assert await house.schedule.preload() == []
    await house.clock.advance(60)
    assert await house.schedule.preload() == [DAY_MODEL]
    await house.clock.advance(24 * 3600)
    house.one.put(DAY_MODEL, ModelState.ON_DISK)
    house.two.put(DAY_MODEL, ModelState.ON_DISK)
    await house.catalog.sync()
    assert await house.schedule.preload() == []


# ---------------------------------------------------------------- unload what sleeps


async def test_who_sleeps_leaves(house: House) -> None:
    """After so many minutes without use, and not before; use counts anew."""
    house.schedule.idle_unload = 30
    await house.ask(NIGHT_MODEL)
    await house.clock.advance(29 * 60)
    await house.ask(NIGHT_MODEL)
    await house.clock.advance(29 * 60)
    assert await house.schedule.retire() == []
    await house.clock.advance(60)
    assert await house.schedule.retire() == [NIGHT_MODEL]
    assert await house.schedule.retire() == []
    assert house.catalog.find("night").state is ModelState.ON_DISK


async def test_unset_means_never(house: House) -> None:
    """Without IDLE_UNLOAD everything stays."""
    await house.ask(NIGHT_MODEL)
    await house.clock.advance(10**6)
    assert await house.schedule.retire() == []


async def test_what_is_not_ours_or_busy_stays(house: House) -> None:
    """Loaded by somebody else, answering ours or somebody else's question, or used elsewhere a moment ago."""
    house.schedule.idle_unload = 30
    await house.ask(NIGHT_MODEL)
    await house.clock.advance(10**5)
    night = house.catalog.find("night")
    house.one.busy.add(NIGHT_MODEL)
    assert await house.schedule.retire() == []
    house.one.busy.clear()
    house.one.idle[NIGHT_MODEL] = 5.0
    assert await house.schedule.retire() == []
    house.one.idle.clear()
    with house.lifecycle.answering(night):
        assert await house.schedule.retire() == []
    ticket = house.admission.enter(f"one:1|{NIGHT_MODEL}", "chat", slots=1)
    assert await house.schedule.retire() == []
    house.admission.leave(ticket)
    assert await house.schedule.retire() == [NIGHT_MODEL]
    assert house.awake(house.two) == {FOREIGN}


async def test_beside_ours_somebody_elses(house: House) -> None:
    """On one host, both asleep: only ours leaves."""
    house.schedule.idle_unload = 30
    house.two.put(DAY_MODEL, ModelState.LOADED)
    await house.store.claim("two:1", DAY_MODEL, 0.0)
    await house.catalog.sync()
    await house.clock.advance(3600)
    assert await house.schedule.retire() == [DAY_MODEL]
    assert house.awake(house.two) == {FOREIGN}


async def test_what_the_timetable_wants_stays(house: House) -> None:
    """A model in its slot is not unloaded, though nobody uses it."""
    house.schedule.idle_unload = 10
    house.schedule.preloads = parse(["night@00:00-03:00"])
    await house.schedule.preload()
    await house.clock.advance(7200)
    assert await house.schedule.retire() == []
    await house.clock.advance(3600)
    assert await house.schedule.retire() == [NIGHT_MODEL]


async def test_a_dead_host_does_not_keep_the_others_awake(house: House) -> None:
    """Whoever does not answer is passed over."""
    house.schedule.idle_unload = 10
    await house.ask(NIGHT_MODEL)
    await house.clock.advance(3600)
    await house.store.claim("two:1", FOREIGN, 0.0)
    house.two.problem = Unreachable("two:1")
    assert await house.schedule.retire() == [NIGHT_MODEL]


# ---------------------------------------------------------------- a week

WEEK = timedelta(days=7)
STEP = timedelta(minutes=10)


def used_now(now: datetime) -> str | None:
    """Office hours belong to one model, evenings to another; the rest is silence."""
    if now.weekday() < 5 and 9 <= now.hour < 17:
        return DAY_MODEL
    return NIGHT_MODEL if 20 <= now.hour < 23 else None


async def a_week(house: House, *, until: datetime) -> tuple[Counter[str], int]:
    """Live to that moment; how often the first use of a stretch found its model awake or asleep, and all loads."""
    found: Counter[str] = Counter()
    last = None
    while house.now < until:
        await house.schedule.preload()
        retired = await house.schedule.retire()
        assert FOREIGN not in retired
        busy = house.now.hour % 2 == 0
        house.two.busy = {FOREIGN} if busy else set()
        wanted = used_now(house.now)
        if wanted is not None:
            awake = await house.ask(wanted)
            if wanted != last:
                found["hit" if awake else "miss"] += 1
        last = wanted
        assert house.awake(house.two) >= {FOREIGN}
        assert house.one.used <= house.one.memory
        assert house.two.used <= house.two.memory
        await house.clock.advance(STEP.total_seconds())
    return found, len(house.one.loaded) + len(house.two.loaded)


async def test_a_week(house: House) -> None:
    """The first week learns; in the second one every stretch of use finds its model awake, and nights are empty.

    Nobody else's model is ever loaded or unloaded, and nothing that answers.
    """
    house.schedule.preloads = parse(["auto:1"])
    house.schedule.idle_unload = 45
    stretches = 5 + 7  # office days and evenings
    learned, loads = await a_week(house, until=MONDAY + WEEK)
    assert learned == {"miss": stretches}
    found, more = await a_week(house, until=MONDAY + 2 * WEEK)
    assert found == {"hit": stretches}
    assert more - loads == stretches
    assert FOREIGN not in house.one.loaded + house.two.loaded
    assert FOREIGN not in house.one.evicted + house.two.evicted
    assert len(house.one.evicted + house.two.evicted) == 2 * stretches
    assert house.awake(house.one) == set()
    assert house.awake(house.two) == {FOREIGN}
