"""The two ports towards models: what answers, and what loads."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol, runtime_checkable

from pydantic import SecretStr

from core.conversation import ReplyEvent, ReplyOptions, Turn
from core.model import Estimate, HostHealth, LoadEvent, Model, Resident

KeySource = Callable[[str | None], Awaitable[SecretStr | None]]
"""The key that pays for a person's call of one vendor: their own, else the bot's; of `None` the bot's."""


class Provider(Protocol):
    """A source of answers: one LM Studio host, or one vendor.

    `name` is the provider (`lmstudio`), `host` its place (empty for a vendor).
    Every method may raise a `core.errors.Problem`, and nothing else on purpose.
    """

    @property
    def name(self) -> str:
        """The provider: `lmstudio`, `embedded`, `openai`."""
        ...

    @property
    def host(self) -> str:
        """The place as people read it, stable across restarts."""
        ...

    async def models(self) -> Sequence[Model]:
        """Every chat model with its state, by read-only calls that never load anything."""
        ...

    async def check(self, key: SecretStr | None = None) -> None:
        """Ask whether the key (or the configured one) is accepted; raise Unauthorized or KeyRejected if not."""
        ...

    def reply(self, model: Model, turns: Sequence[Turn], options: ReplyOptions) -> AsyncGenerator[ReplyEvent]:
        """Stream the answer to the last turn; the last event is `Done`. Closing the iterator stops the model."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class Keyed(Protocol):
    """What a vendor has beside a Provider: its calls are paid for with somebody's key."""

    async def serves(self, person: str | None) -> bool:
        """Whether there is a key for that person (of `None`: for everybody), or none is needed."""
        ...

    async def own(self, person: str) -> bool:
        """Whether that person's calls are paid for with a key of their own."""
        ...

    async def models(self, person: str | None = None) -> Sequence[Model]:
        """See `Provider.models`; with the key of that person. Raises KeyMissing without any."""
        ...

    def forget(self) -> None:
        """Ask the vendor anew for what is remembered of it."""
        ...


class Loader(Provider, Protocol):
    """A provider whose models must be loaded first."""

    async def health(self) -> HostHealth:
        """How the host answers; never raises for a host that is down."""
        ...

    def load(self, model: Model) -> AsyncGenerator[LoadEvent]:
        """Make the model ready; ends with `Ready`, or raises `LoadFailed` or `Unreachable`.

        Closing the iterator cancels the load where the host can cancel. Never makes a second copy
        of a model that is loaded or loading.
        """
        ...

    async def unload(self, model: Model) -> None:
        """Unload every instance of the model."""
        ...

    async def estimate(self, model: Model) -> Estimate | None:
        """What loading would need; `None` where the host cannot say."""
        ...

    async def residents(self) -> Sequence[Resident]:
        """Every chat instance in the host's memory, whoever loaded it."""
        ...

    async def evict(self, resident: Resident) -> None:
        """Unload that one instance."""
        ...
