"""What may follow a command, as it is typed: models, the best first."""

from collections.abc import Iterable

from bot import present
from bot.surface import Completion
from bot.texts import Speech
from core.model import Model
from core.pool import Pooled

MOST = 25  # what Discord shows


def models_like(rows: Iterable[Pooled], typed: str, t: Speech) -> list[Completion]:
    """Models, each once, whose key, name or host has every word; what is meant exactly comes first."""
    words = typed.lower().split()
    found = [row for row in rows if all(word in _words(row) for word in words)]
    found.sort(key=lambda row: _distance(row.best, typed.lower().strip()))
    return [_completion(row, t) for row in found[:MOST]]


def _words(row: Pooled) -> str:
    return " ".join(f"{one.key} {one.name} {present.place(one)}" for one in row.places).lower()


def _distance(model: Model, typed: str) -> int:
    """0 for the very name, 1 for what begins so, also after the publisher, 2 for the others."""
    names = (model.key.lower(), model.name.lower(), model.key.lower().rpartition("/")[2])
    if typed in names:
        return 0
    return 1 if any(name.startswith(typed) for name in names) else 2


def _completion(row: Pooled, t: Speech) -> Completion:
    """Where it runs stands first: some platforms cut the rest."""
    best = row.best
    hosts = ", ".join(present.place(one) for one in row.places)
    size = t.size(best.size_bytes) if best.size_bytes else ""
    details = (hosts, best.params, best.quant, size, f"#{best.tag}")
    return Completion(best.key, f"{present.mark(best, t)} {best.name}", " · ".join(filter(None, details)))
