"""Albums: their pictures come as messages of their own, and mostly one of them has the words for all."""

from telegram import Message

from bot.platforms.telegram.hearing import Attached, Heard, attached_to
from core.clock import Clock

WHOLE = 1.0  # seconds in which the pictures of an album have come
KEPT = 90.0  # seconds; longer than a question may be corrected


class Album:
    """What has come of one. If one of its messages was meant for the bot, so are the others."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.began = clock.monotonic()
        self._messages: dict[int, tuple[Message, Heard | None]] = {}
        self._asking: int | None = None

    def add(self, message: Message, heard: Heard | None) -> bool:
        """Another message of it, or one that was edited; True if the album is a question by it."""
        self._messages[message.message_id] = (message, heard)
        if heard is not None and self._asking is None:
            self._asking = message.message_id
        return message.message_id == self._asking

    async def whole(self) -> tuple[str, list[Attached]]:
        """Once all of it has come: the words of the messages beside the one that asks, and what hangs on all."""
        await self._clock.sleep(max(0.0, self.began + WHOLE - self._clock.monotonic()))
        words, attached = [], []
        for number, (message, heard) in sorted(self._messages.items()):
            text = message.caption or "" if heard is None else heard.text
            words += [text] if text and number != self._asking else []
            attached += [one] if (one := attached_to(message)) is not None else []
        return "\n".join(words), attached


class Albums:
    """The albums of the last minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._albums: dict[tuple[int, str], Album] = {}

    def of(self, message: Message) -> Album | None:
        """The album that a message belongs to."""
        if message.media_group_id is None:
            return None
        oldest = self._clock.monotonic() - KEPT
        self._albums = {key: album for key, album in self._albums.items() if album.began > oldest}
        key = message.chat.id, message.media_group_id
        return self._albums.setdefault(key, Album(self._clock))
