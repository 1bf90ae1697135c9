"""`backup` while the program talks, and `restore` when it does not."""

import asyncio
import sys
from pathlib import Path

from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.sockets.program import ROOT, environment, program

NOVA = "acme/nova-8b"


async def tool(data_dir: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    """Run one of the program's tools; its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        cwd=ROOT,
        env=environment(data_dir, LANGUAGE="en", **settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_there_and_back(tmp_path: Path) -> None:
    """A backup of a running bot brings a conversation to another folder; over a running bot it is refused."""
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    async with FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as lmstudio:
        where = {"LMSTUDIO_URLS": lmstudio.url}
        async with program(data, **where) as bot:
            await bot.say("remember the number seven")
            saved = await tool(data, "backup", str(copy))
            again = await tool(data, "backup", str(copy))
            await bot.say("and this came later")
            refused = await tool(data, "restore", str(copy))
            assert await bot.end() == 0
        restored = await tool(data, "restore", str(copy))
        other = await tool(tmp_path / "other", "restore", str(copy))
        for folder in (data, tmp_path / "other"):
            async with program(folder, **where) as bot:
                await bot.say("oi")
                assert await bot.end() == 0
            asked = [m["content"] for m in lmstudio.bodies[-1]["messages"]]
            assert asked == [
                "remember the number seven",
                "Nova 8B heard 1 message(s). You said: remember the number seven",
                "oi",
            ]
    assert saved[::2] == (0, "")
    assert f"✅ Backup in {copy}" in saved[1]
    assert f"The key file in {data} is not part of it" in saved[1]
    assert (again[0], again[1]) == (1, "")
    assert "exists already" in again[2]
    assert (refused[0], refused[1]) == (1, "")
    assert "Another copy of the bot (process " in refused[2]
    assert restored[0] == 0
    assert "What was there before now lies in " in restored[1]
    assert other[0] == 0
    assert "What was there before" not in other[1]


async def test_into_a_folder_and_from_nothing(tmp_path: Path) -> None:
    """A folder gets a file with the time in its name; what is not there is told."""
    nothing = await tool(tmp_path / "data", "backup", str(tmp_path))
    missing = await tool(tmp_path / "data", "restore", str(tmp_path / "nothing"))
    async with program(tmp_path / "data") as bot:
        await bot.say("/help")
        assert await bot.end() == 0
    saved = await tool(tmp_path / "data", "backup", str(tmp_path), MASTER_KEYS="k1:x")
    (copy,) = await asyncio.to_thread(lambda: list(tmp_path.glob("orquestrador-*.db")))
    assert (nothing[0], missing[0], saved[0]) == (1, 1, 0)
    assert f"{tmp_path / 'data' / 'orquestrador.db'} was not found." in nothing[2]
    assert f"{tmp_path / 'nothing'} was not found." in missing[2]
    assert str(copy) in saved[1]
    assert "encrypted in it with MASTER_KEYS" in saved[1]
