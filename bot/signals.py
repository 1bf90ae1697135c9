"""What the system tells the program: SIGTERM to end in order, SIGHUP to read its settings again.

Windows has neither; there only Ctrl-C ends the program.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable


class Terminated(Exception):
    """SIGTERM came, and everything has been put away."""


class Signals:
    """`farewell` runs before the end that SIGTERM asks for, `hangup` at each SIGHUP; without it, that ends as well."""

    def __init__(self) -> None:
        self.farewell: Callable[[], Awaitable[None]] | None = None
        self.hangup: Callable[[], Awaitable[None]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, what: Callable[[], Awaitable[None]]) -> None:
        """Do it beside everything else."""

        async def do() -> None:
            await what()

        task = asyncio.create_task(do())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """End what is still being done."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def heeded() -> AsyncIterator[Signals]:
    """Heed signals while inside. SIGTERM ends what is inside as cancelling does, and raises Terminated.

    A second SIGTERM does not wait for the farewell.
    """
    task = asyncio.current_task()
    assert task is not None
    signals = Signals()
    asked = False

    def end() -> None:
        nonlocal asked
        if asked or signals.farewell is None:
            asked = True
            task.cancel()
            return
        asked = True
        signals.spawn(lambda: _say_goodbye(signals, task))

    def hang_up() -> None:
        if signals.hangup is None:  # the terminal is gone
            end()
        else:
            signals.spawn(signals.hangup)

    loop = asyncio.get_running_loop()
    handlers = {"SIGTERM": end, "SIGHUP": hang_up}
    numbers = {getattr(signal, name): do for name, do in handlers.items() if hasattr(signal, name)}
    with contextlib.suppress(NotImplementedError):  # Windows
        for number, do in numbers.items():
            loop.add_signal_handler(number, do)
    try:
        yield signals
    except asyncio.CancelledError as cancelled:  # Ctrl-C cancels too, and is no ordinary end
        if asked:
            raise Terminated from cancelled
        raise
    finally:
        with contextlib.suppress(NotImplementedError):  # same
            for number in numbers:
                loop.remove_signal_handler(number)
        await signals.aclose()


async def _say_goodbye(signals: Signals, task: "asyncio.Task[object]") -> None:
    try:
        assert signals.farewell is not None
        await signals.farewell()
    finally:
        task.cancel()
