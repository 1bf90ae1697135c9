"""The morning's digest: what failed, to administrators alone, and only if anything did."""

from collections.abc import Sequence
from pathlib import Path

from bot.cards import plain
from bot.digest import digest
from bot.surface import Responder, Surface
from core.conversation import ChatRef
from core.errors import Interrupted, LoadFailed
from core.model import FailureKind
from tests.bot.talk import talking
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, a_model
from tests.fakes.surface import FakeSurface

NOVA, MINI = a_model(), a_model("acme/mini-1b")


class FakePlatform:
    """Everybody has a private chat."""

    name = "telegram"

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.surfaces: dict[str, FakeSurface] = {}

    async def run(self, responder: Responder) -> None:
        raise NotImplementedError

    async def private(self, person: str) -> ChatRef | None:
        return ChatRef(*person.split(":"))

    def surface(self, chat: ChatRef, standing: Sequence[str] = (), person: str = "") -> Surface:
        assert (list(standing), person) == ([], "")
        return self.surfaces.setdefault(chat.chat, FakeSurface(self._clock))


async def test_what_failed_is_told(tmp_path: Path) -> None:
    """Each model with its reason and how often; what somebody called back is no failure, nor what is a day old."""
    clock = FakeClock()
    host = FakeLoader([NOVA, MINI])
    for _ in range(2):
        host.loads.setdefault(NOVA.key, []).append([LoadFailed(NOVA, FailureKind.CRASHED, "exit code 6")])
    host.loads[MINI.key] = [[LoadFailed(MINI, FailureKind.NEEDS_ROOM, "no room")]]
    async with talking(tmp_path, host, clock=clock, admins=("telegram:1", "discord:2")) as talk:
        platform = FakePlatform(clock)
        await digest(talk.engine, [platform])
        assert platform.surfaces == {}
        await talk.say("/load mini")
        await clock.advance(90_000)
        for _ in range(2):
            await talk.say("/load nova")
        await digest(talk.engine, [platform])
    assert list(platform.surfaces) == ["1"]
    (card,) = platform.surfaces["1"].shown
    told = plain(card)
    assert "2 carregamento(s) sem sucesso, 0 resposta(s) interrompida(s)." in told
    assert f"❌ {NOVA.name} — 2 vez(es) em {NOVA.host}" in told
    assert "O modelo caiu ao carregar." in told
    assert "exit code 6" not in told
    assert MINI.name not in told


async def test_answers_that_broke_off_are_told_too(tmp_path: Path) -> None:
    """A model that loads and then fails in mid-answer is a failure as well."""
    clock, host = FakeClock(), FakeLoader([NOVA])
    host.answers = [[Interrupted(NOVA)]]
    async with talking(tmp_path, host, clock=clock, admins=("telegram:1",)) as talk:
        await talk.say("oi")
        platform = FakePlatform(clock)
        await digest(talk.engine, [platform])
    told = plain(platform.surfaces["1"].shown[0])
    assert f"✂️ {NOVA.name} — 1 resposta(s) interrompida(s) em {NOVA.host}" in told


async def test_a_model_that_is_gone_is_still_named(tmp_path: Path) -> None:
    """It was removed since then: its key is known."""
    clock, host = FakeClock(), FakeLoader([NOVA])
    host.loads[NOVA.key] = [[LoadFailed(NOVA, FailureKind.CRASHED)]]
    async with talking(tmp_path, host, clock=clock, admins=("telegram:1",)) as talk:
        await talk.say("/load nova")
        host.listed.clear()
        await talk.engine.catalog.sync()
        platform = FakePlatform(clock)
        await digest(talk.engine, [platform])
    assert NOVA.key in plain(platform.surfaces["1"].shown[0])
