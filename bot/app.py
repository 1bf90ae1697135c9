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
from bot.assistant import Assistant, where
from bot.cards import plain
from bot.surface import Platform, Responder
from bot.texts import Speech, match
from core.engine import open_engine
from core.errors import Problem, SettingWrong, StorageFailed
from core.settings import Settings, read

log = structlog.get_logger(__name__)

FAILED = 1
KNOWN = ("telegram", "console")


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
        platforms = [_open(name, settings) for name in names]
        engine.start()
        assistant = Assistant(engine)
        t = Speech(settings.language)
        async with asyncio.TaskGroup() as group:
            runs = [group.create_task(_stand(p, assistant, t), name=p.name) for p in platforms]
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
    """The platforms of the settings; without any, those that have a token, else the console."""
    unknown = [name for name in settings.platforms if name not in KNOWN]
    if unknown:
        raise SettingWrong("PLATFORMS", f"{', '.join(unknown)} ≠ {', '.join(KNOWN)}")
    if settings.platforms:
        return tuple(dict.fromkeys(settings.platforms))
    return ("telegram",) if settings.telegram_bot_token else ("console",)


def _prepare(settings: Settings, names: tuple[str, ...]) -> None:
    """Make the data folder and begin to log."""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageFailed("read-only", str(folder), error.strerror or "") from error
    to_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    quiet = "console" in names and (to_terminal or not settings.platforms)
    tokens = (settings.telegram_bot_token, settings.lmstudio_token)
    logs.configure(
        settings.log_level,
        settings.log_format,
        folder / "orquestrador.log" if quiet else None,
        secrets=[token.get_secret_value() for token in tokens if token is not None],
    )


def _open(name: str, settings: Settings) -> Platform:
    """A platform by its name. Its libraries are imported here: only what is used."""
    return _telegram(settings) if name == "telegram" else _console(settings)


def _telegram(settings: Settings) -> Platform:
    t = Speech(settings.language)
    if settings.telegram_bot_token is None:
        raise SettingWrong("TELEGRAM_BOT_TOKEN", t("telegram.no_token"))
    try:
        from bot.platforms.telegram import TelegramPlatform  # noqa: PLC0415  # only when it is used
    except ModuleNotFoundError as missing:
        if missing.name != "telegram":
            raise
        raise SettingWrong("PLATFORMS", t("telegram.not_installed")) from None
    from bot.platforms.telegram import TelegramTexts  # noqa: PLC0415  # same

    def speak(language: str | None) -> TelegramTexts:
        t = Speech(match(language, settings.language))
        return TelegramTexts(
            stopped=t("stop.done"),
            nothing=t("telegram.nothing"),
            stale=t("telegram.stale"),
            not_yours=t("telegram.not_yours"),
            unreadable=t("telegram.unreadable"),
            unreadable_body=t("telegram.unreadable_body"),
            too_large=t("telegram.too_large"),
            too_large_body=t("telegram.too_large_body"),
            not_text=t("telegram.not_text"),
            not_fetched=t("telegram.not_fetched"),
            not_fetched_body=t("telegram.not_fetched_body"),
            photo=t("telegram.photo"),
            rejected=t("telegram.rejected"),
        )

    return TelegramPlatform(
        settings.telegram_bot_token.get_secret_value(), settings.telegram_api_root, speak=speak
    )


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
