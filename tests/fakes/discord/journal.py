"""Every call a bot made, and how a test waits for one."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.fakes.telegram.bell import Bell


@dataclass(frozen=True, slots=True)
class Call:
    """One call, written down when it was answered. Status 0: the connection ended without an answer.

    `route` is its name in the OpenAPI, such as `PATCH /channels/{channel_id}/messages/{message_id}`.
    """

    route: str
    path: str
    body: Any
    files: tuple[str, ...]
    parameters: Mapping[str, str]
    time: float
    done: float
    status: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """A call Discord does not have, or not with this body."""

    route: str
    problem: str


class Journal:
    def __init__(self, bell: Bell) -> None:
        self.calls: list[Call] = []
        self.violations: list[Violation] = []
        self._bell = bell

    def add(self, call: Call) -> None:
        self.calls.append(call)
        self._bell.ring()

    def matching(self, route: str = "*", *, status: int | None = None) -> list[Call]:
        """The calls of a route or pattern of routes."""
        return [
            call
            for call in self.calls
            if (call.route == route or fnmatchcase(call.route, route) or fnmatchcase(call.path, route))
            and (status is None or call.status == status)
        ]

    async def wait_for(self, route: str, n: int, timeout: float, *, status: int | None = None) -> list[Call]:
        """Return the calls once there are `n` of them, counted from the start."""

        def look() -> list[Call] | None:
            found = self.matching(route, status=status)
            return found if len(found) >= n else None

        def told() -> str:
            seen = ", ".join(f"{call.route} {call.status}" for call in self.calls[-20:])
            return f"wanted {n} x {route}; the last calls were: {seen}"

        return await self._bell.until(look, timeout, told)
