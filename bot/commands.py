"""THE table of commands. Menus, help, completion and parsing are derived from it.

Summaries and argument patterns are the texts `command.NAME.summary` and `command.NAME.arguments`.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from bot.cards import Card
from bot.desk import bench, chat, keys, models, people, places, settings, stats
from bot.desk.ask import Ask
from bot.desk.keywords import carries_key, is_shared
from core.keyshape import LONGEST as LONGEST_KEY
from core.people import Role

Run = Callable[[Ask], AsyncGenerator[Card]]
ASKING = "ask"  # what follows is a plain message: for places where only commands are heard
LONGEST_ARGUMENT = 1000  # characters
LONGEST_INSTRUCTION = 20_000


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `completes` names what its argument may be; `overtakes` = does not wait for an answer.

    `asks` = the id of the question that such an argument has answered anew, which ends an answer to it.
    `role` = who may use it at the least; `grave` = arguments that only an administrator may give; `place` = it
    concerns the chat, group or server alone, so that whoever manages that may use it. `longest` = characters of
    the argument.
    `secret` = whether such an argument may hold a key, so that the message must not stay readable.
    `personal` = the answer concerns whoever asks alone.
    """

    name: str
    aliases: tuple[str, ...]
    run: Run
    completes: str = ""
    overtakes: bool = False
    asks: Callable[[str], int | None] = lambda _: None
    role: Role = Role.GUEST
    grave: Callable[[str], bool] = _never
    place: bool = False
    longest: int = LONGEST_ARGUMENT
    secret: Callable[[str], bool] | None = None
    personal: bool = False

    def needs(self, argument: str) -> Role:
        """Who may use it with that argument."""
        return Role.ADMINISTRATOR if self.grave(argument) else self.role


COMMANDS: tuple[Command, ...] = (
    Command("start", (), settings.start),
    Command("help", ("ajuda",), settings.help_, overtakes=True, personal=True),
    Command(ASKING, ("perguntar",), chat.talk),
    Command("models", ("modelos",), models.models, completes="models", overtakes=True),
    Command("use", ("usar",), models.use, completes="models", asks=models.question_of, grave=models.anyway),
    Command("load", ("carregar",), models.load, completes="models", role=Role.MEMBER, grave=models.anyway),
    Command(
        "unload",
        ("descarregar",),
        models.unload,
        completes="models",
        overtakes=True,
        role=Role.MEMBER,
        grave=models.forced,
    ),
    Command("status", (), settings.status, overtakes=True, role=Role.MEMBER),
    Command("stats", ("estatisticas",), stats.stats, completes="figures", overtakes=True, grave=stats.whole),
    Command("bench", ("medir",), bench.bench, completes="models", role=Role.MEMBER),
    Command("suggest", ("sugerir",), models.suggest, overtakes=True),
    Command("reset", (), models.reset, overtakes=True, role=Role.ADMINISTRATOR),
    Command("new", ("novo",), chat.new),
    Command("stop", ("parar",), chat.stop, overtakes=True),
    Command("retry", ("refazer",), chat.retry),
    Command("system", ("sistema",), chat.system, completes="instructions", longest=LONGEST_INSTRUCTION),
    Command(
        "key",
        ("chave",),
        keys.key,
        completes="keys",
        overtakes=True,
        grave=is_shared,
        longest=2 * LONGEST_KEY,
        secret=carries_key,
        personal=True,
    ),
    Command("reload", ("recarregar",), settings.reload, overtakes=True, role=Role.ADMINISTRATOR),
    Command("here", ("aqui",), places.here, overtakes=True, role=Role.ADMINISTRATOR, place=True),
    Command("thread", ("topico",), places.thread, overtakes=True),
    Command("lang", ("idioma",), settings.lang, completes="languages"),
    Command("pair", ("parear",), people.pair, overtakes=True, role=Role.STRANGER, personal=True),
    Command(
        "people",
        ("pessoas",),
        people.people,
        completes="people",
        overtakes=True,
        role=Role.ADMINISTRATOR,
        personal=True,
    ),
    Command(
        "allow",
        ("permitir",),
        people.allow,
        completes="people",
        overtakes=True,
        role=Role.ADMINISTRATOR,
        personal=True,
    ),
    Command(
        "deny",
        ("negar",),
        people.deny,
        completes="people",
        overtakes=True,
        role=Role.ADMINISTRATOR,
        personal=True,
    ),
)

BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
