"""Whether the program does what it is there for, and what keeps it from that."""

import asyncio
import shutil
from collections.abc import Mapping
from typing import Any

from bot.standing import Standing
from core.engine import Engine
from core.errors import Problem

PATIENCE = 5.0  # seconds
SCARCE = 50_000_000  # bytes free on the disk of the data folder
LATE = 5  # times SYNC_EVERY after which the scheduler must have looked at the hosts


class Health:
    """Asks nobody outside: what was seen last counts, so that it may be asked as often as one likes."""

    def __init__(self, engine: Engine, standing: Standing) -> None:
        self._engine = engine
        self._standing = standing

    async def tell(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether all is well, and every part with its reason as JSON.

        One host that is down is told but leaves the whole well, as long as another one answers: for what
        supervises this program there would be nothing to mend here.
        """
        parts: dict[str, dict[str, str]] = {
            "platforms": self._standing.troubles(),
            "hosts": self._hosts(),
            "database": {"database": await self._database()},
            "scheduler": {"scheduler": self._scheduler()},
        }
        reasons = [
            f"{name}: {trouble}"
            for part in ("platforms", "database", "scheduler")
            for name, trouble in parts[part].items()
            if trouble
        ]
        if parts["hosts"] and all(parts["hosts"].values()):
            reasons.append("hosts: none answers")
        told: dict[str, Any] = {"status": "failing" if reasons else "ok", "reasons": reasons}
        for part, found in parts.items():
            told[part] = {
                name: {"ok": not trouble, **({"reason": trouble} if trouble else {})}
                for name, trouble in found.items()
            }
        return not reasons, told

    def _hosts(self) -> dict[str, str]:
        now = self._engine.clock.time()
        found = {}
        for host in self._engine.catalog.health():
            trouble = "" if host.reachable else host.detail or "not asked yet"
            if host.reachable and host.detail == "401":
                trouble = "wants a token, or another one"
            if host.sick_until > now:
                trouble = "refuses every load"
            found[f"{host.provider} {host.host}".strip()] = trouble
        return found

    async def _database(self) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._engine.store.check()
            free = shutil.disk_usage(self._engine.settings.data_dir).free
        except Problem as problem:
            return str(problem)
        except TimeoutError:
            return "does not answer"
        except OSError as error:
            return error.strerror or type(error).__name__
        return f"only {free // 10**6} MB free" if free < SCARCE else ""

    def _scheduler(self) -> str:
        engine = self._engine
        if engine.jobs is None:
            return "not started yet"
        if not engine.jobs.running:
            return "stopped"
        looked = max((host.checked_at for host in engine.catalog.health()), default=None)
        if looked is None:
            return ""
        ago = engine.clock.time() - looked
        return f"looked at the hosts {ago:.0f} s ago" if ago > LATE * engine.settings.sync_every + 60 else ""
