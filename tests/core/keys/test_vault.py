"""Stored keys: each serves its owner alone, in the right order, and opens in its own row only."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.keys import SHARED, FileRing, Found, Keys, Origin
from core.keys.rings import FILE
from core.lost import KeyRingWrong, KeyUnreadable
from core.storage import Store
from core.storage.keys import KeyTable
from tests.fakes.clock import FakeClock

ANA, BIA = "telegram:42", "telegram:43"
OWN, COMMON, OPERATORS = (SecretStr(f"sk-canary-{name}-0123456789") for name in ("own", "shared", "settings"))


@dataclass
class World:
    path: Path
    table: KeyTable
    clock: FakeClock
    of_settings: dict[str, SecretStr] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def keys(self) -> Keys:
        """The vault as a program that starts now has it."""
        keys = Keys(
            self.table,
            FileRing(self.path / FILE),
            self.clock,
            of_settings=self.of_settings.get,
            seen=lambda secret: self.seen.append(secret.get_secret_value()),
        )
        keys.open()
        return keys

    def change(self, sql: str) -> None:
        """What somebody with the database file can do."""
        with sqlite3.connect(self.path / "db") as db:
            db.execute(sql)
        db.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with Store.open(tmp_path / "db") as store:
        yield World(tmp_path, KeyTable.over(store), FakeClock())


def value(found: Found | None) -> tuple[str, Origin] | None:
    return None if found is None else (found.secret.get_secret_value(), found.origin)


async def test_own_before_shared_before_settings(world: World) -> None:
    """The person's own key, else the shared one, else the operator's; of nobody the shared one or the operator's."""
    keys = world.keys()
    assert await keys.find(ANA, "openai") is None
    assert await keys.source("openai")(ANA) is None
    world.of_settings["openai"] = OPERATORS
    assert value(await keys.find(ANA, "openai")) == (OPERATORS.get_secret_value(), Origin.SETTINGS)
    await keys.put(SHARED, "openai", COMMON)
    assert value(await keys.find(ANA, "openai")) == (COMMON.get_secret_value(), Origin.SHARED)
    await keys.put(ANA, "openai", OWN)
    assert value(await keys.find(ANA, "openai")) == (OWN.get_secret_value(), Origin.OWN)
    for other in (BIA, None, "telegram:4"):
        assert value(await keys.find(other, "openai")) == (COMMON.get_secret_value(), Origin.SHARED)
    assert await keys.find(ANA, "mistral") is None
    assert await keys.source("openai")(ANA) == OWN


async def test_a_key_comes_back_after_a_restart_and_goes_when_it_is_forgotten(world: World) -> None:
    """It is kept on the disk alone; forgetting it leaves what others have."""
    first = world.keys()
    await first.put(ANA, "openai", OWN)
    await first.put(BIA, "openai", COMMON)
    again = world.keys()
    assert value(await again.find(ANA, "openai")) == (OWN.get_secret_value(), Origin.OWN)
    assert await again.forget(ANA, "openai")
    assert not await again.forget(ANA, "openai")
    assert await again.find(ANA, "openai") is None
    assert value(await again.find(BIA, "openai")) == (COMMON.get_secret_value(), Origin.OWN)


async def test_a_key_that_is_given_anew_replaces_the_old_one(world: World) -> None:
    """One key for each owner and vendor; a check of the old one says nothing of the new one."""
    keys = world.keys()
    row = await keys.put(ANA, "openai", COMMON)
    await keys.checked(row.id, "key-rejected", active=False)
    assert await keys.find(ANA, "openai") is None, "a key that its vendor refuses serves nobody"
    await world.clock.advance(60)
    await keys.put(ANA, "openai", OWN)
    (stored,) = await keys.stored(ANA)
    assert (stored.shown, stored.active, stored.checked_at, stored.outcome) == ("sk-…6789", True, None, "")
    assert stored.stored_at == world.clock.time()
    assert value(await keys.find(ANA, "openai")) == (OWN.get_secret_value(), Origin.OWN)


async def test_the_same_key_is_noticed(world: World) -> None:
    """By its fingerprint, for its owner and vendor alone."""
    keys = world.keys()
    await keys.put(ANA, "openai", OWN)
    assert await keys.already(ANA, "openai", OWN) is not None
    assert await world.keys().already(ANA, "openai", OWN) is not None
    assert await keys.already(ANA, "openai", COMMON) is None
    assert await keys.already(BIA, "openai", OWN) is None
    assert await keys.already(ANA, "mistral", OWN) is None


@pytest.mark.parametrize(
    "theft",
    [
        (
            "INSERT INTO keys SELECT NULL, provider, key, 'telegram:43', active, key_id, fingerprint, shown, "
            "stored_at, checked_at, outcome FROM keys"
        ),
        "UPDATE keys SET owner = 'telegram:43'",
        "UPDATE keys SET owner = '*'",
        "UPDATE keys SET provider = 'mistral'",
        "UPDATE keys SET key = zeroblob(80)",
        "UPDATE keys SET key = x''",
    ],
)
async def test_a_row_copied_to_another_person_or_vendor_does_not_decrypt(world: World, theft: str) -> None:
    """Whoever can write into the database cannot make somebody's key serve somebody else."""
    await world.keys().put(ANA, "openai", OWN)
    world.change(theft)
    keys = world.keys()
    vendor = "mistral" if "mistral" in theft else "openai"
    with pytest.raises(KeyUnreadable) as closed:
        await keys.find(ANA if "zeroblob" in theft or "x''" in theft or vendor == "mistral" else BIA, vendor)
    assert "canary" not in str(closed.value)
    assert OWN.get_secret_value() not in world.seen[1:]


async def test_without_its_master_key_nothing_opens(world: World) -> None:
    """A lost file of master keys is told of; a key given anew works, and the old master's return mends the rest."""
    await world.keys().put(ANA, "openai", OWN)
    await world.keys().put(BIA, "openai", COMMON)
    path = world.path / FILE
    kept = path.read_text("utf-8")
    path.unlink()
    keys = world.keys()
    with pytest.raises(KeyUnreadable):
        await keys.find(ANA, "openai")
    await keys.put(ANA, "openai", OWN)
    assert FileRing(path).read().ids == ("k2",), "not under an id that other rows need"
    assert value(await keys.find(ANA, "openai")) == (OWN.get_secret_value(), Origin.OWN)
    with pytest.raises(KeyUnreadable):
        await keys.find(BIA, "openai")
    line = kept.splitlines()[-1]
    path.write_text(f"{path.read_text('utf-8').splitlines()[-1]},{line}\n", encoding="utf-8")
    assert value(await keys.find(BIA, "openai")) == (COMMON.get_secret_value(), Origin.OWN)


async def test_a_key_that_does_not_open_stands_in_nobodys_way(world: World) -> None:
    """The next one serves; to a provider it is as none, so that every other model can be used; /key tells of it."""
    await world.keys().put(ANA, "openai", OWN)
    await world.keys().put(SHARED, "openai", COMMON)
    world.change("UPDATE keys SET key = zeroblob(80) WHERE owner = 'telegram:42'")
    keys = world.keys()
    assert value(await keys.find(ANA, "openai")) == (COMMON.get_secret_value(), Origin.SHARED)
    world.change("UPDATE keys SET key = zeroblob(80)")
    assert await keys.source("openai")(ANA) is None
    assert await keys.source("openai")(None) is None
    with pytest.raises(KeyUnreadable):
        await keys.of(ANA, "openai")
    world.of_settings["openai"] = OPERATORS
    assert value(await keys.find(ANA, "openai")) == (OPERATORS.get_secret_value(), Origin.SETTINGS)


async def test_an_open_file_of_master_keys_stops_the_start(world: World) -> None:
    """Keys that others can read are not used."""
    await world.keys().put(ANA, "openai", OWN)
    (world.path / FILE).chmod(0o644)
    with pytest.raises(KeyRingWrong):
        world.keys()


async def test_nothing_holds_a_key_in_clear(world: World) -> None:
    """Neither the files of the data folder nor what the objects show of themselves."""
    keys = world.keys()
    row = await keys.put(ANA, "openai", OWN)
    found = await keys.find(ANA, "openai")
    shown = f"{keys!r} {row!r} {found!r} {found} {await keys.stored(ANA, SHARED)}"
    assert "canary" not in shown
    for file in world.path.rglob("*"):
        assert b"canary" not in file.read_bytes(), file
    assert OWN.get_secret_value() in world.seen, "what is opened is told to those that must hide it"
