"""Who was asked for a secret and has not answered: their next words are the answer, and must reach no model."""

import structlog

from core.clock import Clock
from core.conversation import ChatRef
from core.errors import StorageFailed
from core.storage.asked import AskedTable

log = structlog.get_logger(__name__)

PATIENCE = 900.0  # seconds after which nobody remembers having been asked


class Asked:
    """Kept in memory, and on the disk for whoever starts next; without the disk it works all the same."""

    def __init__(self, table: AskedTable, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._waiting: dict[tuple[str, str], tuple[str, float]] = {}

    async def open(self) -> None:
        """Remember what was asked before."""
        self._waiting = {(chat, who): (command, at) for chat, who, command, at in await self._table.waiting()}

    async def put(self, chat: ChatRef, who: str, command: str) -> None:
        """That person was asked there; the answer goes to the command."""
        now = self._clock.time()
        self._waiting[(str(chat), who)] = (command, now)
        try:
            await self._table.put(str(chat), who, command, now)
        except StorageFailed as full:
            log.warning("question not recorded", problem=str(full))

    async def take(self, chat: ChatRef, who: str) -> str:
        """The command that this person's words answer; empty if nothing was asked lately."""
        found = self._waiting.pop((str(chat), who), None)
        if found is None:
            return ""
        try:
            await self._table.drop(str(chat), who)
        except StorageFailed as full:
            log.warning("question not removed", problem=str(full))
        command, at = found
        return command if 0 <= self._clock.time() - at <= PATIENCE else ""
