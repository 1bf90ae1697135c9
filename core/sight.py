"""What one person sees of the models: those that somebody's key pays for. Pure.

A vendor without a key is there for nobody but those who have one of their own; and where the bot's key is
refused or empty, whoever has an own key still uses the vendor.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.model import FailureKind, Model, ModelState

_OF_THE_KEY = frozenset(
    {FailureKind.KEY_MISSING, FailureKind.KEY_REJECTED, FailureKind.NO_MONEY, FailureKind.RATE_LIMITED}
)


@dataclass(frozen=True, slots=True)
class Sight:
    """`hidden` vendors have no key for that person; `own` ones are paid for with a key of the person's own."""

    hidden: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()

    def of(self, models: Iterable[Model]) -> list[Model]:
        """The models as that person finds them."""
        return [self._as_seen(model) for model in models if model.provider not in self.hidden]

    def _as_seen(self, model: Model) -> Model:
        if self.lifts(model):
            return replace(model, state=ModelState.EXTERNAL, failure=None)
        return model

    def lifts(self, model: Model) -> bool:
        """Whether the model failed for the sake of a key that this person does not use."""
        failure = model.failure
        return failure is not None and failure.kind in _OF_THE_KEY and model.provider in self.own


EVERYTHING = Sight()
