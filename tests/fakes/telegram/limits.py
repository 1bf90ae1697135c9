"""Flood control: so many calls a chat and second, then a wait in which every call fails."""

import math
import time
from collections import deque
from fnmatch import fnmatchcase

from tests.fakes.telegram.switches import Switches
from tests.fakes.telegram.wire import too_many


class Limits:
    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._taken: dict[int, deque[float]] = {}
        self._closed_until: dict[int, float] = {}

    def pass_or_fail(self, method: str, chat: int | None) -> None:
        allowed = self._switches.calls_per_second
        if allowed is None or chat is None:
            return
        if not any(fnmatchcase(method.lower(), pattern) for pattern in self._switches.limited):
            return
        now = time.monotonic()
        closed = self._closed_until.get(chat, 0.0)
        if now < closed:
            raise too_many(math.ceil(closed - now))
        taken = self._taken.setdefault(chat, deque())
        while taken and taken[0] <= now - 60:
            taken.popleft()
        lately = sum(1 for at in taken if at > now - 1)
        if lately >= allowed or (chat < 0 and len(taken) >= self._switches.calls_per_minute):
            wait = self._switches.rate_retry_after
            self._closed_until[chat] = now + wait
            raise too_many(wait)
        taken.append(now)
