"""The catalogue: what is listed, under which key, and what is left out."""

import os
from pathlib import Path

from core.embedded.models import DEMO_FILE, DEMO_KEY, SCRIPTED_KEY, Catalogue, Entry
from tests.core.embedded.ggufs import LLAMA, gguf, put


async def listed(folder: Path, *, own: Path | None = None) -> list[Entry]:
    """All but the two models that are always there."""
    entries = await Catalogue(own or folder / "own", [folder]).entries()
    assert [entries[0].key, entries[-1].key] == [DEMO_KEY, SCRIPTED_KEY]
    return entries[1:-1]


async def test_demo_is_listed_before_it_is_here(tmp_path: Path) -> None:
    """A person can choose the demonstration model before it was fetched."""
    entries = await Catalogue(tmp_path, []).entries()
    assert [(e.key, e.present) for e in entries] == [(DEMO_KEY, False), (SCRIPTED_KEY, True)]
    assert entries[0].name == "SmolLM2 135M Instruct (demonstration)"
    assert entries[0].usual_context == 2048


async def test_a_file_of_the_wrong_size_is_not_the_demo(tmp_path: Path) -> None:
    """A half written file does not count as present."""
    put(tmp_path / DEMO_FILE, b"GGUF")
    assert not Catalogue(tmp_path, []).demo_present()


async def test_keys_follow_the_layout(tmp_path: Path) -> None:
    """publisher/repository/file gives publisher/file, in small letters; loose files are local."""
    put(tmp_path / "Acme" / "Nova-8B-GGUF" / "Nova-8B-Q4_K_M.gguf")
    put(tmp_path / "Loose.gguf")
    assert sorted(e.key for e in await listed(tmp_path)) == ["acme/nova-8b-q4_k_m", "local/loose"]


async def test_same_names_stay_apart(tmp_path: Path) -> None:
    """Two files that would share a key get two, the same ones every time."""
    put(tmp_path / "acme" / "one" / "nova.gguf")
    put(tmp_path / "acme" / "two" / "nova.gguf")
    first, again = await listed(tmp_path), await listed(tmp_path)
    assert [e.key for e in first] == [e.key for e in again]
    assert len({e.key for e in first}) == 2


async def test_shards_are_one_model(tmp_path: Path) -> None:
    """Only the first file of a split model is listed, with the size of all."""
    data = gguf()
    for n in (1, 2, 3):
        put(tmp_path / "acme" / "r" / f"Nova-0000{n}-of-00003.gguf", data)
    [entry] = await listed(tmp_path)
    assert (entry.key, entry.size_bytes) == ("acme/nova", 3 * len(data))


async def test_an_incomplete_split_model_is_left_out(tmp_path: Path) -> None:
    """A split model with a part missing cannot be loaded and is not offered."""
    put(tmp_path / "acme" / "r" / "Nova-00001-of-00002.gguf")
    assert await listed(tmp_path) == []


async def test_what_does_not_chat_is_left_out(tmp_path: Path) -> None:
    """Projectors, adapters and other files are not models."""
    put(tmp_path / "a" / "r" / "mmproj-nova-f16.gguf")
    put(tmp_path / "a" / "r" / "lora.gguf", gguf(LLAMA | {"general.type": "adapter"}))
    put(tmp_path / "a" / "r" / "clip.gguf", gguf({"general.architecture": "clip"}))
    put(tmp_path / "a" / "r" / "readme.md", b"# hi")
    assert await listed(tmp_path) == []


async def test_a_damaged_file_is_listed_with_its_reason(tmp_path: Path) -> None:
    """A broken header does not hide the file nor the others."""
    put(tmp_path / "acme" / "r" / "bad.gguf", b"no model at all")
    put(tmp_path / "acme" / "r" / "good.gguf")
    bad, good = await listed(tmp_path)
    assert (bad.key, bad.name, bad.broken) == ("acme/bad", "bad", "this is not a GGUF file")
    assert not good.broken


async def test_a_missing_folder_is_an_empty_one(tmp_path: Path) -> None:
    """A folder of the settings need not exist."""
    assert await listed(tmp_path / "nowhere") == []


async def test_headers_are_read_once(tmp_path: Path) -> None:
    """As long as size and time of change stay, the file is not opened again."""
    path = put(tmp_path / "acme" / "r" / "nova.gguf")
    stat = path.stat()
    catalogue = Catalogue(tmp_path / "own", [tmp_path])
    before = await catalogue.find("acme/nova")
    path.write_bytes(path.read_bytes().replace(b"Nova 8B", b"Vega 8B"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert await catalogue.find("acme/nova") == before
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))
    changed = await catalogue.find("ACME/Nova")
    assert changed is not None
    assert changed.name == "Vega 8B Instruct"


async def test_the_fetched_file_is_not_listed_twice(tmp_path: Path) -> None:
    """The engine's own folder may be among the folders."""
    put(tmp_path / DEMO_FILE)
    assert await listed(tmp_path, own=tmp_path) == []


async def test_a_persons_file_cannot_take_a_reserved_key(tmp_path: Path) -> None:
    """A file named like the demonstration model gets a key of its own."""
    put(tmp_path / "HuggingFaceTB" / "r" / "SmolLM2-135M-Instruct.gguf")
    [entry] = await listed(tmp_path)
    assert entry.key.startswith(f"{DEMO_KEY}-")
    assert not entry.demo


async def test_context_is_bounded(tmp_path: Path) -> None:
    """A model for a million tokens is loaded with 8192 unless somebody asks; memory is by the header."""
    put(tmp_path / "acme" / "r" / "nova.gguf")
    [entry] = await listed(tmp_path)
    assert (entry.max_context, entry.usual_context) == (32768, 8192)
    assert entry.memory_bytes(1000) == (entry.size_bytes, 2 * 1000 * 256)


async def test_a_costly_context_is_not_doubled(tmp_path: Path) -> None:
    """Two chats decode together only where a second context is cheap."""
    put(tmp_path / "acme" / "r" / "nova.gguf", gguf(LLAMA | {"llama.attention.key_length": 2**20}))
    [entry] = await listed(tmp_path)
    assert (entry.parallel(8), entry.parallel(8192)) == (2, 1)
