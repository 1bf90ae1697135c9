"""What was measured of answers, loads and suggestions; old ones added up per day."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

from core.storage.queries import Queries
from core.summary import BROKEN, DONE, AnswerRecord, LoadFact

_ANSWER = "at, model_id, person, chat, tokens_in, tokens_out, first, seconds, outcome"
CANCELLED = "cancelled"  # a load that nobody waited for any more is no failure


class MeasureQueries(Queries):
    """The queries. Times in seconds since the epoch."""

    # ------------------------------------------------------------ writing

    async def add_answers(self, records: Iterable[AnswerRecord]) -> None:
        """Remember answers, in one transaction."""
        rows = [
            (r.at, r.model_id, r.person, r.chat, r.tokens_in, r.tokens_out, r.first, r.seconds, r.outcome)
            for r in records
        ]
        async with self._writing():
            await self._db.executemany(
                f"INSERT INTO answers ({_ANSWER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )

    async def add_suggestion(self, at: float, chat: str, failed: str, offered: Sequence[str]) -> None:
        """Models (pools, best first) were offered instead of one."""
        await self._do(
            "INSERT INTO suggestions (at, chat, failed, offered, taken) VALUES (?, ?, ?, ?, '')",
            at,
            chat,
            failed,
            "\n".join(offered),
        )

    async def take_suggestion(self, chat: str, since: float, model: str) -> bool:
        """Somebody chose a model; whether it was offered there since then and nothing else was chosen."""
        rows = await self._all(
            "SELECT id, offered FROM suggestions WHERE chat = ? AND at >= ? AND taken = '' "
            "ORDER BY id DESC LIMIT 1",
            chat,
            since,
        )
        if not rows or model not in rows[0]["offered"].split("\n"):
            return False
        await self._do("UPDATE suggestions SET taken = ? WHERE id = ?", model, rows[0]["id"])
        return True

    # ------------------------------------------------------------ reading

    async def answers(
        self, since: float, *, chat: str = "", models: Sequence[str] = ()
    ) -> list[AnswerRecord]:
        """Single answers since then, of a chat or of some model ids only."""
        narrow, values = _narrow(chat, models)
        rows = await self._all(
            f"SELECT {_ANSWER} FROM answers WHERE at >= ?{narrow} ORDER BY at", since, *values
        )
        return [AnswerRecord(**dict(row)) for row in rows]

    async def loads(self, since: float, *, models: Sequence[str] | None = None) -> list[LoadFact]:
        """Single loads since then that were not called back, of some model ids only."""
        narrow, values = _narrow("", models or ())
        rows = await self._all(
            f"SELECT at, model_id, seconds, outcome FROM loads WHERE at >= ? AND outcome <> ?{narrow} ORDER BY at",
            since,
            CANCELLED,
            *values,
        )
        return [LoadFact(**dict(row)) for row in rows]

    async def suggestions(self, since: float, *, chat: str = "") -> list[bool]:
        """Each suggestion since then, and whether it was taken."""
        narrow, values = _narrow(chat, ())
        rows = await self._all(f"SELECT taken FROM suggestions WHERE at >= ?{narrow}", since, *values)
        return [bool(row["taken"]) for row in rows]

    async def broken(self, since: float) -> list[tuple[str, int]]:
        """Answers that broke off since then: the model's id and how often; the most first."""
        rows = await self._all(
            "SELECT model_id, COUNT(*) AS times FROM answers WHERE at >= ? AND outcome = ? "
            "GROUP BY model_id ORDER BY times DESC, model_id",
            since,
            BROKEN,
        )
        return [(row["model_id"], row["times"]) for row in rows]

    async def ever(self) -> int:
        """All answers that were ever given, those added up too."""
        rows = await self._all(
            "SELECT (SELECT COUNT(*) FROM answers) + (SELECT COALESCE(SUM(answers), 0) FROM answer_days) AS n"
        )
        return int(rows[0]["n"])

    async def paces(self, since: float) -> dict[str, tuple[float | None, int, float]]:
        """By model id, of what was answered to the end: mean first word, tokens written, seconds of writing."""
        rows = await self._all(
            "SELECT model_id, AVG(first) AS first, SUM(tokens_out) AS tokens, "
            "SUM(seconds - COALESCE(first, 0)) AS writing FROM answers "
            "WHERE at >= ? AND outcome = ? AND tokens_out > 0 GROUP BY model_id",
            since,
            DONE,
        )
        return {row["model_id"]: (row["first"], row["tokens"], row["writing"]) for row in rows}

    async def at_hour(self, hour: datetime, since: float) -> Mapping[str, int]:
        """Answers by model id at that hour of that weekday in that zone, since a moment (seconds since the epoch)."""
        rows = await self._all("SELECT model_id, at FROM answers WHERE at >= ?", since)
        found: Counter[str] = Counter()
        for row in rows:
            then = datetime.fromtimestamp(row["at"], hour.tzinfo)
            if (then.weekday(), then.hour) == (hour.weekday(), hour.hour):
                found[row["model_id"]] += 1
        return found

    # ------------------------------------------------------------ adding up

    async def roll_up(self, before: float, day_of: Callable[[float], date]) -> int:
        """Add up per day what is older, and forget the single ones; how many there were."""
        answers = await self._old_answers(before)
        loads = await self._old_loads(before)
        async with self._writing():
            for one in answers:
                await self._db.execute(
                    "INSERT INTO answer_days (day, model_id, person, chat, outcome, answers, tokens_in, "
                    "tokens_out, seconds) VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?) "
                    "ON CONFLICT (day, model_id, person, chat, outcome) DO UPDATE SET "
                    "answers = answers + 1, tokens_in = tokens_in + excluded.tokens_in, "
                    "tokens_out = tokens_out + excluded.tokens_out, seconds = seconds + excluded.seconds",
                    (
                        str(day_of(one.at)),
                        one.model_id,
                        one.person,
                        one.chat,
                        one.outcome,
                        one.tokens_in or 0,
                        one.tokens_out or 0,
                        one.seconds,
                    ),
                )
            for load in loads:
                await self._db.execute(
                    "INSERT INTO load_days (day, model_id, outcome, loads, seconds) VALUES (?, ?, ?, 1, ?) "
                    "ON CONFLICT (day, model_id, outcome) DO UPDATE SET loads = loads + 1, "
                    "seconds = seconds + excluded.seconds",
                    (str(day_of(load.at)), load.model_id, load.outcome, load.seconds),
                )
            await self._db.execute("DELETE FROM answers WHERE at < ?", (before,))
            await self._db.execute("DELETE FROM loads WHERE at < ?", (before,))
            await self._db.execute("DELETE FROM suggestions WHERE at < ?", (before,))
        return len(answers) + len(loads)

    async def _old_answers(self, before: float) -> list[AnswerRecord]:
        rows = await self._all(f"SELECT {_ANSWER} FROM answers WHERE at < ?", before)
        return [AnswerRecord(**dict(row)) for row in rows]

    async def _old_loads(self, before: float) -> list[LoadFact]:
        rows = await self._all("SELECT at, model_id, seconds, outcome FROM loads WHERE at < ?", before)
        return [LoadFact(**dict(row)) for row in rows]


def _narrow(chat: str, models: Sequence[str]) -> tuple[str, list[str]]:
    """Further conditions, and their values."""
    words, values = "", []
    if chat:
        words, values = " AND chat = ?", [chat]
    if models:
        words += f" AND model_id IN ({', '.join('?' * len(models))})"
    return words, [*values, *models]
