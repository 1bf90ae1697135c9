"""The public face: cheap to import, clear about what is missing."""

import subprocess
import sys
from pathlib import Path

from core.embedded import DEMO_BYTES, DEMO_LICENCE, EmbeddedEngine, default_folders, why_not

ROOT = Path(__file__).parents[3]


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_importing_it_brings_no_library() -> None:
    """Neither the server's library nor the runtime is imported before `start`."""
    code = "import sys, core.embedded; print({'aiohttp', 'xllamacpp', 'httpx2'} & set(sys.modules))"
    assert python(code) == "set()"


def test_says_what_is_missing() -> None:
    """Without the runtime the reason names it; with it there is none."""
    assert why_not() is None
    code = "import sys; sys.modules['xllamacpp'] = None\nfrom core.embedded import why_not; print(why_not())"
    assert python(code).startswith("xllamacpp is not installed")


def test_knows_what_it_would_fetch(tmp_path: Path) -> None:
    """Size and licence are there to be shown before anything is downloaded."""
    assert (DEMO_BYTES // 10**6, DEMO_LICENCE) == (92, "Apache-2.0")
    assert not EmbeddedEngine(tmp_path).demo_present()


def test_default_folders_exist() -> None:
    """Only folders that are there are searched by default."""
    assert all(folder.is_dir() for folder in default_folders())


async def test_starts_on_an_address_of_its_own(tmp_path: Path) -> None:
    """Two engines live side by side; closing twice is harmless."""
    async with EmbeddedEngine(tmp_path / "a") as one, EmbeddedEngine(tmp_path / "b") as two:
        assert one.url != two.url
        assert one.token != two.token
        assert one.url.startswith("http://127.0.0.1:")
        await one.aclose()
