"""Several hosts as one: which of the places that have a model shall answer. Pure.

First where it is loaded and least busy, then where it is being loaded, then where it fits, then where its
loads were fastest. A place that is down or put aside comes last, so that it is tried when nothing else is left.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.model import Model, ModelState

_ORDER = {
    ModelState.EXTERNAL: 0,
    ModelState.LOADED: 0,
    ModelState.LOADING: 1,
    ModelState.ON_DISK: 2,
    ModelState.INACTIVE: 3,
}


@dataclass(frozen=True, slots=True)
class Pooled:
    """A model as people see it: one row, whatever the number of hosts that have it. `places` best first."""

    places: tuple[Model, ...]

    @property
    def best(self) -> Model:
        """The place that a message would go to."""
        return self.places[0]


def best_first(
    places: Iterable[Model],
    *,
    busy: Callable[[Model], int] = lambda _: 0,
    fits: Mapping[str, bool] | None = None,
    seconds: Mapping[str, float] | None = None,
) -> list[Model]:
    """The places of one model in the order in which they are tried.

    `busy` = requests in flight and waiting there; `fits` and `seconds` (a load, as measured) by model id.
    """

    def order(model: Model) -> tuple[object, ...]:
        load = busy(model) / (model.parallel or 1) if model.state is ModelState.LOADED else 0.0
        room = not (fits or {}).get(model.id, True)
        return (_ORDER[model.state], load, room, (seconds or {}).get(model.id, float("inf")))

    return sorted(places, key=order)


def pooled(models: Sequence[Model], *, busy: Callable[[Model], int] = lambda _: 0) -> list[Pooled]:
    """One row for each model, in the order of the list."""
    groups: dict[str, list[Model]] = {}
    for model in models:
        groups.setdefault(model.pool, []).append(model)
    return [Pooled(tuple(best_first(places, busy=busy))) for places in groups.values()]
