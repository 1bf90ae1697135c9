"""The table of commands, and that everything else is derived from it."""

from collections import Counter

import pytest

from bot.commands import BY_NAME, COMMANDS
from bot.texts import LANGUAGES, Speech

ACCESS = {"pair", "people", "allow", "deny"}
WANTED = {
    "models": ("modelos",),
    "use": ("usar",),
    "load": ("carregar",),
    "unload": ("descarregar",),
    "status": (),
    "suggest": ("sugerir",),
    "stats": ("estatisticas",),
    "bench": ("medir",),
    "reset": (),
    "new": ("novo",),
    "stop": ("parar",),
    "retry": ("refazer",),
    "system": ("sistema",),
    "key": ("chave",),
    "reload": ("recarregar",),
    "ask": ("perguntar",),
    "here": ("aqui",),
    "thread": ("topico",),
    "lang": ("idioma",),
    "help": ("ajuda",),
    "start": (),
    "pair": ("parear",),
    "people": ("pessoas",),
    "allow": ("permitir",),
    "deny": ("negar",),
}


def test_every_command_and_alias_is_there_exactly_once() -> None:
    """The commands that were asked for, with their Portuguese names, and no name twice."""
    assert {c.name: c.aliases for c in COMMANDS} == WANTED
    names = Counter(name for c in COMMANDS for name in (c.name, *c.aliases))
    assert max(names.values()) == 1
    assert BY_NAME.keys() == names.keys()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(WANTED))
def test_every_command_has_a_summary(name: str, language: str) -> None:
    """A menu has words for each command, short enough for Discord's 100 characters."""
    assert 0 < len(Speech(language)(f"command.{name}.summary")) <= 100


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_names_fit_every_platform(name: str) -> None:
    """Telegram and Discord take lower-case letters only, at most 32."""
    assert name.isascii()
    assert name.islower()
    assert name.isalpha()
    assert len(name) <= 32


def test_stopping_and_looking_overtake() -> None:
    """What a person needs while an answer runs does not wait for it; what changes the conversation does."""
    overtaking = {c.name for c in COMMANDS if c.overtakes}
    assert (
        overtaking
        == {
            *("help", "models", "unload", "status", "stats", "suggest", "reset", "stop", "key", "reload"),
            *("here", "thread"),
        }
        | ACCESS
    )
