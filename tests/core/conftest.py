"""What the tests of the core share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.core.world import World, a_world

# A shared machine stalls now and then: how long an example takes says nothing of the code.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A host with two models, a vendor with one, nothing loaded."""
    async with a_world(tmp_path) as world:
        yield world
