"""Access over a real database and a clock that stands still."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from core.access import Access, Rules
from core.storage import Store
from core.storage.access import AccessQueries
from tests.fakes.clock import FakeClock

Opened = Callable[..., Coroutine[Any, Any, Access]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def opened(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Opened]:
    """Opens it on the same database each time, as restarts do."""
    async with AsyncExitStack() as stack:

        async def open_(**rules: Any) -> Access:
            store = await stack.enter_async_context(Store.open(tmp_path / "x.db"))
            access = Access(AccessQueries.over(store), clock, Rules(**rules))
            await access.open()
            return access

        yield open_
