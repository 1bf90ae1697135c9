"""One SQLite file: opened with WAL, brought up to date by numbered scripts, closed without fail."""

import contextlib
import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from importlib import resources
from pathlib import Path

import aiosqlite

from core.errors import StorageFailed

_REASONS = (
    ("disk is full", "full"),
    ("readonly", "read-only"),
    ("unable to open", "read-only"),
    ("malformed", "corrupt"),
    ("not a database", "corrupt"),
    ("locked", "locked"),
)
BUSY_MS = 5000


def reason_of(error: sqlite3.Error) -> str:
    """What kind of trouble SQLite means, as `StorageFailed.reason`."""
    text = str(error).lower()
    return next((name for mark, name in _REASONS if mark in text), "other")


@contextlib.contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a StorageFailed with its reason."""
    try:
        yield
    except sqlite3.Error as error:
        raise StorageFailed(reason_of(error), str(path), str(error)) from error
    except OSError as error:
        reason = "full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "read-only"
        raise StorageFailed(reason, str(path), os.strerror(error.errno or 0)) from error


@contextlib.asynccontextmanager
async def database(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """The database at `path`, made and upgraded when needed. Raises StorageFailed."""
    with guarded(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Where this fails, aiosqlite would leave a thread behind that reports to an event loop already closed.
        sqlite3.connect(path).close()
        connection = await aiosqlite.connect(path)
    try:
        with guarded(path):
            connection.row_factory = sqlite3.Row
            for pragma in (
                "journal_mode=WAL",
                "synchronous=NORMAL",
                "foreign_keys=ON",
                f"busy_timeout={BUSY_MS}",
            ):
                await connection.execute(f"PRAGMA {pragma}")
            await _upgrade(connection, path)
        yield connection
    finally:
        # aiosqlite's thread is no daemon: an unclosed connection would hang the process at its end.
        await connection.close()


async def _upgrade(connection: aiosqlite.Connection, path: Path) -> None:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)"
    )
    rows = await connection.execute_fetchall("SELECT name FROM migrations")
    applied = {row["name"] for row in rows}
    known = dict(scripts())
    if unknown := applied - known.keys():
        raise StorageFailed("newer", str(path), ", ".join(sorted(unknown)))
    for name in sorted(known.keys() - applied):
        script = f"BEGIN; {known[name]} INSERT INTO migrations (name) VALUES ('{name}'); COMMIT;"
        try:
            await connection.executescript(script)
        except sqlite3.Error:
            await connection.rollback()
            raise


def scripts() -> Iterator[tuple[str, str]]:
    """Every script of this program by its name; they are applied in the order of the names."""
    folder = resources.files("core.storage") / "migrations"
    for entry in folder.iterdir():
        if entry.name.endswith(".sql"):
            yield entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8")
