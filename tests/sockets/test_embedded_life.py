"""The shipped program without any LM Studio: a real small model in a process of its own."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.sockets.program import PATIENCE, ROOT, environment, program

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def data_dir(model_data: Path, tmp_path: Path) -> Path:
    """A data folder of the test's own, with the demonstration model fetched already."""
    models = tmp_path / "data" / "models"
    models.mkdir(parents=True)
    for file in (model_data / "models").glob("*.gguf"):
        shutil.copy(file, models)
    return tmp_path / "data"


def engines() -> list[psutil.Process]:
    """The child processes that hold a model, of whichever program below this test."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "core.embedded.child" in " ".join(child.cmdline())]


def test_a_pipe_answers_and_ends_well(data_dir: Path) -> None:
    """Two lines in a pipe: it lists, loads, answers, and ends with 0 and no child left."""
    run = subprocess.run(
        [sys.executable, "-m", "bot"],
        cwd=ROOT,
        env=environment(data_dir, LMSTUDIO_URLS=NOWHERE, EMBEDDED="auto"),
        input=b"/models\nhello\n",
        capture_output=True,
        timeout=PATIENCE * 2,
        check=False,
    )
    said, progress = run.stdout.decode(), run.stderr.decode()
    assert run.returncode == 0, progress
    assert "smollm2-135m-instruct — não carregado" in said
    assert "demonstração" in said
    assert '🔄 Carregando modelo "SmolLM2 135M Instruct (demonstration)"' in progress
    assert "✅ Modelo carregado com sucesso" in said
    assert engines() == []


async def test_unload_frees_the_childs_memory(data_dir: Path) -> None:
    """The model lives in a child process: there after an answer, gone after /unload, back with the next one."""
    async with program(data_dir, LMSTUDIO_URLS=NOWHERE, EMBEDDED="auto") as bot:
        await bot.say("hello")
        (child,) = engines()
        assert child.memory_info().rss > 100_000_000
        assert "descarregado" in await bot.say("/unload")
        assert engines() == []
        assert "não carregado" in await bot.say("/models")
        assert "✅ Modelo carregado com sucesso" in await bot.say("hello again")
        assert await bot.end() == 0
    await asyncio.to_thread(psutil.wait_procs, engines(), 5)
    assert engines() == []


async def test_the_scripted_engine_is_offered_by_name_only_and_says_what_it_is(data_dir: Path) -> None:
    """It stands in no list and is never picked; asked for by name it says in every answer that it is no model."""
    async with program(data_dir, LMSTUDIO_URLS=NOWHERE, EMBEDDED="auto") as bot:
        assert "scripted" not in await bot.say("/models")
        assert "scripted" not in await bot.say("/sugerir")
        await bot.say("/usar scripted-echo")
        for text in ("um", "dois"):
            answer = await bot.say(text)
            assert "não é um modelo de linguagem" in answer
            assert text in answer


async def test_any_gguf_file_is_listed_and_answers(data_dir: Path, tmp_path: Path) -> None:
    """A file in a folder of EMBEDDED_MODELS is a model like any other."""
    folder = tmp_path / "mine" / "someone" / "little"
    folder.mkdir(parents=True)
    (file,) = (data_dir / "models").glob("*.gguf")
    shutil.copy(file, folder / "my-own-model.gguf")
    # The context ends an answer of a model that small soon enough, whatever it says.
    settings = {
        "LMSTUDIO_URLS": NOWHERE,
        "EMBEDDED": "on",
        "EMBEDDED_MODELS": str(tmp_path / "mine"),
        "CONTEXT_LENGTH": "256",
    }
    async with program(data_dir, **settings) as bot:
        assert "my-own-model" in await bot.say("/models")
        await bot.say("/usar my-own-model")
        assert "✅ Modelo carregado com sucesso" in await bot.say("hello")
        assert await bot.end() == 0
