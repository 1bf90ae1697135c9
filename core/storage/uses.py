"""When which model answered."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from core.conversation import Role
from core.storage.queries import Queries


class UseQueries(Queries):
    """The queries."""

    async def at_hour(self, hour: datetime, since: float) -> Mapping[str, int]:
        """Answers by model id at that hour of that weekday in that zone, since a moment (seconds since the epoch)."""
        rows = await self._all(
            "SELECT model_id, at FROM turns WHERE role = ? AND at >= ?", Role.ASSISTANT.value, since
        )
        found: Counter[str] = Counter()
        for row in rows:
            then = datetime.fromtimestamp(row["at"], hour.tzinfo)
            if (then.weekday(), then.hour) == (hour.weekday(), hour.hour):
                found[row["model_id"]] += 1
        return found
