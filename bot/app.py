"""Puts everything together and runs it: the other composition root."""

import asyncio
import contextlib
import importlib
import os
import pkgutil
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from typing import TextIO

import structlog
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from bot import logs, platforms, present
from bot.assistant import Assistant, where
from bot.cards import plain
from bot.opening import Opening, OpenPlatform
from bot.surface import Platform, Responder
from bot.texts import Speech, match
from core.engine import open_engine
from core.errors import Problem, SettingWrong, StorageFailed
from core.settings import Settings, read

log = structlog.get_logger(__name__)

FAILED = 1
KNOWN = tuple(sorted(module.name for module in pkgutil.iter_modules(platforms.__path__)))


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
    names = _names(settings)
    _prepare(settings, names)
    async with open_engine(settings) as engine, _ended_by_signals():
        t = Speech(settings.language)
        opening = _opening(settings)
        opened = [_open(name, opening, t) for name in names]
        engine.start()
        assistant = Assistant(engine)
        async with asyncio.TaskGroup() as group:
            runs = [group.create_task(_stand(p, assistant, t), name=p.name) for p in opened]
        return max(run.result() for run in runs)


async def _stand(platform: Platform, responder: Responder, t: Speech) -> int:
    """Run a platform until it ends; its exit code. Whatever happens to it, the others run on."""
    try:
        await platform.run(responder)
    except Problem as problem:
        log.error("platform ended", platform=platform.name, problem=str(problem))  # noqa: TRY400  # known, and said
        return complain(problem, t)
    except BaseExceptionGroup as group:
        problems, others = group.split(Problem)
        if problems is None or others is not None:
            if not isinstance(group, Exception):
                raise
            return _crashed(platform, group)
        log.error("platform ended", platform=platform.name, problem=str(_first(problems)))  # noqa: TRY400  # same
        return complain(_first(problems), t)
    except Exception as bug:  # noqa: BLE001  # a bug in one platform must not end the others
        return _crashed(platform, bug)
    return FAILED if getattr(platform, "failed", False) else 0


def _crashed(platform: Platform, bug: Exception) -> int:
    """Log the kind and the lines of code: the words of an exception may hold a token or quote a person."""
    log.error("platform crashed", platform=platform.name, where=where(bug))
    return FAILED


def _first(group: BaseExceptionGroup[Problem]) -> Problem:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _names(settings: Settings) -> tuple[str, ...]:
    """The platforms of the settings; without any, those whose token is set, else the console."""
    unknown = [name for name in settings.platforms if name not in KNOWN]
    if unknown:
        raise SettingWrong("PLATFORMS", f"{', '.join(unknown)} ≠ {', '.join(KNOWN)}")
    if settings.platforms:
        return tuple(dict.fromkeys(settings.platforms))
    with_token = tuple(name for name in KNOWN if getattr(settings, f"{name}_bot_token", None) is not None)
    return with_token or ("console",)


def _opening(settings: Settings) -> Opening:
    """What a platform may know of the program."""
    return Opening(
        setting=partial(getattr, settings),
        speak=lambda language: Speech(match(language, settings.language)),
        data_dir=settings.data_dir,
    )


def _prepare(settings: Settings, names: tuple[str, ...]) -> None:
    """Make the data folder and begin to log."""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageFailed("read-only", str(folder), error.strerror or "") from error
    to_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    quiet = "console" in names and (to_terminal or not settings.platforms)
    values = (getattr(settings, name) for name in Settings.model_fields)
    logs.configure(
        settings.log_level,
        settings.log_format,
        folder / "orquestrador.log" if quiet else None,
        secrets=[value.get_secret_value() for value in values if isinstance(value, SecretStr)],
    )


def _open(name: str, opening: Opening, t: Speech) -> Platform:
    """A platform by its name. Its libraries are imported here: only those of what is used."""
    try:
        package = importlib.import_module(f"bot.platforms.{name}")
    except ModuleNotFoundError as missing:
        if (missing.name or "bot").partition(".")[0] in {"bot", "core"}:
            raise
        raise SettingWrong("PLATFORMS", t("platform.not_installed", library=missing.name)) from None
    open_platform: OpenPlatform = package.open_platform
    return open_platform(opening)


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
        with contextlib.suppress(NotImplementedError):  # same
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
