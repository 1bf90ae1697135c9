"""The whole core before a fake LM Studio, over real sockets: the walks a person takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.conversation import ChatRef, Conversation, Delta, Outcome, ReplyEvent, Trimmed, Turn
from core.engine import Engine, open_engine
from core.errors import Interrupted, LoadFailed, Unreachable
from core.model import FailureKind, LoadEvent, Loading, Model, ModelState, Queued, Ready
from core.settings import Settings
from tests.core.providers.lmstudio.lab import MINI, NOVA, text_of
from tests.fakes.lmstudio.catalog import LOAD_ERRORS
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel

CHAT = ChatRef("console", "1")
KEY = "a/b"


@asynccontextmanager
async def core_before(server: FakeLMStudio, folder: Path) -> AsyncIterator[Engine]:
    given: dict[str, Any] = {"data_dir": folder, "embedded": "off", "lmstudio_urls": server.url}
    async with open_engine(Settings(_env_file=None, **given)) as engine:
        await engine.catalog.sync()
        yield engine


async def ensured(engine: Engine, model: Model) -> list[LoadEvent]:
    async with aclosing(engine.lifecycle.ensure(model)) as events:
        return [event async for event in events]


async def asked(engine: Engine, model: Model, text: str) -> list[ReplyEvent]:
    question: Turn = await engine.chat.asked(Conversation(CHAT), text)
    async with aclosing(engine.chat.stream(Conversation(CHAT), model, question)) as events:
        return [event async for event in events]


def ready(events: list[LoadEvent]) -> Model:
    assert isinstance(events[-1], Ready)
    return events[-1].model


async def test_fifty_ask_for_the_same_model(tmp_path: Path) -> None:
    """Fifty at once make one load at the server, no second copy, and all see it grow."""
    model = FakeModel(KEY, hold_load=asyncio.Event(), progress_steps=10)
    async with FakeLMStudio([model]) as server, core_before(server, tmp_path) as engine:
        wanted = engine.catalog.find(KEY)
        waiting = [asyncio.create_task(ensured(engine, wanted)) for _ in range(50)]
        await server.wait_for("load_started")
        assert model.hold_load is not None
        model.hold_load.set()
        results = await asyncio.gather(*waiting)
        assert server.count("load_started") == 1
        assert [i.identifier for i in server.instances()] == [KEY]
    for events in results:
        shown = [e.fraction for e in events if isinstance(e, Loading) and e.fraction is not None]
        assert shown == sorted(set(shown))
        assert ready(events).state is ModelState.LOADED


async def test_the_last_one_leaving(tmp_path: Path) -> None:
    """When nobody waits any more the server stops loading."""
    model = FakeModel(KEY, hold_load=asyncio.Event())
    async with FakeLMStudio([model]) as server, core_before(server, tmp_path) as engine:
        waiting = [asyncio.create_task(ensured(engine, engine.catalog.find(KEY))) for _ in range(3)]
        await server.wait_for("load_started")
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await server.wait_for("load_cancelled")


async def test_two_models(tmp_path: Path) -> None:
    """Two models are loaded one after the other, and both stay."""
    async with FakeLMStudio() as server, core_before(server, tmp_path) as engine:
        server.model(NOVA).hold_load = hold = asyncio.Event()
        first = asyncio.create_task(ensured(engine, engine.catalog.find(NOVA)))
        await server.wait_for("load_started")
        queued = asyncio.Event()
        second: list[LoadEvent] = []

        async def watch() -> None:
            async with aclosing(engine.lifecycle.ensure(engine.catalog.find(MINI))) as events:
                async for event in events:
                    second.append(event)
                    if isinstance(event, Queued):
                        queued.set()

        watching = asyncio.create_task(watch())
        await queued.wait()
        assert server.count("load_started") == 1
        hold.set()
        await asyncio.gather(first, watching)
        order = [(r.kind, r.model) for r in server.log if r.kind.startswith("load_")]
        assert order == [
            ("load_started", NOVA),
            ("load_finished", NOVA),
            ("load_started", MINI),
            ("load_finished", MINI),
        ]


async def test_load_ask_and_remember(tmp_path: Path) -> None:
    """From a model on disk to an answer in the memory; old turns are trimmed to what is really loaded."""
    async with FakeLMStudio() as server, core_before(server, tmp_path) as engine:
        server.model(NOVA).fitted_context = 512
        model = ready(await ensured(engine, engine.catalog.find("nova")))
        assert model.loaded_context == 512
        await asked(engine, model, "word " * 200)
        events = await asked(engine, model, "second " * 40)
        assert events[0] == Trimmed(2)
        assert "second" in text_of(events)
        assert len(server.bodies[-1]["messages"]) == 1
        turns = await engine.store.turns(CHAT)
        assert [t.outcome for t in turns] == [Outcome.DONE] * 4


async def test_host_dies_in_an_answer(tmp_path: Path) -> None:
    """What had come is kept; the host's models are aside until it is back, and then they are not."""
    async with FakeLMStudio(loaded=[NOVA]) as server, core_before(server, tmp_path) as engine:
        server.model(NOVA).hold_reply = asyncio.Event()
        model = engine.catalog.find(NOVA)
        question = await engine.chat.asked(Conversation(CHAT), "oi")
        async with aclosing(engine.chat.stream(Conversation(CHAT), model, question)) as events:
            assert isinstance(await anext(events), Delta)
            await server.kill()
            with pytest.raises(Interrupted) as caught:
                await anext(events)
        assert (await engine.store.turns(CHAT))[-1].outcome is Outcome.BROKEN
        await engine.lifecycle.failed_elsewhere(model, caught.value)
        with pytest.raises(Unreachable):
            await ensured(engine, model)
        assert not any(m.usable for m in engine.catalog.models())
        await server.start()
        server.model(NOVA).hold_reply = None
        model = ready(await ensured(engine, model))
        assert text_of(await asked(engine, model, "oi")) != ""


async def test_a_load_that_fails(tmp_path: Path) -> None:
    """A model that does not fit is aside with the server's words, also after a restart; a reset tries again."""
    model = FakeModel(KEY, load_error=LOAD_ERRORS["E1"], load_error_times=1)
    async with FakeLMStudio([model]) as server:
        async with core_before(server, tmp_path) as engine:
            with pytest.raises(LoadFailed) as caught:
                await ensured(engine, engine.catalog.find(KEY))
            assert caught.value.kind is FailureKind.NEEDS_ROOM
        async with core_before(server, tmp_path) as engine:
            found = engine.catalog.find(KEY)
            assert found.failure is not None
            assert "insufficient system resources" in found.failure.text
            assert await engine.lifecycle.reset() == 1
            assert ready(await ensured(engine, found)).state is ModelState.LOADED
            assert server.count("load_started") == 2


async def test_unload(tmp_path: Path) -> None:
    """Unloading leaves nothing at the server, and the list knows it at once."""
    async with FakeLMStudio(loaded=[NOVA, NOVA]) as server, core_before(server, tmp_path) as engine:
        gone = await engine.lifecycle.unload(engine.catalog.find(NOVA))
        assert gone.state is ModelState.ON_DISK
        assert server.instances() == []
