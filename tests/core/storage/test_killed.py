"""kill -9 in the middle of writing, two hundred times: the database opens, and nothing acknowledged is lost."""

import asyncio
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from core.conversation import ChatRef, Outcome, Picture, Role, Turn
from core.storage import DATABASE, Store, set_aside_if_damaged, sole
from tests.fakes.provider import a_model

ROUNDS = 200
LONGEST = 0.03  # seconds that a writer lives at the most after its first word
CHAT = ChatRef("telegram", "42")


def write_for_ever(folder: str, told: Connection) -> None:
    """What the program does with its database, as fast as it can; what is written for good is told."""
    asyncio.run(_write(Path(folder), told))


async def _write(folder: Path, told: Connection) -> None:
    picture = Picture("image/png", os.urandom(20_000))
    with sole(folder):
        async with Store.open(folder / DATABASE) as store:
            while True:
                asked = await store.add_turn(CHAT, Turn(Role.USER, "olá " * 300, pictures=(picture,)))
                told.send(("turn", asked.id))
                await store.settle_turn(asked.id, Outcome.DONE)
                told.send(("settled", asked.id))
                models = [a_model(f"m{asked.id}-{n}") for n in range(20)]
                await store.save_models(models)
                told.send(("models", asked.id))


def live_and_die(folder: Path, seconds: float) -> list[tuple[str, int]]:
    """One writer, killed; what it had told."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "core.storage"])
    ours, theirs = context.Pipe(duplex=False)
    writer = context.Process(target=write_for_ever, args=(str(folder), theirs), daemon=True)
    writer.start()
    theirs.close()
    told = []
    with closing(ours):
        assert ours.poll(30)
        told.append(ours.recv())
        time.sleep(seconds)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        with suppress(EOFError, OSError):  # a word may have been cut off in the pipe
            while True:
                told.append(ours.recv())
    writer.join(30)
    return told


def missing(path: Path, told: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """What had been acknowledged and is not there."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        turns = dict(database.execute("SELECT id, outcome FROM turns"))
        pictures = {number for (number,) in database.execute("SELECT turn_id FROM pictures")}
        models = {name for (name,) in database.execute("SELECT key FROM models")}
    there: dict[str, Callable[[int], bool]] = {
        "turn": lambda n: n in turns and n in pictures,
        "settled": lambda n: turns[n] == "done",
        "models": lambda n: all(f"m{n}-{one}" in models for one in range(20)),
    }
    assert pictures == set(turns)  # never half a turn
    return [(what, number) for what, number in told if not there[what](number)]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
@pytest.mark.timeout(300)
def test_killed_while_writing(tmp_path: Path) -> None:
    """Random moments from a fixed seed; each writer goes on with what the killed one left."""
    moments = random.Random(7)  # noqa: S311  # moments, not secrets
    told: list[tuple[str, int]] = []
    for _ in range(ROUNDS):
        told += live_and_die(tmp_path, moments.random() * LONGEST)
        assert set_aside_if_damaged(tmp_path / DATABASE, 0.0) is None
        assert missing(tmp_path / DATABASE, told) == []
    assert len(told) > 3 * ROUNDS  # they were killed at work, not before it
