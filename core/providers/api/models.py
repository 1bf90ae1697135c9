"""A vendor's models: read page by page, for chat alone, favourites first, remembered for a while."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from core.clock import Clock
from core.errors import ApiProblem, Overloaded, RateLimited
from core.model import Model, ModelState
from core.providers.api.wires import WIRES
from core.providers.pieces import Listed
from core.providers.vendors import NEVER_CHAT, Vendor

FRESH = 900.0  # seconds that a listing counts
AGAIN = 30.0  # seconds until a failed one is tried again
PAGES = 50  # at most: a listing without an end is a fault
KEYS = 100  # listings that are remembered at most, one for each key

Get = Callable[[str], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class _Seen:
    until: float
    models: tuple[Model, ...] | None
    problem: ApiProblem | None = None


class Shelf:
    """What the vendor lists, by key: accounts differ in what they may use."""

    def __init__(self, vendor: Vendor, clock: Clock) -> None:
        self._vendor = vendor
        self._clock = clock
        self._wire = WIRES[vendor.wire]
        self._seen: dict[str, _Seen] = {}
        self._answers: dict[str, int] = {}

    def forget(self) -> None:
        """Let the next look ask the vendor."""
        self._seen.clear()

    def longest_answer(self, key: str) -> int | None:
        """The tokens of the longest answer that the model gives, if its vendor says."""
        return self._answers.get(key)

    async def models(self, secret: str, get: Get) -> Sequence[Model]:
        """The models that this key may use. An outage of the listing alone hides nothing that is known."""
        seen = self._seen.get(secret)
        if seen is None or seen.until <= self._clock.monotonic():
            seen = await self._look(secret, get, seen)
        if seen.problem is not None:
            raise replace(seen.problem)
        return seen.models or ()

    async def _look(self, secret: str, get: Get, before: _Seen | None) -> _Seen:
        now = self._clock.monotonic()
        try:
            listed = tuple(await self.read(get))
            # Nothing at all where there was something is a proxy's page or a fault, not a vendor that sells out.
            lost = not listed and before is not None and before.models
            seen = _Seen(now + AGAIN, before.models) if lost and before else _Seen(now + FRESH, listed)
        except (Overloaded, RateLimited) as problem:
            known = before.models if before else None
            seen = _Seen(now + AGAIN, known, None if known is not None else problem)
        except ApiProblem as problem:
            seen = _Seen(now + AGAIN, before.models if before else None, problem)
        if len(self._seen) >= KEYS:
            self._seen.pop(next(iter(self._seen)))
        self._seen[secret] = seen
        return seen

    async def read(self, get: Get) -> list[Model]:
        """Ask the vendor for every page."""
        if self._vendor.static:
            return self._shelved([Listed(key) for key in self._vendor.static])
        found: dict[str, Listed] = {}
        after = ""
        for _page in range(PAGES):
            page = self._wire.listed(await get(self._wire.listing(self._vendor, after)))
            found |= {one.key: one for one in page.models}
            if not page.after or page.after == after:
                break
            after = page.after
        return self._shelved([one for one in found.values() if one.chats and not self._never(one.key)])

    def _never(self, key: str) -> bool:
        return _place(key, (*NEVER_CHAT, *self._vendor.not_chat)) is not None

    def _shelved(self, listed: list[Listed]) -> list[Model]:
        """As models, favourites first, the newest of each kind before the older ones."""
        favourites = self._vendor.favourites
        last = len(favourites)

        def order(one: Listed) -> tuple[object, ...]:
            place = _place(one.key, favourites)
            return (last if place is None else place, -one.created, one.key.lower())

        ordered = sorted(listed, key=order)
        self._answers |= {one.key: one.answer for one in ordered if one.answer}
        return [self._model(one, rank) for rank, one in enumerate(ordered)]

    def _model(self, one: Listed, rank: int) -> Model:
        sees = one.sees if one.sees is not None else _place(one.key, self._vendor.sees) is not None
        return Model(
            provider=self._vendor.name,
            host="",
            key=one.key,
            name=one.name or one.key,
            state=ModelState.EXTERNAL,
            max_context=one.context,
            vision=sees,
            tools=one.tools,
            rank=rank,
        )


def _place(key: str, patterns: tuple[str, ...]) -> int | None:
    """The first pattern that fits the name, without its publisher too."""
    lowered = key.lower()
    names = {lowered, lowered.rpartition("/")[2]}
    fitting = (
        n for n, pattern in enumerate(patterns) if any(fnmatchcase(name, pattern.lower()) for name in names)
    )
    return next(fitting, None)
