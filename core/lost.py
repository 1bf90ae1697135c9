"""What can go wrong with stored keys and with the master keys that open them: Problems, as in `core.errors`."""

from dataclasses import dataclass
from typing import ClassVar

from core.errors import Problem


@dataclass(eq=False)
class KeyUnreadable(Problem):
    """The stored key does not decrypt: its master key is gone, or its row was changed."""

    vendor: str
    key: ClassVar[str] = "problem.key-unreadable"

    @property
    def remedies(self) -> tuple[str, ...]:
        """Enter it anew."""
        return (f"key set {self.vendor}",)


@dataclass(eq=False)
class KeyRingWrong(Problem):
    """The file of master keys cannot be used. `reason` names a text (`open`, `unreadable`, `damaged`, `lost`)."""

    reason: str
    path: str
    detail: str = ""
    key: ClassVar[str] = "problem.key-ring"
