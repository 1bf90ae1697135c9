"""One outgoing budget per chat: what is sent first, and what is dropped.

Telegram bears about one message a second in a private chat and twenty a minute in a group; edits count too,
drafts have limits of their own that nobody publishes, so that they are taken for messages. Everything that goes
to a chat takes its turn here: the last card of an answer before the first card of another, and both before
progress. Progress that has no turn is dropped, never queued.

A second passes between the answer to one call and the next call: however long either is on its way, the server
sees them a second apart.
"""

from collections import deque

from bot.ranks import Rank, Turns
from bot.surface import SlowDown
from core.clock import Clock

PRIVATE = 1.5  # seconds after an edit or a message in which no progress is shown
GROUP = 3.5  # leaves room for first and last cards among the twenty a minute
APART = 1.02  # seconds between any two calls
DRAFT = TYPING = APART
MINUTE = 60.0
GROUP_MINUTE = 20  # calls that a group bears in a minute
KEPT = 4  # of them, for first and last cards
AGAIN = 0.5  # seconds after which progress that was refused looks again, at the latest
LOOK = 0.25  # seconds after which who is not the first in line looks again
STRICT_FOR = 60.0  # seconds after a refusal in which progress goes at half the pace


class Pace:
    """The budget of one chat.

    A pause that Telegram asks for holds for everything in that chat, and for that chat alone. `per_minute` =
    calls that it bears in a minute; `None` = as many as go a second apart.
    """

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._calls: deque[float] = deque(maxlen=per_minute or 1)
        self._progress_from = float("-inf")
        self._others_from = float("-inf")
        self._paused_until = float("-inf")
        self._strict_until = float("-inf")
        self._line = Turns(clock, LOOK)

    async def turn(self, rank: Rank, gap: float) -> None:
        """Wait for one's turn to make a call after which progress rests for `gap` seconds.

        Progress itself never waits: SlowDown lets it look again soon, so that a last card that comes meanwhile
        is not held up by it.
        """
        if rank is Rank.PROGRESS:
            wait = self.rest
            if wait > 0 or self._line:
                raise SlowDown(min(max(wait, LOOK), AGAIN), asked=False)
        else:
            await self._line.stand(rank, self._wait)
        self.called(gap)

    def called(self, gap: float = APART) -> None:
        """A call leaves."""
        self._calls.append(self._clock.monotonic())
        self._rest(gap)

    def answered(self, gap: float) -> None:
        """The last call was answered: the next one has to wait from now on."""
        if self._calls:
            self._calls[-1] = self._clock.monotonic()
        self._rest(gap)

    def _rest(self, gap: float) -> None:
        now = self._clock.monotonic()
        self._others_from = now + APART
        slower = gap * 2 if now < self._strict_until else gap
        # a call with a small gap shortens no rest
        self._progress_from = max(self._progress_from, now + slower)

    def pause(self, seconds: float) -> None:
        """Telegram asked for it: nothing goes to this chat for so long."""
        now = self._clock.monotonic()
        self._paused_until = max(self._paused_until, now + seconds)
        self._strict_until = self._paused_until + STRICT_FOR

    @property
    def rest(self) -> float:
        """Seconds until progress may be shown."""
        return max(0.0, self._wait(Rank.PROGRESS))

    @property
    def idle(self) -> bool:
        """Nobody stands in line, and what was is forgotten by now."""
        newest = self._calls[-1] + MINUTE if self._calls else float("-inf")
        return not self._line and self._clock.monotonic() > max(
            self._strict_until, self._progress_from, newest
        )

    def _wait(self, rank: Rank) -> float:
        """Seconds until a call of that rank may leave."""
        opens = self._progress_from if rank is Rank.PROGRESS else self._others_from
        return max(opens, self._paused_until, self._room(rank)) - self._clock.monotonic()

    def _room(self, rank: Rank) -> float:
        """When the minute has room for one more call of that rank."""
        if self._per_minute is None:
            return float("-inf")
        most = self._per_minute - KEPT if rank is Rank.PROGRESS else self._per_minute
        return self._calls[-most] + MINUTE if len(self._calls) >= most else float("-inf")
