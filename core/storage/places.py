"""Channels in which everything that is written is meant for the bot."""

from core.conversation import ChatRef
from core.storage.queries import Queries


class Places(Queries):
    """Asked for each message that is written anywhere: what is stored is also kept in memory."""

    _heard: frozenset[str] = frozenset()

    async def load(self) -> None:
        """Read what is stored."""
        self._heard = frozenset(row["chat"] for row in await self._all("SELECT chat FROM places"))

    def listens(self, chat: ChatRef) -> bool:
        """Whether everything there is meant for the bot. A thread is a place of its own."""
        return str(chat) in self._heard

    async def listen(self, chat: ChatRef, *, on: bool) -> None:
        """From now on, or no longer."""
        if on:
            await self._do("INSERT OR REPLACE INTO places (chat) VALUES (?)", str(chat))
        else:
            await self._do("DELETE FROM places WHERE chat = ?", str(chat))
        await self.load()
