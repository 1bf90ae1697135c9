"""What happens by the clock: for now, the re-sync that keeps the model list true."""

from collections.abc import Awaitable, Callable
from datetime import UTC

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger(__name__)


class Jobs:
    """The scheduler of the program; `start()` needs a running event loop."""

    def __init__(self, look_again: Callable[[], Awaitable[None]], sync_every: float) -> None:
        self._look_again = look_again
        # coalesce: after sleep a missed run happens once. The default grace of 1 s would drop it.
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)
        self._scheduler.add_job(self._sync, "interval", seconds=sync_every, id="sync")

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return bool(self._scheduler.running)

    def stop(self) -> None:
        """End without waiting for a run under way."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def _sync(self) -> None:
        try:
            await self._look_again()
        except Exception:  # a job that fails is run again next time and disturbs nobody
            log.exception("job failed", job="sync")
