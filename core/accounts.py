"""Which models whose key opens: accounts with one vendor differ, and a private model's name is its owner's.

`None` stands for the key that serves everybody. What is not known yet is asked for once, for whoever has a key
of their own; until then such a person sees what everybody sees.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import structlog

from core.clock import Clock
from core.errors import Problem
from core.model import Model
from core.providers.base import Keyed, Provider
from core.sight import Sight

log = structlog.get_logger(__name__)

PATIENCE = 5.0  # seconds that somebody waits for vendors that are asked in passing


AGAIN = 30.0  # seconds until one that did not answer is asked in passing again


class Vendor(Keyed, Provider, Protocol):
    """A provider whose calls are paid for."""


class Accounts:
    """What each key lists, by vendor and owner."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listed: dict[str, dict[str | None, frozenset[str]]] = {}
        self._tried: dict[tuple[str, str], float] = {}

    def note(self, vendor: str, owner: str | None, models: Iterable[Model]) -> None:
        """That owner's key lists these models of that vendor, and no others."""
        self._listed.setdefault(vendor, {})[owner] = frozenset(model.key for model in models)

    def forget(self, vendor: str) -> None:
        """Keys have changed: what persons' keys list is asked for anew."""
        known = self._listed.get(vendor, {})
        self._listed[vendor] = {owner: keys for owner, keys in known.items() if owner is None}
        self._tried = {asked: at for asked, at in self._tried.items() if asked[0] != vendor}

    def held(self, vendor: str) -> frozenset[str]:
        """What any person's own key lists of that vendor."""
        known = self._listed.get(vendor, {})
        return frozenset[str]().union(*(keys for owner, keys in known.items() if owner is not None))

    async def sight(
        self, person: str | None, providers: Collection[Provider], listed: Collection[str]
    ) -> Sight:
        """What that person (`None`: anybody) sees, by whose keys there are; only vendors in `listed` are asked."""
        vendors = [p for p in providers if isinstance(p, Keyed) and p.name in listed]
        hidden = {p.name for p in vendors if not await p.serves(person)}
        shown = [p for p in vendors if p.name not in hidden]
        own = {p.name for p in shown if person is not None and await p.own(person)}
        return Sight(frozenset(hidden), frozenset(own), self._opened(person, shown, own))

    def _opened(
        self, person: str | None, vendors: Iterable[Provider], own: Collection[str]
    ) -> Mapping[str, frozenset[str]]:
        """The models of each vendor that the person's key opens, as far as that is known."""
        found = {}
        for vendor in vendors:
            known = self._listed.get(vendor.name, {})
            shared = known.get(None)
            mine = known.get(person, shared or frozenset()) if vendor.name in own else shared
            if mine is not None:
                found[vendor.name] = mine
        return found

    async def meet(self, person: str, providers: Collection[Provider], *, anew: bool) -> list[Model]:
        """Ask every vendor that this person has a key of their own for; one that fails disturbs no other.

        Without `anew` only those of which it is not known what the key lists, and not for long.
        """
        vendors = await _own(person, providers)
        if anew:
            return await self._asked(person, vendors)
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._asked(person, [one for one in vendors if self._strange(person, one.name)])
        except TimeoutError:
            return []

    def _strange(self, person: str, vendor: str) -> bool:
        since = self._clock.monotonic() - AGAIN
        asked = self._tried.get((vendor, person), since) > since
        return person not in self._listed.get(vendor, {}) and not asked

    async def _asked(self, person: str, vendors: Iterable[Vendor]) -> list[Model]:
        answers = await asyncio.gather(*(self._ask(person, vendor) for vendor in vendors))
        return [model for models in answers for model in models]

    async def _ask(self, person: str, vendor: Vendor) -> Sequence[Model]:
        self._tried[vendor.name, person] = self._clock.monotonic()
        try:
            models = await vendor.models(person)
        except Problem as problem:
            log.info("vendor does not list its models", vendor=vendor.name, problem=str(problem))
            return []
        self.note(vendor.name, person, models)
        return models


async def _own(person: str, providers: Collection[Provider]) -> list[Vendor]:
    return [p for p in providers if isinstance(p, Keyed) and await p.own(person)]
