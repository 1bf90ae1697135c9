"""What is said after `/key`: `set VENDOR [shared] [KEY]`, `test VENDOR`, `forget VENDOR`, in both languages."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from enum import Enum

from bot.surface import Completion
from bot.texts import Speech
from core.keyshape import looks_like_key
from core.providers import vendors
from core.providers.base import Provider

LOCAL = frozenset({"lmstudio", "embedded"})


class Verb(Enum):
    """What is to be done."""

    LIST = "list"
    SET = "set"
    TEST = "test"
    FORGET = "forget"


_VERBS = {
    **dict.fromkeys(("list", "show", "listar", "mostrar"), Verb.LIST),
    **dict.fromkeys(("set", "give", "add", "definir", "guardar", "informar"), Verb.SET),
    **dict.fromkeys(("test", "check", "testar"), Verb.TEST),
    **dict.fromkeys(("forget", "delete", "remove", "esquecer", "apagar", "remover"), Verb.FORGET),
}
_HIDDEN = "give"  # what the answer to a question for a key begins with
_SHARED = frozenset({"shared", "all", "everybody", "compartilhada", "todos"})
_ALSO = {"gemini": "google", "claude": "anthropic", "chatgpt": "openai", "hf": "huggingface"}


@dataclass(frozen=True, slots=True)
class Order:
    """An order. `hidden` = the key was asked for and not typed openly; `strange` = it names no vendor we have."""

    verb: Verb
    vendor: str = ""
    shared: bool = False
    secret: str = field(default="", repr=False)
    hidden: bool = False
    strange: bool = False


def known(providers: Iterable[Provider]) -> tuple[str, ...]:
    """The vendors whose calls are paid for with a key, in the order they stand in."""
    return tuple(dict.fromkeys(p.name for p in providers if p.name not in LOCAL))


def order_of(argument: str, names: Collection[str]) -> Order:
    """Read an order. Whatever is left over is taken for a key: it is shown to nobody."""
    word, rest = _first(argument)
    verb, hidden = _VERBS.get(word.lower()), word.lower() == _HIDDEN
    if verb is None:
        verb, rest = Verb.LIST, argument.strip()
    word, after = _first(rest)
    vendor = _vendor(word, names)
    if not vendor:
        secret = rest if carries_key(argument) else ""
        return Order(verb, secret=secret, hidden=hidden, strange=bool(rest))
    word, last = _first(after)
    shared = word.lower() in _SHARED
    secret = last if shared else after
    if secret and verb is Verb.LIST:
        verb = Verb.SET
    return Order(verb, vendor, shared, secret, hidden)


def carries_key(argument: str) -> bool:
    """Whether a key may stand in it, by its words alone: the message must not stay readable then."""
    words = argument.split()
    if words and words[0].lower() in _VERBS:
        words = words[1:]
    rest = [word for word in words[1:] if word.lower() not in _SHARED]
    return bool(rest) or any(looks_like_key(word) for word in words)


def completions(
    typed: str, names: Collection[str], t: Speech, allowed: Callable[[str], bool]
) -> list[Completion]:
    """What may follow `/key`, in the reader's words or in those that were begun; a typed key matches nothing."""
    found = [
        (_begun(verb, name, typed.lower(), t), name)
        for verb in (Verb.SET, Verb.TEST, Verb.FORGET)
        for name in names
    ]
    return [Completion(line, line, vendors.title(name)) for line, name in found if line and allowed(line)]


def _begun(verb: Verb, name: str, typed: str, t: Speech) -> str:
    """The line that was begun; once it is whole, the word that may still follow it; empty if it is another one."""
    words = [t(f"complete.{verb.value}"), *(word for word, one in _VERBS.items() if one is verb)]
    lines = [f"{word} {name}" for word in words if word != _HIDDEN]
    whole = next((line for line in lines if typed.startswith(f"{line} ")), "")
    if whole:
        lines = [f"{whole} {word}" for word in (t("complete.shared"), *sorted(_SHARED))]
    return next((line for line in lines if line.startswith(typed)), "")


def is_shared(argument: str) -> bool:
    """Whether it is about keys that serve everybody."""
    words = argument.lower().split()
    words = words[1:] if words and words[0] in _VERBS else words
    return len(words) > 1 and words[1] in _SHARED


def _vendor(word: str, names: Collection[str]) -> str:
    wanted = _ALSO.get(word.lower(), word.lower())
    titles = {vendors.title(name).lower(): name for name in names}
    return wanted if wanted in names else titles.get(wanted, "")


def _first(text: str) -> tuple[str, str]:
    """The first word, and what follows it."""
    word, *rest = text.split(maxsplit=1) or [""]
    return word, rest[0].strip() if rest else ""
