"""What the engine's tests share: the real model, fetched once, and engines to talk to."""

import asyncio
import getpass
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from core.embedded import EmbeddedEngine, FetchError
from tests.core.embedded.clients import Client, client_of


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


@pytest.fixture
async def real(model_data: Path) -> AsyncIterator[Client]:
    """An engine with the real model on disk."""
    async with EmbeddedEngine(model_data) as engine, client_of(engine) as client:
        yield client


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[Client]:
    """An engine with nothing but the scripted model; files may be put into `folder`."""
    folder = tmp_path / "models"
    async with EmbeddedEngine(tmp_path / "data", [folder]) as engine, client_of(engine, folder) as client:
        yield client


@pytest.fixture
def own_copy(model_data: Path, tmp_path: Path) -> Path:
    """A data folder whose model file a test may damage."""
    copy = tmp_path / "data" / "models"
    copy.mkdir(parents=True)
    for file in (model_data / "models").glob("*.gguf"):
        shutil.copy(file, copy)
    return tmp_path / "data"
