"""The tokens of a day: counted for each person, kept over restarts, new every day."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from core.access.limits import Allowance
from core.people import Role
from core.refusals import TokensSpent
from tests.core.access.conftest import Opened
from tests.fakes.clock import FakeClock

ANA, BIA = "telegram:42", "telegram:43"
RULES = {"member": Allowance(None, 100, 10), "guest": Allowance(None, 20, None)}


async def test_what_was_used_counts_over_restarts(opened: Opened, clock: FakeClock) -> None:
    """Local and external apart, each person apart; the refusal says the limit and when the day ends."""
    access = await opened(**RULES)
    for _ in range(4):
        await access.spending.add(ANA, 25, external=False)
    again = await opened(**RULES)
    with pytest.raises(TokensSpent) as refused:
        await again.afford(ANA, Role.MEMBER, external=False)
    assert (refused.value.external, refused.value.limit) == (False, 100)
    assert refused.value.renews_in == 86400 - clock.time() % 86400
    await again.afford(ANA, Role.MEMBER, external=True)
    await again.afford(BIA, Role.MEMBER, external=False)
    await again.afford(ANA, Role.ADMINISTRATOR, external=False)
    await again.spending.add(BIA, 25, external=False)
    await again.afford(BIA, Role.MEMBER, external=False)
    with pytest.raises(TokensSpent):
        await again.afford(BIA, Role.GUEST, external=False)
    await again.spending.add(BIA, 10**9, external=True)
    await again.afford(BIA, Role.GUEST, external=True)


async def test_a_new_day_brings_new_tokens(opened: Opened, clock: FakeClock) -> None:
    """At the end that the refusal told, not a second before."""
    access = await opened(**RULES)
    await access.spending.add(ANA, 100, external=False)
    left = access.spending.left_of_day()
    await clock.advance(left - 1)
    assert await access.spending.today(ANA, external=False) == 100
    await clock.advance(1)
    assert await access.spending.today(ANA, external=False) == 0
    await access.afford(ANA, Role.MEMBER, external=False)


async def test_many_at_once_lose_nothing(opened: Opened) -> None:
    """Answers that end together are all counted, in memory and in the store."""
    access = await opened(**RULES)
    adding = [access.spending.add(ANA, 1, external=True) for _ in range(50)]
    reading = [access.spending.today(ANA, external=True) for _ in range(50)]
    await asyncio.gather(*(one for pair in zip(adding, reading, strict=True) for one in pair))
    assert await access.spending.today(ANA, external=True) == 50
    assert await (await opened()).spending.today(ANA, external=True) == 50


async def test_without_the_disk_it_counts_on(opened: Opened, tmp_path: Path) -> None:
    """A limit holds also where nothing can be written, until the program ends."""
    access = await opened(**RULES)
    await access.spending.add(BIA, 60, external=False)
    assert await access.spending.today(BIA, external=False) == 60
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("DROP TABLE spending")
    db.close()
    for who in (ANA, BIA):
        await access.spending.add(who, 60, external=False)
        await access.spending.add(who, 60, external=False)
        with pytest.raises(TokensSpent):
            await access.afford(who, Role.MEMBER, external=False)


async def test_long_past_days_are_forgotten(opened: Opened, clock: FakeClock, tmp_path: Path) -> None:
    """The table does not grow for ever."""
    access = await opened()
    for _ in range(60):
        await access.spending.add(ANA, 1, external=False)
        await clock.advance(86400)
    with sqlite3.connect(tmp_path / "x.db") as db:
        ((days,),) = db.execute("SELECT COUNT(*) FROM spending")
    db.close()
    assert days == 32
