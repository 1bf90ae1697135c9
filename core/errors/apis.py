"""What can go wrong with external APIs."""

from dataclasses import dataclass
from typing import ClassVar

from core.errors.base import Problem
from core.model import Failure, FailureKind, Model

_OF_THE_KEY = frozenset({FailureKind.KEY_MISSING, FailureKind.KEY_REJECTED, FailureKind.NO_MONEY})


def key_remedies(vendor: str, kind: FailureKind) -> tuple[str, ...]:
    """Give a key of one's own, where that helps."""
    return (f"key set {vendor}",) if kind in _OF_THE_KEY else ()


@dataclass(eq=False)
class Refused(Problem):
    """The vendor's safety rules forbid an answer to this question; `text` is its wording."""

    model: Model
    text: str = ""
    key: ClassVar[str] = "problem.refused"


@dataclass(eq=False)
class ApiProblem(Problem):
    """An external API does not serve us. `vendor` is the provider's name; `retry_after` seconds, if it says so.

    `own` = asked with the person's own key: nobody else is concerned. `text` = its wording, without keys.
    """

    vendor: str
    own: bool = False
    text: str = ""
    retry_after: float | None = None
    key: ClassVar[str] = "problem.overloaded"
    kind: ClassVar[FailureKind] = FailureKind.UNKNOWN
    whole: ClassVar[bool] = True  # every model of the vendor is concerned

    @property
    def failure(self) -> Failure:
        """The same as a model's failure; it has no time of its own."""
        return Failure(self.kind, self.text, 0.0, self.retry_after or 0.0)

    @property
    def remedies(self) -> tuple[str, ...]:
        """Give a key, where that helps."""
        return key_remedies(self.vendor, self.kind)


@dataclass(eq=False)
class KeyMissing(ApiProblem):
    """Neither the bot nor the person has a key for that vendor."""

    key: ClassVar[str] = "problem.key-missing"
    kind: ClassVar[FailureKind] = FailureKind.KEY_MISSING


@dataclass(eq=False)
class KeyRejected(ApiProblem):
    """The vendor does not accept the key, or does not let it do this."""

    key: ClassVar[str] = "problem.key-rejected"
    kind: ClassVar[FailureKind] = FailureKind.KEY_REJECTED


@dataclass(eq=False)
class NoMoney(ApiProblem):
    """The credit or the quota of the account is used up: only its owner can mend that."""

    key: ClassVar[str] = "problem.no-money"
    kind: ClassVar[FailureKind] = FailureKind.NO_MONEY


@dataclass(eq=False)
class RateLimited(ApiProblem):
    """Too many requests for now; `retry_after` seconds to wait, if the vendor says so."""

    key: ClassVar[str] = "problem.rate-limited"
    kind: ClassVar[FailureKind] = FailureKind.RATE_LIMITED
    whole: ClassVar[bool] = False


@dataclass(eq=False)
class Overloaded(ApiProblem):
    """The vendor has too much to do, or something of it is broken for now."""

    kind: ClassVar[FailureKind] = FailureKind.OVERLOADED
    whole: ClassVar[bool] = False


@dataclass(eq=False)
class ModelMissing(ApiProblem):
    """The vendor does not have the model that was asked for, or the key may not use it."""

    key: ClassVar[str] = "problem.model-missing"
    kind: ClassVar[FailureKind] = FailureKind.NOT_INSTALLED
    whole: ClassVar[bool] = False


@dataclass(eq=False)
class ApiUnreachable(ApiProblem):
    """The vendor does not answer."""

    key: ClassVar[str] = "problem.api-unreachable"
    kind: ClassVar[FailureKind] = FailureKind.UNREACHABLE
