"""The file of master keys: its owner's alone, whole or not there, and told of when it cannot be used."""

import base64
import os
import stat
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import SettingWrong, StorageFailed
from core.keys import FileRing, Ring, SettingRing, ring_of
from core.keys.rings import FILE, next_id
from core.keys.sealing import EMPTY
from core.lost import KeyRingWrong


def test_it_is_made_on_first_use(tmp_path: Path) -> None:
    """Reading makes nothing; the first key makes a file that only its owner reads; it stays as it is."""
    path = tmp_path / "new" / FILE
    rings = FileRing(path)
    assert rings.read() == EMPTY
    assert not path.exists()
    ring = rings.make()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ring == rings.make() == rings.read() == FileRing(path).read()
    assert [p.name for p in path.parent.iterdir()] == [FILE], "no draft is left"


def test_two_programs_that_make_it_at_once_use_the_same(tmp_path: Path) -> None:
    """One of them wins, and no key is sealed under a ring that is overwritten."""
    path, start = tmp_path / FILE, threading.Barrier(8)
    made = []

    def make() -> None:
        start.wait()
        made.append(FileRing(path).make())

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert {ring.written() for ring in made} == {FileRing(path).read().written()}


def test_whoever_comes_second_takes_what_is_there(tmp_path: Path) -> None:
    """Between looking and writing somebody else made one: that one stays."""
    path = tmp_path / FILE

    class Slow(FileRing):
        def _drafted(self, ring: Ring) -> Path:
            draft = super()._drafted(ring)
            first.append(FileRing(path).make())
            return draft

    first: list[Ring] = []
    second = Slow(path).make()
    assert [ring.written() for ring in first] == [second.written()] == [FileRing(path).read().written()]


@pytest.mark.skipif(os.name != "posix", reason="rights are kept elsewhere")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Whoever may read or write it beside its owner: it is not used, and the mode is told."""
    path = tmp_path / FILE
    FileRing(path).make()
    path.chmod(mode)
    with pytest.raises(KeyRingWrong) as refused:
        FileRing(path).read()
    assert (refused.value.reason, refused.value.path) == ("open", str(path))
    assert refused.value.detail == f"{mode:04o}"
    with pytest.raises(KeyRingWrong):
        FileRing(path).make()


@pytest.mark.parametrize(
    "text", ["", "rubbish\n", "k1:canary\n", "# only words\n", "k1:" + "A" * 200, "\xff\0"]
)
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    """It is not taken for none: a new ring would lock every stored key out for good."""
    path = tmp_path / FILE
    path.write_text(text, encoding="latin-1")
    path.chmod(0o600)
    for use in (FileRing(path).read, FileRing(path).make):
        with pytest.raises(KeyRingWrong) as refused:
            use()
        assert refused.value.reason == "damaged"
        assert "canary" not in str(refused.value)
    assert path.read_text("latin-1") == text


def test_it_is_replaced_whole(tmp_path: Path) -> None:
    """A new ring takes the place of the old one in one step, as readable to others as before: not at all."""
    path = tmp_path / FILE
    rings = FileRing(path)
    ring = rings.make().with_new("k2")
    rings.write(ring)
    assert rings.read() == ring
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == [FILE]


def test_a_disk_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The folder is a file: no crash, a Problem with the path."""
    (tmp_path / "here").write_text("", encoding="utf-8")
    with pytest.raises(StorageFailed):
        FileRing(tmp_path / "here" / FILE).write(EMPTY.with_new("k1"))


def test_the_setting_comes_first(tmp_path: Path) -> None:
    """MASTER_KEYS is used where it is set, is never written, and is read anew each time."""
    words = [f"k7:{base64.b64encode(os.urandom(32)).decode()}"]
    rings = ring_of(tmp_path, lambda: SecretStr(words[0]))
    assert rings.make().ids == ("k7",)
    assert not (tmp_path / FILE).exists()
    words[0] = f"k8:{base64.b64encode(os.urandom(32)).decode()},{words[0]}"
    assert rings.read().ids == ("k8", "k7")
    with pytest.raises(SettingWrong):
        rings.write(EMPTY)
    assert isinstance(ring_of(tmp_path, lambda: None), FileRing)


@pytest.mark.parametrize("text", ["", "canary", "k1:canary"])
def test_a_wrong_setting_is_told_without_its_value(text: str) -> None:
    """The name of the setting and what is wrong with it, never what stands in it."""
    with pytest.raises(SettingWrong) as refused:
        SettingRing(lambda: SecretStr(text)).read()
    assert refused.value.name == "MASTER_KEYS"
    assert "canary" not in str(refused.value)


def test_no_id_is_used_twice() -> None:
    """A new master key is never called as one that rows were sealed with."""
    assert next_id(()) == "k1"
    assert next_id({"k1", "k9", "mine"}) == "k10"
