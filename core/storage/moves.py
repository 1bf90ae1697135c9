"""A chat that goes on under another id: everything that was said and decided there goes with it."""

from core.conversation import ChatRef
from core.storage.queries import Queries

_TABLES = ("conversations", "turns", "places", "asked", "answers", "suggestions")


class Moves(Queries):
    """Telegram gives a group that outgrows its kind another number."""

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        """All of it or nothing. What stands under the new id already stays; messages there have other numbers."""
        groups = f"{old.platform}:{old.chat}", f"{new.platform}:{new.chat}"
        async with self._writing():
            for table in _TABLES:
                moved = f"UPDATE OR IGNORE {table} SET chat = ? WHERE chat = ?"  # noqa: S608  # a name from above
                left = f"DELETE FROM {table} WHERE chat = ?"  # noqa: S608  # same
                await self._db.execute(moved, (str(new), str(old)))
                await self._db.execute(left, (str(old),))
            await self._db.execute("DELETE FROM messages WHERE chat = ?", (str(old),))
            await self._db.execute("UPDATE OR IGNORE grants SET who = ? WHERE who = ?", groups[::-1])
            await self._db.execute("DELETE FROM grants WHERE who = ?", groups[:1])
