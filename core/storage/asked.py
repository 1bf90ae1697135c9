"""Questions for a secret that wait for their answer."""

from core.storage.queries import Queries


class AskedTable(Queries):
    """The queries."""

    async def waiting(self) -> list[tuple[str, str, str, float]]:
        """Every question: the chat, the person, the command that the answer goes to, and when it was asked."""
        rows = await self._all("SELECT chat, who, command, at FROM asked")
        return [(r["chat"], r["who"], r["command"], r["at"]) for r in rows]

    async def put(self, chat: str, who: str, command: str, at: float) -> None:
        """A question was asked."""
        await self._do(
            "INSERT OR REPLACE INTO asked (chat, who, command, at) VALUES (?, ?, ?, ?)",
            chat,
            who,
            command,
            at,
        )

    async def drop(self, chat: str, who: str) -> None:
        """It was answered, or something else was said."""
        await self._do("DELETE FROM asked WHERE chat = ? AND who = ?", chat, who)
