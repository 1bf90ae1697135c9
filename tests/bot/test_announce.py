"""News for administrators: each one once, as soon as the platform is there, and nobody else."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.announce import GIVE_UP, announce
from bot.cards import Notice, Tone
from bot.surface import Responder, Surface, SurfaceDown
from core.conversation import ChatRef
from tests.bot.talk import talking
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeProvider
from tests.fakes.surface import FakeSurface

NEWS = Notice(Tone.WARNING, "news")


class FakePlatform:
    """Has a chat with everybody but those whom it cannot reach."""

    def __init__(self, name: str, clock: FakeClock, unknown: Sequence[str] = ()) -> None:
        self.name = name
        self.away = False
        self._clock = clock
        self._unknown = unknown
        self.surfaces: dict[str, FakeSurface] = {}

    async def run(self, responder: Responder) -> None:
        raise NotImplementedError

    async def private(self, person: str) -> ChatRef | None:
        return ChatRef(*person.split(":"))

    def surface(self, chat: ChatRef, standing: Sequence[str] = (), person: str = "") -> Surface:
        assert (list(standing), person) == ([], "")
        if self.away or chat.chat in self._unknown:
            raise ValueError(chat)
        self.surfaces[chat.chat] = FakeSurface(self._clock, script=[SurfaceDown()])
        return self.surfaces[chat.chat]


async def test_each_administrator(tmp_path: Path) -> None:
    """Those of the platform, by the setting; one that cannot be reached does not keep it from the others."""
    clock = FakeClock()
    admins = ("telegram:1", "telegram:2", "telegram:3", "discord:4")
    telegram = FakePlatform("telegram", clock, unknown=["2"])
    async with talking(tmp_path, FakeProvider(), clock=clock, admins=admins) as talk, clock.passing():
        await announce(NEWS, talk.engine, [telegram])
    assert {who: surface.shown for who, surface in telegram.surfaces.items()} == {"1": [NEWS], "3": [NEWS]}


async def test_a_platform_that_is_not_there_yet(tmp_path: Path) -> None:
    """It is waited for, and given up after a while."""
    clock = FakeClock()
    late, never = FakePlatform("telegram", clock), FakePlatform("discord", clock)
    late.away = never.away = True
    async with talking(tmp_path, FakeProvider(), clock=clock, admins=("telegram:1", "discord:2")) as talk:
        telling = asyncio.create_task(announce(NEWS, talk.engine, [late, never]))
        await clock.asleep(2)
        await clock.advance(10)
        assert late.surfaces == {}
        late.away = False
        await clock.advance(10)
        assert late.surfaces["1"].shown == [NEWS]
        await clock.advance(GIVE_UP)
        await telling
    assert never.surfaces == {}
