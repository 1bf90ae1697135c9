"""Which model to pick for somebody who has not chosen, and which to offer when one fails. Pure.

Ranks: 1 external APIs, 2 models that are loaded, 3 any other active model; `prefer_local` puts the APIs last.
"""

from collections.abc import Iterable, Mapping

from core.model import Model, ModelState, Suggestion

OFFERED = 3  # more buttons than that nobody reads
COMFORTABLE = 2 * 1024**3  # bytes; smaller files are drafts and toys more often than partners


def entering(models: Iterable[Model], *, prefer_local: bool = False) -> Model | None:
    """The model for a chat without a choice; `None` if nothing is usable."""
    candidates = _candidates(models)
    return min(
        candidates, key=lambda m: (_rank(m, prefer_local=prefer_local), m.rank, *_first_size(m)), default=None
    )


def after_failure(
    models: Iterable[Model],
    failed: Model | None,
    *,
    seconds: Mapping[str, float] | None = None,
    prefer_local: bool = False,
) -> Suggestion:
    """What to offer instead of `failed`, best first.

    Inside a rank the same family comes first, then the closest size, then the fastest by
    measured `seconds` per model id.
    """
    measured = seconds or {}
    candidates = [m for m in _candidates(models) if failed is None or m.pool != failed.pool]

    def order(model: Model) -> tuple[object, ...]:
        rank = _rank(model, prefer_local=prefer_local)
        if failed is None:
            return (rank, model.rank, *_first_size(model), measured.get(model.id, float("inf")))
        kin = failed.family is not None and model.family == failed.family
        return (
            rank,
            model.demo,
            not kin,
            _distance(model, failed),
            model.rank,
            measured.get(model.id, float("inf")),
            model.key,
        )

    return Suggestion(tuple(sorted(candidates, key=order)[:OFFERED]), failed)


def _candidates(models: Iterable[Model]) -> list[Model]:
    return [m for m in models if m.usable and not m.by_name_only]


def _rank(model: Model, *, prefer_local: bool) -> int:
    match model.state:
        case ModelState.EXTERNAL:
            return 4 if prefer_local else 1
        case ModelState.LOADED:
            return 2
        case _:
            return 3


def _first_size(model: Model) -> tuple[bool, bool, int, str]:
    """A demonstration last, then the smallest model of a comfortable size, the largest of the small ones."""
    size = model.size_bytes or 0
    small = size < COMFORTABLE
    return (model.demo, small, -size if small else size, model.key)


def _distance(model: Model, other: Model) -> float:
    if not model.size_bytes or not other.size_bytes:
        return float("inf")
    return abs(model.size_bytes - other.size_bytes)
