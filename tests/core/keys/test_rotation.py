"""A new master key with the bot running: no read fails, and a kill at any moment leaves every key readable."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.keys import FileRing, Keys, SettingRing, rotate
from core.keys.rings import FILE
from core.keys.sealing import EMPTY, Ring
from core.lost import KeyRingWrong
from core.storage import Store
from core.storage.keys import KeyRow, KeyTable, NewKey, Reseal
from tests.fakes.clock import FakeClock

COUNT = 60


class Killed(Exception):
    """The program ends here, as by kill -9: what it had not written is not there."""


class MortalRing(FileRing):
    """A ring whose program dies before or after it writes."""

    def __init__(self, path: Path, *, dies: str) -> None:
        super().__init__(path)
        self._dies = dies
        self._writes = 0

    def write(self, ring: Ring) -> None:
        self._writes += 1
        if self._dies == f"before write {self._writes}":
            raise Killed
        super().write(ring)
        if self._dies == f"after write {self._writes}":
            raise Killed


class MortalTable(KeyTable):
    """A table whose program dies in the n-th batch, or just after it."""

    dies = ""
    batches = 0

    async def reseal(self, first: str, after: int, limit: int, reseal: Reseal) -> list[tuple[int, bool]]:
        self.batches += 1

        def mortal(row: KeyRow) -> NewKey | None:
            if self.dies == f"in batch {self.batches}" and row.id % 25 == 20:
                raise Killed
            return reseal(row)

        done = list(await super().reseal(first, after, limit, mortal))
        if self.dies == f"after batch {self.batches}":
            raise Killed
        return done


@dataclass
class World:
    """Two programs on the same data: a bot, and whoever rotates."""

    path: Path
    bot: Keys
    table: KeyTable
    rings: FileRing
    clock: FakeClock

    async def fill(self, count: int = COUNT) -> None:
        for number in range(count):
            await self.bot.put(f"telegram:{number}", "openai", SecretStr(f"sk-canary-{number}"))

    async def readable(self, keys: Keys | None = None, count: int = COUNT) -> None:
        """Every key comes back, to the running bot or to one that starts now."""
        for number in range(count):
            found = await (keys or self.bot).find(f"telegram:{number}", "openai")
            assert found is not None
            assert found.secret.get_secret_value() == f"sk-canary-{number}"

    def restarted(self) -> Keys:
        keys = Keys(self.table, FileRing(self.path / FILE), self.clock)
        keys.open()
        return keys


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock, rings = FakeClock(rushing=True), FileRing(tmp_path / FILE)
    async with Store.open(tmp_path / "db") as bots, Store.open(tmp_path / "db") as other:
        bot = Keys(KeyTable.over(bots), FileRing(tmp_path / FILE), clock)
        bot.open()
        yield World(tmp_path, bot, KeyTable.over(other), rings, clock)


async def test_every_key_moves_and_the_old_one_goes(world: World) -> None:
    """Afterwards one master key is left, and the running bot reads and stores with it."""
    await world.fill()
    old = world.rings.read()
    steps: list[int] = []
    done = await rotate(world.table, world.rings, world.clock, progress=steps.append)
    assert (done.first, done.moved, done.unreadable, done.dropped) == ("k2", COUNT, 0, ("k1",))
    assert not done.resumed
    assert steps == [25, 50, 60]
    assert world.rings.read().ids == ("k2",)
    assert world.rings.read().written() != old.written()
    await world.readable()
    await world.readable(world.restarted())
    assert await world.bot.already("telegram:7", "openai", SecretStr("sk-canary-7")) is not None
    row = await world.bot.put("telegram:7", "openai", SecretStr("sk-canary-7"))
    assert row.key_id == "k2"
    assert (await rotate(world.table, world.rings, world.clock)).first == "k3"
    await world.readable()


KILLS = [
    "before write 1",
    "after write 1",
    "in batch 1",
    "after batch 1",
    "in batch 2",
    "after batch 3",
    "before write 2",
    "after write 2",
]


@pytest.mark.parametrize("moment", KILLS)
async def test_a_kill_at_any_moment_leaves_every_key_readable(world: World, moment: str) -> None:
    """To the running bot and to one that starts; the next rotation ends what was begun."""
    await world.fill()
    mortal = MortalTable.over(world.table)
    mortal.dies = moment
    with pytest.raises(Killed):
        await rotate(mortal, MortalRing(world.path / FILE, dies=moment), world.clock)
    await world.readable()
    await world.readable(world.restarted())
    done = await rotate(world.table, world.rings, world.clock)
    assert done.resumed == (moment not in {"before write 1", "after write 2"})
    assert len(world.rings.read().keys) == 1
    assert world.rings.read().ids == (done.first,)
    await world.readable()
    await world.readable(world.restarted())


async def test_a_bot_that_stores_meanwhile_loses_nothing(world: World) -> None:
    """Keys that are given, replaced and read while everything moves come back afterwards."""
    await world.fill()
    ended = asyncio.Event()

    async def give() -> int:
        count = 0
        while not ended.is_set():
            await world.bot.put(f"telegram:{count % 90}", "openai", SecretStr(f"sk-canary-{count % 90}"))
            count += 1
        return count

    async def read() -> int:
        rounds = 0
        while not ended.is_set():
            await world.readable()
            rounds += 1
        return rounds

    async with asyncio.TaskGroup() as group:
        giving, reading = group.create_task(give()), group.create_task(read())
        for _ in range(6):
            await rotate(world.table, world.rings, world.clock)
        ended.set()
    given = giving.result()
    assert given > 0
    assert reading.result() > 0
    assert len(world.rings.read().keys) == 1
    await world.readable(count=min(max(given, COUNT), 90))


async def test_a_bot_that_only_stores_uses_the_new_key(world: World) -> None:
    """It has read nothing since, and still knows only the old ring: what it stores opens all the same."""
    await world.fill(3)
    await rotate(world.table, world.rings, world.clock)
    row = await world.bot.put("telegram:1", "openai", SecretStr("sk-canary-1"))
    assert row.key_id == "k2"
    await world.readable(world.restarted(), count=3)


async def test_two_rotations_at_once_end_well(world: World) -> None:
    """Whoever started second helps or begins anew; in the end everything is under one master key."""
    await world.fill()
    async with Store.open(world.path / "db") as third:
        await asyncio.gather(
            rotate(world.table, world.rings, world.clock),
            rotate(KeyTable.over(third), FileRing(world.path / FILE), world.clock),
        )
    await world.readable()
    await world.readable(world.restarted())
    await rotate(world.table, world.rings, world.clock)
    assert len(world.rings.read().keys) == 1
    await world.readable()


async def test_what_cannot_be_read_is_left_and_counted(world: World) -> None:
    """A damaged row neither ends the rotation nor keeps the old master key alive."""
    await world.fill(3)
    await world.table._do("UPDATE keys SET key = zeroblob(60) WHERE owner = 'telegram:1'")
    done = await rotate(world.table, world.rings, world.clock)
    assert (done.moved, done.unreadable, done.dropped) == (2, 1, ("k1",))
    assert world.rings.read().ids == ("k2",)


async def test_a_lost_ring_is_not_replaced(world: World) -> None:
    """Keys are stored and their master key is not there: that is told, and nothing is made."""
    await world.fill(1)
    (world.path / FILE).unlink()
    with pytest.raises(KeyRingWrong) as lost:
        await rotate(world.table, world.rings, world.clock)
    assert lost.value.reason == "lost"
    assert not (world.path / FILE).exists()


async def test_nothing_stored(world: World) -> None:
    """Without any key it makes a master key and moves nothing."""
    assert (await rotate(world.table, world.rings, world.clock)).moved == 0
    assert world.rings.read().ids == ("k1",)


async def test_a_ring_of_the_settings(world: World) -> None:
    """Everything moves under the first key; the others are named as removable, and are removed by the operator."""
    words = [EMPTY.with_new("a").written()]
    rings = SettingRing(lambda: SecretStr(words[0]))
    bot = Keys(world.table, rings, world.clock)
    world.bot = bot
    await world.fill()
    words[0] = Ring.parse(words[0]).with_new("b").written()
    done = await rotate(world.table, rings, world.clock)
    assert (done.first, done.moved, done.dropped, done.removable) == ("b", COUNT, (), ("a",))
    words[0] = Ring.parse(words[0]).only_first().written()
    await world.readable(Keys(world.table, rings, world.clock))


async def test_the_ring_does_not_change_while_a_bot_stores(world: World) -> None:
    """The bot holds the database's lock from reading the ring to the row: a rotation begins before or after."""
    await world.fill(1)
    inside, go = asyncio.Event(), asyncio.Event()
    order: list[str] = []

    class Slow(KeyTable):
        async def _ids(self) -> Collection[str]:
            ids = await super()._ids()
            inside.set()
            await go.wait()
            order.append("stored")
            return ids

    async with Store.open(world.path / "db") as store:
        slow = Keys(Slow.over(store), FileRing(world.path / FILE), world.clock)
        storing = asyncio.create_task(slow.put("telegram:0", "openai", SecretStr("sk-canary-0")))
        await inside.wait()
        rotating = asyncio.create_task(rotate(world.table, world.rings, world.clock))
        rotating.add_done_callback(lambda _: order.append("rotated"))
        done, _ = await asyncio.wait({rotating}, timeout=0.2)
        assert not done
        go.set()
        await storing
        await rotating
    assert order == ["stored", "rotated"]
    await world.readable(count=1)
