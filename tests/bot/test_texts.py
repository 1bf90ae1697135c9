"""Texts: both languages say the same things, and everything the program says exists."""

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import bot
from bot.commands import COMMANDS
from bot.platforms.discord import DiscordTexts
from bot.texts import LANGUAGES, Speech, match
from core.embedded import FetchKind
from core.keys import Origin
from core.model import FailureKind, LoadPath, ModelState
from core.people import Role

BOT = Path(bot.__file__).parent
# f-strings in the code that make keys, with everything that may stand in their holes.
FAMILIES = {
    "state.{}": {s.value for s in ModelState},
    "state.{}_word": {s.value for s in ModelState},
    "failure.{}": {k.value for k in FailureKind},
    "fetch.{}": {k.value for k in FetchKind},
    "status.via_{}": {p.value for p in LoadPath},
    "status.job_{}": {"sync", "preload", "retire", "digest", "rollup"},
    "stats.reason_{}": {k.value for k in FailureKind} - {FailureKind.CANCELLED.value},
    "complete.{}": {"set", "test", "forget"},
    "problem.no-model_{}": {"no-host", "no-models", "all-inactive"},
    "problem.storage_{}": {
        *("full", "read-only", "corrupt", "locked", "newer", "other"),
        *("in-use", "missing", "exists", "foreign", "broken", "set-aside"),
    },
    "problem.storage_{}_title": {
        *("in-use", "missing", "exists", "foreign", "corrupt", "broken", "newer", "set-aside"),
    },
    "role.{}": {role.name.lower() for role in Role},
    "refusal.code_{}": {"wrong", "expired", "none", "wait"},
    "refusal.unchangeable_{}": {"self", "setting", "group"},
    "allow.{}": {"administrator", "member", "guest"},
    "problem.key-ring_{}": {"open", "unreadable", "damaged", "lost"},
    "doctor.telegram_{}": {"all", "mentions"},
    "doctor.host_jit_{}": {"on", "off"},
    "doctor.end_{}": {"ok", "warning", "error"},
    "{}.ask": {"use", "load", "unload"},
    "key.origin_{}": {o.value for o in Origin},
    "key.no_key_{}": {"empty", "spaces", "characters", "long"},
    # looked up where it exists; what has no words of its own is `unknown`
    "discord.{}": {field.name for field in fields(DiscordTexts)} - {"documents"},
    "key.outcome_{}": {"ok", "key-rejected", "no-money", "unknown"},
    "{}.summary": {f"command.{c.name}" for c in COMMANDS},
    # looked up only where they exist, by `has`; the Problems are enumerated in test_present.py
    "{}.arguments": set(),
    "{}_body": set(),
}


def texts(language: str) -> dict[str, str]:
    def flat(table: dict[str, object], prefix: str) -> Iterator[tuple[str, str]]:
        for key, value in table.items():
            if isinstance(value, dict):
                yield from flat(value, f"{prefix}{key}.")
            else:
                yield prefix + key, str(value)

    return dict(flat(tomllib.loads((BOT / "texts" / f"{language}.toml").read_text("utf-8")), ""))


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys() -> None:
    """No text is missing in a language, and none is left over."""
    assert texts("pt-BR").keys() == texts("en").keys()


@pytest.mark.parametrize("key", sorted(texts("pt-BR")))
def test_both_languages_have_the_same_holes(key: str) -> None:
    """A text is filled with the same values in both languages."""
    assert holes(texts("pt-BR")[key]) == holes(texts("en")[key])


def test_every_language_has_a_file_and_every_file_is_a_language() -> None:
    """The tuple of languages and the files agree."""
    assert {p.stem for p in (BOT / "texts").glob("*.toml")} == set(LANGUAGES)


def _looked_up() -> Iterator[tuple[str, str]]:
    """Where a text is looked up, and its key, with `{}` for what an f-string fills in."""
    for file in sorted(BOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and _speaks(node.func):
                for key in _keys(node.args[0]):
                    yield f"{file.name}:{node.lineno}", key


def _speaks(function: ast.expr) -> bool:
    match function:
        case ast.Name(id="t"):
            return True
        case ast.Attribute(value=ast.Name(id="ask" | "self"), attr="t"):
            return True
        case ast.Call(func=ast.Name(id="Speech")):
            return True
        case _:
            return False


def _keys(argument: ast.expr) -> Iterator[str]:
    match argument:
        case ast.Constant(value=str(key)):
            yield key
        case ast.IfExp(body=body, orelse=orelse):
            yield from _keys(body)
            yield from _keys(orelse)
        case ast.JoinedStr(values=parts):
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts)


def _literals() -> set[str]:
    """Every string in the code: a key kept in a variable or a table is one of them."""
    found = set()
    for file in BOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_key_in_the_code_exists() -> None:
    """Each `t("…")` of the program names a text; each `t(f"…")` belongs to a family listed here."""
    known = texts("pt-BR").keys()
    found = list(_looked_up())
    assert len(found) > 100, "the scan finds the look-ups"
    missing = [(where, key) for where, key in found if "{}" not in key and key not in known]
    assert missing == []
    strange = [(where, key) for where, key in found if "{}" in key and key not in FAMILIES]
    assert strange == []


def test_keys_kept_in_variables_exist() -> None:
    """A string of the code that looks like a key of a known section is one."""
    known = texts("pt-BR").keys()
    sections = {key.partition(".")[0] for key in known} - {"command"}
    shaped = [one for one in _literals() if one.partition(".")[0] in sections and one.count(".") == 1]
    keys = [one for one in shaped if re.fullmatch(r"[a-z]+\.[a-z_-]*[a-z]", one)]
    # `problem.unavailable` is never looked up: a model that is unavailable is told by its failure
    assert [one for one in keys if one not in known and one != "problem.unavailable"] == []


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_member_of_a_family_exists(family: str) -> None:
    """Whatever an enum or a table may put into an f-string key has its text, in both languages."""
    for member in FAMILIES[family]:
        key = family.format(member)
        assert all(texts(language).get(key) for language in LANGUAGES), key


MISSION = {
    "progress.loading": '🔄 Carregando modelo "X"… Isso pode levar alguns minutos',
    "ready.loaded": "✅ Modelo carregado com sucesso",
    "failure.title": '⚠️ Modelo "X" não está disponível.',
    "suggestion.recommend": '💡 Recomendação: Selecione o modelo "X" que está disponível.',
}


@pytest.mark.parametrize("key", sorted(MISSION))
def test_the_sentences_of_the_mission(key: str) -> None:
    """These sentences were promised to the letter."""
    assert Speech("pt-BR")(key, model="X") == MISSION[key]


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("pt", "pt-BR"),
        ("pt-br", "pt-BR"),
        ("pt_BR", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("en", "en"),
        ("en-US", "en"),
        ("EN_gb", "en"),
        ("pt_BR.UTF-8", "pt-BR"),
        ("de", "pt-BR"),
        ("", "pt-BR"),
        (None, "pt-BR"),
    ],
)
def test_match(tag: str | None, language: str) -> None:
    """A platform's or a system's word for a language finds ours; an unknown one the default."""
    assert match(tag) == language


def test_match_falls_back_as_told() -> None:
    """An unknown language gives the fallback of the asker."""
    assert match("de", "en") == "en"
    assert match("klingon", "") == ""


def test_a_key_that_no_language_has_is_a_bug() -> None:
    """An unknown key is never shown as text."""
    assert not Speech("en").has("no.such")
    with pytest.raises(KeyError):
        Speech("en")("no.such")


def test_values_are_not_read_as_patterns() -> None:
    """Braces in what is filled in stay as they are."""
    assert Speech("en")("problem.storage_other", detail="{evil} {0}").startswith("{evil} {0}")


@pytest.mark.parametrize(
    ("seconds", "pt", "en"),
    [
        (0, "0,0 s", "0.0 s"),
        (9.14, "9,1 s", "9.1 s"),
        (9.94, "9,9 s", "9.9 s"),
        (9.96, "10 s", "10 s"),
        (59.4, "59 s", "59 s"),
        (59.6, "1 min", "1 min"),
        (130, "2 min 10 s", "2 min 10 s"),
        (3599.7, "1 h 0 min", "1 h 0 min"),
        (3900, "1 h 5 min", "1 h 5 min"),
    ],
)
def test_durations(seconds: float, pt: str, en: str) -> None:
    """Durations read as people of that language write them, and never show 60 of anything."""
    assert (Speech("pt-BR").seconds(seconds), Speech("en").seconds(seconds)) == (pt, en)


@pytest.mark.parametrize(
    ("count", "pt", "en"),
    [
        (0, "0 B", "0 B"),
        (999, "999 B", "999 B"),
        (1500, "2 KB", "2 KB"),
        (93_000_000, "93 MB", "93 MB"),
        (999_999, "1 MB", "1 MB"),
        (999_999_999, "1,0 GB", "1.0 GB"),
        (4_700_000_000, "4,7 GB", "4.7 GB"),
    ],
)
def test_sizes(count: int, pt: str, en: str) -> None:
    """Sizes come in the unit that fits, and never as 1000 of the smaller one."""
    assert (Speech("pt-BR").size(count), Speech("en").size(count)) == (pt, en)


def test_numbers() -> None:
    """The decimal mark is the language's own."""
    assert Speech("pt-BR").number(3.14159, 2) == "3,14"
    assert Speech("en").number(3.14159, 2) == "3.14"
