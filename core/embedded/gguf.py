"""Reads the header of a GGUF file: what the model is, without loading it.

The format is llama.cpp's (`ggml/docs/gguf.md`, version 2 and 3, little endian): magic, version,
number of tensors, number of keys, the keys with typed values, the tensors with name, shape, type
and offset. Nothing of the weights is read.
"""

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_KEPT_ARRAY = 1024  # per-layer numbers are kept, vocabularies are skipped
_LONGEST_STRING = 16 * 2**20
_MOST_KEYS = 100_000
_MOST_TENSORS = 1_000_000
_MOST_DIMENSIONS = 8
_VERSIONS = (2, 3)

# llama.cpp's `enum llama_ftype` (include/llama.h)
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL",
    26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16",
    36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip

Value = int | float | bool | str | tuple[int, ...] | None


class HeaderBroken(ValueError):
    """The file is no GGUF file, is cut off, or its header makes no sense; the text says which."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF header says. Unknown is `None`; `context` in tokens; `kv_bytes` per token of context."""

    kind: str
    name: str | None = None
    architecture: str | None = None
    quant: str | None = None
    params: str | None = None
    context: int | None = None
    chat_template: bool = False
    tools: bool = False
    embedding: bool = False
    kv_bytes: int | None = None


class _Cursor:
    """Takes values off a file and never past its end."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self.at = 0

    def _claim(self, count: int) -> None:
        self.at += count
        if self.at > self._size:
            raise HeaderBroken("the file ends inside its header")

    def bytes(self, count: int) -> bytes:
        self._claim(count)
        return self._file.read(count)

    def skip(self, count: int) -> None:
        self._claim(count)
        self._file.seek(count, 1)

    def scalar(self, code: str) -> int:
        value: int = struct.unpack("<" + code, self.bytes(struct.calcsize("<" + code)))[0]
        return value

    def string(self) -> str:
        return self.bytes(self._length()).decode("utf-8", "replace")

    def skip_string(self) -> None:
        self.skip(self._length())

    def _length(self) -> int:
        length = self.scalar("Q")
        if length > _LONGEST_STRING:
            raise HeaderBroken("a text in the header is absurdly long")
        return length


def read_header(path: Path) -> Header:
    """Read one file's header; `HeaderBroken` if it is damaged, `OSError` if it cannot be read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        cursor = _Cursor(file, size)
        tensors, keys = _preamble(cursor)
        values = _keys(cursor, keys)
        elements, last_offset = _tensors(cursor, tensors)
    alignment = _int(values, "general.alignment") or 32
    if tensors and -(-cursor.at // alignment) * alignment + last_offset >= size:
        raise HeaderBroken("the file is cut off: weights are missing at its end")
    return _header(values, None if _int(values, "split.count") else elements)


def _preamble(cursor: _Cursor) -> tuple[int, int]:
    if cursor.bytes(4) != b"GGUF":
        raise HeaderBroken("this is not a GGUF file")
    version = cursor.scalar("I")
    if version not in _VERSIONS:
        raise HeaderBroken(f"GGUF version {version} is not known")
    tensors, keys = cursor.scalar("Q"), cursor.scalar("Q")
    if tensors > _MOST_TENSORS or keys > _MOST_KEYS:
        raise HeaderBroken("the header counts an absurd number of entries")
    return tensors, keys


def _keys(cursor: _Cursor, count: int) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for _ in range(count):
        key = cursor.string()
        values[key] = _value(cursor, cursor.scalar("I"))
    return values


def _value(cursor: _Cursor, kind: int) -> Value:
    if kind == _STRING:
        return cursor.string()
    if kind == _ARRAY:
        return _array(cursor)
    return cursor.scalar(_code(kind))


def _code(kind: int) -> str:
    try:
        return _SCALARS[kind]
    except KeyError:
        raise HeaderBroken(f"value type {kind} is not known") from None


def _array(cursor: _Cursor) -> Value:
    kind, count = cursor.scalar("I"), cursor.scalar("Q")
    if kind == _STRING:
        for _ in range(count):
            cursor.skip_string()
        return None
    code = _code(kind)
    if count > _KEPT_ARRAY:
        cursor.skip(count * struct.calcsize("<" + code))
        return None
    numbers = tuple(cursor.scalar(code) for _ in range(count))
    return numbers if code not in "fd" else None  # only whole numbers are of use here


def _tensors(cursor: _Cursor, count: int) -> tuple[int, int]:
    """Return the number of weights and the largest offset (bytes from the start of the data)."""
    elements = last = 0
    for _ in range(count):
        cursor.skip_string()
        dimensions = cursor.scalar("I")
        if dimensions > _MOST_DIMENSIONS:
            raise HeaderBroken("a tensor has an absurd number of dimensions")
        elements += math.prod(cursor.scalar("Q") for _ in range(dimensions))
        cursor.skip(4)  # its type
        last = max(last, cursor.scalar("Q"))
    return elements, last


def _header(values: Mapping[str, Value], elements: int | None) -> Header:
    architecture = _text(values, "general.architecture")
    template = _text(values, "tokenizer.chat_template") or ""
    return Header(
        kind=_text(values, "general.type") or "model",
        name=_text(values, "general.name"),
        architecture=architecture,
        quant=_FILE_TYPES.get(_int(values, "general.file_type") or 0)
        if "general.file_type" in values
        else None,
        params=_text(values, "general.size_label") or short_count(elements),
        context=_int(values, f"{architecture}.context_length"),
        chat_template=bool(template),
        tools="tools" in template,
        embedding=f"{architecture}.pooling_type" in values or "bert" in (architecture or ""),
        kv_bytes=_kv_bytes(values, architecture),
    )


def _kv_bytes(values: Mapping[str, Value], architecture: str | None) -> int | None:
    """Bytes that a token of context costs with 16-bit keys and values."""

    def number(name: str) -> int | None:
        return _int(values, f"{architecture}.{name}")

    layers, heads, width = (
        number("block_count"), number("attention.head_count"), number("embedding_length"),
    )  # fmt: skip
    if not layers or not heads or not width:
        return None
    per_layer = values.get(f"{architecture}.attention.head_count_kv")
    total = (
        sum(per_layer)
        if isinstance(per_layer, tuple)
        else layers * (number("attention.head_count_kv") or heads)
    )
    sizes = (number("attention.key_length") or width // heads) + (
        number("attention.value_length") or width // heads
    )
    return 2 * total * sizes


def _text(values: Mapping[str, Value], key: str) -> str | None:
    value = values.get(key)
    return value if isinstance(value, str) and value else None


def _int(values: Mapping[str, Value], key: str) -> int | None:
    value = values.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def short_count(count: int | None) -> str | None:
    """134,515,008 -> `135M`; 7,615,616,512 -> `7.6B`."""
    if not count:
        return None
    for unit, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if count >= unit:
            shown = f"{count / unit:.1f}" if count < 100 * unit else f"{count / unit:.0f}"
            return shown.removesuffix(".0") + letter
    return str(count)


def bits_of(quant: str | None) -> int | None:
    """Bits per weight by a quantisation's name: `Q4_K_M` -> 4."""
    match = re.search(r"\d+", quant or "")
    return int(match.group()) if match else None
