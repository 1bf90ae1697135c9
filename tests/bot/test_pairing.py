"""The pairing code is told to whoever started the program, and to nobody else."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog

from bot import pairing
from bot.cards import Card, Notice, plain
from bot.surface import Limits, Post, Responder
from core.conversation import ChatRef
from core.people import Visitor
from core.refusals import CodeRefused
from tests.bot.street import street
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader

ANA = Visitor("telegram:42")


class Place:
    """A platform that keeps what it is to show; its own surface, too."""

    limits = Limits(0.0)

    def __init__(self, name: str) -> None:
        self.name = name
        self.shown: list[Card] = []

    async def run(self, responder: Responder) -> None:
        del responder

    async def private(self, person: str) -> ChatRef | None:
        raise NotImplementedError(person)

    def surface(self, chat: ChatRef, standing: Sequence[str] = (), person: str = "") -> "Place":
        assert (chat, list(standing), person) == (ChatRef("console", "local"), [], "")
        return self

    async def busy(self) -> None: ...

    async def post(self, card: Card) -> Post:
        self.shown.append(card)
        return Post("x")

    async def edit(self, post: Post, card: Card) -> Post:
        self.shown.append(card)
        return post


def code_in(text: str) -> str:
    """The code stands in both languages, and it is the same."""
    portuguese, english = [line for line in text.splitlines() if "/pair " in line]
    assert "ainda não tem administrador" in portuguese
    assert "has no administrator yet" in english
    code = portuguese.rpartition(" ")[2]
    assert english.endswith(code)
    return code


async def test_printed_and_not_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error; a code that has expired is told anew there; no line of the log holds one."""
    clock = FakeClock()
    with structlog.testing.capture_logs() as lines:
        async with street(tmp_path, FakeLoader(), clock=clock, admins=(), nobody=True) as there:
            await pairing.offer(there.engine, [Place("telegram")])
            first = code_in(capsys.readouterr().err)
            await clock.advance(3600)
            with pytest.raises(CodeRefused, match="expired"):
                await there.engine.access.pair(ANA, first)
            second = code_in(capsys.readouterr().err)
            await there.engine.access.pair(ANA, second)
    assert first not in str(lines)
    assert second not in str(lines)


@pytest.mark.parametrize(
    ("names", "admins"), [(("console",), ()), (("telegram", "console"), ("telegram:1",))]
)
async def test_nobody_needs_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], names: tuple[str, ...], admins: tuple[str, ...]
) -> None:
    """Neither whoever sits at the console alone, nor a bot that has an administrator."""
    async with street(tmp_path, FakeLoader(), admins=admins, nobody=True) as there:
        await pairing.offer(there.engine, [Place(name) for name in names])
    assert capsys.readouterr().err == ""


async def test_told_in_the_talk_at_the_console(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody talks in the terminal a later code comes as a card, which does not disturb the prompt."""
    clock, console = FakeClock(), Place("console")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    async with street(tmp_path, FakeLoader(), clock=clock, admins=(), nobody=True) as there:
        await pairing.offer(there.engine, [Place("telegram"), console])
        first = code_in(capsys.readouterr().err)
        assert console.shown == []
        await clock.advance(3600)
        with pytest.raises(CodeRefused, match="expired"):
            await there.engine.access.pair(ANA, first)
        assert capsys.readouterr().err == ""
        (card,) = console.shown
        assert isinstance(card, Notice)
        assert code_in(plain(card)) != first
