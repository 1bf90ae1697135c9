"""What is remembered: written, read back, and refused with the right reason."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from core.conversation import ChatRef, Conversation, Outcome, Role, Turn
from core.errors import StorageFailed
from core.model import Failure, FailureKind, LoadPath, Model, ModelState
from core.storage import LoadRecord, Store
from core.storage import sqlite as sqlite_file
from tests.fakes.provider import a_model, external

CHAT = ChatRef("telegram", "42", "7")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store.open(tmp_path / "new" / "db") as store:
        yield store


# ---------------------------------------------------------------- round trips


async def test_models(store: Store) -> None:
    """A model comes back as it was, but for its instance; a new version of it replaces the old one."""
    failure = Failure(FailureKind.CRASHED, "boom — ção", 1.5, 31.5, 3)
    full = Model(
        provider="lmstudio", host="h:1", key="a/b", name="Ação", state=ModelState.INACTIVE, family="nova",
        params="8B", quant="Q4", size_bytes=2**40, max_context=2**17, loaded_context=4096, vision=True,
        tools=True, failure=failure, demo=True, by_name_only=True,
    )  # fmt: skip
    await store.save_models([full, external()])
    assert sorted(await store.models(), key=lambda m: m.key) == [full, external()]
    better = replace(full, state=ModelState.LOADED, failure=None)
    await store.save_models([better], gone=[external().id])
    assert await store.models() == [better]


async def test_loads(store: Store) -> None:
    """The newest loads of a host that went well, newest first."""
    records = [
        LoadRecord(at, "m", host, 2.5, 10, 4096, via, outcome)
        for at, host, via, outcome in [
            (1.0, "h", LoadPath.SOCKET, "ok"),
            (3.0, "h", None, "ok"),
            (2.0, "h", LoadPath.JIT, "ok"),
            (4.0, "h", None, "crashed"),
            (5.0, "other", LoadPath.REST, "ok"),
        ]
    ]
    for record in records:
        await store.add_load(record)
    assert await store.loads("h") == [records[1], records[2], records[0]]
    assert await store.loads("h", limit=1) == [records[1]]


async def test_conversations(store: Store) -> None:
    """A chat nobody knows is fresh; what is saved comes back, for each thread by itself."""
    assert await store.conversation(CHAT) == Conversation(CHAT)
    saved = Conversation(CHAT, "m", "en", "be brief", 9, trimmed_told=True, seen_at=7.5)
    await store.save_conversation(Conversation(CHAT, "older"))
    await store.save_conversation(saved)
    assert await store.conversation(CHAT) == saved
    assert await store.conversation(replace(CHAT, thread="0")) == Conversation(replace(CHAT, thread="0"))


async def test_turns(store: Store) -> None:
    """Turns come back in order, the newest ones if there are more, those of other chats never."""
    asked = await store.add_turn(CHAT, Turn(Role.USER, "olá 👋", outcome=Outcome.OPEN, at=1.0))
    answer = Turn(Role.ASSISTANT, "x\0y", thinking="hm", outcome=Outcome.STOPPED, model_id="m", at=2.0)
    said = await store.add_turn(CHAT, answer)
    other = await store.add_turn(ChatRef("c", "1"), asked)
    assert await store.turns(CHAT) == [asked, said]
    assert replace(said, id=0, parent=None) == answer
    assert (asked.parent, said.parent) == (0, asked.id)
    assert await store.turns(CHAT, after=asked.id) == [said]
    assert await store.turns(CHAT, limit=1) == [said]
    assert await store.turn(CHAT, asked.id) == asked
    assert await store.turn(CHAT, other.id) is None
    await store.settle_turn(asked.id, Outcome.DONE)
    assert (await store.turns(CHAT))[0].outcome is Outcome.DONE
    await store.drop_turns(CHAT, after=asked.id)
    assert [t.id for t in await store.turns(CHAT)] == [asked.id]
    assert await store.turn(ChatRef("c", "1"), other.id) == other


async def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """What was written is there when the file is opened again, also when the program was killed."""
    async with Store.open(tmp_path / "db") as store:
        await store.add_turn(CHAT, Turn(Role.USER, "oi"))
        async with Store.open(tmp_path / "db") as another:
            assert [t.text for t in await another.turns(CHAT)] == ["oi"]
    async with Store.open(tmp_path / "db") as store:
        assert [t.text for t in await store.turns(CHAT)] == ["oi"]


async def test_many_writers(store: Store) -> None:
    """Writers at the same time do not mix: every turn has its own id and is there."""
    turns = await asyncio.gather(*(store.add_turn(CHAT, Turn(Role.USER, str(n))) for n in range(40)))
    assert len({t.id for t in turns}) == 40
    assert {t.text for t in await store.turns(CHAT)} == {str(n) for n in range(40)}


def test_columns() -> None:
    """Every field of a model is stored, but for what only holds while the program runs."""
    passing = {"instance", "failure", "fetch_bytes", "licence", "parallel", "format", "rank"}
    script = dict(sqlite_file.scripts())["0001_initial"]
    columns = script.partition("CREATE TABLE models (")[2].partition(");")[0]
    assert [f.name for f in fields(Model) if f.name not in passing and f.name not in columns] == []


# ---------------------------------------------------------------- migrations


async def test_migrations_run_once(tmp_path: Path) -> None:
    """Each script is recorded by name, and opening again changes nothing."""
    names = []
    for _ in range(2):
        async with Store.open(tmp_path / "db") as store:
            rows = await store._all("SELECT name, at FROM migrations")
            names.append([tuple(row) for row in rows])
    assert names[0] == names[1]
    assert names[0][0][0] == "0001_initial"


async def test_newer_schema(tmp_path: Path) -> None:
    """A file of a newer release is refused and left as it is."""
    async with Store.open(tmp_path / "db") as store:
        await store._do("INSERT INTO migrations (name) VALUES ('9999_future')")
    with pytest.raises(StorageFailed) as caught:
        await opening(tmp_path / "db")
    assert (caught.value.reason, caught.value.detail) == ("newer", "9999_future")


async def test_failed_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that fails leaves nothing of itself behind."""
    found = [*sqlite_file.scripts(), ("0002_bad", "CREATE TABLE half (a); CREATE TABLE models (a);")]
    monkeypatch.setattr(sqlite_file, "scripts", lambda: iter(found))
    with pytest.raises(StorageFailed, match="already exists"):
        await opening(tmp_path / "db")
    monkeypatch.undo()
    async with Store.open(tmp_path / "db") as store:
        tables = {row["name"] for row in await store._all("SELECT name FROM sqlite_master")}
    assert "half" not in tables
    assert "models" in tables


# ---------------------------------------------------------------- disks that refuse


async def opening(path: Path) -> None:
    async with Store.open(path):
        pass


async def refused(path: Path) -> StorageFailed:
    with pytest.raises(StorageFailed) as caught:
        await opening(path)
    assert caught.value.path == str(path)
    return caught.value


async def test_folder_in_its_place(tmp_path: Path) -> None:
    """A folder where the file should be cannot be opened."""
    (tmp_path / "db").mkdir()
    assert (await refused(tmp_path / "db")).reason == "read-only"


async def test_no_folder_can_be_made(tmp_path: Path) -> None:
    """A file where the data folder should be is told by the system's own words."""
    (tmp_path / "data").write_text("")
    problem = await refused(tmp_path / "data" / "db")
    assert problem.reason == "read-only"
    assert problem.detail != ""


async def test_garbage(tmp_path: Path) -> None:
    """A file that is no database is corrupt."""
    (tmp_path / "db").write_bytes(b"not a database, but long enough to be one" * 100)
    assert (await refused(tmp_path / "db")).reason == "corrupt"


async def test_damaged(tmp_path: Path) -> None:
    """A database with a damaged page is corrupt as well, when the page is read."""
    path = tmp_path / "db"
    async with Store.open(path) as store:
        for _ in range(300):
            await store.add_turn(CHAT, Turn(Role.USER, "word " * 50))
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(StorageFailed) as caught:
        async with Store.open(path) as store:
            await store.turns(CHAT)
    assert caught.value.reason == "corrupt"


async def test_refusals_leave_no_thread(tmp_path: Path) -> None:
    """The driver's thread would keep the program from ending: it is gone after every refusal."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "garbage").write_bytes(b"garbage" * 1000)
    before = set(threading.enumerate())
    await refused(tmp_path / "folder")
    assert set(threading.enumerate()) == before
    await refused(tmp_path / "garbage")
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
        assert not thread.is_alive()


async def fill(store: Store) -> None:
    while True:
        await store.add_turn(CHAT, Turn(Role.USER, "word " * 1000))


async def test_full(store: Store) -> None:
    """A full disk is told as such, and what was there can still be read."""
    await store.add_turn(CHAT, Turn(Role.USER, "first"))
    await store._db.execute("PRAGMA max_page_count = 40")
    with pytest.raises(StorageFailed) as caught:
        await fill(store)
    assert caught.value.reason == "full"
    assert (await store.turns(CHAT))[0].text == "first"


async def test_full_in_the_middle(store: Store) -> None:
    """Models are saved all or none; what failed is not half written by whoever writes next."""
    await store._db.execute("PRAGMA max_page_count = 40")
    many = [a_model(f"m{n}", name="x" * 500) for n in range(1000)]
    with pytest.raises(StorageFailed):
        await store.save_models(many)
    await store._db.execute("PRAGMA max_page_count = 100000")
    await store.add_turn(CHAT, Turn(Role.USER, "next"))
    assert await store.models() == []
    assert [t.text for t in await store.turns(CHAT)] == ["next"]


async def test_a_failure_takes_nothing_else_along(store: Store) -> None:
    """A batch that fails does not undo what others wrote meanwhile."""
    await store._db.execute("PRAGMA max_page_count = 40")
    many = [a_model(f"m{n}", name="x" * 500) for n in range(1000)]
    *turns, batch = await asyncio.gather(
        *(store.add_turn(CHAT, Turn(Role.USER, str(n))) for n in range(5)),
        store.save_models(many),
        return_exceptions=True,
    )
    assert isinstance(batch, StorageFailed)
    assert not any(isinstance(t, BaseException) for t in turns)
    assert [t.text for t in await store.turns(CHAT)] == ["0", "1", "2", "3", "4"]


async def test_cancelled_writer(store: Store) -> None:
    """A writer that is cancelled leaves nothing half done, and others go on writing."""
    many = [a_model(f"m{n}", name="x" * 500) for n in range(300)]
    writer = asyncio.create_task(store.save_models(many))
    await asyncio.sleep(0)
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await store.add_turn(CHAT, Turn(Role.USER, "next"))
    assert len(await store.models()) in {0, 300}


async def test_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another program holds is told as locked, after a while of trying."""
    monkeypatch.setattr(sqlite_file, "BUSY_MS", 50)
    async with Store.open(tmp_path / "db") as store:
        other = sqlite3.connect(tmp_path / "db", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageFailed) as caught:
                await store.add_turn(CHAT, Turn(Role.USER, "oi"))
        finally:
            other.close()
        assert caught.value.reason == "locked"
        await store.add_turn(CHAT, Turn(Role.USER, "oi"))


async def test_query_only(store: Store) -> None:
    """A database that cannot be written says so."""
    await store._db.execute("PRAGMA query_only = 1")
    with pytest.raises(StorageFailed) as caught:
        await store.save_conversation(Conversation(CHAT))
    assert caught.value.reason == "read-only"
