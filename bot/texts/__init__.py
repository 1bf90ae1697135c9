"""Texts for people, one TOML file per language, and numbers as that language writes them."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

DEFAULT = "pt-BR"
LANGUAGES = ("pt-BR", "en")
_MINUTE, _HOUR = 60, 3600
_KILO = 1000  # sizes as file managers and LM Studio show them


def match(tag: str | None, fallback: str = DEFAULT) -> str:
    """The language for a tag as platforms write it: `pt`, `pt-br`, `en-US`."""
    wanted = (tag or "").lower().replace("_", "-")
    for language in LANGUAGES:
        if wanted == language.lower() or wanted.split("-")[0] == language.lower().split("-")[0]:
            return language
    return fallback


class Speech:
    """Says things in one language: `speech("stop.done")`."""

    def __init__(self, language: str) -> None:
        self.language = match(language)
        self._texts = _load(self.language)
        self._fallback = _load(DEFAULT)

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key`, filled in; a key that no language has is a bug and raises KeyError."""
        text = self._texts.get(key) or self._fallback[key]
        return text.format_map(values) if values else text

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._texts or key in self._fallback

    def number(self, value: float, digits: int = 1) -> str:
        """`9,1` or `9.1`."""
        return f"{value:.{digits}f}".replace(".", self("language.decimal"))

    def count(self, value: int) -> str:
        """`12.345` or `12,345`."""
        return f"{value:,}".replace(",", self("language.thousands"))

    def seconds(self, value: float) -> str:
        """A duration that people read: `9,1 s`, `2 min 10 s`, `1 h 5 min`."""
        if round(value, 1) < 10:  # noqa: PLR2004  # tenths matter only there
            return self("unit.second", n=self.number(value))
        whole = round(value)
        if whole < _MINUTE:
            return self("unit.second", n=whole)
        if whole < _HOUR and whole % _MINUTE == 0:
            return self("unit.minutes", m=whole // _MINUTE)
        if whole < _HOUR:
            return self("unit.minute", m=whole // _MINUTE, s=whole % _MINUTE)
        return self("unit.hour", h=whole // _HOUR, m=whole % _HOUR // _MINUTE)

    def size(self, count: int) -> str:
        """Bytes in the unit that fits: `93 MB`, `4,7 GB`."""
        value = float(count)
        for unit in ("B", "KB", "MB"):
            if round(value) < _KILO:
                return f"{value:.0f} {unit}"
            value /= _KILO
        return f"{self.number(value)} GB"


@cache
def _load(language: str) -> Mapping[str, str]:
    text = (resources.files("bot.texts") / f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flat(tomllib.loads(text), ""))


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
