"""The child process: how each of its ends is told, and that none is left behind."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.embedded.models import DEMO_FILE, DEMO_FILE_SHA256
from core.embedded.runner import LoadError
from core.embedded.runtime import PROGRAM, Order, cores_here, start
from core.model import FailureKind
from tests.core.embedded.ggufs import put

CHILD = Path(__file__).with_name("child_like.py")
ROOT = Path(__file__).parents[3]
ORDER = Order((Path("nova.gguf"),), 2048)


def nothing(_: float) -> None:
    """Progress that nobody looks at."""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX; on Windows the codes differ")
@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        (
            "SIGILL",
            FailureKind.NO_RUNTIME,
            ("No LM Runtime found for model format", "AVX2", "(Exit code: -4)"),
        ),
        ("SIGKILL", FailureKind.NEEDS_ROOM, ("insufficient system resources", "(Exit code: -9)")),
        ("SIGABRT", FailureKind.CRASHED, ("The model has crashed without additional information", "-6")),
        ("3", FailureKind.CRASHED, ("The model has crashed without additional information", "3")),
        (
            "libgomp",
            FailureKind.NO_RUNTIME,
            ("No LM Runtime found for model format", "apt-get install libgomp1"),
        ),
        ("hash", FailureKind.NOT_INSTALLED, ("Model file damaged",)),
        ("init", FailureKind.UNKNOWN, ("Error loading model", "unknown model architecture: 'nova'")),
        ("memory", FailureKind.NEEDS_ROOM, ("insufficient system resources",)),
    ],
)
async def test_names_every_end(what: str, kind: FailureKind, words: tuple[str, ...]) -> None:
    """However the child ends, the reason is in LM Studio's words and of the right kind."""
    with pytest.raises(LoadError) as caught:
        await start(ORDER, nothing, (sys.executable, str(CHILD), what))
    assert caught.value.kind is kind
    assert all(word in caught.value.text for word in words)


async def test_a_program_that_is_not_there() -> None:
    """No interpreter, no runtime: told, not raised as an OSError."""
    with pytest.raises(LoadError) as caught:
        await start(ORDER, nothing, ("/nowhere/python",))
    assert caught.value.kind is FailureKind.NO_RUNTIME


async def test_calling_off_kills_the_child() -> None:
    """A load that is cancelled leaves no process."""
    others = set(psutil.Process().children())  # that other tests in this process have started
    half = asyncio.Event()
    load = asyncio.create_task(
        start(ORDER, lambda f: half.set() if f else None, (sys.executable, str(CHILD), "hang"))
    )
    await half.wait()
    [child] = set(psutil.Process().children()) - others
    load.cancel()
    with pytest.raises(asyncio.CancelledError):
        await load
    assert not child.is_running()


async def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The real child tells a missing file."""
    with pytest.raises(LoadError, match="Model file damaged"):
        await start(Order((tmp_path / "gone.gguf",), 512), nothing)


async def test_a_file_that_llama_cannot_load(tmp_path: Path) -> None:
    """The real child gives llama.cpp's own reason for a header without a model."""
    with pytest.raises(LoadError, match="Error loading model") as caught:
        await start(Order((put(tmp_path / "empty.gguf"),), 512), nothing)
    assert caught.value.kind is FailureKind.UNKNOWN


def test_threads_leave_a_core_free() -> None:
    """Decoding leaves a core to the bot and never takes more than four."""
    order = json.loads(ORDER.line("k"))
    assert order["threads"] == max(1, min(4, cores_here() - 1))
    assert order["batch_threads"] == cores_here()


def test_the_child_ends_with_its_parent(model_data: Path) -> None:
    """When its standard input closes, as it does when the bot is killed, the child is gone."""
    order = Order((model_data / "models" / DEMO_FILE,), 512, sha256=DEMO_FILE_SHA256)
    with subprocess.Popen(
        PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(order.line("k"))
        child.stdin.flush()
        reports: list[dict[str, Any]] = []
        while not reports or reports[-1]["type"] == "progress":
            reports.append(json.loads(child.stdout.readline()))
        fractions = [r["value"] for r in reports[:-1]]
        child.stdin.close()
        child.wait(timeout=20)
    assert reports[-1]["type"] == "ready"
    assert fractions == sorted(fractions)
    assert fractions[-1] == 0.9
