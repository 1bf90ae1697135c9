"""What is written for people agrees with the program."""

import re
import tomllib
from pathlib import Path

from bot.commands import COMMANDS
from core.people import Role
from core.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_commands_is_the_programs() -> None:
    """Every command stands in the README's table with its aliases and who may use it, and none that does not exist."""
    rows = re.findall(r"^\| `/(\w+)[^`]*` \|(.*?)\| (\w+) \|", README, flags=re.MULTILINE)
    table = {name: (tuple(re.findall(r"`/(\w+)`", aliases)), who) for name, aliases, who in rows}
    assert table == {command.name: (command.aliases, _who(command.role)) for command in COMMANDS}


def _who(role: Role) -> str:
    return "anybody" if role is Role.STRANGER else role.name.lower()


def test_every_setting_stands_in_the_example() -> None:
    """`.env.example` names every setting of the program, and none that does not exist."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?([A-Z0-9_]+)=", example, flags=re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_the_version_is_said_once() -> None:
    """`--version` tells the version of pyproject.toml."""
    from bot.__main__ import VERSION  # noqa: PLC0415  # importing the entry point builds the command line

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
