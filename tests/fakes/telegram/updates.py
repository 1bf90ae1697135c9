"""The queue of updates and the long poll that takes from it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.fakes.telegram.schema import check_update
from tests.fakes.telegram.wire import Json, conflict

_ONLY_IF_ASKED = frozenset(("chat_member", "message_reaction", "message_reaction_count"))
_FIRST_ID = 700_000_001

OTHER_POLL = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_SET = "terminated by setWebhook request"


@dataclass(frozen=True, slots=True)
class Update:
    id: int
    kind: str
    body: Json
    lane: int  # updates of one lane (a chat, or a person) reach a webhook in order

    @property
    def whole(self) -> Json:
        return {"update_id": self.id, self.kind: self.body}


class Updates:
    def __init__(self) -> None:
        self.pending: list[Update] = []
        self.allowed: frozenset[str] = frozenset()
        self.on_new: list[Callable[[], None]] = []
        self._next_id = _FIRST_ID
        self._poll: asyncio.Future[str] | None = None

    # ------------------------------------------------------------ in

    def add(self, kind: str, body: Json, lane: int) -> None:
        """Queue an update, unless the bot did not ask for its kind."""
        wanted = kind in self.allowed if self.allowed else kind not in _ONLY_IF_ASKED
        if not wanted:
            return
        update = Update(self._next_id, kind, body, lane)
        check_update(update.whole)
        self._next_id += 1
        self.pending.append(update)
        self._wake("")
        for listener in self.on_new:
            listener()

    def allow(self, kinds: Sequence[str] | None) -> None:
        """Remember which kinds the bot wants, if it says so; an empty list means the usual ones."""
        if kinds is not None:
            self.allowed = frozenset(kinds)

    def drop_pending(self) -> None:
        self.pending.clear()

    def done(self, update: Update) -> None:
        """A webhook has taken it."""
        if update in self.pending:
            self.pending.remove(update)

    # ------------------------------------------------------------ out

    def _wake(self, why: str) -> None:
        poll, self._poll = self._poll, None
        if poll is not None and not poll.done():
            poll.set_result(why)

    def interrupt(self, why: str) -> None:
        """End a long poll that waits, with a conflict."""
        self._wake(why)

    def _confirm(self, offset: int) -> None:
        if offset > 0:
            self.pending = [update for update in self.pending if update.id >= offset]
        elif offset < 0:
            self.pending = self.pending[offset:]

    async def poll(self, offset: int, limit: int, seconds: float) -> list[Json]:
        """Forget what is confirmed, then answer with what there is, waiting for the first of it."""
        self._confirm(offset)
        if not self.pending and seconds > 0:
            self._wake(OTHER_POLL)
            poll = self._poll = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    why = await poll
            except TimeoutError:
                why = ""
            finally:
                if self._poll is poll:
                    self._poll = None
            if why:
                raise conflict(why)
        return [update.whole for update in self.pending[:limit]]
