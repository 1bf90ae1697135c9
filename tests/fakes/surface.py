"""A surface that writes down what it was shown and when, and refuses or hangs by script."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from bot.cards import Card
from bot.surface import Limits, Post
from core.clock import Clock


@dataclass(frozen=True, slots=True)
class Call:
    """One call: when it began and ended, and the exception it met, if any."""

    at: float
    until: float
    what: str
    card: Card
    refused: Exception | None


class FakeSurface:
    """`script` has one entry per call, in order: `None` = shown, an exception = raised.

    `seconds` is how long each call takes. While `hang` is set, a call waits for `let_go`.
    """

    def __init__(
        self,
        clock: Clock,
        edit_every: float = 1.0,
        script: Iterable[Exception | None] = (),
        seconds: float = 0.0,
    ) -> None:
        self.limits = Limits(edit_every)
        self._clock = clock
        self._script = list(script)
        self._seconds = seconds
        self._under_way = 0
        self.hang = False
        self.let_go = asyncio.Event()
        self.down_until = 0.0
        self.down: Exception | None = None  # raised by every call before `down_until`
        self.calls: list[Call] = []
        self.most_at_once = 0
        self.posts = 0

    @property
    def shown(self) -> list[Card]:
        """The cards that got through, in order."""
        return [call.card for call in self.calls if call.refused is None]

    @property
    def times(self) -> list[float]:
        """When each call began."""
        return [call.at for call in self.calls]

    async def busy(self) -> None:
        """Nothing to see."""

    async def post(self, card: Card) -> Post:
        self.posts += 1
        await self._call("post", card)
        return Post(f"{self.posts}.0")

    async def edit(self, post: Post, card: Card) -> Post:
        await self._call("edit", card)
        number, _, version = post.ref.partition(".")
        return Post(f"{number}.{int(version) + 1}")

    async def _call(self, what: str, card: Card) -> None:
        began = self._clock.monotonic()
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            if self.hang:
                await self.let_go.wait()
            if self._seconds:
                await self._clock.sleep(self._seconds)
            refused = self._refusal(began)
            self.calls.append(Call(began, self._clock.monotonic(), what, card, refused))
            if refused is not None:
                raise refused
        finally:
            self._under_way -= 1

    def _refusal(self, now: float) -> Exception | None:
        if self.down is not None and now < self.down_until:
            return self.down
        return self._script.pop(0) if self._script else None
