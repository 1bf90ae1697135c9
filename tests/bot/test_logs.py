"""Logs: where they go and in which form."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bot import logs
from core.masks import Masks


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging is the process's own: put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_in_the_file_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a file nothing goes to the terminal; libraries' records have the same form as ours."""
    file = tmp_path / "x.log"
    logs.configure("INFO", "json", file)
    structlog.get_logger("core.x").warning("model inactive", model="ação")
    logging.getLogger("some.library").error("broken %s", "pipe")
    structlog.get_logger("core.x").debug("not at this level")
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [(n["level"], n["logger"], n["event"]) for n in lines] == [
        ("warning", "core.x", "model inactive"),
        ("error", "some.library", "broken pipe"),
    ]
    assert lines[0]["model"] == "ação"
    assert capsys.readouterr() == ("", "")


def test_no_file_before_there_is_something_to_write(tmp_path: Path) -> None:
    """An uneventful run leaves no empty file behind."""
    logs.configure("INFO", "console", tmp_path / "x.log")
    assert list(tmp_path.iterdir()) == []


def test_without_a_file_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """For a service manager; as words and values."""
    logs.configure("INFO", "console", None)
    structlog.get_logger("core.x").info("ready", seconds=9.1)
    written = capsys.readouterr()
    assert written.out == ""
    assert "level='info' logger='core.x' event='ready' seconds=9.1" in written.err


def test_a_secret_is_in_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a message nor a traceback of a library shows it."""
    logs.configure("DEBUG", "console", None, Masks(("s3cret", "")))
    refused = ValueError("bot s3cret refused")
    logging.getLogger("some.library").error("GET /s3cret/x", exc_info=refused)
    written = capsys.readouterr().err
    assert "bot ••• refused" in written
    assert "s3cret" not in written


@pytest.mark.parametrize("name", ["telegram.BaseRequest", "discord.gateway", "discord.webhook.async_"])
def test_the_libraries_of_the_platforms_are_silent(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They would quote what people send, and tokens of interactions."""
    logs.configure("DEBUG", "console", None)
    logging.getLogger(name).critical("what somebody wrote")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", logs.LOUD)
def test_clients_that_log_addresses_are_hushed(name: str) -> None:
    """Addresses may hold tokens: such libraries speak from WARNING on, even at DEBUG."""
    logs.configure("DEBUG", "json", None)
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert logging.getLogger(name).isEnabledFor(logging.WARNING)


@pytest.mark.parametrize("form", ["json", "console"])
def test_the_conversation_is_in_every_line(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Ours and those of libraries, as long as one answers it."""
    logs.configure("INFO", form, None)
    with structlog.contextvars.bound_contextvars(chat="telegram:42:0"):
        structlog.get_logger("core.x").info("ready")
        logging.getLogger("some.library").error("broken")
    structlog.get_logger("core.x").info("after")
    lines = capsys.readouterr().err.splitlines()
    assert ["telegram:42:0" in line for line in lines] == [True, True, False]
