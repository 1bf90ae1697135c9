"""What one person sees of the models: those that somebody's key pays for. Pure.

A vendor without a key is there for nobody but those who have one of their own; and where the bot's key is
refused or empty, whoever has an own key still uses the vendor.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from core.model import FailureKind, Model, ModelState

_OF_THE_KEY = frozenset(
    {FailureKind.KEY_MISSING, FailureKind.KEY_REJECTED, FailureKind.NO_MONEY, FailureKind.RATE_LIMITED}
)


@dataclass(frozen=True, slots=True)
class Sight:
    """`hidden` vendors have no key for that person; `own` ones are paid for with a key of the person's own.

    `opened` = the models of a vendor that the key in question lists, where that is known.
    """

    hidden: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    opened: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def of(self, models: Iterable[Model]) -> list[Model]:
        """The models as that person finds them."""
        return [self._as_seen(model) for model in models if self._sees(model)]

    def _sees(self, model: Model) -> bool:
        opened = self.opened.get(model.provider)
        return model.provider not in self.hidden and (opened is None or model.key in opened)

    def _as_seen(self, model: Model) -> Model:
        if self.lifts(model):
            return replace(model, state=ModelState.EXTERNAL, failure=None)
        return model

    def lifts(self, model: Model) -> bool:
        """Whether the model failed for the sake of a key that this person does not use."""
        failure = model.failure
        return failure is not None and failure.kind in _OF_THE_KEY and model.provider in self.own


EVERYTHING = Sight()
