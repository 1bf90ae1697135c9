"""A database that cannot be used is put aside under another name: it is never overwritten and never deleted."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import structlog

from core.storage.sqlite import guarded, reason_of

log = structlog.get_logger(__name__)

WHOLE_LOOK = 256 * 2**20  # bytes up to which every page is looked at: about a second
_COMPANIONS = ("-wal", "-shm")


def set_aside_if_damaged(path: Path, now: float) -> Path | None:
    """Look at the database before it is opened; where it lies now if it was damaged. Raises StorageFailed.

    `now` in seconds since the epoch. The log that SQLite keeps beside the file goes along: without it the
    file is less than it was.
    """
    try:
        wrong = _damage(path)
    except sqlite3.Error as error:
        if reason_of(error) != "corrupt":
            return None  # whatever it is, opening it will tell
        wrong = str(error)
    if not wrong:
        return None
    aside = put_aside(path, "damaged", now)
    log.error("database was damaged", set_aside=str(aside), why=wrong)
    return aside


def put_aside(path: Path, why: str, now: float) -> Path:
    """Rename the database and its companions; the new name. Raises StorageFailed."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.stem}.{why}-{stamp}{path.suffix}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.stem}.{why}-{stamp}-{number}{path.suffix}")
    with guarded(path):
        path.rename(aside)
        for companion in _COMPANIONS:
            beside = path.with_name(path.name + companion)
            if beside.exists():
                beside.rename(aside.with_name(aside.name + companion))
    return aside


def _damage(path: Path) -> str:
    """What is wrong with the file, in SQLite's words; empty if nothing is, or if there is no file."""
    if not path.is_file() or path.stat().st_size == 0:
        return ""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if path.stat().st_size > WHOLE_LOOK:
            return ""
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return "" if found == "ok" else str(found)
