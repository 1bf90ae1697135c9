"""The code for the first administrator: single use, short-lived, hard to guess, kept nowhere."""

import asyncio
from pathlib import Path

import pytest

from core.access.pairing import ALL_TRIES, ALPHABET, TRIES, VALID, WINDOW
from core.people import Role, Visitor
from core.refusals import CodeRefused
from tests.core.access.conftest import Opened
from tests.fakes.clock import FakeClock

ANA, BIA = Visitor("telegram:42", "Ana"), Visitor("telegram:43", "Bia")


async def test_the_code_makes_one_administrator_once(opened: Opened) -> None:
    """However it is written; afterwards it is worth nothing, also after a restart."""
    access = await opened()
    assert not access.has_administrator
    code = await access.new_code()
    await access.pair(ANA, f"  {code.lower().replace('-', ' ')} ")
    assert access.role(ANA) is Role.ADMINISTRATOR
    again = await opened()
    for one in (access, again):
        assert one.has_administrator
        with pytest.raises(CodeRefused, match="none"):
            await one.pair(BIA, code)
        assert one.role(BIA) is Role.STRANGER


async def test_a_group_is_nobody(opened: Opened) -> None:
    """Whoever hides behind a group's name would make everybody in it an administrator; the code is not spent."""
    access = await opened()
    code = await access.new_code()
    with pytest.raises(CodeRefused, match="group"):
        await access.pair(Visitor("telegram:-100", "Turma"), code)
    assert access.role(Visitor("telegram:777", groups=("telegram:-100",))) is Role.STRANGER
    await access.pair(ANA, code)
    assert access.role(ANA) is Role.ADMINISTRATOR


async def test_two_at_once(opened: Opened) -> None:
    """Of many who send the right code together one is let in."""
    access = await opened()
    code = await access.new_code()
    people = [Visitor(f"telegram:{number}") for number in range(20)]
    ends = await asyncio.gather(*(access.pair(one, code) for one in people), return_exceptions=True)
    assert ends.count(None) == 1
    assert [access.role(one) for one in people].count(Role.ADMINISTRATOR) == 1


async def test_a_code_of_before_counts_no_longer(opened: Opened) -> None:
    """Each start makes a new one, and only that one is taken."""
    first = await (await opened()).new_code()
    access = await opened()
    second = await access.new_code()
    assert first != second
    with pytest.raises(CodeRefused, match="wrong"):
        await access.pair(ANA, first)
    await access.pair(ANA, second)


async def test_an_expired_code_is_replaced(opened: Opened, clock: FakeClock) -> None:
    """It is refused after an hour, and the operator is told a new one, which counts."""
    access = await opened()
    told: list[str] = []

    async def announce(code: str) -> None:
        told.append(code)

    access.announce = announce
    old = await access.new_code()
    await clock.advance(VALID)
    for code in (old, "x"):
        with pytest.raises(CodeRefused):
            await access.pair(BIA, code)
    assert len(told) == 1, "the second was wrong for the new code"
    await access.pair(ANA, told[0])
    assert access.role(ANA) is Role.ADMINISTRATOR


async def test_guessing_is_slow(opened: Opened, clock: FakeClock) -> None:
    """A few tries of a person in ten minutes, more of everybody together; then even the right one must wait."""
    access = await opened()
    code = await access.new_code()
    for _ in range(TRIES):
        with pytest.raises(CodeRefused, match="wrong"):
            await access.pair(ANA, "AAAA-AAAA-AAAA")
    with pytest.raises(CodeRefused, match="wait") as refused:
        await access.pair(ANA, code)
    assert refused.value.seconds == pytest.approx(WINDOW)
    for number in range(ALL_TRIES - TRIES):
        with pytest.raises(CodeRefused, match="wrong"):
            await access.pair(Visitor(f"telegram:{100 + number}"), "")
    with pytest.raises(CodeRefused, match="wait"):
        await access.pair(BIA, code)
    await clock.advance(WINDOW)
    await access.pair(BIA, code)
    assert access.role(BIA) is Role.ADMINISTRATOR


async def test_the_code_is_kept_nowhere(opened: Opened, tmp_path: Path) -> None:
    """Neither the code nor its letters stand in any file: only a salted hash does."""
    access = await opened()
    code = await access.new_code()
    letters = code.replace("-", "")
    assert len(letters) == 12
    assert set(letters) <= set(ALPHABET)
    kept = _everything(tmp_path)
    assert b"pairing" in kept
    for said in (code, letters, letters.lower()):
        assert said.encode() not in kept


async def test_administrators_by_setting_need_no_code(opened: Opened) -> None:
    """With ADMINS a code that is still around opens nothing."""
    code = await (await opened()).new_code()
    access = await opened(admins=frozenset({ANA.id}))
    assert access.has_administrator
    with pytest.raises(CodeRefused, match="none"):
        await access.pair(BIA, code)


def _everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())
