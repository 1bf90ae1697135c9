"""Puts everything together and runs it: the other composition root."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from typing import TextIO

import structlog
from pydantic_settings import BaseSettings

from bot import logs, present
from bot.assistant import Assistant
from bot.cards import plain
from bot.surface import Platform
from bot.texts import Speech, match
from core.engine import open_engine
from core.errors import Problem, SettingWrong, StorageFailed
from core.settings import Settings, read

log = structlog.get_logger(__name__)

FAILED = 1
KNOWN = ("console",)


def run() -> int:
    """Run every configured platform until it ends; the exit code."""
    try:
        settings = read()
    except SettingWrong as wrong:
        return complain(wrong, Speech(_language_of_the_system()))
    try:
        return asyncio.run(_run(settings))
    except KeyboardInterrupt:
        return 130


def complain(problem: Problem, t: Speech, to: TextIO | None = None) -> int:
    """Say a Problem that keeps the program from starting, with its remedy; the exit code."""
    print(plain(present.trouble(problem, t)), file=to or sys.stderr)
    return FAILED


async def _run(settings: Settings) -> int:
    try:
        return await _serve(settings)
    except Problem as problem:
        return complain(problem, Speech(settings.language))
    except BaseExceptionGroup as group:
        problems, others = group.split(Problem)
        if others is not None or problems is None:
            raise
        return complain(_first(problems), Speech(settings.language))
    except _Terminated:
        return 0


class _Terminated(Exception):
    """SIGTERM came, and everything has been put away."""


async def _serve(settings: Settings) -> int:
    _prepare(settings)
    async with open_engine(settings) as engine, _ended_by_signals():
        platforms = _platforms(settings)
        engine.start()
        assistant = Assistant(engine)
        async with asyncio.TaskGroup() as group:
            for platform in platforms:
                group.create_task(platform.run(assistant), name=platform.name)
        return FAILED if any(getattr(p, "failed", False) for p in platforms) else 0


def _first(group: BaseExceptionGroup[Problem]) -> Problem:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _prepare(settings: Settings) -> None:
    """Make the data folder and begin to log."""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageFailed("read-only", str(folder), error.strerror or "") from error
    to_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    quiet = to_terminal or not settings.platforms
    logs.configure(settings.log_level, settings.log_format, folder / "orquestrador.log" if quiet else None)


def _platforms(settings: Settings) -> list[Platform]:
    """The platforms of the settings. Their libraries are imported here, only those that are used."""
    names = settings.platforms or ("console",)
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise SettingWrong("PLATFORMS", f"{', '.join(unknown)} ≠ {', '.join(KNOWN)}")
    return [_console(settings)]


def _console(settings: Settings) -> Platform:
    from bot.platforms.console import ConsolePlatform, ConsoleTexts  # noqa: PLC0415  # only when it is used

    t = Speech(settings.language)
    texts = ConsoleTexts(
        language=None,
        placeholder=t("console.placeholder"),
        stop_hint=t("console.stop_hint"),
        press_number=t("console.press_number"),
        thinking=t("console.thinking"),
        one_word=t("console.one_word"),
        words=t("console.words"),
        unfold_hint=t("console.unfold_hint"),
        rewritten=t("console.rewritten"),
        stopped=t("console.stopped"),
        goodbye=t("console.goodbye"),
    )
    return ConsolePlatform(history_file=settings.data_dir / "history", texts=texts)


@contextlib.asynccontextmanager
async def _ended_by_signals() -> AsyncIterator[None]:
    """SIGTERM ends the program as leaving does: answers are kept, children end."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    assert task is not None
    asked = False

    def end() -> None:
        nonlocal asked
        asked = True
        task.cancel()

    with contextlib.suppress(NotImplementedError):  # Windows has no SIGTERM to catch
        loop.add_signal_handler(signal.SIGTERM, end)
    try:
        yield
    except asyncio.CancelledError as cancelled:  # Ctrl-C cancels too, and is no ordinary end
        if asked:
            raise _Terminated from cancelled
        raise
    finally:
        with contextlib.suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGTERM)


def _language_of_the_system() -> str:
    """The settings could not be read: of all of them only the language is read again, as it stands."""

    class Wanted(BaseSettings):
        model_config = Settings.model_config
        language: str = ""

    try:
        return match(Wanted().language)
    except ValueError:  # .env is no text
        return match(os.environ.get("LANGUAGE"))
