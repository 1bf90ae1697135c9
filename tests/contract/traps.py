"""The table of LM Studio's traps: what it does, what we do, and the test that shows it.

`TRAPS.md` beside the client is written from it (`python -m tests.contract.traps`); `test_lmstudio_traps.py`
keeps the two and the tests together.
"""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "core" / "providers" / "lmstudio" / "TRAPS.md"
SECTIONS = {
    "A": "Status codes and error shapes that lie",
    "B": "State that lies",
    "C": "Duplicated and unwanted instances",
    "D": "Loading just in time, and eviction",
    "E": "Load failures and their texts",
    "F": "Hangs, timeouts, disconnects",
    "G": "Parallel requests",
    "H": "Versions, SDKs, neighbours",
}
HEAD = """\
# LM Studio's traps and what this client does about them

Written by `python -m tests.contract.traps` from the table in `tests/contract/`; do not edit by hand.
Each test talks to the whole program as a person does, over real sockets, against an LM Studio that
misbehaves in just this way (`tests/fakes/lmstudio`).
"""


@dataclass(frozen=True, slots=True)
class Trap:
    """One trap. `test` names the function that shows it; `why_not` says why there is none."""

    id: str
    trap: str
    does: str
    test: str = ""
    why_not: str = ""


def table() -> tuple[Trap, ...]:
    """Every trap, A to H."""
    # Not imported above: both tables are made of `Trap`.
    abc: Any = importlib.import_module("tests.contract.traps_abc")
    dh: Any = importlib.import_module("tests.contract.traps_dh")
    return (*abc.TRAPS_ABC, *dh.TRAPS_DH)


def markdown(traps: Iterable[Trap]) -> str:
    """The table as a page: a section for each letter, a row for each trap."""
    parts = [HEAD]
    for letter, group in groupby(traps, key=lambda trap: trap.id[0]):
        rows = [_row(trap) for trap in group]
        head = ["| # | Trap | What the program does | Shown by |", "|---|---|---|---|"]
        parts.append("\n".join([f"## {letter}. {SECTIONS[letter]}", "", *head, *rows]) + "\n")
    return "\n".join(parts)


def _row(trap: Trap) -> str:
    shown = f"`{trap.test}`" if trap.test else f"no test: {trap.why_not}"
    cells = (trap.id, trap.trap, trap.does, shown)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def write() -> None:
    """Write the page anew."""
    PAGE.write_text(markdown(table()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
