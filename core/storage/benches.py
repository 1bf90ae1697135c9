"""Results of /bench."""

from core.storage.queries import Queries
from core.summary import Bench


class BenchQueries(Queries):
    """The queries."""

    async def add(self, bench: Bench) -> None:
        """Remember a result."""
        await self._do(
            "INSERT INTO benches (at, model_id, first, speed, tokens) VALUES (?, ?, ?, ?, ?)",
            bench.at,
            bench.model_id,
            bench.first,
            bench.speed,
            bench.tokens,
        )

    async def newest(self) -> list[Bench]:
        """The newest result of each model on each host, the fastest writer first."""
        rows = await self._all(
            "SELECT at, model_id, first, speed, tokens FROM benches "
            "WHERE id IN (SELECT MAX(id) FROM benches GROUP BY model_id) "
            "ORDER BY speed IS NULL, speed DESC, first, model_id"
        )
        return [Bench(**dict(row)) for row in rows]

    async def history(self, model_id: str, limit: int) -> list[Bench]:
        """The newest results of one model on one host, newest first."""
        rows = await self._all(
            "SELECT at, model_id, first, speed, tokens FROM benches WHERE model_id = ? ORDER BY id DESC LIMIT ?",
            model_id,
            limit,
        )
        return [Bench(**dict(row)) for row in rows]
