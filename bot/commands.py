"""THE table of commands. Menus, help, completion and parsing are derived from it.

Summaries and argument patterns are the texts `command.NAME.summary` and `command.NAME.arguments`.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from bot.cards import Card
from bot.desk import chat, models, settings
from bot.desk.ask import Ask

Run = Callable[[Ask], AsyncGenerator[Card]]


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `completes` names what its argument may be; `overtakes` = does not wait for an answer.

    `asks` = the id of the question that such an argument has answered anew, which ends an answer to it.
    """

    name: str
    aliases: tuple[str, ...]
    run: Run
    completes: str = ""
    overtakes: bool = False
    asks: Callable[[str], int | None] = lambda _: None


COMMANDS: tuple[Command, ...] = (
    Command("start", (), settings.start),
    Command("help", ("ajuda",), settings.help_, overtakes=True),
    Command("models", ("modelos",), models.models, completes="models", overtakes=True),
    Command("use", ("usar",), models.use, completes="models", asks=models.question_of),
    Command("load", ("carregar",), models.load, completes="models"),
    Command("unload", ("descarregar",), models.unload, completes="models", overtakes=True),
    Command("status", (), settings.status, overtakes=True),
    Command("suggest", ("sugerir",), models.suggest, overtakes=True),
    Command("reset", (), models.reset, overtakes=True),
    Command("new", ("novo",), chat.new),
    Command("stop", ("parar",), chat.stop, overtakes=True),
    Command("retry", ("refazer",), chat.retry),
    Command("system", ("sistema",), chat.system),
    Command("lang", ("idioma",), settings.lang, completes="languages"),
)

BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
