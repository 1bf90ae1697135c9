"""What a test may set on the server, before or while it runs."""

from dataclasses import dataclass, field

TOKEN = "TEST-token-of-nobody.AAAAAA.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"


@dataclass
class Switches:
    token: str = TOKEN
    latency: float = 0.0  # seconds each call takes on its way
    bucket: tuple[int, float] | None = (5, 5.0)  # so many sends and edits of a channel in so many seconds
    penalty: float = 0.0  # seconds that a refused call costs at the least
    told: bool = True  # every answer says what is left of its bucket
    webhook_bucket: tuple[int, float] | None = (5, 2.0)  # the same for what follows an interaction
    global_limit: int | None = 50  # calls a second, interactions aside
    privileged: set[str] = field(default_factory=lambda: {"message_content"})  # intents the portal allows
    shards: int = 1  # how many the gateway recommends
    heartbeat: float = 41.25  # seconds between heartbeats that a client is asked for
    acknowledge: bool = True  # heartbeats are answered
    answer_seconds: float = 3.0  # in which an interaction must be answered first
    token_seconds: float = 900.0  # in which its token can be used
    follow_ups: int = 5  # of an app that only a person has installed
    broken_ready: bool = False  # READY comes without a session: a client that trusts it crashes
