"""Everybody of whom something is known, in the order of the list, and the words for what may be done with them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.surface import Completion, Incoming
from bot.texts import Speech
from core.access import BY_SETTING, Access
from core.people import Role, Seen, is_group

ROLES = {
    **dict.fromkeys(("admin", "administrator", "administrador", "administradora"), Role.ADMINISTRATOR),
    **dict.fromkeys(("member", "membro"), Role.MEMBER),
    **dict.fromkeys(("guest", "convidado", "convidada"), Role.GUEST),
}
HERE = frozenset({"here", "aqui"})
FORGET = frozenset({"forget", "esquecer"})
MARKS = {
    Role.ADMINISTRATOR: "👑",
    Role.MEMBER: "👤",
    Role.GUEST: "👋",
    Role.DENIED: "⛔",
    Role.STRANGER: "🔔",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list: what was decided, or who has written."""

    who: str
    role: Role
    name: str
    seen: Seen | None = None


async def entries(access: Access) -> list[Entry]:
    """Strangers first, since they wait for a decision; then by role; then guests without a decision."""
    waiting = [Entry(one.who, Role.STRANGER, one.name, one) for one in await access.strangers()]
    decided = []
    for grant in access.grants():
        seen = await access.seen(grant.who)
        decided.append(Entry(grant.who, grant.role, grant.label or (seen.name if seen else ""), seen))
    guests = [Entry(one.who, Role.GUEST, one.name, one) for one in await access.guests()]
    return waiting + decided + guests


async def completions(
    command: str, prefix: str, access: Access, asker: Incoming, t: Speech
) -> list[Completion]:
    """What may follow `/people`, `/allow` and `/deny`: whom, and then as what."""
    typed = prefix.lower().lstrip()
    everybody = await entries(access)
    open_ones = [one for one in everybody if one.role is not Role.DENIED or command != "deny"]
    found = [_about(one, t) for one in open_ones]
    if command == "people":
        found += _forgetting(access, everybody, t, typed)
    elif any(":role:" not in group for group in asker.groups):
        found.append(Completion("here", t("complete.here")))
    if command == "allow":
        found += [_as(one, role, t, typed) for one in everybody for role in _possible(one.who)]
    return [one for one in found if _fits(one, typed)]


def _fits(one: Completion, typed: str) -> bool:
    """The first word by what is sent or by the name that is read; once that is there, what may follow it."""
    first, space, _ = one.value.partition(" ")
    if space:
        return one.value.lower().startswith(typed) and (first in FORGET or first == typed.partition(" ")[0])
    passed = typed.startswith(f"{one.value} ")
    return not passed and typed in f"{one.value} {one.label}".lower()


def _word(words: Sequence[str], typed: str) -> str:
    """As it was begun, else as the reader says it, which comes first."""
    return next((word for word in words if word.startswith(typed)), words[0])


def _about(one: Entry, t: Speech) -> Completion:
    return Completion(one.who, f"{MARKS[one.role]} {one.name or one.who}", t(f"role.{one.role.name.lower()}"))


def _forgetting(access: Access, everybody: Sequence[Entry], t: Speech, typed: str) -> list[Completion]:
    """What the settings say cannot be forgotten."""
    word = _word((t("complete.forget"), *sorted(FORGET)), typed.partition(" ")[0])
    decided = {grant.who for grant in access.grants() if grant.by != BY_SETTING}
    return [
        Completion(f"{word} {one.who}", f"{word}: {one.name or one.who}", one.who)
        for one in everybody
        if one.who in decided
    ]


def _as(one: Entry, role: Role, t: Speech, typed: str) -> Completion:
    known = [word for word, meant in ROLES.items() if meant is role]
    word = _word((t(f"role.{role.name.lower()}"), *known), typed.partition(" ")[2])
    return Completion(f"{one.who} {word}", f"{MARKS[role]} {one.name or one.who}", word)


def _possible(who: str) -> Sequence[Role]:
    """No group administers."""
    return [Role.MEMBER, Role.GUEST] if is_group(who) else [Role.ADMINISTRATOR, Role.MEMBER, Role.GUEST]
