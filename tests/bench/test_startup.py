"""From the command to the prompt: `python -m pytest -m bench -s tests/bench/test_startup.py`.

Figures are medians of whole processes in a real terminal; they are printed, never asserted. The ratio to a
bare interpreter in the same run says how much of it is ours on a machine that others use too.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from tests.sockets.program import PATIENCE, ROOT, environment

RUNS = 7


def _prompt(data_dir: Path, embedded: str) -> float:
    env = environment(data_dir, LMSTUDIO_URLS="http://127.0.0.1:9", EMBEDDED=embedded, TERM="xterm-256color")
    started = time.perf_counter()
    child = pexpect.spawn(sys.executable, ["-m", "bot"], cwd=str(ROOT), env=env, timeout=PATIENCE)
    child.expect_exact("›".encode())
    seconds = time.perf_counter() - started
    child.close(force=True)
    return seconds


def _bare() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - started


def _median(measure: Callable[[], float]) -> float:
    measure()  # the first run compiles and fills the page cache
    return statistics.median(measure() for _ in range(RUNS))


@pytest.mark.bench
def test_start_to_prompt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Print the seconds from the command to the prompt, without and with the embedded engine."""
    bare = _median(_bare)
    for embedded in ("off", "auto"):
        seconds = _median(lambda embedded=embedded: _prompt(tmp_path, embedded))  # type: ignore[misc]  # a default binds the loop's value
        with capsys.disabled():
            print(
                f"\nEMBEDDED={embedded}: {seconds:.2f} s to the prompt, {seconds / bare:.0f} x a bare interpreter"
            )  # figures are for people
