"""Which model is meant by what a person wrote. Pure."""

import difflib
from collections.abc import Iterable, Sequence

from core.errors import ModelAmbiguous, ModelUnknown
from core.model import Model
from core.pool import pooled

NEAR = 3


def find(everything: Sequence[Model], text: str, verb: str) -> Model:
    """The one model meant by a `#tag`, a key, or a part of a name that only it has.

    Raises ModelUnknown with near names, or ModelAmbiguous. `verb` is the command to offer for them.
    """
    wanted = text.strip().lower()
    if wanted.startswith("#"):
        named = [m for m in everything if m.tag == wanted[1:]]
    else:
        named = [m for m in everything if wanted in {m.key.lower(), m.name.lower(), m.id.lower()}]
        named = named or [m for m in everything if wanted == f"{m.key}@{m.quant}".lower()]
    visible = [m for m in everything if not m.by_name_only]
    if not named and wanted and not wanted.startswith("#"):
        words = wanted.split()
        named = [m for m in visible if all(word in haystack(m) for word in words)]
    found = pooled(named)
    if len(found) == 1:
        return found[0].best
    if found:
        raise ModelAmbiguous(text, tuple(row.best for row in found), verb)
    raise ModelUnknown(text, near(wanted, visible), verb)


def haystack(model: Model) -> str:
    """The words under which a model is found."""
    return f"{model.key} {model.name} {model.host or model.provider}".lower()


def near(wanted: str, models: Iterable[Model]) -> tuple[Model, ...]:
    """Models whose name, or a word of it, resembles what was written."""

    def likeness(model: Model) -> float:
        names = [model.key.lower(), model.name.lower(), *model.key.lower().replace("/", "-").split("-")]
        return max(difflib.SequenceMatcher(None, wanted, name).ratio() for name in names)

    scored = sorted(
        ((likeness(m), m.key, m) for m in models if not m.by_name_only), key=lambda s: (-s[0], s[1])
    )
    return tuple(model for score, _, model in scored[:NEAR] if score > 0.4)  # noqa: PLR2004  # below it is noise
