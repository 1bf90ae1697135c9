"""Which models answer at which hour of the week."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from core.conversation import ChatRef, Role, Turn
from core.storage import Store
from core.storage.uses import UseQueries

MONDAY = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
CHAT = ChatRef("console", "1")


async def test_answers_at_an_hour_of_a_weekday(tmp_path: Path) -> None:
    """Answers only, of that hour of that weekday, since then; the hour is the one of the zone that is asked for."""
    said = [
        (Role.ASSISTANT, "a", MONDAY),
        (Role.ASSISTANT, "a", MONDAY + timedelta(minutes=29)),
        (Role.ASSISTANT, "b", MONDAY - timedelta(days=7)),
        (Role.ASSISTANT, "a", MONDAY + timedelta(minutes=30)),  # the next hour
        (Role.ASSISTANT, "a", MONDAY + timedelta(days=1)),  # another day
        (Role.ASSISTANT, "c", MONDAY - timedelta(days=70)),  # too long ago
        (Role.USER, "", MONDAY),
    ]
    async with Store.open(tmp_path / "db") as store:
        for role, model, at in said:
            await store.add_turn(CHAT, Turn(role, "x", model_id=model, at=at.timestamp()))
        uses = UseQueries.over(store)
        since = (MONDAY - timedelta(days=28)).timestamp()
        assert await uses.at_hour(MONDAY, since) == {"a": 2, "b": 1}
        brazil = MONDAY.astimezone(timezone(timedelta(hours=-3)))
        assert brazil.hour == 7
        assert await uses.at_hour(brazil, since) == {"a": 2, "b": 1}
        assert await uses.at_hour(MONDAY.replace(hour=11), since) == {"a": 1}
