"""The clock idle time runs on: the real one, or one a test moves."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def now(self) -> float: ...
    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer: ...


class RealClock:
    def now(self) -> float:
        return time.monotonic()

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, action)


@dataclass(eq=False)
class _Alarm:
    due: float
    action: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualClock:
    """Stands still until a test calls `advance`; due alarms then ring in order, at once."""

    def __init__(self) -> None:
        self._now = 0.0
        self._alarms: list[_Alarm] = []

    def now(self) -> float:
        return self._now

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        alarm = _Alarm(self._now + seconds, action)
        self._alarms.append(alarm)
        return alarm

    def advance(self, seconds: float) -> None:
        until = self._now + seconds
        while due := [a for a in self._alarms if not a.cancelled and a.due <= until]:
            alarm = min(due, key=lambda a: a.due)
            self._alarms.remove(alarm)
            self._now = max(self._now, alarm.due)
            alarm.action()
        self._now = until
