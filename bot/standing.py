"""Runs platforms side by side and knows how each one stands."""

from collections.abc import Callable

import structlog

from bot.surface import Platform, Responder
from bot.trace import where
from bot.watch import Counts, Watch, watching
from core.errors import Problem

log = structlog.get_logger(__name__)

FAILED = 1


class Standing:
    """`complain` says a Problem to whoever started the program and returns the exit code."""

    def __init__(self, complain: Callable[[Problem], int]) -> None:
        self._complain = complain
        self.counts: Counts | None = None  # who keeps figures of what platforms show
        self._watches: dict[str, Watch] = {}
        self._platforms: dict[str, Platform] = {}
        self._ended: dict[str, str] = {}  # platform -> why

    def troubles(self) -> dict[str, str]:
        """Every platform, and what is wrong with it; an empty word where nothing is."""
        found: dict[str, str] = {}
        for name, platform in self._platforms.items():
            # A platform that knows how its line stands says so; of others it is known that they run.
            found[name] = self._ended.get(name) or str(getattr(platform, "trouble", ""))
        return found

    async def until_quiet(self) -> None:
        """Return when no card is on its way any more, on any platform."""
        for watch in self._watches.values():
            await watch.until_quiet()

    async def run(self, platform: Platform, responder: Responder) -> int:
        """Run a platform until it ends; its exit code. Whatever happens to it, the others run on."""
        self._platforms[platform.name] = platform
        watch = self._watches[platform.name] = Watch(platform.name, self.counts)
        watching.set(watch)
        try:
            await platform.run(responder)
        except Problem as problem:
            return self._over(platform, problem)
        except BaseExceptionGroup as group:
            problems, others = group.split(Problem)
            if problems is None or others is not None:
                if not isinstance(group, Exception):
                    raise
                return self._crashed(platform, group)
            return self._over(platform, first(problems))
        except Exception as bug:  # noqa: BLE001  # a bug in one platform must not end the others
            return self._crashed(platform, bug)
        self._ended[platform.name] = "ended"
        return FAILED if getattr(platform, "failed", False) else 0

    def _over(self, platform: Platform, problem: Problem) -> int:
        log.error("platform ended", platform=platform.name, problem=str(problem))
        self._ended[platform.name] = f"ended: {problem}"
        return self._complain(problem)

    def _crashed(self, platform: Platform, bug: Exception) -> int:
        """Log the kind and the lines of code: the words of an exception may hold a token or quote a person."""
        log.error("platform crashed", platform=platform.name, where=where(bug))
        self._ended[platform.name] = f"crashed: {type(bug).__name__}"
        return FAILED


def first(group: BaseExceptionGroup[Problem]) -> Problem:
    """The first Problem in it, however deep."""
    one = group.exceptions[0]
    return first(one) if isinstance(one, BaseExceptionGroup) else one
