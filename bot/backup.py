"""`python -m bot backup FILE` and `python -m bot restore FILE`."""

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bot.begin import complain
from bot.cards import Card, Notice, Tone, plain
from bot.texts import Speech
from core.errors import Problem
from core.settings import Settings
from core.storage import DATABASE, Store, backup, sole


def save(settings: Settings, target: Path) -> int:
    """Copy the database to `target`, or into that folder under a name with the time in it; the exit code."""
    t = Speech(settings.language)
    if target.is_dir():
        target /= f"orquestrador-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
    try:
        size = backup.save(settings.data_dir / DATABASE, target)
    except Problem as problem:
        return complain(problem, t)
    keys = t("backup.keys_environment") if settings.master_keys else t("backup.keys", path=settings.data_dir)
    return _say(Notice(Tone.SUCCESS, t("backup.saved", path=target, size=t.size(size)), keys))


def bring_back(settings: Settings, source: Path) -> int:
    """Put the backup in the database's place, while no bot runs on it; the exit code."""
    t = Speech(settings.language)
    database = settings.data_dir / DATABASE
    try:
        with sole(settings.data_dir):
            aside = backup.bring_back(source, database, time.time())
            asyncio.run(_brought_up_to_date(database))
    except Problem as problem:
        return complain(problem, t)
    kept = t("backup.kept", path=aside) if aside else ""
    return _say(
        Notice(
            Tone.SUCCESS,
            t("backup.restored", path=source),
            "\n".join(filter(None, (kept, t("backup.same_keys")))),
        )
    )


async def _brought_up_to_date(database: Path) -> None:
    """As the next start would, so that what is wrong with it is found now."""
    async with Store.open(database):
        pass


def _say(card: Card) -> int:
    sys.stdout.write(plain(card) + "\n")
    return 0
