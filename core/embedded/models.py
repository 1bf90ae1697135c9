"""The catalogue: the demonstration model, the scripted one, and every GGUF file in some folders."""

import asyncio
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.embedded.gguf import Header, HeaderBroken, read_header

DEMO_KEY = "huggingfacetb/smollm2-135m-instruct"
DEMO_NAME = "SmolLM2 135M Instruct (demonstration)"
DEMO_LICENCE = "Apache-2.0"
DEMO_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
DEMO_FILE_BYTES = 98_362_432
DEMO_FILE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
DEMO_CONTEXT = 2048  # tokens: 47 MB of memory instead of 190 for the 8192 it was trained with

_DEMO_SAMPLING = {"temperature": 0.2, "top_p": 0.9}  # as its authors advise; used when nobody asks

SCRIPTED_KEY = "scripted-echo"
SCRIPTED_CONTEXT = 4096

_USUAL_CONTEXT = 8192  # tokens: enough for a chat, and memory stays bounded
_CHEAP_CONTEXT = 2**30  # bytes
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})$")
_MODEL_KINDS = ("model", "finetune", "merge")

_DEMO_HEADER = Header(
    kind="model",
    name=DEMO_NAME,
    architecture="llama",
    quant="Q4_1",
    params="135M",
    context=8192,
    chat_template=True,
    kv_bytes=23_040,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One model that can be listed. `size_bytes` of all its files; `broken` says why it cannot be loaded.

    `sampling`: settings of a chat that asks for none, in OpenAI's words.
    """

    key: str
    publisher: str
    name: str
    header: Header
    path: Path | None = None
    size_bytes: int = 0
    present: bool = True
    broken: str = ""
    sha256: str | None = None
    sampling: Mapping[str, float] = field(default_factory=dict)

    @property
    def demo(self) -> bool:
        """Whether it is the model that the program itself fetches."""
        return self.key == DEMO_KEY

    @property
    def scripted(self) -> bool:
        """Whether there is no model at all behind it."""
        return self.key == SCRIPTED_KEY

    @property
    def max_context(self) -> int:
        """Tokens it was made for; 0 if its header does not say."""
        return self.header.context or 0

    @property
    def usual_context(self) -> int:
        """Tokens to load it with when nobody asks for a number."""
        if self.demo:
            return DEMO_CONTEXT
        return min(self.max_context or _USUAL_CONTEXT, _USUAL_CONTEXT)

    def parallel(self, context: int) -> int:
        """How many chats decode together: two if a context of its own for each is cheap, else one."""
        cost = context * (self.header.kv_bytes or _CHEAP_CONTEXT)
        return 2 if 2 * cost <= _CHEAP_CONTEXT else 1

    def memory_bytes(self, context: int) -> tuple[int, int]:
        """Bytes for the weights and for the contexts (tokens each) of all chats, by the header."""
        return self.size_bytes, self.parallel(context) * context * (self.header.kv_bytes or 0)


SCRIPTED = Entry(
    SCRIPTED_KEY,
    "local",
    "Scripted echo (no language model)",
    Header(kind="model", architecture="scripted", context=SCRIPTED_CONTEXT, chat_template=True),
)


@dataclass
class Catalogue:
    """Lists models; headers are read once per file, size and time of change, off the event loop."""

    own: Path
    folders: Sequence[Path]
    _headers: dict[tuple[str, int, int], Header | str] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def demo_path(self) -> Path:
        """Where the demonstration model lies, or will lie."""
        return self.own / DEMO_FILE

    def demo_present(self) -> bool:
        """Whether its file is there in full; what is in it is checked when it is loaded."""
        try:
            return self.demo_path.stat().st_size == DEMO_FILE_BYTES
        except OSError:
            return False

    async def entries(self) -> list[Entry]:
        """Every model, in a stable order: the demonstration model first, the scripted one last."""
        async with self._lock:
            return await asyncio.to_thread(self._scan)

    async def find(self, key: str) -> Entry | None:
        """Find a model by its key; capitals do not matter, as in LM Studio."""
        wanted = key.lower()
        return next((e for e in await self.entries() if e.key == wanted), None)

    def _scan(self) -> list[Entry]:
        found = [self._demo()]
        taken = {DEMO_KEY, SCRIPTED_KEY}
        for folder in dict.fromkeys(f.expanduser().absolute() for f in self.folders):
            for path in _weights(folder):
                if path != self.demo_path and (entry := self._entry(folder, path, taken)):
                    taken.add(entry.key)
                    found.append(entry)
        return [*found, SCRIPTED]

    def _demo(self) -> Entry:
        return Entry(
            DEMO_KEY,
            "HuggingFaceTB",
            DEMO_NAME,
            _DEMO_HEADER,
            self.demo_path,
            DEMO_FILE_BYTES,
            present=self.demo_present(),
            sha256=DEMO_FILE_SHA256,
            sampling=_DEMO_SAMPLING,
        )

    def _entry(self, folder: Path, path: Path, taken: set[str]) -> Entry | None:
        try:
            size = sum(p.stat().st_size for p in shards(path))
            header = self._header(path)
        except OSError:
            return None  # it vanished, or is not ours to read
        publisher, stem = _names(folder, path)
        broken = header if isinstance(header, str) else ""
        known = header if isinstance(header, Header) else Header(kind="model")
        if known.kind not in _MODEL_KINDS or known.architecture == "clip":
            return None  # an adapter, a projector, a vocabulary: nothing that chats
        key = _unique(f"{publisher}/{stem}".lower(), path.relative_to(folder), taken)
        return Entry(key, publisher, known.name or stem, known, path, size, broken=broken)

    def _header(self, path: Path) -> Header | str:
        stat = path.stat()
        tag = (str(path), stat.st_size, stat.st_mtime_ns)
        if tag not in self._headers:
            try:
                self._headers[tag] = read_header(path)
            except HeaderBroken as broken:
                self._headers[tag] = str(broken)
        return self._headers[tag]


def _weights(folder: Path) -> Iterator[Path]:
    """Every GGUF file that starts a model, in a stable order."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))  # where fetches and tools work
        for name in sorted(files):
            lower = name.lower()
            if not lower.endswith(".gguf") or "mmproj" in lower:
                continue
            shard = _SHARD.search(lower.removesuffix(".gguf"))
            if shard is None or int(shard[1]) == 1:
                yield Path(root, name)


def shards(path: Path) -> Sequence[Path]:
    """Every file of a model whose first file this is."""
    shard = _SHARD.search(path.stem)
    if shard is None:
        return [path]
    base = path.stem[: shard.start()]
    return [path.with_name(f"{base}-{n:05}-of-{shard[2]}{path.suffix}") for n in range(1, int(shard[2]) + 1)]


def _names(folder: Path, path: Path) -> tuple[str, str]:
    """Publisher and name, after LM Studio's layout publisher/repository/file.gguf."""
    above = path.relative_to(folder).parts[:-1]
    return (above[0] if above else "local"), _SHARD.sub("", path.stem)


def _unique(key: str, where: Path, taken: set[str]) -> str:
    if key not in taken:
        return key
    return f"{key}-{hashlib.blake2s(where.as_posix().encode(), digest_size=3).hexdigest()}"
