"""What tests of several parts share."""

import asyncio
import getpass
import os
import tempfile
from contextlib import aclosing
from pathlib import Path

import pytest

from core.embedded import EmbeddedEngine, FetchError


@pytest.fixture(scope="session")
def model_data() -> Path:
    """A data folder with the demonstration model in it, kept between runs."""
    default = Path(tempfile.gettempdir()) / f"orquestrador-tests-{getpass.getuser()}"
    data = Path(os.environ.get("ORQUESTRADOR_TEST_CACHE", default))

    async def fetch() -> None:
        async with aclosing(EmbeddedEngine(data).fetch()) as steps:
            async for _ in steps:
                pass

    try:
        asyncio.run(fetch())
    except FetchError as error:
        pytest.fail(f"these tests run the real model, and it could not be fetched: {error}")
    return data
