"""Everything the program asks of its database, as methods over plain SQL."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from core.conversation import ChatRef, Conversation, Outcome, Picture, Role, Turn
from core.model import Failure, FailureKind, LoadPath, Model, ModelState
from core.storage.queries import Queries
from core.storage.rows import TURN, as_turn
from core.storage.sqlite import database

_MODEL = (
    "id, provider, host, key, name, state, family, params, quant, size_bytes, max_context, loaded_context, "
    "vision, tools, demo, by_name_only, failure_kind, failure_text, failure_at, failure_until, failure_times"
)
_CHAT = "chat, model_id, language, system, began, trimmed_told, seen_at"


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """One measured load; `outcome` is `ok` or the kind of its failure."""

    at: float
    model_id: str
    host: str
    seconds: float
    size_bytes: int | None
    context: int | None
    via: LoadPath | None
    outcome: str


class Store(Queries):
    """The queries about models and conversations. Every method may raise StorageFailed."""

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[Self]:
        """Open the database at `path`; it is closed at the end of the context."""
        async with database(path) as connection:
            yield cls(connection, path)

    async def check(self) -> None:
        """Whether something could be written now; StorageFailed if not. Nothing is."""
        async with self._writing():
            await self._db.execute("BEGIN IMMEDIATE")

    # ------------------------------------------------------------ models

    async def models(self) -> list[Model]:
        """Every model as it was last seen."""
        return [_model(row) for row in await self._all(f"SELECT {_MODEL} FROM models")]

    async def save_models(self, models: Iterable[Model], gone: Iterable[str] = ()) -> None:
        """Remember these models and forget the ids in `gone`, in one transaction."""
        marks = ", ".join("?" * 21)
        async with self._writing():
            await self._db.executemany(
                f"INSERT OR REPLACE INTO models ({_MODEL}) VALUES ({marks})", [_model_row(m) for m in models]
            )
            await self._db.executemany("DELETE FROM models WHERE id = ?", [(one,) for one in gone])

    # ------------------------------------------------------------ loads

    async def add_load(self, record: LoadRecord) -> None:
        """Remember a measured load."""
        await self._do(
            "INSERT INTO loads (at, model_id, host, seconds, size_bytes, context, via, outcome) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            record.at,
            record.model_id,
            record.host,
            record.seconds,
            record.size_bytes,
            record.context,
            record.via.value if record.via else None,
            record.outcome,
        )

    async def loads(self, host: str, limit: int = 50) -> list[LoadRecord]:
        """The newest loads of a host that went well, newest first."""
        rows = await self._all(
            "SELECT at, model_id, host, seconds, size_bytes, context, via, outcome FROM loads "
            "WHERE host = ? AND outcome = 'ok' ORDER BY at DESC LIMIT ?",
            host,
            limit,
        )
        return [
            LoadRecord(**{**dict(row), "via": LoadPath(row["via"]) if row["via"] else None}) for row in rows
        ]

    # ------------------------------------------------------------ instances of ours

    async def ours(self, host: str) -> frozenset[str]:
        """The instances on that host that this bot loaded."""
        rows = await self._all("SELECT instance FROM ours WHERE host = ?", host)
        return frozenset(row["instance"] for row in rows)

    async def claim(self, host: str, instance: str, at: float) -> None:
        """This bot loaded that instance."""
        await self._do(
            "INSERT OR REPLACE INTO ours (host, instance, at) VALUES (?, ?, ?)", host, instance, at
        )

    async def disclaim(self, host: str, instance: str) -> None:
        """That instance is gone."""
        await self._do("DELETE FROM ours WHERE host = ? AND instance = ?", host, instance)

    # ------------------------------------------------------------ conversations

    async def conversation(self, chat: ChatRef) -> Conversation:
        """What is remembered of the chat; a fresh one if nothing is."""
        rows = await self._all(f"SELECT {_CHAT} FROM conversations WHERE chat = ?", str(chat))
        for row in rows:
            fields = {**dict(row), "chat": chat, "trimmed_told": bool(row["trimmed_told"])}
            return Conversation(**fields)
        return Conversation(chat)

    async def save_conversation(self, conversation: Conversation) -> None:
        """Remember the chat's choices."""
        await self._do(
            f"INSERT OR REPLACE INTO conversations ({_CHAT}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            str(conversation.chat),
            conversation.model_id,
            conversation.language,
            conversation.system,
            conversation.began,
            int(conversation.trimmed_told),
            conversation.seen_at,
        )

    # ------------------------------------------------------------ turns

    async def add_turn(self, chat: ChatRef, turn: Turn) -> Turn:
        """Remember a turn; the one returned has its id. Without a parent it follows the chat's newest question."""
        async with self._writing():
            parent = turn.parent
            if parent is None:
                parent = await self._newest_question(chat)
            row = await self._db.execute_insert(
                "INSERT INTO turns (chat, role, text, thinking, outcome, model_id, at, parent) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    str(chat),
                    turn.role.value,
                    turn.text,
                    turn.thinking,
                    turn.outcome.value,
                    turn.model_id,
                    turn.at,
                    parent,
                ),
            )
            assert row is not None
            pictures = [(row[0], picture.mime, picture.data) for picture in turn.pictures]
            await self._db.executemany(
                "INSERT INTO pictures (turn_id, mime, data) VALUES (?, ?, ?)", pictures
            )
            await self._db.commit()
        return replace(turn, id=row[0], parent=parent)

    async def _newest_question(self, chat: ChatRef) -> int:
        rows = await self._all(
            "SELECT MAX(id) AS id FROM turns WHERE chat = ? AND role = ?", str(chat), Role.USER.value
        )
        return rows[0]["id"] or 0

    async def settle_turn(self, turn_id: int, outcome: Outcome) -> None:
        """Write down what became of a turn."""
        await self._do("UPDATE turns SET outcome = ? WHERE id = ?", outcome.value, turn_id)

    async def drop_turns(self, chat: ChatRef, after: int) -> None:
        """Forget the chat's turns after that id (an answer about to be given anew)."""
        await self._do(
            "DELETE FROM pictures WHERE turn_id IN (SELECT id FROM turns WHERE chat = ? AND id > ?)",
            str(chat),
            after,
        )
        await self._do("DELETE FROM turns WHERE chat = ? AND id > ?", str(chat), after)

    async def turns(self, chat: ChatRef, after: int = 0, limit: int = 400) -> list[Turn]:
        """The newest turns of the chat after that id, oldest first."""
        rows = await self._all(
            f"SELECT {TURN} FROM turns WHERE chat = ? AND id > ? ORDER BY id DESC LIMIT ?",
            str(chat),
            after,
            limit,
        )
        return [as_turn(row) for row in reversed(rows)]

    async def turn(self, chat: ChatRef, turn_id: int) -> Turn | None:
        """One turn of that chat."""
        rows = await self._all(f"SELECT {TURN} FROM turns WHERE chat = ? AND id = ?", str(chat), turn_id)
        return as_turn(rows[0]) if rows else None

    async def pictures(self, turn_id: int) -> tuple[Picture, ...]:
        """The pictures of a turn."""
        rows = await self._all("SELECT mime, data FROM pictures WHERE turn_id = ? ORDER BY rowid", turn_id)
        return tuple(Picture(row["mime"], row["data"]) for row in rows)


def _model_row(model: Model) -> tuple[Any, ...]:
    failure = model.failure
    failed = (
        (failure.kind.value, failure.text, failure.at, failure.until, failure.times)
        if failure
        else (None,) * 5
    )
    return (
        model.id,
        model.provider,
        model.host,
        model.key,
        model.name,
        model.state.value,
        model.family,
        model.params,
        model.quant,
        model.size_bytes,
        model.max_context,
        model.loaded_context,
        int(model.vision),
        int(model.tools),
        int(model.demo),
        int(model.by_name_only),
        *failed,
    )


def _model(row: Any) -> Model:
    failure = None
    if row["failure_kind"]:
        failure = Failure(
            FailureKind(row["failure_kind"]),
            row["failure_text"],
            row["failure_at"],
            row["failure_until"],
            row["failure_times"],
        )
    return Model(
        provider=row["provider"],
        host=row["host"],
        key=row["key"],
        name=row["name"],
        state=ModelState(row["state"]),
        family=row["family"],
        params=row["params"],
        quant=row["quant"],
        size_bytes=row["size_bytes"],
        max_context=row["max_context"],
        loaded_context=row["loaded_context"],
        vision=bool(row["vision"]),
        tools=bool(row["tools"]),
        demo=bool(row["demo"]),
        by_name_only=bool(row["by_name_only"]),
        failure=failure,
    )
