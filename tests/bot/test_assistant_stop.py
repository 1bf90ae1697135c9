"""Stopping in a group: what one person asked, not what others asked."""

import asyncio
from pathlib import Path

from bot.cards import Notice, plain
from bot.surface import Incoming
from core.conversation import ChatRef, Delta, Done
from core.model import ModelState
from tests.bot.talk import Saying, Talk, talking
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, a_model

NOVA = a_model("acme/nova-8b", ModelState.LOADED)
GROUP = ChatRef("telegram", "-5")


def asks(talk: Talk, person: str, text: str) -> Saying:
    return Saying(talk.assistant.respond(Incoming(GROUP, person, text)))


async def test_stopping_ones_own_answer_leaves_the_others(tmp_path: Path) -> None:
    """One person's answer ends; the question that waits behind it has its turn."""
    host, never = FakeLoader([NOVA]), asyncio.Event()
    host.answers = [[Delta("long"), never], [Delta("mine"), Done("stop")]]
    async with talking(tmp_path, host, clock=FakeClock(), access="open") as talk:
        first = asks(talk, "telegram:1", "um")
        await first.until("long")
        second = asks(talk, "telegram:2", "dois")
        await asyncio.sleep(0)
        assert talk.assistant.cancel(GROUP, "telegram:1")
        assert "resposta parada" in plain(await first.last())
        assert "mine" in plain(await second.last())


async def test_what_others_asked_is_not_stopped(tmp_path: Path) -> None:
    """A button left over from an answer that is over, and /stop of somebody else: nothing of mine ends."""
    host, gate = FakeLoader([NOVA]), asyncio.Event()
    host.answers = [[Delta("long"), gate, Done("stop")]]
    async with talking(tmp_path, host, clock=FakeClock(), access="open") as talk:
        first = asks(talk, "telegram:1", "um")
        await first.until("long")
        assert not talk.assistant.cancel(GROUP, "telegram:2")
        stopped = await asks(talk, "telegram:2", "/stop").last()
        assert isinstance(stopped, Notice)
        assert "Não há nada em andamento" in plain(stopped)
        gate.set()
        assert plain(await first.last()).startswith("long")


async def test_administrators_stop_everything(tmp_path: Path) -> None:
    """/stop of an administrator ends whatever is under way there."""
    host, never = FakeLoader([NOVA]), asyncio.Event()
    host.answers = [[Delta("long"), never]]
    async with talking(tmp_path, host, clock=FakeClock(), access="open", admins=("telegram:9",)) as talk:
        first = asks(talk, "telegram:1", "um")
        await first.until("long")
        assert "Parado" in plain(await asks(talk, "telegram:9", "/stop").last())
        assert "long" in plain(await first.last())


async def test_who_is_sent_away_gets_no_more_words(tmp_path: Path) -> None:
    """/deny ends the person's answers wherever they are given, and nobody else's."""
    host, never, gate = FakeLoader([NOVA]), asyncio.Event(), asyncio.Event()
    host.answers = [[Delta("long"), never], [Delta("mine"), gate, Done("stop")]]
    async with talking(tmp_path, host, clock=FakeClock(), access="open", admins=("telegram:9",)) as talk:
        first = asks(talk, "telegram:1", "um")
        await first.until("long")
        other = Incoming(ChatRef("telegram", "-6"), "telegram:2", "dois")
        second = Saying(talk.assistant.respond(other))
        await second.until("mine")
        away = Incoming(ChatRef("telegram", "9"), "telegram:9", "/deny telegram:1", private=True)
        await Saying(talk.assistant.respond(away)).last()
        assert "resposta parada" in plain(await first.last())
        gate.set()
        assert plain(await second.last()).startswith("mine")
