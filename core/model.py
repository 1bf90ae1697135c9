"""What is known of a model and what happens while it loads: frozen values, no I/O."""

import base64
import hashlib
from dataclasses import dataclass, field
from enum import Enum

LOCAL = frozenset({"lmstudio", "embedded"})  # providers that run models on machines of ours


class ModelState(Enum):
    """Where a model stands right now."""

    EXTERNAL = "external"  # an API somewhere: answers at once
    LOADED = "loaded"
    LOADING = "loading"
    ON_DISK = "on-disk"
    INACTIVE = "inactive"  # failed; `Model.failure` says why and when


class FailureKind(Enum):
    """Why a model cannot be used, in classes that ask for different remedies."""

    NOT_INSTALLED = "not-installed"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    NEEDS_ROOM = "needs-room"
    NO_RUNTIME = "no-runtime"
    CRASHED = "crashed"
    HOST_SICK = "host-sick"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    BAD_TEMPLATE = "bad-template"
    ENGINE_MISSING = "engine-missing"
    FETCH_FAILED = "fetch-failed"
    NO_WAY = "no-way"  # the host lets nobody load from outside
    KEY_MISSING = "key-missing"
    KEY_REJECTED = "key-rejected"
    NO_MONEY = "no-money"
    RATE_LIMITED = "rate-limited"
    OVERLOADED = "overloaded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Failure:
    """The last thing that went wrong with a model.

    `text` is the server's own wording, shortened; `at` seconds since the epoch;
    `until` when the cool-down ends; `times` how often in a row.
    """

    kind: FailureKind
    text: str
    at: float
    until: float = 0.0
    times: int = 1


@dataclass(frozen=True, slots=True)
class Model:
    """One model on one host, or at one vendor. `size_bytes` and contexts (tokens) may be unknown."""

    provider: str
    host: str
    key: str
    name: str
    state: ModelState
    family: str | None = None
    params: str | None = None
    quant: str | None = None
    size_bytes: int | None = None
    max_context: int | None = None
    loaded_context: int | None = None
    vision: bool = False
    tools: bool = False
    instance: str | None = None
    failure: Failure | None = None
    demo: bool = False  # a small model that only shows how the program works
    by_name_only: bool = False  # never listed, never suggested: chosen by its exact name
    parallel: int | None = None  # requests that an instance runs at once
    format: str | None = None  # `gguf`, `mlx`, or what newer builds add
    fetch_bytes: int | None = None  # weights still to be fetched before the first load, if any
    licence: str | None = None
    rank: int = 0  # its place in its vendor's list, favourites first

    @property
    def id(self) -> str:
        """Stable identity across restarts: provider, host and key."""
        return f"{self.provider}|{self.host}|{self.key}"

    @property
    def pool(self) -> str:
        """The model wherever it runs: the same key on several hosts is one model to people."""
        return f"{self.provider}|{self.key}"

    @property
    def tag(self) -> str:
        """Eight stable characters that name the model in a button, on whichever host it runs."""
        return tag_of(self.pool)

    @property
    def local(self) -> bool:
        """Whether it runs on a host of ours rather than at a vendor's."""
        return self.provider in LOCAL

    @property
    def usable(self) -> bool:
        """Whether a message may be sent to it as far as is known."""
        return self.state is not ModelState.INACTIVE


def tag_of(model_id: str) -> str:
    """Eight characters of base32 over a hash: 40 bits, plenty for the models of one bot."""
    digest = hashlib.blake2s(model_id.encode(), digest_size=5).digest()
    return base64.b32encode(digest).decode().lower()


class LoadPath(Enum):
    """How a model came to be ready."""

    ALREADY = "already"
    SOCKET = "socket"
    REST = "rest"
    JIT = "jit"
    WAITED = "waited"  # somebody else was loading it


@dataclass(frozen=True, slots=True)
class Checking:
    """The host is asked how the model stands."""

    model: Model


@dataclass(frozen=True, slots=True)
class Queued:
    """Another load on the same host goes first; `position` counts from 1."""

    model: Model
    position: int


@dataclass(frozen=True, slots=True)
class MakingRoom:
    """These models leave the memory first."""

    model: Model
    evicted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fetching:
    """Weights come from the network; bytes. `total` is `None` while unknown."""

    model: Model
    done: int
    total: int | None
    licence: str
    elapsed: float = 0.0


@dataclass(frozen=True, slots=True)
class Loading:
    """Weights go to memory.

    `fraction` 0..1 never goes back and never repeats; `None` = the host does not say.
    `elapsed` and `expected` in seconds; `watchers` = conversations that wait.
    """

    model: Model
    fraction: float | None
    elapsed: float
    expected: float | None = None
    watchers: int = 1


@dataclass(frozen=True, slots=True)
class Ready:
    """The model answers now. `seconds` that the load took (0 when nothing was loaded)."""

    model: Model
    seconds: float
    via: LoadPath


LoadEvent = Checking | Queued | MakingRoom | Fetching | Loading | Ready


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a load would need, in bytes, by the host's own reckoning."""

    total_bytes: int
    fits: bool


@dataclass(frozen=True, slots=True)
class Resident:
    """An instance in a host's memory.

    `idle` seconds since its last use, if the host tells; `busy` = answering, `None` if the host does not tell.
    """

    instance: str
    key: str
    name: str
    size_bytes: int | None = None
    idle: float | None = None
    busy: bool | None = False


@dataclass(frozen=True, slots=True)
class LoadRules:
    """What the operator lets the bot decide; the defaults leave LM Studio's own settings alone.

    `mode`: `auto` (WebSocket, REST, then just-in-time), `explicit` (never just-in-time) or `jit` (by name
    only where the host does not load by itself).
    `context` tokens for every load; `None` = as LM Studio is set.
    """

    mode: str = "auto"
    context: int | None = None


@dataclass(frozen=True, slots=True)
class HostHealth:
    """How a host answered last. `api` is the best API it has; `via` the last way a model was loaded there."""

    provider: str
    host: str
    reachable: bool
    api: str | None = None
    socket: bool | None = None
    version: str | None = None
    detail: str = ""
    via: LoadPath | None = None
    checked_at: float = 0.0
    sick_until: float = 0.0  # put aside until then: it refuses every load


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Models to offer, best first; `failed` is the one that did not work, if any."""

    models: tuple[Model, ...] = field(default_factory=tuple)
    failed: Model | None = None

    @property
    def best(self) -> Model | None:
        """The first choice, if there is any."""
        return self.models[0] if self.models else None
