"""Looks at an address from outside, for the doctor: one GET with a time limit, and what can be read off its answer."""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx2

from core.clock import Clock, SystemClock

PATIENCE = 8.0  # seconds for a whole answer
CONNECT = 4.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What came back: `status` 0 when nothing did, and then `detail` says why. `body` is `None` if it was no JSON.

    `server` = who says that it answered (`Server`, `Via`): a proxy names itself there.
    """

    status: int
    body: Any = None
    detail: str = ""
    server: str = ""


@dataclass
class Probe:
    """Asks; an async context manager. `skews` = by how many seconds others' clocks go ahead of ours."""

    clock: Clock = field(default_factory=SystemClock)
    skews: list[float] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        timeout = httpx2.Timeout(PATIENCE, connect=CONNECT)
        self._http = httpx2.AsyncClient(timeout=timeout, follow_redirects=False)
        # A proxy of the environment must not stand before a host in the same room.
        self._near = httpx2.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()
        await self._near.aclose()

    async def get(self, url: str, headers: dict[str, str] | None = None, *, near: bool = False) -> Seen:
        """GET it; never raises. `near` = not by a proxy."""
        try:
            answer = await (self._near if near else self._http).get(url, headers=headers)
        except (httpx2.RequestError, httpx2.InvalidURL, ValueError) as error:
            return Seen(0, detail=_why(error))
        self._note_date(answer.headers.get("date"))
        server = " ".join(filter(None, (answer.headers.get(name, "") for name in ("server", "via"))))
        try:
            body = answer.json()
        except ValueError:
            body = None
        return Seen(answer.status_code, body, server=server)

    def _note_date(self, date: str | None) -> None:
        try:
            theirs: datetime = parsedate_to_datetime(date or "")
        except ValueError:
            return
        self.skews.append(theirs.timestamp() - self.clock.time())


def _why(error: Exception) -> str:
    """The system's words; an address, which may hold a token, is not among them."""
    inner: BaseException = error
    while (cause := inner.__cause__ or inner.__context__) is not None:
        inner = cause
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return type(error).__name__
