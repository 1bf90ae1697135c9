"""The code for the first administrator, told to whoever started the program: on its terminal, never in its log."""

import sys
from collections.abc import Sequence

from bot.cards import Notice, Tone
from bot.surface import Platform
from bot.texts import LANGUAGES, Speech
from core.conversation import ChatRef
from core.engine import Engine

CONSOLE = "console"
_AT_THE_MACHINE = ChatRef(CONSOLE, "local")


async def offer(engine: Engine, platforms: Sequence[Platform]) -> None:
    """Print a code if nobody may administer yet; whoever sits at the console needs none."""
    if all(platform.name == CONSOLE for platform in platforms):
        return
    console = next((platform for platform in platforms if platform.name == CONSOLE), None)

    async def tell_anew(code: str) -> None:
        if console is not None and sys.stdin.isatty() and sys.stdout.isatty():  # somebody talks there
            await console.surface(_AT_THE_MACHINE).post(Notice(Tone.INFO, _words(code)))
        else:
            _print(code)

    engine.access.announce = tell_anew
    if not engine.access.has_administrator:
        _print(await engine.access.new_code())


def _print(code: str) -> None:
    sys.stderr.write(f"\n{_words(code)}\n\n")
    sys.stderr.flush()


def _words(code: str) -> str:
    """In every language: it is not known who reads it."""
    return "\n".join(f"🔑 {Speech(language)('pair.print', code=code)}" for language in LANGUAGES)
