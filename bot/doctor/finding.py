"""What the doctor finds: one line each, with what to do about it."""

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad it is; the worst one is the program's exit code."""

    OK = 0
    WARNING = 1
    ERROR = 2


MARKS = {Level.OK: "✅", Level.WARNING: "⚠️", Level.ERROR: "❌"}


@dataclass(frozen=True, slots=True)
class Finding:
    """In the reader's language. `remedy` says what to do, and is empty where all is well."""

    level: Level
    subject: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{MARKS[self.level]} {self.subject}: {self.text}"
        return f"{line}\n   → {self.remedy}" if self.remedy else line
