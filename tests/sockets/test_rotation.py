"""`keys rotate` beside a running engine with a thousand stored keys: no read fails, and a kill -9 loses nothing."""

import asyncio
import base64
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.engine import Engine, open_engine
from core.keys import FileRing, Origin
from core.keys.rings import FILE
from core.storage import DATABASE
from tests.bot.talk import settings
from tests.sockets.keyvendor import OWN, QuotingOpenAI
from tests.sockets.program import PATIENCE, ROOT, environment, program
from tests.sockets.test_backup import tool

COUNT = 1000


def key_of(number: int) -> str:
    return f"sk-canary-{number:04d}-0123456789"


@asynccontextmanager
async def engine_with_keys(data: Path) -> AsyncIterator[Engine]:
    """An engine, as the bot has it open, and a thousand people's keys."""
    async with open_engine(settings(data), providers=()) as engine:
        for number in range(COUNT):
            await engine.keys.put(f"telegram:{number}", "openai", SecretStr(key_of(number)))
        yield engine


async def read(engine: Engine, number: int) -> None:
    found = await engine.keys.find(f"telegram:{number}", "openai")
    assert found is not None
    assert (found.secret.get_secret_value(), found.origin) == (key_of(number), Origin.OWN)


async def read_all(engine: Engine) -> None:
    for number in range(COUNT):
        await read(engine, number)


def under(data: Path) -> dict[str, int]:
    """How many rows stand under each master key."""
    with closing(sqlite3.connect(f"file:{data / DATABASE}?mode=ro", uri=True)) as db:
        return dict(db.execute("SELECT key_id, count(*) FROM keys GROUP BY key_id"))


async def start_rotation(data: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "keys",
        "rotate",
        cwd=ROOT,
        env=environment(data, LANGUAGE="en"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_under_load(tmp_path: Path) -> None:
    """While every key is read and some are given anew, all of them move; afterwards one master key is left."""
    async with engine_with_keys(tmp_path) as engine:
        assert under(tmp_path) == {"k1": COUNT}
        rotation = await start_rotation(tmp_path)
        over = asyncio.create_task(rotation.communicate())
        reads = gives = 0
        while not over.done():
            await read(engine, reads * 7 % COUNT)
            reads += 1
            if reads % 10 == 0:
                person = gives % COUNT
                await engine.keys.put(f"telegram:{person}", "openai", SecretStr(key_of(person)))
                gives += 1
        out, err = await over
        assert (rotation.returncode, err) == (0, b"")
        assert "master key k2" in out.decode()
        assert "deleted: k1" in out.decode()
        assert under(tmp_path) == {"k2": COUNT}
        assert FileRing(tmp_path / FILE).read().ids == ("k2",)
        assert reads > 100
        await read_all(engine)


async def test_no_reply_fails(tmp_path: Path) -> None:
    """The shipped program, with a thousand keys in its vault, answers with its person's own key all the while."""
    async with open_engine(settings(tmp_path), providers=()) as engine:
        for number in range(COUNT):
            await engine.keys.put(f"telegram:{number}", "openai", SecretStr(key_of(number)))
    async with QuotingOpenAI() as vendor, program(tmp_path, OPENAI_BASE_URL=vendor.base) as bot:
        await bot.say("/key set openai")
        await bot.say(OWN)
        await bot.say("/use gpt-6-mini")
        said: list[str] = []
        for ids in ("k2", "k3"):
            rotation = await start_rotation(tmp_path)
            over = asyncio.create_task(rotation.communicate())
            while not over.done():
                said.append(await bot.say(f"question {len(said)}?"))
            assert rotation.returncode == 0
            assert under(tmp_path) == {ids: COUNT + 1}
        said.append(await bot.say(f"question {len(said)}?"))
        assert await bot.end() == 0, "a card was an error"
    assert [f"question {number}?" in text for number, text in enumerate(said)] == [True] * len(said)
    assert vendor.paid == [OWN] * len(said)
    assert len(said) > 10


@pytest.mark.parametrize("moved", [1, COUNT // 2, COUNT - 100])
async def test_killed_in_the_middle(tmp_path: Path, moved: int) -> None:
    """Kill -9 after so many have moved: the running engine and a new one read every key; the next run ends it."""
    async with engine_with_keys(tmp_path) as engine:
        rotation = await start_rotation(tmp_path)
        async with asyncio.timeout(PATIENCE):
            while under(tmp_path).get("k2", 0) < moved:
                await read(engine, moved)
        rotation.kill()
        await rotation.communicate()
        left = under(tmp_path)
        assert set(left) == {"k1", "k2"}, "it was killed in the middle"
        assert FileRing(tmp_path / FILE).read().ids == ("k2", "k1")
        await read_all(engine)
    async with open_engine(settings(tmp_path), providers=()) as again:
        await read_all(again)
        code, out, err = await tool(tmp_path, "keys", "rotate")
        assert (code, err) == (0, "")
        assert f"Encrypted anew: {left['k1']}." in out
        assert "broken off is now complete" in out
        assert under(tmp_path) == {"k2": COUNT}
        await read_all(again)


async def test_master_keys_of_the_environment(tmp_path: Path) -> None:
    """Everything moves under the first one, and it says which may be taken out; `keys new` prints one to put in front."""
    old = f"k1:{base64.b64encode(os.urandom(32)).decode()}"
    async with open_engine(settings(tmp_path, master_keys=old), providers=()) as engine:
        for number in range(COUNT):
            await engine.keys.put(f"telegram:{number}", "openai", SecretStr(key_of(number)))
    assert "has one key only" in (await tool(tmp_path, "keys", "rotate", MASTER_KEYS=old))[1]
    code, new, words = await tool(tmp_path, "keys", "new", MASTER_KEYS=old)
    assert code == 0
    assert new.startswith("k2:")
    assert "in front" in words
    assert new.strip().partition(":")[2] not in words
    both = f"{new.strip()},{old}"
    async with open_engine(settings(tmp_path, master_keys=both), providers=()) as engine:
        code, out, err = await tool(tmp_path, "keys", "rotate", MASTER_KEYS=both)
        assert (code, err) == (0, "")
        assert "take these out of MASTER_KEYS: k1" in out
        await read_all(engine)
    async with open_engine(settings(tmp_path, master_keys=new.strip()), providers=()) as engine:
        await read_all(engine)
    assert not (tmp_path / FILE).exists()


async def test_master_keys_in_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The running bot reads along: before, while and after everything moves, and what it stores is under the new one."""
    old, new = (f"{name}:{base64.b64encode(os.urandom(32)).decode()}" for name in ("k1", "k2"))
    monkeypatch.chdir(tmp_path)
    env = tmp_path / ".env"
    await asyncio.to_thread(env.write_text, f"MASTER_KEYS={old}\n")
    async with open_engine(settings(tmp_path, master_keys=old), providers=()) as engine:
        await engine.keys.put("telegram:0", "openai", SecretStr(key_of(0)))
        await asyncio.to_thread(env.write_text, f"MASTER_KEYS={new},{old}\n")
        code, out, _ = await tool(tmp_path, "keys", "rotate", MASTER_KEYS=f"{new},{old}")
        assert (code, "take these out of MASTER_KEYS: k1" in out) == (0, True)
        await read(engine, 0)
        await engine.keys.put("telegram:1", "openai", SecretStr(key_of(1)))
        assert under(tmp_path) == {"k2": 2}
        await asyncio.to_thread(env.write_text, f"MASTER_KEYS={new}\n")
        for number in (0, 1):
            await read(engine, number)


async def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    """Nothing stored, a lost file, an open file, a wrong setting: a sentence each, and exit code 1 where it failed."""
    code, out, _ = await tool(tmp_path / "none", "keys", "rotate")
    assert (code, "Nothing is stored" in out) == (0, True)
    async with open_engine(settings(tmp_path), providers=()) as engine:
        await engine.keys.put("telegram:1", "openai", SecretStr(key_of(1)))
    kept = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).unlink()
    code, out, err = await tool(tmp_path, "keys", "rotate")
    assert (code, out) == (1, "")
    assert "stored keys need it (k1)" in err
    (tmp_path / FILE).write_bytes(kept)
    (tmp_path / FILE).chmod(0o644)
    for arguments in (("keys", "rotate"), ()):
        code, out, err = await tool(tmp_path, *arguments)
        assert code == 1
        assert f"chmod 600 {tmp_path / FILE}" in err
    code, out, err = await tool(tmp_path, "keys", "rotate", MASTER_KEYS="k1:canary")
    assert (code, out) == (1, "")
    assert "MASTER_KEYS" in err
    assert "canary" not in err


async def test_help_tells_of_it(tmp_path: Path) -> None:
    """`--help` names the commands and what they do."""
    code, out, _ = await tool(tmp_path, "keys", "--help")
    assert code == 0
    assert "rotate" in out
    assert "new" in out
