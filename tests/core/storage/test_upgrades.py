"""Databases of every earlier program, with something in every table, opened by this one."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.conversation import ChatRef, Outcome, Role
from core.model import FailureKind, ModelState
from core.storage import Store
from core.storage import sqlite as sqlite_file

SCRIPTS = sorted(sqlite_file.scripts())
# What was released is never changed: a database that has it would differ from one made anew.
RELEASED = {
    "0001_initial": "a88c6b0a557db7df",
    "0002_ours": "01fe47f6f81b072d",
}
CHAT = ChatRef("telegram", "42", "7")
MODEL = "lmstudio|h:1|acme/nova-8b"
# What the first release wrote, in the values of its own time.
FIRST: dict[str, list[dict[str, Any]]] = {
    "models": [
        {
            "id": MODEL, "provider": "lmstudio", "host": "h:1", "key": "acme/nova-8b", "name": "Nova",
            "state": "inactive", "vision": 1, "tools": 0, "demo": 0, "by_name_only": 0,
            "size_bytes": 2**40, "failure_kind": "crashed", "failure_text": "boom — ção",
            "failure_at": 1.5, "failure_until": 31.5, "failure_times": 3,
        }
    ],
    "loads": [
        {"at": 5.0, "model_id": MODEL, "host": "h:1", "seconds": 9.1, "context": 4096, "via": "socket", "outcome": "ok"}
    ],
    "conversations": [
        {
            "chat": str(CHAT), "model_id": MODEL, "language": "en", "system": "be brief", "began": 0,
            "trimmed_told": 1, "seen_at": 7.5,
        }
    ],
    "turns": [
        {
            "chat": str(CHAT), "role": "user", "text": "olá 👋", "thinking": "", "outcome": "done",
            "model_id": "", "at": 1.0,
        },
        {
            "chat": str(CHAT), "role": "assistant", "text": "oi", "thinking": "hm", "outcome": "stopped",
            "model_id": MODEL, "at": 2.0,
        },
    ],
}  # fmt: skip


def columns(connection: sqlite3.Connection, table: str) -> list[tuple[str, str, bool]]:
    """Name, type and whether it may be null."""
    found = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return [(row[1], row[2], not row[3]) for row in found]


def tables(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return [name for (name,) in connection.execute(query) if name != "migrations"]


def filler(column: str, kind: str) -> object:
    """Something of the column's type that can be told from everything else."""
    match kind:
        case "TEXT":
            return f"{column} ção"
        case "BLOB":
            return column.encode()
        case _:
            return 7


def insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608  # names of our own schema


def made_by(path: Path, level: int) -> dict[str, list[dict[str, Any]]]:
    """The database of the program that had so many scripts; what stands in it by table."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE migrations (name TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)"
        )
        for name, script in SCRIPTS[:level]:
            connection.executescript(script)
            insert(connection, "migrations", {"name": name})
        for table in tables(connection):
            for row in FIRST.get(table, ()):
                insert(connection, table, row)
            if table not in FIRST:
                insert(
                    connection,
                    table,
                    {name: filler(name, kind) for name, kind, _ in columns(connection, table)},
                )
        connection.commit()
        return contents(connection)


def contents(connection: sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
    connection.row_factory = sqlite3.Row
    return {
        table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608  # same
        for table in tables(connection)
    }


@pytest.mark.parametrize("level", range(1, len(SCRIPTS) + 1), ids=[name for name, _ in SCRIPTS])
async def test_upgrade(tmp_path: Path, level: int) -> None:
    """Every row that an earlier program wrote is there afterwards, and the schema is that of a new database."""
    before = made_by(tmp_path / "db", level)
    assert all(before.values())
    async with Store.open(tmp_path / "db") as store:
        (model,) = [m for m in await store.models() if m.id == MODEL]
        assert (model.state, model.size_bytes) == (ModelState.INACTIVE, 2**40)
        assert model.failure is not None
        assert (model.failure.kind, model.failure.text) == (FailureKind.CRASHED, "boom — ção")
        assert [load.seconds for load in await store.loads("h:1")] == [9.1]
        conversation = await store.conversation(CHAT)
        assert (conversation.model_id, conversation.system) == (MODEL, "be brief")
        asked, said = await store.turns(CHAT)
        assert (asked.role, asked.text) == (Role.USER, "olá 👋")
        assert (said.outcome, said.thinking) == (Outcome.STOPPED, "hm")
    async with Store.open(tmp_path / "new"):
        pass
    with closing(sqlite3.connect(tmp_path / "db")) as old, closing(sqlite3.connect(tmp_path / "new")) as new:
        after = contents(old)
        for table, rows in before.items():
            for row, now in zip(rows, after[table], strict=True):
                assert row.items() <= now.items()
        assert {t: columns(old, t) for t in tables(old)} == {t: columns(new, t) for t in tables(new)}


def test_what_was_released_stays() -> None:
    """The scripts of a release are append-only: each is byte for byte what it was."""
    digests = {name: hashlib.sha256(script.encode()).hexdigest()[:16] for name, script in SCRIPTS}
    assert {name: digests[name] for name in RELEASED} == RELEASED
    assert SCRIPTS[0][0] == "0001_initial"
