"""SIGTERM: answers end or are marked, nothing is lost, and the program is gone within ten seconds."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from tests.fakes.lmstudio.server import FakeModel
from tests.fakes.telegram.server import FakeTelegram
from tests.sockets.telegram_program import World, world

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")

NOVA = "acme/nova-8b"
CUT = "🔄 Estou sendo reiniciado, e isto ficou pela metade."


def talker(words: int, delay: float, load_seconds: float = 0.1) -> list[FakeModel]:
    reply = " ".join(f"p{n}" for n in range(words))
    return [FakeModel(NOVA, "Nova 8B", reply=reply, token_delay=delay, load_seconds=load_seconds)]


async def terminated(w: World) -> float:
    """Seconds that the program took to end, in order."""
    began = time.monotonic()
    assert await w.bot.terminate() == 0
    return time.monotonic() - began


async def drafts(telegram: FakeTelegram, n: int) -> None:
    await telegram.wait_for("sendMessageDraft", n, timeout=30)


async def test_a_long_answer_is_marked(tmp_path: Path) -> None:
    """What had come stands there with a word of why and a button, which works after the restart."""
    async with world(tmp_path, talker(3000, 0.02), NOVA) as w:
        await w.chat.send(w.ana, "conte")
        await drafts(w.telegram, 2)
        ending = asyncio.create_task(terminated(w))
        await w.bot.says("leaving")
        await w.chat.send(w.ana, "e isto?")
        seconds = await ending
        cut = await w.says(CUT)
        away = await w.says("🔄 Estou sendo reiniciado.\nPergunte de novo")
        assert (cut.text.split()[:3], cut.labels) == (["p0", "p1", "p2"], ["🔁 Refazer"])
        assert away is not cut
        assert seconds < 10
        w.lmstudio.model(NOVA).reply = "Agora inteira."
        await w.restart()
        await cut.press(w.ana, "🔁 Refazer")
        await w.says("Agora inteira.")
        asked = [m["content"] for m in w.lmstudio.bodies[-1]["messages"]]
        assert asked == ["conte"]


async def test_a_short_answer_ends(tmp_path: Path) -> None:
    """What needs a second more gets it."""
    async with world(tmp_path, talker(60, 0.02), NOVA) as w:
        await w.chat.send(w.ana, "conte")
        await drafts(w.telegram, 1)
        assert await terminated(w) < 10
        answer = await w.says("p59")
        assert answer.text.split() == [f"p{n}" for n in range(60)]


async def test_a_load_is_marked(tmp_path: Path) -> None:
    """Whoever waits for a model hears that the program ends; the question is asked again by a button."""
    async with world(tmp_path, talker(5, 0.0, load_seconds=60)) as w:
        await w.chat.send(w.ana, "oi")
        await w.says("Carregando modelo")
        assert await terminated(w) < 10
        cut = await w.says(CUT)
        assert cut.labels == ["🔁 Refazer"]


async def test_nothing_under_way(tmp_path: Path) -> None:
    """Then it does not wait; what comes while it is away is answered after the restart."""
    async with world(tmp_path, talker(5, 0.0), NOVA) as w:
        assert await terminated(w) < 3
        await w.chat.send(w.ana, "oi")
        await w.restart()
        await w.says("p0 p1 p2 p3 p4")
