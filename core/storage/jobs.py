"""When the jobs of the clock ran, and what failed since then."""

from core.model import FailureKind
from core.storage.queries import Queries


class JobTable(Queries):
    """The queries."""

    async def runs(self) -> dict[str, tuple[float, str]]:
        """Each job's last run: when it ended (seconds since the epoch), and its outcome."""
        rows = await self._all("SELECT name, at, outcome FROM jobs")
        return {row["name"]: (row["at"], row["outcome"]) for row in rows}

    async def ran(self, name: str, at: float, outcome: str) -> None:
        """A job ended."""
        await self._do("INSERT OR REPLACE INTO jobs (name, at, outcome) VALUES (?, ?, ?)", name, at, outcome)

    async def failed_loads(self, since: float) -> list[tuple[str, str, int]]:
        """Loads that failed since then: the model's id, the kind of the failure, and how often; the most first."""
        rows = await self._all(
            "SELECT model_id, outcome, COUNT(*) AS times FROM loads WHERE at >= ? AND outcome NOT IN (?, ?) "
            "GROUP BY model_id, outcome ORDER BY times DESC, model_id, outcome",
            since,
            "ok",
            FailureKind.CANCELLED.value,
        )
        return [(row["model_id"], row["outcome"], row["times"]) for row in rows]
