"""Rules that make single answers of a fake LM Studio go wrong."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

KINDS = (
    "status",
    "html",
    "drop",
    "drop-mid",
    "garbage",
    "empty",
    "error-event",
    "hang",
    "hang-mid",
    "crash",
    "down",
    "warning",
)


@dataclass
class Fault:
    """One rule. `kind` may carry a number after a colon: `status:503`, `crash:2`, `down:0.5`."""

    target: str
    kind: str
    times: int | None = 1
    after: int = 0
    text: str = "Internal error"
    amount: float | None = None

    def __post_init__(self) -> None:
        name, _, number = self.kind.partition(":")
        if name not in KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}; one of {', '.join(KINDS)}")
        self.kind = name
        if number:
            self.amount = float(number)

    @property
    def status(self) -> int:
        return int(self.amount or 500)

    @property
    def tokens(self) -> int:
        return 1 if self.amount is None else int(self.amount)

    @property
    def seconds(self) -> float:
        return 0.1 if self.amount is None else self.amount


class Faults:
    """The rules in force, oldest first."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def add(self, target: str, kind: str, **options: Any) -> Fault:
        rule = Fault(target, kind, **options)
        self.rules.append(rule)
        return rule

    def take(self, *names: str) -> Fault | None:
        """The fault this request meets, if any; a rule that has done its times is gone."""
        for rule in self.rules:
            if not any(fnmatchcase(name, rule.target) for name in names):
                continue
            if rule.after > 0:
                rule.after -= 1
                continue
            if rule.times is not None:
                rule.times -= 1
                if rule.times <= 0:
                    self.rules.remove(rule)
            return rule
        return None
