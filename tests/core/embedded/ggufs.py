"""Writes small GGUF files, so that a test can say exactly what a header holds."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

Scalar = int | float | str | bool
LLAMA: dict[str, Scalar | Sequence[int] | Sequence[str]] = {
    "general.architecture": "llama",
    "general.name": "Nova 8B Instruct",
    "general.size_label": "8B",
    "general.file_type": 15,
    "llama.context_length": 32768,
    "llama.block_count": 4,
    "llama.embedding_length": 64,
    "llama.attention.head_count": 8,
    "llama.attention.head_count_kv": 2,
    "tokenizer.ggml.tokens": ["a", "b", "ção"],
    "tokenizer.chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}",
}


def gguf(keys: Mapping[str, object] = LLAMA, tensors: Sequence[tuple[int, ...]] = ((8, 4),)) -> bytes:
    """A whole file: header, padding, and 32 bytes of weights per tensor."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    head += b"".join(_text(key) + _typed(value) for key, value in keys.items())
    for n, shape in enumerate(tensors):
        head += _text(f"blk.{n}.weight") + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", 0, 32 * n)
    return head + bytes(-len(head) % 32) + bytes(32 * len(tensors))


def put(path: Path, data: bytes | None = None) -> Path:
    """Write a file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gguf() if data is None else data)
    return path


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _typed(value: object) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + _text(value)
        case [str(), *_]:
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_text(str(v)) for v in value)
        case [*numbers]:
            return struct.pack("<IIQ", 9, 4, len(numbers)) + struct.pack(f"<{len(numbers)}I", *numbers)
        case _:
            raise TypeError(type(value))
