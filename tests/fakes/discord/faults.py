"""Rules that make single calls go wrong."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

KINDS = ("status", "bare", "global", "banned", "drop", "lost", "hang", "slow")


@dataclass
class Fault:
    """One rule; numbers follow the kind after colons. `route` is a pattern for "METHOD /path".

    `status:429:7` asks to wait 7 s with the headers of a bucket, `bare:7` without them, `global:7` for all
    calls; `status:502` is a proxy's page, any other `status:N` an error of Discord; `banned` is the proxy's
    own 429; `drop` resets the connection before the call has any effect and `lost` after it; `hang` never
    answers; `slow:2` answers 2 s later.
    """

    route: str
    kind: str
    times: int | None = 1
    after: int = 0

    def __post_init__(self) -> None:
        self.kind, *numbers = self.kind.split(":")
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}; one of {', '.join(KINDS)}")
        self.numbers = [float(number) for number in numbers]

    def number(self, place: int, default: float) -> float:
        return self.numbers[place] if len(self.numbers) > place else default


class Faults:
    """The rules in force, oldest first."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def take(self, call: str) -> Fault | None:
        """The fault this call meets, if any; a rule that has done its times is gone."""
        for rule in self.rules:
            if not fnmatchcase(call, rule.route):
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
