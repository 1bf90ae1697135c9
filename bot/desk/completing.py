"""What may follow a command, as it is typed: the best first."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from bot import present
from bot.desk import keywords, peoplelist, stats
from bot.surface import Completion, Incoming
from bot.texts import LANGUAGES, Speech
from core.engine import Engine
from core.model import Model
from core.pool import Pooled

MOST = 25  # what Discord shows


@dataclass(frozen=True, slots=True)
class Typing:
    """A command that is being typed. `allowed` = whether the asker may use it with that argument."""

    command: str
    prefix: str
    asker: Incoming
    t: Speech
    allowed: Callable[[str], bool]


async def completions(kind: str, typing: Typing, engine: Engine) -> list[Completion]:
    """What the argument may be; `kind` = what the table of commands says of it."""
    find = _KINDS.get(kind)
    return [] if find is None else (await find(typing, engine))[:MOST]


async def _models(typing: Typing, engine: Engine) -> list[Completion]:
    rows = engine.catalog.rows(await engine.catalog.sight(typing.asker.who))
    return models_like([row for row in rows if not row.best.by_name_only], typing.prefix, typing.t)


async def _figures(typing: Typing, engine: Engine) -> list[Completion]:
    found = await _models(typing, engine)
    words = (typing.t("complete.all"), *sorted(stats.EVERYTHING))
    begun = next((word for word in words if word.startswith(typing.prefix.lower().strip())), "")
    whole = begun and typing.allowed(begun)
    return [Completion(begun, typing.t("stats.all")), *found] if whole else found


async def _keys(typing: Typing, engine: Engine) -> list[Completion]:
    names = keywords.known(engine.catalog.providers)
    return keywords.completions(typing.prefix, names, typing.t, typing.allowed)


async def _people(typing: Typing, engine: Engine) -> list[Completion]:
    return await peoplelist.completions(typing.command, typing.prefix, engine.access, typing.asker, typing.t)


async def _instructions(typing: Typing, _: Engine) -> list[Completion]:
    return [Completion("-", typing.t("complete.clear"))] if typing.prefix.strip() in {"", "-"} else []


async def _languages(typing: Typing, _: Engine) -> list[Completion]:
    named = [Completion(code, Speech(code)("language.name")) for code in LANGUAGES]
    return [one for one in named if typing.prefix.lower() in f"{one.value} {one.label}".lower()]


_KINDS: Mapping[str, Callable[[Typing, Engine], Awaitable[list[Completion]]]] = {
    "models": _models,
    "figures": _figures,
    "keys": _keys,
    "people": _people,
    "instructions": _instructions,
    "languages": _languages,
}


def models_like(rows: Iterable[Pooled], typed: str, t: Speech) -> list[Completion]:
    """Models, each once, whose key, name or host has every word; what is meant exactly comes first."""
    words = typed.lower().split()
    found = [row for row in rows if all(word in _words(row) for word in words)]
    found.sort(key=lambda row: _distance(row.best, typed.lower().strip()))
    return [_completion(row, t) for row in found[:MOST]]


def _words(row: Pooled) -> str:
    return " ".join(f"{one.key} {one.name} {present.place(one)}" for one in row.places).lower()


def _distance(model: Model, typed: str) -> int:
    """0 for the very name, 1 for what begins so, also after the publisher, 2 for the others."""
    names = (model.key.lower(), model.name.lower(), model.key.lower().rpartition("/")[2])
    if typed in names:
        return 0
    return 1 if any(name.startswith(typed) for name in names) else 2


def _completion(row: Pooled, t: Speech) -> Completion:
    """Where it runs stands first: some platforms cut the rest."""
    best = row.best
    hosts = ", ".join(present.place(one) for one in row.places)
    size = t.size(best.size_bytes) if best.size_bytes else ""
    details = (hosts, best.params, best.quant, size, f"#{best.tag}")
    return Completion(best.key, f"{present.mark(best, t)} {best.name}", " · ".join(filter(None, details)))
