"""What every Problem is."""

from dataclasses import dataclass, fields
from typing import ClassVar

from core.model import Model


@dataclass(eq=False)
class Problem(Exception):
    """Base of the tree. `key` names the text; `remedies` are command lines that become buttons."""

    key: ClassVar[str] = "problem.unknown"

    def __str__(self) -> str:
        shown = (f"{f.name}={_brief(getattr(self, f.name))}" for f in fields(self))
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def remedies(self) -> tuple[str, ...]:
        """Commands that may mend it, most hopeful first."""
        return ()


def _brief(value: object) -> str:
    if isinstance(value, Model):
        return value.id
    if isinstance(value, tuple):
        return "[" + ", ".join(_brief(v) for v in value) + "]"
    return str(value)[:200]
