"""A copy of the database that is whole, taken while the bot runs; and the way back."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from core.errors import StorageFailed
from core.storage.aside import put_aside
from core.storage.sqlite import guarded, scripts

_PAGES = 256  # copied at a time: in between the bot may write


def save(database: Path, target: Path) -> int:
    """Copy the database to `target`, which must not exist; its size in bytes. Raises StorageFailed.

    SQLite's online backup: what was committed before it ends is whole in it, whoever writes meanwhile.
    """
    if not database.is_file():
        raise StorageFailed("missing", str(database))
    if target.exists():
        raise StorageFailed("exists", str(target))
    half = target.with_name(target.name + ".part")
    try:
        with guarded(target):
            half.unlink(missing_ok=True)
            os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(_reading(database)) as source, closing(sqlite3.connect(half)) as copy:
                source.backup(copy, pages=_PAGES)
                # One file, that any SQLite opens, rather than one with a log beside it.
                copy.execute("PRAGMA journal_mode = DELETE")
        verify(half)
        with guarded(target):
            half.rename(target)
            return target.stat().st_size
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)


def bring_back(source: Path, database: Path, now: float) -> Path | None:
    """Put the backup in the database's place; where the one that was there lies now. Raises StorageFailed.

    Only while no bot runs on that folder: see `core.storage.lock`. A backup that is damaged, of a newer
    program, or no backup at all changes nothing.
    """
    if not source.is_file():
        raise StorageFailed("missing", str(source))
    verify(source)
    half = database.with_name(database.name + ".part")
    try:
        with guarded(database):
            half.unlink(missing_ok=True)
            os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(_reading(source)) as whole, closing(sqlite3.connect(half)) as copy:
                whole.backup(copy)
        aside = put_aside(database, "before-restore", now) if database.exists() else None
        with guarded(database):
            half.rename(database)
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)
    return aside


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def verify(path: Path) -> None:
    """See that it is a whole database of ours that this program can read; it may be in use. Raises StorageFailed."""
    try:
        with closing(_reading(path)) as copy:
            (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_master")}
            ours = "migrations" in tables
            applied = {row[0] for row in copy.execute("SELECT name FROM migrations")} if ours else set()
    except sqlite3.Error as error:
        raise StorageFailed("broken", str(path), str(error)) from error
    if found != "ok":
        raise StorageFailed("broken", str(path), str(found))
    if not ours:
        raise StorageFailed("foreign", str(path))
    if unknown := applied - {name for name, _ in scripts()}:
        raise StorageFailed("newer", str(path), ", ".join(sorted(unknown)))
