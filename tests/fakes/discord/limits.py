"""Rate limits as Discord keeps them: buckets with headers, and so many calls a second in all."""

import time
from dataclasses import dataclass, field

from tests.fakes.discord.switches import Switches


@dataclass
class Bucket:
    """So many calls, until it is full again `seconds` after the first of them."""

    name: str
    size: int
    seconds: float
    used: int = 0
    until: float = 0.0
    penalty: float = 0.0

    def take(self, now: float) -> float:
        """0 if the call may pass, else the seconds to wait."""
        if now >= self.until:
            self.used, self.until = 0, now + self.seconds
        if self.used >= self.size:
            self.until = max(self.until, now + self.penalty)
            return self.until - now
        self.used += 1
        return 0.0

    def headers(self, now: float) -> dict[str, str]:
        left = max(0.0, self.until - now)
        return {
            "X-RateLimit-Limit": str(self.size),
            "X-RateLimit-Remaining": str(max(0, self.size - self.used)),
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": self.name,
        }


@dataclass
class Limits:
    switches: Switches
    buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    everything: Bucket = field(default_factory=lambda: Bucket("everything", 50, 1.0))

    def bucket(self, method: str, path: str) -> Bucket | None:
        """The bucket of a call. Sends and edits of a channel share one; so does what follows an interaction."""
        parts = path.strip("/").split("/")
        if method in ("POST", "PATCH") and parts[0] == "channels" and parts[2:3] == ["messages"]:
            return self._bucket("messages", parts[1], self.switches.bucket)
        if parts[0] == "webhooks":
            return self._bucket("webhook", parts[2], self.switches.webhook_bucket)
        return None

    def _bucket(self, kind: str, major: str, measure: tuple[int, float] | None) -> Bucket | None:
        if measure is None:
            return None
        found = self.buckets.setdefault((kind, major), Bucket(f"hash-of-{kind}", *measure))
        found.size, found.seconds = measure
        found.penalty = self.switches.penalty
        return found

    def everywhere(self, path: str, now: float) -> float:
        """Seconds to wait for the limit of all calls; interactions do not count."""
        allowed = self.switches.global_limit
        if allowed is None or path.startswith(("/interactions", "/webhooks")):
            return 0.0
        self.everything.size = allowed
        return self.everything.take(now)
