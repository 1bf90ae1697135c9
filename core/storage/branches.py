"""Which question continues which, and which message on a platform belongs to which question."""

from collections.abc import Iterable

from core.conversation import ChatRef, Role, Turn
from core.storage.queries import Queries
from core.storage.rows import TURN, as_turn

LONGEST_LINE = 200  # questions; no context holds more


class BranchQueries(Queries):
    """The lines of a chat: a question and everything that it continues."""

    async def head(self, chat: ChatRef, after: int = 0) -> int:
        """The newest question of the chat after that id; 0 if there is none."""
        rows = await self._all(
            "SELECT MAX(id) AS id FROM turns WHERE chat = ? AND id > ? AND role = ?",
            str(chat),
            after,
            Role.USER.value,
        )
        return rows[0]["id"] or 0

    async def line(self, chat: ChatRef, question: int) -> list[Turn]:
        """That question, what it continues, and their answers, oldest first."""
        rows = await self._all(
            "WITH RECURSIVE line (id, parent, depth) AS ("
            "  SELECT id, parent, 1 FROM turns WHERE chat = ? AND id = ? AND role = ?"
            "  UNION ALL SELECT t.id, t.parent, line.depth + 1 FROM turns AS t"
            "  JOIN line ON t.id = line.parent AND t.id < line.id WHERE line.depth < ?"
            ") "
            f"SELECT {TURN} FROM turns WHERE chat = ? AND id IN (SELECT id FROM line) "
            f"UNION SELECT {TURN} FROM turns WHERE chat = ? AND role = ? AND parent IN (SELECT id FROM line) "
            "ORDER BY id",
            str(chat),
            question,
            Role.USER.value,
            LONGEST_LINE,
            str(chat),
            str(chat),
            Role.ASSISTANT.value,
        )
        return [as_turn(row) for row in rows]

    async def question_of(self, chat: ChatRef, message: str) -> int | None:
        """The question that a message asks or answers."""
        rows = await self._all(
            "SELECT question FROM messages WHERE chat = ? AND message = ?", str(chat), message
        )
        return rows[0]["question"] if rows else None

    async def stands_in(self, chat: ChatRef, question: int, messages: Iterable[str]) -> None:
        """Remember that the question, or its answer, stands in those messages."""
        async with self._writing():
            await self._db.executemany(
                "INSERT OR REPLACE INTO messages (chat, message, question) VALUES (?, ?, ?)",
                [(str(chat), message, question) for message in messages],
            )
