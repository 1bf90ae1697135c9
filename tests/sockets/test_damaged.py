"""A damaged database: the bot begins anew, and says so to whoever runs and administers it."""

import asyncio
from pathlib import Path

from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.telegram_program import world

NOVA = "acme/nova-8b"


def damage(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "orquestrador.db").write_bytes(b"not a database" * 500)


async def test_the_administrator_is_told(tmp_path: Path) -> None:
    """In a private chat, with the place where the file lies; the bot answers as always."""
    await asyncio.to_thread(damage, tmp_path)
    async with world(tmp_path, [FakeModel(NOVA)], NOVA, ADMINS="telegram:42", LANGUAGE="en") as w:
        told = await w.says("The database was damaged and has been set aside.")
        assert f"It now lies in {tmp_path}/orquestrador.damaged-" in told.text
        await w.bot.says("database was damaged")
        await w.ask("oi", "You said: oi")
