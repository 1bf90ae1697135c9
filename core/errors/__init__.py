"""Everything that can go wrong and that a person should hear of.

    Problem
    ├── Unreachable          a host does not answer
    ├── Unauthorized         it wants a token, or another one
    ├── ModelUnknown         no such model; some are near
    ├── ModelAmbiguous       several match
    ├── ModelUnavailable     it failed earlier and is still put aside
    ├── LoadFailed           it failed just now
    ├── DoesNotFit           its host has no room for it; others could leave
    ├── NoVision             it cannot see, and was shown a picture
    ├── ModelGone            it was unloaded just before it was asked
    ├── CannotUnload         its host lets nobody unload from outside
    ├── ModelAnswering       it cannot be unloaded while it answers
    ├── NoModel              nothing usable at all
    ├── ContextTooLong       one message alone is longer than the context
    ├── BadRequest           the server refused what we sent
    ├── Interrupted          the answer broke off
    ├── EmptyAnswer          the server sent nothing and said all is well
    ├── Refused              a vendor's safety rules forbid the answer
    ├── ApiProblem           an external API does not serve us:
    │   ├── KeyMissing           nobody gave a key for it
    │   ├── KeyRejected          it does not accept the key
    │   ├── NoMoney              the account's credit or quota is used up
    │   ├── RateLimited          too many requests for now
    │   ├── Overloaded           it has too much to do, or is broken for now
    │   ├── ModelMissing         it does not have the model, or not for this key
    │   └── ApiUnreachable       it does not answer
    ├── NothingAsked         no question to answer again
    ├── StorageFailed        the disk is full, or the database cannot be used
    └── SettingWrong         a setting cannot be read

A Problem carries a text key, data for the sentence and remedies as command lines.
The sentence itself is chosen in one place: `bot.present.trouble`.
No Problem ever holds what a person wrote, a key or a token: all of it may be logged.
"""

from dataclasses import dataclass
from typing import ClassVar

from core.errors.apis import (
    ApiProblem as ApiProblem,
)
from core.errors.apis import (
    ApiUnreachable as ApiUnreachable,
)
from core.errors.apis import (
    KeyMissing as KeyMissing,
)
from core.errors.apis import (
    KeyRejected as KeyRejected,
)
from core.errors.apis import (
    ModelMissing as ModelMissing,
)
from core.errors.apis import (
    NoMoney as NoMoney,
)
from core.errors.apis import (
    Overloaded as Overloaded,
)
from core.errors.apis import (
    RateLimited as RateLimited,
)
from core.errors.apis import (
    Refused as Refused,
)
from core.errors.apis import key_remedies
from core.errors.base import Problem as Problem
from core.model import Failure, FailureKind, Model, Resident


@dataclass(eq=False)
class Unreachable(Problem):
    """The host does not answer. `host` as the settings name it."""

    host: str
    detail: str = ""
    key: ClassVar[str] = "problem.unreachable"

    @property
    def remedies(self) -> tuple[str, ...]:
        """Look again."""
        return ("status",)


@dataclass(eq=False)
class Unauthorized(Problem):
    """The host wants an API token, or refuses the one that is set."""

    host: str
    token_set: bool
    key: ClassVar[str] = "problem.unauthorized"


@dataclass(eq=False)
class ModelUnknown(Problem):
    """Nothing matches the name; `near` may be meant."""

    name: str
    near: tuple[Model, ...] = ()
    verb: str = "use"
    key: ClassVar[str] = "problem.model-unknown"


@dataclass(eq=False)
class ModelAmbiguous(Problem):
    """Several models match the name."""

    name: str
    options: tuple[Model, ...]
    verb: str = "use"
    key: ClassVar[str] = "problem.model-ambiguous"


@dataclass(eq=False)
class ModelUnavailable(Problem):
    """The model failed earlier and its cool-down is not over."""

    model: Model
    failure: Failure
    key: ClassVar[str] = "problem.unavailable"

    @property
    def remedies(self) -> tuple[str, ...]:
        """Give a key of one's own, where the bot's does not do."""
        return key_remedies(self.model.provider, self.failure.kind)


@dataclass(eq=False)
class LoadFailed(Problem):
    """The host could not load the model; `text` is its own wording. `offer` could leave if room is wanting."""

    model: Model
    kind: FailureKind
    text: str = ""
    offer: tuple[Resident, ...] = ()
    key: ClassVar[str] = "problem.unavailable"


@dataclass(eq=False)
class DoesNotFit(Problem):
    """The host says beforehand that the model does not fit. `needed` bytes; `offer` could leave for it."""

    model: Model
    needed: int | None
    offer: tuple[Resident, ...] = ()
    key: ClassVar[str] = "problem.does-not-fit"


@dataclass(eq=False)
class NoVision(Problem):
    """The question holds a picture, and the model cannot see."""

    model: Model
    key: ClassVar[str] = "problem.no-vision"


@dataclass(eq=False)
class ModelGone(Problem):
    """The model was unloaded between the check and the question, or another one answered in its place."""

    model: Model
    text: str = ""
    key: ClassVar[str] = "problem.gone"

    @property
    def remedies(self) -> tuple[str, ...]:
        """Ask again: the model is loaded first."""
        return ("retry",)


@dataclass(eq=False)
class CannotUnload(Problem):
    """The host offers no way to unload: an old build without WebSocket."""

    model: Model
    key: ClassVar[str] = "problem.cannot-unload"


@dataclass(eq=False)
class ModelAnswering(Problem):
    """The model is answering somebody: unloading it would cut that answer."""

    model: Model
    key: ClassVar[str] = "problem.answering"

    @property
    def remedies(self) -> tuple[str, ...]:
        """Say so explicitly."""
        return (f"unload #{self.model.tag} force",)


@dataclass(eq=False)
class NoModel(Problem):
    """There is no model that could answer. `reason` names a text (`no-host`, `no-models`, `all-inactive`)."""

    reason: str
    hosts: tuple[str, ...] = ()
    detail: str = ""
    key: ClassVar[str] = "problem.no-model"

    @property
    def remedies(self) -> tuple[str, ...]:
        """Look again, or clear the marks."""
        return ("reset", "status")


@dataclass(eq=False)
class ContextTooLong(Problem):
    """The message alone needs more tokens than the model has context (`context` tokens, if known)."""

    model: Model
    context: int | None = None
    key: ClassVar[str] = "problem.context"


@dataclass(eq=False)
class BadRequest(Problem):
    """The server refused the request for good; `text` is its wording."""

    model: Model
    text: str
    key: ClassVar[str] = "problem.bad-request"


@dataclass(eq=False)
class Interrupted(Problem):
    """The answer broke off; what had come is kept."""

    model: Model
    text: str = ""
    key: ClassVar[str] = "problem.interrupted"

    @property
    def remedies(self) -> tuple[str, ...]:
        """Ask again."""
        return ("retry",)


@dataclass(eq=False)
class EmptyAnswer(Problem):
    """The server closed the stream without a word."""

    model: Model
    key: ClassVar[str] = "problem.empty"

    @property
    def remedies(self) -> tuple[str, ...]:
        """Ask again."""
        return ("retry",)


@dataclass(eq=False)
class NothingAsked(Problem):
    """There is no question in this conversation to answer again."""

    key: ClassVar[str] = "problem.nothing-asked"


@dataclass(eq=False)
class StorageFailed(Problem):
    """The data folder cannot be written or the database cannot be read. `reason` names a text."""

    reason: str
    path: str
    detail: str = ""
    key: ClassVar[str] = "problem.storage"


@dataclass(eq=False)
class SettingWrong(Problem):
    """A setting has a value that cannot be used."""

    name: str
    detail: str
    key: ClassVar[str] = "problem.setting"
