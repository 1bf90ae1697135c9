"""Every call a bot made, and how a test waits for one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.telegram.bell import Bell


@dataclass(frozen=True, slots=True)
class Call:
    """One call, written down when it was answered. Status 0: the connection ended without an answer."""

    method: str
    chat: int | None
    thread: int | None
    parameters: Mapping[str, Any]
    time: float
    done: float
    status: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """A call the Bot API does not have, or not with these parameters."""

    method: str
    problem: str


class Journal:
    def __init__(self, bell: Bell) -> None:
        self.arrived: list[str] = []
        self.calls: list[Call] = []
        self.violations: list[Violation] = []
        self._bell = bell

    def arrive(self, method: str) -> None:
        self.arrived.append(method)
        self._bell.ring()

    def add(self, call: Call) -> None:
        self.calls.append(call)
        self._bell.ring()

    def matching(self, method: str = "", *, chat: int | None = None, status: int | None = None) -> list[Call]:
        return [
            call
            for call in self.calls
            if (not method or call.method == method)
            and (chat is None or call.chat == chat)
            and (status is None or call.status == status)
        ]

    async def wait_for(
        self, method: str, n: int, timeout: float, *, chat: int | None = None, status: int | None = None
    ) -> list[Call]:
        """Return the calls once there are `n` of them, counted from the start."""

        def look() -> list[Call] | None:
            found = self.matching(method, chat=chat, status=status)
            return found if len(found) >= n else None

        def told() -> str:
            seen = ", ".join(f"{call.method} {call.status}" for call in self.calls[-20:])
            return f"wanted {n} x {method}; the last calls were: {seen}"

        return await self._bell.until(look, timeout, told)

    async def wait_arrived(self, method: str, n: int, timeout: float) -> None:
        """Return once `n` calls of a method have come in, answered or not."""
        await self._bell.until(
            lambda: True if self.arrived.count(method) >= n else None,
            timeout,
            lambda: f"wanted {n} x {method}; the last to arrive were: {', '.join(self.arrived[-20:])}",
        )
