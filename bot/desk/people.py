"""Who may use the bot: the first administrator, letting in, sending away, and the list of people."""

import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from bot.cards import LONGEST_COMMAND, Button, Card, Listing, Notice, Row, Tone
from bot.clean import line
from bot.desk.ask import Ask
from bot.desk.peoplelist import FORGET, HERE, MARKS, ROLES, Entry, entries
from bot.surface import Incoming
from core.access import BY_SETTING
from core.people import Grant, Role, Seen, is_group, is_who
from core.refusals import NobodySuch

PAGE = 8  # people on a page: each stranger has two buttons
_MINUTE, _DAY = 60, 86400
_PAGE_NUMBER = re.compile(r"\d{1,3}")  # whoever has a number has a longer one
_NUMBER = re.compile(r"-?\d{1,20}")
_MENTION = re.compile(r"<@(?P<kind>[!&]?)(?P<number>\d{1,20})>")  # as Discord writes a person and a role


async def pair(ask: Ask) -> AsyncGenerator[Card]:
    """Whoever has the code from the program's terminal is the first administrator."""
    t = ask.t
    if ask.role is Role.ADMINISTRATOR:
        yield Notice(Tone.INFO, t("pair.already"))
        return
    code = ask.argument.strip()
    if not code:
        yield Notice(Tone.INFO, t("pair.ask"), t("pair.ask_body"))
        return
    await ask.engine.access.pair(ask.visitor, code)
    yield Notice(Tone.SUCCESS, t("pair.done"), t("pair.done_body"), (Button(t("button.people"), "people"),))


# ---------------------------------------------------------------- letting in, sending away


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Whom a command is about, and what follows."""

    who: str
    words: list[str]
    name: str = ""


async def allow(ask: Ask) -> AsyncGenerator[Card]:
    """`/allow WHO [ROLE] [LABEL]`: let in a person, or everybody of a group, server or role."""
    wanted = _wanted(ask)
    role = ROLES.get(wanted.words[0].lower()) if wanted.words else None
    words = wanted.words[1:] if role is not None else wanted.words
    label = await _label(ask, wanted, words)
    grant = await ask.engine.access.decide(wanted.who, role or Role.MEMBER, label, ask.person)
    title = ask.t("allow.done", name=_called(grant), role=ask.t(f"role.{grant.role.name.lower()}"))
    body = ask.t("allow.group" if is_group(grant.who) else f"allow.{grant.role.name.lower()}")
    yield Notice(Tone.SUCCESS, title, body, (Button(ask.t("button.people"), "people"),))


async def deny(ask: Ask) -> AsyncGenerator[Card]:
    """`/deny WHO [LABEL]`: send somebody away, also where a group would let in; an answer under way ends."""
    wanted = _wanted(ask)
    label = await _label(ask, wanted, wanted.words)
    grant = await ask.engine.access.decide(wanted.who, Role.DENIED, label, ask.person)
    ask.expel(grant.who)
    undo = Button(ask.t("button.forget"), f"people forget {grant.who}")
    body = ask.t("deny.group" if is_group(grant.who) else "deny.person")
    yield Notice(Tone.SUCCESS, ask.t("deny.done", name=_called(grant)), body, (undo,))


def _wanted(ask: Ask) -> _Wanted:
    """Whom the argument names; where it names nobody, whoever wrote what is replied to. Raises NobodySuch."""
    words = ask.argument.split()
    named = whom(words[0], ask.incoming) if words else None
    if named is not None:
        return _Wanted(named, words[1:])
    if ask.incoming.reply_person:
        return _Wanted(ask.incoming.reply_person, words, ask.incoming.reply_name)
    raise NobodySuch


def whom(word: str, incoming: Incoming) -> str | None:
    """Whom a word names: `telegram:42`, a number of the same platform, a mention, or `here` for the group."""
    platform = incoming.chat.platform
    if word.lower() in HERE:
        places = [group for group in incoming.groups if ":role:" not in group]
        return places[0] if places else None
    if (mention := _MENTION.fullmatch(word)) is not None:
        return (
            f"{platform}:role:{mention['number']}"
            if mention["kind"] == "&"
            else f"{platform}:{mention['number']}"
        )
    if _NUMBER.fullmatch(word):
        return f"{platform}:{word}" if platform != "console" else None
    name, colon, rest = word.partition(":")
    who = f"{name.lower()}{colon}{rest}"
    return who if is_who(who) else None


async def _label(ask: Ask, wanted: _Wanted, words: Sequence[str]) -> str:
    """As it was written, else as the person or the earlier decision is called."""
    before = ask.engine.access.grant(wanted.who)
    seen = await ask.engine.access.seen(wanted.who)
    return line(
        " ".join(words) or (before.label if before else "") or wanted.name or (seen.name if seen else "")
    )


def _called(grant: Grant) -> str:
    return f"{grant.label} ({grant.who})" if grant.label else grant.who


# ---------------------------------------------------------------- the list


async def people(ask: Ask) -> AsyncGenerator[Card]:
    """`/people [PAGE]`, `/people WHO`, `/people forget WHO`."""
    words = ask.argument.split()
    if words and words[0].lower() in FORGET:
        yield await _forgotten(ask, whom(words[1], ask.incoming) if words[1:] else None)
    elif words and not _PAGE_NUMBER.fullmatch(words[0]):
        yield await _one(ask, whom(words[0], ask.incoming))
    else:
        yield await _list(ask, int(words[0]) if words else 1)


async def _forgotten(ask: Ask, who: str | None) -> Notice:
    if who is None:
        raise NobodySuch
    before = ask.engine.access.grant(who)
    known = await ask.engine.access.forget(who, ask.person)
    name = _called(before) if before else who
    title = ask.t("people.forgotten" if known else "people.unknown", name=name)
    return Notice(
        Tone.SUCCESS if known else Tone.INFO, title, buttons=(Button(ask.t("button.people"), "people"),)
    )


async def _list(ask: Ask, page: int) -> Listing:
    t = ask.t
    everybody = await entries(ask.engine.access)
    pages = max(1, -(-len(everybody) // PAGE))
    page = max(1, min(page, pages))
    shown = everybody[(page - 1) * PAGE : page * PAGE]
    waiting = [entry for entry in shown if entry.role is Role.STRANGER]
    buttons = [
        Button(t("button.deny", name=entry.name or entry.who), f"deny {entry.who}") for entry in waiting
    ]
    buttons += [Button(t("button.previous"), f"people {page - 1}")] if page > 1 else []
    buttons += [Button(t("button.next"), f"people {page + 1}")] if page < pages else []
    rows = tuple([await _row(ask, entry) for entry in shown])
    body = t("people.open" if ask.engine.settings.access == "open" else "people.closed")
    return Listing(t("people.title"), rows, body, page, pages, _fitting(buttons))


async def _row(ask: Ask, entry: Entry) -> Row:
    t = ask.t
    name = entry.name or entry.who
    if entry.role is Role.STRANGER:
        button = Button(t("button.allow", name=name), f"allow {entry.who}")
    else:
        button = Button(name, f"people {entry.who}")
    words = [
        t(f"role.{entry.role.name.lower()}"),
        entry.who if entry.name else "",
        _when(ask, entry.seen),
        await _used(ask, entry.who),
    ]
    kept = button if len(button.command.encode()) <= LONGEST_COMMAND else None
    return Row(MARKS[entry.role], name, " · ".join(word for word in words if word), button=kept)


async def _used(ask: Ask, who: str) -> str:
    """The tokens of today, if there are any."""
    spending = ask.engine.access.spending
    local = await spending.today(who, external=False)
    external = await spending.today(who, external=True)
    return ask.t("people.used", local=local, external=external) if local or external else ""


def _limits(ask: Ask, role: Role) -> str:
    """How much somebody in that role may use."""
    allowed = ask.engine.access.allowance(role)
    figures = {"messages": allowed.messages, "local": allowed.local, "external": allowed.external}
    if role < Role.GUEST or not any(figures.values()):
        return ""
    told = {name: ask.t("people.unlimited") if limit is None else limit for name, limit in figures.items()}
    return ask.t("people.limits", **told)


def _when(ask: Ask, seen: Seen | None) -> str:
    if seen is None:
        return ""
    passed = ask.engine.clock.time() - seen.seen_at
    if passed < _MINUTE:
        return ask.t("people.now")
    days = int(passed // _DAY)
    time = ask.t("people.days", n=days) if days else ask.t.seconds(passed // _MINUTE * _MINUTE)
    return ask.t("people.seen", time=time)


async def _one(ask: Ask, who: str | None) -> Notice:
    """Everything about one, and what may be decided."""
    if who is None:
        raise NobodySuch
    t, access = ask.t, ask.engine.access
    grant, seen = access.grant(who), await access.seen(who)
    if grant is None and seen is None:
        buttons = (Button(t("button.allow", name=who), f"allow {who}"),)
        return Notice(Tone.INFO, t("people.unknown", name=who), buttons=_fitting(buttons))
    role = grant.role if grant else Role.STRANGER if seen and seen.knocked_at else Role.GUEST
    name = (grant.label if grant else "") or (seen.name if seen else "")
    lines = [f"{t(f'role.{role.name.lower()}')} · {who}"]
    if grant is not None:
        lines.append(t("people.by", by=grant.by))
    lines += [_when(ask, seen), await _used(ask, who)]
    lines.append(_limits(ask, role) if not is_group(who) else "")
    title = f"{MARKS[role]} {name or who}"
    return Notice(Tone.INFO, title, "\n".join(one for one in lines if one), _decisions(ask, who, role, grant))


def _decisions(ask: Ask, who: str, role: Role, grant: Grant | None) -> tuple[Button, ...]:
    """What else that one may become."""
    t = ask.t
    if grant is not None and grant.by == BY_SETTING:
        return (Button(t("button.people"), "people"),)
    roles = [Role.MEMBER, Role.GUEST] if is_group(who) else [Role.ADMINISTRATOR, Role.MEMBER, Role.GUEST]
    buttons = [
        Button(t("button.make", role=t(f"role.{one.name.lower()}")), f"allow {who} {one.name.lower()}")
        for one in roles
        if grant is None or one is not role
    ]
    if role is not Role.DENIED:
        buttons.append(Button(t("button.deny", name=""), f"deny {who}"))
    if grant is not None:
        buttons.append(Button(t("button.forget"), f"people forget {who}"))
    return _fitting([*buttons, Button(t("button.people"), "people")])


def _fitting(buttons: Sequence[Button]) -> tuple[Button, ...]:
    return tuple(
        Button(b.label.strip(), b.command) for b in buttons if len(b.command.encode()) <= LONGEST_COMMAND
    )
