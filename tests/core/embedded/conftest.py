"""What the engine's tests share: the real model, fetched once, and engines to talk to."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.embedded import EmbeddedEngine
from tests.core.embedded.clients import Client, client_of


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
