"""What a bug looks like to a person and to the log, and what the log never holds."""

import asyncio
import io
import logging
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from bot import logs
from bot.cards import Card, Notice, Tone, is_error, plain
from bot.commands import BY_NAME
from bot.desk import chat as chat_desk
from bot.desk.ask import Ask
from core.conversation import Delta, Done
from core.errors import Interrupted, LoadFailed, StorageFailed
from core.model import FailureKind, ModelState
from core.storage import Store
from tests.bot.checks import command
from tests.bot.talk import talking
from tests.fakes.provider import FakeLoader, FakeProvider, a_model

LOADED = a_model("acme/nova-8b", ModelState.LOADED, name="Nova 8B")
SLEEPING = a_model("acme/orion-7b", name="Orion 7B")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged at any level, as the shipped program writes it."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    written = io.StringIO()
    logs.configure("DEBUG", "json", None)
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


async def _buggy(ask: Ask) -> AsyncGenerator[Card]:
    if ask.argument:
        raise ZeroDivisionError("division by zero")
    yield await anext(_buggy(ask))


async def test_a_bug_gives_a_card_with_a_reference(
    tmp_path: Path, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person sees no traceback but a reference; the log has the traceback under it."""
    monkeypatch.setitem(BY_NAME, "status", replace(BY_NAME["status"], run=_buggy))
    async with talking(tmp_path) as talk:
        card = await talk.say("/status x")
    assert is_error(card)
    text = plain(card)
    assert "Algo deu errado aqui dentro." in text
    assert "Traceback" not in text
    assert "ZeroDivisionError" not in text
    reference = text.partition("(")[2].partition(")")[0]
    assert len(reference) == 6
    assert reference in log.getvalue()
    assert "ZeroDivisionError" in log.getvalue()


async def test_a_bug_while_answering_leaves_the_chat_usable(
    tmp_path: Path, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a bug the next message is answered, in the same chat."""
    async with talking(tmp_path, FakeProvider()) as talk:
        with monkeypatch.context() as patch:
            patch.setattr(chat_desk, "talk", _buggy)
            assert "Algo deu errado" in plain(await talk.say("oi"))
        assert (await talk.reply("oi")).text == "Certainly."
    assert log.getvalue()


async def test_what_a_bug_says_is_not_logged(
    tmp_path: Path, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message of an unforeseen exception may quote the person: the log has its kind and place only."""

    async def quoting(ask: Ask) -> AsyncGenerator[Card]:
        await asyncio.sleep(0)
        try:
            int(ask.argument)
        except ValueError as inner:
            raise LookupError(ask.argument) from inner
        yield Notice(Tone.INFO, "never")

    monkeypatch.setattr(chat_desk, "talk", quoting)
    async with talking(tmp_path) as talk:
        await talk.say("canário-azul")
    assert "canário" not in log.getvalue()
    assert "LookupError" in log.getvalue()
    assert "quoting" in log.getvalue()


async def test_the_log_never_holds_what_was_typed(tmp_path: Path, log: io.StringIO) -> None:
    """A whole conversation, with everything that can fail: none of the words typed is in the log."""
    host = FakeLoader([LOADED, SLEEPING])
    async with talking(tmp_path, host) as talk:
        host.answers = [
            (Delta("canary-answer"), Done("stop")),
            (Delta("canary-half"), Interrupted(LOADED, "ReadError")),
            (Interrupted(LOADED, "ReadError"),),
        ]
        host.loads[SLEEPING.key] = [(LoadFailed(SLEEPING, FailureKind.CRASHED, "exit 6"),)]
        for text in (
            "canary-first",
            "canary-second",
            "canary-third",
            "/system canary-system",
            "/use canary-model",
            "/use a",
            "/load canary-model",
            "/unload canary-model",
            "/models canary-filter",
            "/lang canary-language",
            "/canary",
            "/use #canary",
            "/use orion",
            "canary-fourth",
            "/retry",
        ):
            await talk.say(text)
    assert "no answer" in log.getvalue()
    assert "canary" not in log.getvalue()


class Broken(Store):
    """A database that cannot even be read."""

    async def _all(self, sql: str, *values: object) -> list[object]:
        raise StorageFailed("corrupt", str(self._path), f"{sql[:6]} {len(values)}")


@pytest.mark.parametrize("text", ["oi", "/help", "/xyzzy", "/stop"])
async def test_a_broken_database_is_told_whatever_is_said(tmp_path: Path, text: str) -> None:
    """respond() never raises a Problem, even for a word that is no command."""
    async with talking(tmp_path, FakeProvider()) as talk:
        talk.engine.store = Broken(talk.engine.store._db, tmp_path)
        card = await talk.say(text, language="en-GB")
    assert is_error(card)
    assert "The database is damaged." in plain(card)


async def test_the_load_that_fails_is_told_with_a_way_out(tmp_path: Path) -> None:
    """The reason, a recommendation, and one tap to have the question answered elsewhere."""
    host = FakeLoader([LOADED, SLEEPING])
    host.loads[SLEEPING.key] = [(LoadFailed(SLEEPING, FailureKind.CRASHED, "exit 6"),)]
    async with talking(tmp_path, host) as talk:
        await talk.say("/use orion")
        card = await talk.say("oi")
        assert is_error(card)
        text = plain(card)
        assert text.startswith('⚠️ Modelo "Orion 7B" não está disponível.')
        assert '💡 Recomendação: Selecione o modelo "Nova 8B" que está disponível.' in text
        assert command(card, "nova-8b e responder")
