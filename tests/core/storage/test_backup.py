"""Copies of the database and the way back; damaged files set aside; one holder of a folder."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.conversation import ChatRef, Role, Turn
from core.errors import StorageFailed
from core.storage import DATABASE, Store, set_aside_if_damaged, sole
from core.storage import sqlite as sqlite_file
from core.storage.aside import put_aside
from core.storage.backup import bring_back, save
from core.storage.lock import LOCK

CHAT = ChatRef("telegram", "42")
NOW = 1_750_000_000.0
STAMP = "20250615T150640Z"


async def write(path: Path, *texts: str) -> None:
    async with Store.open(path) as store:
        for text in texts:
            await store.add_turn(CHAT, Turn(Role.USER, text))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def texts(path: Path) -> list[str]:
    async with Store.open(path) as store:
        return [turn.text for turn in await store.turns(CHAT)]


# ---------------------------------------------------------------- backup


async def test_a_backup_while_it_is_written(tmp_path: Path) -> None:
    """What was committed before is in it, whole; and it is one file that only its owner reads."""
    target = tmp_path / "copy.db"
    async with Store.open(tmp_path / DATABASE) as store:
        first = [await store.add_turn(CHAT, Turn(Role.USER, f"{n} " * 2000)) for n in range(50)]
        writing = asyncio.gather(*(store.add_turn(CHAT, Turn(Role.USER, "later")) for _ in range(50)))
        size = await asyncio.to_thread(save, tmp_path / DATABASE, target)
        await writing
    assert size == target.stat().st_size
    assert names(tmp_path) == ["copy.db", DATABASE]
    found = await texts(target)
    assert found[:50] == [turn.text for turn in first]
    assert set(found[50:]) <= {"later"}
    if os.name == "posix":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600


async def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A target that exists stays as it is."""
    await write(tmp_path / DATABASE, "oi")
    (tmp_path / "mine").write_text("letter")
    with pytest.raises(StorageFailed) as caught:
        save(tmp_path / DATABASE, tmp_path / "mine")
    assert caught.value.reason == "exists"
    assert (tmp_path / "mine").read_text() == "letter"


def test_nothing_to_save(tmp_path: Path) -> None:
    """Where there is no database none is made."""
    with pytest.raises(StorageFailed) as caught:
        save(tmp_path / DATABASE, tmp_path / "copy")
    assert (caught.value.reason, names(tmp_path)) == ("missing", [])


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The target's folder is not made up."""
    await write(tmp_path / DATABASE, "oi")
    with pytest.raises(StorageFailed):
        save(tmp_path / DATABASE, tmp_path / "no" / "copy")


# ---------------------------------------------------------------- restore


async def test_restore(tmp_path: Path) -> None:
    """The backup takes the database's place, and what was there is kept with what SQLite has beside it."""
    await write(tmp_path / DATABASE, "old")
    save(tmp_path / DATABASE, tmp_path / "copy")
    await write(tmp_path / DATABASE, "new")
    aside = bring_back(tmp_path / "copy", tmp_path / DATABASE, NOW)
    assert aside == tmp_path / f"orquestrador.before-restore-{STAMP}.db"
    assert await texts(tmp_path / DATABASE) == ["old"]
    assert await texts(aside) == ["old", "new"]
    assert await texts(tmp_path / "copy") == ["old"]


async def test_restore_into_an_empty_folder(tmp_path: Path) -> None:
    """On a new machine there is nothing to keep."""
    (tmp_path / "new").mkdir()
    await write(tmp_path / DATABASE, "old")
    save(tmp_path / DATABASE, tmp_path / "copy")
    assert bring_back(tmp_path / "copy", tmp_path / "new" / DATABASE, NOW) is None
    assert await texts(tmp_path / "new" / DATABASE) == ["old"]


async def bad_backups(folder: Path) -> dict[str, Path]:
    await write(folder / "whole", *(f"{n} " * 500 for n in range(50)))
    save(folder / "whole", folder / "cut")
    data = (folder / "cut").read_bytes()
    (folder / "cut").write_bytes(data[: len(data) // 2])
    (folder / "garbage").write_bytes(b"garbage" * 999)
    with closing(sqlite3.connect(folder / "foreign")) as other:
        other.execute("CREATE TABLE t (a)")
    async with Store.open(folder / "newer") as store:
        await store._do("INSERT INTO migrations (name) VALUES ('9999_future')")
    return {name: folder / name for name in ("cut", "garbage", "foreign", "newer", "missing")}


async def test_bad_backups_change_nothing(tmp_path: Path) -> None:
    """Each is refused with its own reason, and the database stays as it was."""
    (tmp_path / "data").mkdir()
    await write(tmp_path / "data" / DATABASE, "mine")
    reasons = {}
    for name, path in (await bad_backups(tmp_path)).items():
        with pytest.raises(StorageFailed) as caught:
            bring_back(path, tmp_path / "data" / DATABASE, NOW)
        reasons[name] = caught.value.reason
    assert reasons == {
        "cut": "broken",
        "garbage": "broken",
        "foreign": "foreign",
        "newer": "newer",
        "missing": "missing",
    }
    assert names(tmp_path / "data") == [DATABASE]
    assert await texts(tmp_path / "data" / DATABASE) == ["mine"]


async def test_an_old_backup_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup of an earlier program is upgraded when it is opened, and its contents are there."""
    every = sorted(sqlite_file.scripts())
    with monkeypatch.context() as earlier:
        earlier.setattr(sqlite_file, "scripts", lambda: iter(every[:3]))
        await write(tmp_path / DATABASE, "old")
    save(tmp_path / DATABASE, tmp_path / "copy")
    bring_back(tmp_path / "copy", tmp_path / DATABASE, NOW)
    assert await texts(tmp_path / DATABASE) == ["old"]


# ---------------------------------------------------------------- damage


async def damaged(path: Path) -> bytes:
    await write(path, *("word " * 50 for _ in range(300)))
    return hurt_in_the_middle(path)


def hurt_in_the_middle(path: Path) -> bytes:
    whole = path.read_bytes()
    hurt = whole[:8192] + b"\xff" * (len(whole) - 8192)
    path.write_bytes(hurt)
    return hurt


async def test_a_damaged_database_is_set_aside(tmp_path: Path) -> None:
    """Bytes and companions are kept under a new name, also when it happens twice in a second."""
    path = tmp_path / DATABASE
    for name in (f"orquestrador.damaged-{STAMP}.db", f"orquestrador.damaged-{STAMP}-2.db"):
        hurt = await damaged(path)
        assert set_aside_if_damaged(path, NOW) == tmp_path / name
        assert (tmp_path / name).read_bytes() == hurt
        assert not path.exists()


def test_companions_go_along(tmp_path: Path) -> None:
    """What SQLite keeps beside the file belongs to it."""
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        (tmp_path / name).write_bytes(name.encode())
    aside = put_aside(tmp_path / DATABASE, "damaged", NOW)
    assert names(tmp_path) == [
        aside.name,
        f"{aside.name}-shm",
        f"{aside.name}-wal",
    ]
    assert (tmp_path / f"{aside.name}-wal").read_bytes() == f"{DATABASE}-wal".encode()


async def test_what_is_whole_stays(tmp_path: Path) -> None:
    """A good database, an empty file and no file are left alone; so is one that is only newer."""
    assert set_aside_if_damaged(tmp_path / DATABASE, NOW) is None
    (tmp_path / DATABASE).touch()
    assert set_aside_if_damaged(tmp_path / DATABASE, NOW) is None
    async with Store.open(tmp_path / DATABASE) as store:
        await store._do("INSERT INTO migrations (name) VALUES ('9999_future')")
        assert set_aside_if_damaged(tmp_path / DATABASE, NOW) is None
    assert set_aside_if_damaged(tmp_path / DATABASE, NOW) is None
    assert (tmp_path / DATABASE).exists()


# ---------------------------------------------------------------- the lock


def test_one_holder(tmp_path: Path) -> None:
    """The second one hears who holds it; afterwards it is free. A folder that is not there is made."""
    with sole(tmp_path / "data"):
        with pytest.raises(StorageFailed) as caught, sole(tmp_path / "data"):
            raise AssertionError
        assert (caught.value.reason, caught.value.detail) == ("in-use", str(os.getpid()))
    with sole(tmp_path / "data"):
        assert (tmp_path / "data" / LOCK).read_text().strip() == str(os.getpid())


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """What a program leaves behind that was killed keeps nobody out."""
    hold = "import sys,pathlib,time\nfrom core.storage import sole\nwith sole(pathlib.Path(sys.argv[1])):\n print(1, flush=True)\n time.sleep(60)"
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE, cwd=root
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline()
        with pytest.raises(StorageFailed, match=str(other.pid)), sole(tmp_path):
            raise AssertionError
        other.kill()
    with sole(tmp_path):
        assert (tmp_path / LOCK).read_text().strip() == str(os.getpid())


def test_no_folder_to_lock(tmp_path: Path) -> None:
    """A file in the folder's place is told as such."""
    (tmp_path / "data").write_text("")
    with pytest.raises(StorageFailed) as caught, sole(tmp_path / "data"):
        raise AssertionError
    assert caught.value.reason == "read-only"
