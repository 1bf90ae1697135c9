"""Rules that make single calls go wrong."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

KINDS = ("status", "html", "drop", "lost", "hang", "slow")


@dataclass
class Fault:
    """One rule; numbers follow the kind after colons.

    `status:429:7` asks to wait 7 s, `status:502` is a proxy's page, any other `status:N` an error with `text`;
    `html` is a page with status 200; `drop` resets the connection before the call has any effect and `lost`
    after it; `hang` never answers; `slow:2` answers 2 s later.
    """

    method: str
    kind: str
    times: int | None = 1
    after: int = 0
    chat: int | None = None
    text: str = "Internal Server Error"

    def __post_init__(self) -> None:
        self.kind, *numbers = self.kind.split(":")
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}; one of {', '.join(KINDS)}")
        self.numbers = [float(number) for number in numbers]

    def number(self, place: int, default: float) -> float:
        return self.numbers[place] if len(self.numbers) > place else default

    def meets(self, method: str, chat: int | None) -> bool:
        wanted = fnmatchcase(method.lower(), self.method.lower())
        return wanted and (self.chat is None or self.chat == chat)


class Faults:
    """The rules in force, oldest first."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def take(self, method: str, chat: int | None) -> Fault | None:
        """The fault this call meets, if any; a rule that has done its times is gone."""
        for rule in self.rules:
            if not rule.meets(method, chat):
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
