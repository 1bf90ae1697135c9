"""What a test may set on the server, before or while it runs."""

from dataclasses import dataclass

TOKEN = "123456:TEST-token-of-nobody-AAAAAAAAAAAAAAAA"


@dataclass
class Switches:
    token: str = TOKEN
    privacy: bool = True  # in groups only commands, replies and mentions reach the bot, unless it administers
    rich_messages: bool = False  # an older server has no sendRichMessage
    latency: float = 0.0  # seconds each call takes on its way
    calls_per_second: int | None = None  # strict rate limit: per chat …
    calls_per_minute: int = 20  # … and, in groups, per minute as well
    rate_retry_after: int = 3
    limited: tuple[str, ...] = ("send*", "edit*", "delete*message*")
    callback_seconds: float = 15.0  # how long a pressed button may be answered
    draft_seconds: float = 30.0
    longest_poll: float = 50.0
    webhook_retry_seconds: float = 0.2  # doubles with every failure; Telegram's own is longer
    largest_download: int = 20 * 1024 * 1024
