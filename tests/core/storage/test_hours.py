"""Which models answer at which hour of the week."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from core.storage import Store
from core.storage.measures import MeasureQueries
from core.summary import AnswerRecord

MONDAY = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)


async def test_answers_at_an_hour_of_a_weekday(tmp_path: Path) -> None:
    """Of that hour of that weekday, since then; the hour is the one of the zone that is asked for."""
    said = [
        ("a", MONDAY),
        ("a", MONDAY + timedelta(minutes=29)),
        ("b", MONDAY - timedelta(days=7)),
        ("a", MONDAY + timedelta(minutes=30)),  # the next hour
        ("a", MONDAY + timedelta(days=1)),  # another day
        ("c", MONDAY - timedelta(days=70)),  # too long ago
    ]
    async with Store.open(tmp_path / "db") as store:
        uses = MeasureQueries.over(store)
        await uses.add_answers(
            AnswerRecord(at.timestamp(), model, "p", "c", 1, 1, 0.1, 1.0, "done") for model, at in said
        )
        since = (MONDAY - timedelta(days=28)).timestamp()
        assert await uses.at_hour(MONDAY, since) == {"a": 2, "b": 1}
        brazil = MONDAY.astimezone(timezone(timedelta(hours=-3)))
        assert brazil.hour == 7
        assert await uses.at_hour(brazil, since) == {"a": 2, "b": 1}
        assert await uses.at_hour(MONDAY.replace(hour=11), since) == {"a": 1}
