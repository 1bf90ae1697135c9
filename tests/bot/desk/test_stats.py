"""/stats: the figures of a conversation, of a model, of everything."""

import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.cards import Notice, Picture, Tone, plain
from core.errors import Interrupted, LoadFailed
from core.model import FailureKind, ModelState
from tests.bot.checks import buttons
from tests.bot.talk import Talk, talking
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, FakeProvider, a_model, external

NOVA = a_model("acme/nova-8b", ModelState.LOADED, name="Nova 8B")
MINI = a_model("acme/mini-1b", name="Mini 1B", size_bytes=1000)


async def figures(talk: Talk, line: str, chat: str = "ana") -> list[str]:
    card = await talk.say(line, chat)
    assert isinstance(card, Notice), plain(card)
    assert card.tone is Tone.INFO
    return [card.title, *card.body.split("\n")]


async def test_of_a_conversation(tmp_path: Path) -> None:
    """Answers, tokens and models of this chat; another chat has its own."""
    async with talking(tmp_path, FakeLoader([NOVA]), clock=FakeClock()) as talk:
        assert await figures(talk, "/stats") == [
            "📊 Esta conversa",
            "Últimos 30 dias",
            "Nenhuma resposta ainda.",
        ]
        for _ in range(3):
            await talk.say("oi")
        await talk.say("olá", "bia")
        told = await figures(talk, "/estatisticas")
        assert told[2:] == [
            "Respostas: 3 (3 completas, 0 paradas, 0 interrompidas)",
            "Tokens: 36 lidos, 6 escritos",
            "• ██████████ nova-8b: 3 resposta(s) · 1.ª palavra em 0,0 s",
        ]
        assert "Respostas: 1 (" in (await figures(talk, "/stats", "bia"))[2]


async def test_of_a_model_and_of_everything(tmp_path: Path) -> None:
    """A model's loads with their failures and reasons; the whole bot with people and suggestions."""
    host, vendor = FakeLoader([MINI]), FakeProvider([external("gpt-mini")])
    host.loads[MINI.key] = [[LoadFailed(MINI, FailureKind.NEEDS_ROOM, "no room")]]
    async with talking(tmp_path, host, vendor, clock=FakeClock(), prefer="local") as talk:
        failed = await talk.say("oi")
        await talk.say(f"/{buttons(failed)[0].command}")  # the suggestion is taken
        await talk.say("/load mini-1b")
        told = await figures(talk, "/stats mini-1b")
        assert told[0] == "📊 Mini 1B"
        assert told[2:] == [
            "Nenhuma resposta ainda.",
            "Carregamentos: 1, em média 4,0 s, 9 de cada 10 em até 4,0 s",
            "Falharam 1 de 2 carregamentos (50 %): sem memória 1",
        ]
        everything = await figures(talk, "/stats tudo")
        assert everything[0] == "📊 O bot inteiro"
        assert "Sugestões: 1 feitas, 1 aceitas" in everything
        assert "Tokens por pessoa: console:ana 14" in everything
        assert everything[-1] == "Desde o início: 1 respostas"


async def test_with_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the platform shows pictures: the same words without bars; without matplotlib only the picture is missing."""
    async with talking(tmp_path, FakeLoader([NOVA]), clock=FakeClock()) as talk:
        talk.draws = True
        assert isinstance(await talk.say("/stats"), Notice)  # nothing to draw yet
        await talk.say("oi")
        card = await talk.say("/stats")
        assert isinstance(card, Picture)
        assert card.png.startswith(b"\x89PNG")
        assert "• nova-8b: 1 resposta(s)" in card.caption
        assert len(card.caption) < 1024
        for name in [one for one in sys.modules if one.partition(".")[0] == "matplotlib"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        assert "• ██████████ nova-8b: 1" in plain(await talk.say("/stats"))


async def test_a_broken_answer_counts(tmp_path: Path) -> None:
    """However an answer ends, it was one."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host, clock=FakeClock()) as talk:
        host.answers = [[Interrupted(NOVA)]]
        await talk.say("oi")
        assert "Respostas: 1 (0 completas, 0 paradas, 1 interrompidas)" in await figures(talk, "/stats")


async def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    """The nearest ones are offered, for these figures."""
    async with talking(tmp_path, FakeLoader([NOVA]), clock=FakeClock()) as talk:
        card = await talk.say("/stats nov-8")
        assert [b.command for b in buttons(card)] == [f"stats #{NOVA.tag}"]


async def test_a_picture_that_cannot_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the library has against it: the figures come in words, and no name reaches the log."""

    async def broken(_: object) -> bytes:
        raise ValueError("nova-8b")

    monkeypatch.setattr("bot.charts.drawn", broken)
    async with talking(tmp_path, FakeLoader([NOVA]), clock=FakeClock()) as talk:
        talk.draws = True
        await talk.say("oi")
        with capture_logs() as lines:
            assert "• ██████████ nova-8b: 1" in plain(await talk.say("/stats"))
    assert [(line["event"], line["bug"]) for line in lines if "bug" in line] == [("no picture", "ValueError")]
