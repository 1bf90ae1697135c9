"""What is to be awake, and who has slept long enough, at any moment."""

from datetime import UTC, datetime, timedelta

import pytest

from core.timetable import (
    Preloads,
    Sleeper,
    Slot,
    Wish,
    ahead,
    daily_due,
    daily_next,
    parse,
    to_retire,
    wishes,
)

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def at(hours: int, minutes: int = 0, days: int = 0) -> datetime:
    return MONDAY + timedelta(days=days, hours=hours, minutes=minutes)


def test_parse() -> None:
    """A number of models by use, and slots; several of both are one setting."""
    assert parse(()) == Preloads()
    assert parse(("auto:2", "qwen3-8b@08:00-18:00", "a/b@22:30-6:05")) == Preloads(
        2, (Slot("qwen3-8b", 480, 1080), Slot("a/b", 1350, 365))
    )


@pytest.mark.parametrize(
    "word", ["auto", "auto:0", "auto:x", "m@8-18", "m@25:00-26:00", "m@08:60-09:00", "@1:00-2:00"]
)
def test_what_is_no_timetable(word: str) -> None:
    """It is refused when the settings are read."""
    with pytest.raises(ValueError, match=r"auto:1|no time of a day"):
        parse((word,))


@pytest.mark.parametrize(
    ("slot", "now", "opened"),
    [
        (Slot("m", 480, 1080), at(7, 59), None),
        (Slot("m", 480, 1080), at(8), at(8)),
        (Slot("m", 480, 1080), at(17, 59), at(8)),
        (Slot("m", 480, 1080), at(18), None),
        (Slot("m", 1320, 360), at(23), at(22)),
        (Slot("m", 1320, 360), at(3), at(22, days=-1)),
        (Slot("m", 1320, 360), at(6), None),
        (Slot("m", 0, 1440), at(23, 59), at(0)),
    ],
)
def test_slots(slot: Slot, now: datetime, opened: datetime | None) -> None:
    """From its first minute to before its last, also past midnight; the same opening has the same name all along."""
    assert slot.opened(now) == opened


def test_the_models_most_used_at_that_hour() -> None:
    """The busiest ones, ties by name; what was used once is an accident. The next hour is prepared before it begins."""
    used = {"b": 5, "a": 5, "c": 9, "d": 1}
    assert wishes(Preloads(2), at(9), used) == [
        Wish("c", "hour 2026-11-23 09"),
        Wish("a", "hour 2026-11-23 09"),
    ]
    assert [w.model for w in wishes(Preloads(9), at(9), used)] == ["c", "a", "b"]
    assert wishes(Preloads(1), at(9, 55), used)[0].window == "hour 2026-11-23 10"
    assert ahead(at(9, 54)).hour == 9
    assert wishes(Preloads(0), at(9), used) == []


def test_slots_come_before_habits() -> None:
    """What somebody has written down goes first."""
    found = wishes(Preloads(1, (Slot("m", 480, 1080),)), at(9), {"a": 3})
    assert [w.model for w in found] == ["m", "a"]


def test_least_used_leaves_first() -> None:
    """Then who has slept longest; whoever has not slept long enough stays."""
    often, seldom, longer, awake = (
        Sleeper("often", 900, 9), Sleeper("seldom", 700, 1), Sleeper("longer", 900, 1), Sleeper("awake", 599, 0)
    )  # fmt: skip
    assert to_retire([often, seldom, awake, longer], 600) == [longer, seldom, often]


@pytest.mark.parametrize(
    ("now", "last", "due"),
    [
        (at(8, 59), None, False),
        (at(9), None, True),
        (at(9), at(9, days=-1), True),
        (at(9, 10), at(9), False),
        (at(23), at(9, 1), False),
        (at(8), at(9, days=-1), False),
        (at(15), at(10, days=-3), True),
    ],
)
def test_once_a_day(now: datetime, last: datetime | None, due: bool) -> None:  # noqa: FBT001  # a column of the table
    """At its hour, or when the program is there again; never twice."""
    assert daily_due(now, 9, last) is due


def test_the_next_day() -> None:
    """Today if the hour is still to come."""
    assert daily_next(at(8), 9) == at(9)
    assert daily_next(at(9), 9) == at(9, days=1)
