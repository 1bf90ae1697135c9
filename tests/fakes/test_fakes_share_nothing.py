"""A fake server that shared code with the client would agree with its mistakes."""

import ast
from pathlib import Path

import pytest

SERVERS = Path(__file__).parent / "lmstudio"


def _imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("file", sorted(SERVERS.glob("*.py")), ids=lambda file: file.stem)
def test_the_fake_lm_studio_shares_no_code_with_its_client(file: Path) -> None:
    """Nothing of `core` or `bot` is imported by the server that judges them."""
    assert {name for name in _imported(file) if name.split(".")[0] in {"core", "bot"}} == set()
