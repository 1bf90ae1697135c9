"""What a fake LM Studio can be told to do otherwise; every default is the documented behaviour."""

from dataclasses import dataclass
from typing import Literal


@dataclass
class Switches:
    """May be changed while the server runs, except `keep_alive_seconds` (read when it starts)."""

    # What the build has
    rest_v1: bool = True
    rest_v0: bool = True
    sockets: bool = True
    greeting: bool = True
    unknown_route_status: int = 200
    keep_alive_seconds: float = 5.0
    version: str = "0.4.25"
    build: int = 1

    # Who may ask
    token: str | None = None
    """`sk-lm-xxxxxxxx:yyyyyyyyyyyyyyyyyyyy` turns authentication on."""
    auth_hides_routes: bool = False
    """An old build: unauthenticated calls look like unknown routes."""

    # Bodies and errors
    strict_bodies: bool = True
    unknown_load_keys: tuple[str, ...] = ()
    """Keys of a load that this build does not know yet: a strict one refuses them."""
    string_errors: bool = False
    """`error` on /v1 is a bare string, never an object."""
    stream_error: Literal["event", "data", "empty"] = "event"
    """How a failed /v1 stream shows it: `event: error`, `data: {"error":"text"}`, or nothing at all."""
    streams_dead: bool = False
    """A build whose /v1 streams open and close without a word, whatever was asked."""
    variant_names: bool = False
    """Answers of /v1 name the model `key@quant`."""
    load_failure_status: int = 500
    wrong_model_answers: bool = True
    """With one chat model loaded it answers to any unknown name on /v1."""
    double_prompt_end: bool = False
    echo_fitted_context: bool = False

    # Just-in-time loading, idle time, eviction
    jit: bool = True
    jit_race: bool = False
    """Each request that finds nothing ready starts a load of its own: `key:2`, `key:3`."""
    jit_ttl_seconds: float = 3600.0
    auto_evict: bool = True
    evict_busy: bool = False
    """Auto-evict does not wait for a running generation but kills it."""

    # Memory
    memory_bytes: int | None = None
    guardrail_counts_evicted: bool = False
    """The guardrail runs before the eviction: it counts the model about to be replaced."""

    # State that lies
    v1_list: Literal["at_start", "when_ready", "empty"] = "at_start"
    v0_state: Literal["true", "stuck_loading", "not_loaded"] = "true"
    v0_lag_seconds: float = 0.0
    """How long v0 goes on saying `loading` after the load."""
    v0_html_500_at_load: bool = False

    # Connections
    stop_on_disconnect: bool = True
    disconnect_aborts_load: bool = False
    shared_context: bool = False
    """Parallel generations share the context; one too many fails them all."""
    ws_auth_seconds: float = 10.0
    ws_dead_seconds: float | None = None
    """A socket that sent nothing for so long is closed."""
