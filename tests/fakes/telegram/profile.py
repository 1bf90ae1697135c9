"""What the bot says of itself: commands per scope and language, name and descriptions."""

import json
import re
from dataclasses import dataclass, field

from tests.fakes.telegram.wire import Json, bad

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_LONGEST = {"description": 512, "short_description": 120, "name": 64}
_TOO_MANY = 100


@dataclass
class Profile:
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    menu_button: Json = field(default_factory=lambda: {"type": "commands"})

    @staticmethod
    def key(parameters: Json) -> tuple[str, str]:
        """The scope, as sorted JSON, and the language."""
        scope = parameters.get("scope") or {"type": "default"}
        return json.dumps(scope, sort_keys=True), language(parameters)

    def commands_for(self, scope: str = "default", language_code: str = "", **more: int) -> dict[str, str]:
        """For tests: command and description, as set for exactly this scope and language."""
        key = json.dumps({"type": scope, **more}, sort_keys=True), language_code
        return {each["command"]: each["description"] for each in self.commands.get(key, [])}

    def set_commands(self, parameters: Json) -> None:
        commands = parameters["commands"]
        if len(commands) > _TOO_MANY:
            raise bad("too many commands specified")
        for each in commands:
            if not _COMMAND.fullmatch(each["command"].removeprefix("/")):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(each["description"]) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[self.key(parameters)] = commands

    def set_text(self, what: str, parameters: Json) -> None:
        text = str(parameters.get(what, ""))
        if len(text) > _LONGEST[what]:
            raise bad(f"BOT_{what.upper()}_TOO_LONG")
        self.texts[what, language(parameters)] = text

    def text(self, what: str, parameters: Json) -> str:
        asked = self.texts.get((what, language(parameters)), "")
        return asked or self.texts.get((what, ""), "")


def language(parameters: Json) -> str:
    code = str(parameters.get("language_code", ""))
    if code and not _LANGUAGE.fullmatch(code):
        raise bad("invalid language code specified")
    return code
