"""Many chats at once over real sockets: one load, everybody answered."""

import asyncio
import time
from pathlib import Path

from bot.assistant import Assistant
from bot.cards import Card, Progress, Reply, plain
from bot.surface import Incoming
from core.conversation import ChatRef
from core.engine import Engine, open_engine
from core.settings import Settings
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel

NOVA = "acme/nova-8b"
CHATS = 50


def settings(data_dir: Path, url: str) -> Settings:
    return Settings(_env_file=None, data_dir=data_dir, lmstudio_urls=(url,), embedded="off")


async def cards(
    assistant: Assistant, chat: int, text: str, loading: asyncio.Event | None = None
) -> list[Card]:
    """Every card of an answer; `loading` is set when the load is seen."""
    incoming = Incoming(ChatRef("test", str(chat)), f"person-{chat}", text, local=True)
    seen = []
    async for card in assistant.respond(incoming):
        seen.append(card)
        if loading is not None and isinstance(card, Progress) and "Carregando" in card.title:
            loading.set()
    return seen


async def ready(engine: Engine) -> Assistant:
    engine.start()
    await engine.catalog.settled.wait()
    return Assistant(engine)


async def test_fifty_first_messages_cause_one_load(tmp_path: Path) -> None:
    """Fifty chats ask a sleeping model at once: one load, one instance, fifty answers, all saw the load."""
    async with (
        FakeLMStudio([FakeModel(NOVA, load_seconds=0.5)]) as server,
        open_engine(settings(tmp_path, server.url)) as engine,
    ):
        assistant = await ready(engine)
        answers = await asyncio.gather(*(cards(assistant, n, f"pergunta {n}") for n in range(CHATS)))
        assert server.count("load_started") == 1
        assert [i.identifier for i in server.instances()] == [NOVA]
        for n, seen in enumerate(answers):
            last = seen[-1]
            assert isinstance(last, Reply)
            assert f"You said: pergunta {n}" in last.text
            assert any(isinstance(c, Progress) and "Carregando" in c.title for c in seen)
        assert any(isinstance(c, Progress) and f"{CHATS} conversas" in c.detail for c in answers[0])


async def test_one_leaving_does_not_stop_the_load_and_the_last_one_does(tmp_path: Path) -> None:
    """A chat that stops waiting leaves the others their load; when all have left the host is told."""
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_load=asyncio.Event())]) as server,
        open_engine(settings(tmp_path, server.url)) as engine,
    ):
        assistant = await ready(engine)
        seen = [asyncio.Event(), asyncio.Event()]
        waiting = [asyncio.create_task(cards(assistant, n, "oi", seen[n])) for n in range(2)]
        await asyncio.gather(*(event.wait() for event in seen))
        assistant.cancel(ChatRef("test", "0"))
        await waiting[0]
        assert server.count("load_cancelled") == 0
        assistant.cancel(ChatRef("test", "1"))
        await waiting[1]
        await server.wait_for("load_cancelled")
        assert server.instances() == []


async def test_stop_ends_the_generation_at_the_server(tmp_path: Path) -> None:
    """`/stop` overtakes the answer; LM Studio stops within a second and the text so far stays."""
    endless = FakeModel(NOVA, reply="palavra " * 5000, token_delay=0.01)
    async with (
        FakeLMStudio([endless], loaded=[NOVA]) as server,
        open_engine(settings(tmp_path, server.url)) as engine,
    ):
        assistant = await ready(engine)
        answering = asyncio.create_task(cards(assistant, 1, "conte"))
        await server.wait_for("generation_started")
        stopped = await cards(assistant, 1, "/parar")
        before = time.monotonic()
        await server.wait_for("generation_stopped")
        assert time.monotonic() - before < 1.0
        assert "Parado" in plain(stopped[-1])
        last = plain((await answering)[-1])
        assert "⏹" in last
        assert "para" in last.lower()
