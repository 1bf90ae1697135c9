"""The table of traps is whole, names tests that exist, and is the page beside the client."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.contract.traps import PAGE, markdown, table

COUNTS = {"A": 14, "B": 13, "C": 9, "D": 6, "E": 15, "F": 9, "G": 5, "H": 9}
IDS = [f"{letter}{number}" for letter, count in COUNTS.items() for number in range(1, count + 1)]
NAMED = re.compile(r"test_([a-h]\d+)_\w+")


def functions(pattern: str) -> Iterator[ast.AsyncFunctionDef | ast.FunctionDef]:
    """The functions of the test files, in order."""
    for path in sorted(Path(__file__).parent.glob(pattern)):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from (n for n in tree.body if isinstance(n, ast.AsyncFunctionDef | ast.FunctionDef))


def test_every_trap_stands_in_the_table_once_in_order() -> None:
    """A1 to H9, none missing and none twice."""
    assert [trap.id for trap in table()] == IDS


def test_every_trap_has_a_test_or_a_reason() -> None:
    """One of the two, never both; what LM Studio does and what we do are said in sentences."""
    for trap in table():
        assert bool(trap.test) != bool(trap.why_not), trap.id
        assert trap.trap.endswith("."), trap.id
        assert trap.does.endswith("."), trap.id


def test_every_named_test_exists() -> None:
    """The test of a trap carries its number and stands in its section's file, once."""
    for letter in COUNTS:
        written = [function.name for function in functions(f"test_lmstudio_traps_{letter.lower()}*.py")]
        for trap in table():
            if trap.id[0] == letter and trap.test:
                assert trap.test.startswith(f"test_{trap.id.lower()}_"), trap.id
                assert written.count(trap.test) == 1, trap.test


def test_every_test_is_of_a_trap_and_says_what_must_hold() -> None:
    """No test of a number that is not in the notes, none without a docstring, none for a trap without one."""
    tested = {trap.id for trap in table() if trap.test}
    found = [
        function for function in functions("test_lmstudio_traps_[a-h]*.py") if NAMED.match(function.name)
    ]
    assert found
    for function in found:
        number = NAMED.match(function.name)
        assert number is not None
        assert number[1].upper() in tested, function.name
        assert ast.get_docstring(function), function.name


def test_the_page_is_the_table() -> None:
    """TRAPS.md is what `python -m tests.contract.traps` writes."""
    assert PAGE.read_text(encoding="utf-8") == markdown(table())


def test_the_page_keeps_its_columns() -> None:
    """A bar in a text does not break its row."""
    rows = [line for line in markdown(table()).splitlines() if re.match(r"\| [A-H]\d", line)]
    assert len(rows) == len(IDS)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
