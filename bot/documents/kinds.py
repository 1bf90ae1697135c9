"""What a file is, by its name and by what the platform says of it, and how large it may be."""

from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath


class Kind(Enum):
    """What a model can do with it."""

    PICTURE = "picture"
    TEXT = "text"
    PDF = "pdf"


LIMITS: Mapping[Kind, int] = {Kind.PICTURE: 5_000_000, Kind.TEXT: 256_000, Kind.PDF: 10_000_000}
"""Bytes. Of a PDF the words may be as long as a text file."""
_PICTURES = {"image/jpeg", "image/png", "image/webp"}
_TEXT_TYPES = {
    "application/json",
    "application/xml",
    "application/toml",
    "application/yaml",
    "application/x-yaml",
    "application/javascript",
    "application/x-sh",
    "application/sql",
    "application/x-python",
}
_TEXT_ENDS = frozenset(
    (  # noqa: SIM905  # easier to read than a list
        "txt md markdown rst log csv tsv json jsonl ndjson yaml yml toml ini cfg conf env xml html htm css scss svg "
        "js mjs ts tsx jsx py pyi ipynb java kt kts scala c h cc cpp cxx hpp cs go rs rb php pl pm lua r jl swift m mm "
        "sh bash zsh fish ps1 bat sql graphql proto tex bib diff patch vue svelte dart ex exs erl hs clj nim zig tf "
        "dockerfile makefile gradle cmake properties gitignore srt vtt"
    ).split()
)


def kind_of(name: str, mime: str | None) -> Kind | None:
    """What it is; `None` if no model can read it."""
    mime = (mime or "").lower().partition(";")[0].strip()
    end = PurePath(name.lower()).suffix.removeprefix(".") or name.lower()
    if mime in _PICTURES:
        return Kind.PICTURE
    if mime == "application/pdf" or end == "pdf":
        return Kind.PDF
    if end in _TEXT_ENDS or mime.startswith("text/") or mime in _TEXT_TYPES:
        return Kind.TEXT
    return None
