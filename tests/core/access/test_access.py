"""Decisions and strangers, over restarts."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from core.access.limits import DAY
from core.people import Grant, Role, Visitor
from core.refusals import Unchangeable
from core.storage import access as storage
from tests.core.access.conftest import Opened
from tests.fakes.clock import FakeClock

ANA, BIA = Visitor("telegram:42", "Ana"), Visitor("telegram:43", "Bia")
CHIEF = "telegram:1"


async def test_decisions_survive_a_restart(opened: Opened, clock: FakeClock) -> None:
    """Who was let in stays in, who was sent away stays out, and a later decision replaces the earlier one."""
    access = await opened()
    assert access.role(ANA) is Role.STRANGER
    await access.decide(ANA.id, Role.DENIED, "Ana", CHIEF)
    await access.decide(ANA.id, Role.MEMBER, "Ana", CHIEF)
    await access.decide("telegram:-100", Role.GUEST, "the group", CHIEF)
    again = await opened()
    assert again.role(ANA) is Role.MEMBER
    assert again.role(Visitor(BIA.id, groups=("telegram:-100",))) is Role.GUEST
    assert again.grant(ANA.id) == Grant(ANA.id, Role.MEMBER, "Ana", CHIEF, clock.time())
    assert [grant.label for grant in again.grants()] == ["Ana", "the group"]
    assert await again.forget(ANA.id, CHIEF)
    assert not await again.forget(ANA.id, CHIEF)
    assert (await opened()).role(ANA) is Role.STRANGER


async def test_what_nobody_decides_in_a_chat(opened: Opened) -> None:
    """Not about himself, not about the setting's administrators, and no group administers."""
    access = await opened(admins=frozenset({CHIEF}))
    for who, by, reason in ((CHIEF, ANA.id, "setting"), (ANA.id, ANA.id, "self")):
        with pytest.raises(Unchangeable, match=reason):
            await access.decide(who, Role.DENIED, "", by)
        with pytest.raises(Unchangeable, match=reason):
            await access.forget(who, by)
    with pytest.raises(Unchangeable, match="group"):
        await access.decide("discord:role:2", Role.ADMINISTRATOR, "", CHIEF)
    assert [grant.who for grant in access.grants()] == [CHIEF]


async def test_a_stranger_is_told_once_a_day(opened: Opened, clock: FakeClock) -> None:
    """Also when the program is started anew in between; the next day again."""
    access = await opened()
    assert await access.knock(ANA)
    assert not await access.knock(ANA)
    assert await access.knock(BIA)
    again = await opened()
    assert not await again.knock(ANA)
    await clock.advance(DAY - 1)
    assert not await again.knock(ANA)
    await clock.advance(1)
    assert await again.knock(ANA)
    assert not await again.knock(ANA)


async def test_many_knocks_at_once_are_told_once(opened: Opened) -> None:
    """A flood from one person brings one card."""
    access = await opened()
    told = await asyncio.gather(*(access.knock(ANA) for _ in range(50)))
    assert told.count(True) == 1


async def test_strangers_are_listed_until_somebody_decides(opened: Opened, clock: FakeClock) -> None:
    """Newest first, with their name; not once they are let in, sent away, or have not come for a week."""
    access = await opened()
    await access.knock(ANA)
    await clock.advance(60)
    await access.knock(BIA)
    assert [(one.who, one.name) for one in await access.strangers()] == [(BIA.id, "Bia"), (ANA.id, "Ana")]
    await access.decide(BIA.id, Role.DENIED, "", CHIEF)
    assert [one.who for one in await access.strangers()] == [ANA.id]
    await clock.advance(8 * DAY)
    assert await access.strangers() == []


async def test_guests_without_a_decision_are_listed(opened: Opened, clock: FakeClock) -> None:
    """Whoever a group or an open door lets in is seen; whoever sits at the machine leaves no trace."""
    access = await opened(open=True)
    await access.arrived(ANA)
    await access.arrived(Visitor("console:local", local=True))
    assert [one.who for one in await access.guests()] == [ANA.id]
    assert await access.strangers() == []
    await clock.advance(4000)
    await access.arrived(Visitor(ANA.id, "Ana Maria"))
    assert [(one.name, one.seen_at) for one in await access.guests()] == [("Ana Maria", clock.time())]


async def test_a_flood_of_strangers_does_not_grow_the_database(
    opened: Opened, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The oldest give way."""
    monkeypatch.setattr(storage, "VISITORS", 10)
    access = await opened()
    for number in range(30):
        await access.knock(Visitor(f"telegram:{number}"))
        await clock.advance(1)
    with sqlite3.connect(tmp_path / "x.db") as db:
        kept = [who for (who,) in db.execute("SELECT who FROM visitors ORDER BY seen_at")]
    db.close()
    assert kept == [f"telegram:{number}" for number in range(20, 30)]


async def test_a_full_disk_opens_no_door(opened: Opened, tmp_path: Path) -> None:
    """Where a visit cannot be recorded a stranger stays one, is told once, and who is let in comes in."""
    access = await opened()
    await access.decide(BIA.id, Role.MEMBER, "", CHIEF)
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("DROP TABLE visitors")
    db.close()
    assert await access.knock(ANA)
    assert not await access.knock(ANA)
    assert access.role(ANA) is Role.STRANGER
    await access.arrived(BIA)
    assert access.role(BIA) is Role.MEMBER
