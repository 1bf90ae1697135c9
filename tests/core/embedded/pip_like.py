"""Stands in for pip as a program of its own: `pip_like.py MODE FOLDER download … --dest D REQUIREMENT`.

FOLDER holds `wheel.whl` to give away; the program leaves its process id in `FOLDER/pid`.
"""

import os
import sys
import threading
from pathlib import Path

MODE, FOLDER = sys.argv[1], Path(sys.argv[2])
DEST = Path(sys.argv[sys.argv.index("--dest") + 1])
WHEEL = (FOLDER / "wheel.whl").read_bytes()
ERRORS = {
    "offline": "ERROR: Could not find a version that satisfies the requirement (from versions: none)",
    "full": "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    "no_pip": f"{sys.executable}: No module named pip",
    "strange": "ERROR: the moon is in the wrong phase",
}


def main() -> None:
    """Do what the mode says."""
    (FOLDER / "pid").write_text(str(os.getpid()))
    if MODE in ERRORS:
        sys.exit(ERRORS[MODE])
    part = Path(os.environ["TMPDIR"]) / "pip-unpack"
    part.mkdir()
    (part / "it.whl").write_bytes(WHEEL[: len(WHEEL) // 2])
    if MODE == "hang":
        threading.Event().wait()
    (part / "it.whl").write_bytes(WHEEL)
    (DEST / "it.whl").write_bytes(WHEEL)


main()
