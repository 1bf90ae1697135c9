"""A disk that is full or cannot be written: clear cards, no crash, and answers still flow."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.begin import complain
from bot.cards import Card, is_error, plain
from bot.commands import COMMANDS
from bot.texts import Speech
from core.conversation import Delta, Done
from core.errors import Interrupted, StorageFailed
from core.storage import DATABASE
from tests.bot.talk import Talk, talking
from tests.fakes.provider import FakeLoader, a_model

NOVA = a_model()


async def refuse(talk: Talk) -> None:
    """From now on nothing can be written."""
    await talk.engine.store._db.execute("PRAGMA query_only = 1")


def told(card: Card) -> str:
    """The card in words; a bug would be one of them."""
    text = plain(card)
    assert "erro inesperado" not in text.lower(), text
    return text


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
async def test_every_command(tmp_path: Path, command: str) -> None:
    """Each one works, or says what is wrong with the disk; none ends as a bug, and the next answer comes."""
    async with talking(tmp_path, FakeLoader([NOVA])) as talk:
        await talk.say("oi")
        await refuse(talk)
        for text in (f"/{command}", f"/{command} nova"):
            card = await talk.say(text)
            if is_error(card):
                told(card)
        answer = await talk.reply("e agora?")
    assert answer.text == "Certainly."
    assert "A pasta não pode ser escrita." in answer.footnote


async def test_a_first_word_loads_and_answers(tmp_path: Path) -> None:
    """A chat that nobody knows, a model that sleeps: both need no memory."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host) as talk:
        await refuse(talk)
        answer = await talk.reply("oi")
        again = await talk.reply("oi")
    assert [answer.text, again.text] == ["Certainly."] * 2
    assert answer.buttons == ()
    assert host.calls["load"] == 1


async def test_a_passing_question_that_breaks(tmp_path: Path) -> None:
    """What had come stays; no button would ask another question in its place."""
    host = FakeLoader([NOVA])
    host.answers = [(Delta("Half"), Interrupted(NOVA))]
    async with talking(tmp_path, host) as talk:
        await refuse(talk)
        card = await talk.reply("oi")
    assert (card.text, card.failed, card.buttons) == ("Half", True, ())
    assert "não ficam na memória" in card.footnote


async def test_it_is_remembered_again(tmp_path: Path) -> None:
    """As soon as the disk takes it, everything is as before."""
    async with talking(tmp_path, FakeLoader([NOVA])) as talk:
        await refuse(talk)
        await talk.say("um")
        await talk.engine.store._db.execute("PRAGMA query_only = 0")
        answer = await talk.reply("dois")
        turns = [turn.text for turn in await talk.turns()]
    assert answer.footnote == ""
    assert turns == ["dois", "Certainly."]


async def test_a_disk_that_fills_up_during_the_answer(tmp_path: Path) -> None:
    """The answer is shown whole; the question is remembered, and is asked again on demand."""
    host = FakeLoader([NOVA])
    gate = asyncio.Event()
    host.answers = [(Delta("Half"), gate, Delta(" and whole."), Done("stop"))]
    async with talking(tmp_path, host) as talk:
        saying = talk.begin("oi")
        await saying.until("Half")
        await refuse(talk)
        gate.set()
        card = await saying.last()
        await talk.engine.store._db.execute("PRAGMA query_only = 0")
        again = await talk.reply("/retry")
    assert "Half and whole." in told(card)
    assert again.text == "Certainly."


# ---------------------------------------------------------------- real disks


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of that size, where this user may mount one."""
    folder.mkdir()
    size = f"size={kilobytes}k"
    mount = ["mount", "-t", "tmpfs", "-o", size, "none", str(folder)]
    if (
        sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount, check=False).returncode
    ):  # a fixed command
        pytest.skip("only where disks may be mounted")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607  # same


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 1024) as folder:
        yield folder


def fill(folder: Path) -> Path:
    """Leave not one byte free."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as ballast:
        for piece in (2**16, 2**12, 1):
            try:
                while True:
                    ballast.write(b"x" * piece)
            except OSError:
                continue
    return path


async def test_a_real_disk_that_is_full(disk: Path) -> None:
    """A file system without a free byte: answers flow, nothing that was stored is lost, and room brings it back."""
    async with talking(disk, FakeLoader([NOVA])) as talk:
        await talk.say("um")
        ballast = fill(disk)
        for _ in range(3):
            answer = await talk.reply("dois " * 3000)
            assert answer.text == "Certainly."
            assert "O disco está cheio." in answer.footnote
        for command in ("/status", "/models", "/reset", "/new"):
            told(await talk.say(command))
        ballast.unlink()
        assert (await talk.reply("três")).footnote == ""
    async with talking(disk, FakeLoader([NOVA])) as talk:
        assert [turn.text for turn in await talk.turns()] == ["um", "Certainly.", "três", "Certainly."]


async def test_a_real_disk_that_is_read_only(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The program does not start there: it says which folder, and what to do."""
    async with talking(disk, FakeLoader([NOVA])) as talk:
        await talk.say("um")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)  # noqa: ASYNC221, S607  # a fixed command
    with pytest.raises(StorageFailed) as caught:
        async with talking(disk, FakeLoader([NOVA])):
            pass
    assert complain(caught.value, Speech("en")) == 1
    shown = capsys.readouterr().err
    assert f"I cannot write to {disk}." in shown
    assert "change DATA_DIR" in shown
    assert (disk / DATABASE).stat().st_size > 0  # a look
