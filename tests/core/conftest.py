"""What the tests of the core share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.core.world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A host with two models, a vendor with one, nothing loaded."""
    async with a_world(tmp_path) as world:
        yield world
