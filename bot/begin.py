"""How every command of the program begins: with the settings, or with a word on which of them is wrong."""

import os
import sys
from collections.abc import Callable
from typing import TextIO

from pydantic_settings import BaseSettings

from bot import present
from bot.cards import plain
from bot.texts import Speech, match
from core.errors import Problem, SettingWrong
from core.settings import Settings, read

FAILED = 1
INTERRUPTED = 130  # as shells say it of Ctrl-C


def with_settings(do: Callable[[Settings], int], failed: int = FAILED) -> int:
    """Read the settings and do it; the exit code, which is `failed` where they cannot be read."""
    try:
        settings = read()
    except SettingWrong as wrong:
        complain(wrong, Speech(language_of_the_system()))
        return failed
    try:
        return do(settings)
    except KeyboardInterrupt:
        return INTERRUPTED


def complain(problem: Problem, t: Speech, to: TextIO | None = None) -> int:
    """Say a Problem that keeps the program from starting, with its remedy; the exit code."""
    print(plain(present.trouble(problem, t)), file=to or sys.stderr)
    return FAILED


def language_of_the_system() -> str:
    """The settings could not be read: of all of them only the language is read again, as it stands."""

    class Wanted(BaseSettings):
        model_config = Settings.model_config
        language: str = ""

    try:
        return match(Wanted().language)
    except ValueError:  # .env is no text
        return match(os.environ.get("LANGUAGE"))
