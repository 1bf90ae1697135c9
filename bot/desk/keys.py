"""Keys of external APIs: given where nobody else reads, checked with their vendor, kept encrypted, forgotten.

A key is in an argument for as long as the command runs and in no card, log, turn or history of it.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from pydantic import SecretStr

from bot import present
from bot.cards import Button, Card, Choice, Notice, Progress, Secret, Tone
from bot.desk.ask import Ask
from bot.desk.keylist import card_of, listing, title
from bot.desk.keywords import Order, Verb, known, order_of
from bot.trouble import report
from core.errors import ApiProblem, KeyRejected, NoMoney, Problem, Unauthorized
from core.keys import SHARED, Origin
from core.keyshape import NotAKey, clean_key, shown
from core.people import Role
from core.providers import vendors
from core.providers.base import Provider

GOOD = "ok"
_REFUSED = (KeyRejected, Unauthorized)


async def key(ask: Ask) -> AsyncGenerator[Card]:
    """Show, set, test or forget a key."""
    order = order_of(ask.argument, known(ask.engine.catalog.providers))
    if not (ask.incoming.private or ask.incoming.local) and not _in_a_form(ask, order):
        yield _in_private(ask, order)
        return
    if order.shared and not administrator(ask):
        yield Notice(Tone.ERROR, ask.t("key.not_yours"), ask.t("key.not_yours_body"))
        return
    async with aclosing(_done(ask, order)) as cards:
        async for card in cards:
            yield _with_warning(card, ask, order)


def administrator(ask: Ask) -> bool:
    """Whether the person may give keys that serve everybody."""
    return ask.role is Role.ADMINISTRATOR


async def _done(ask: Ask, order: Order) -> AsyncGenerator[Card]:
    mighty = administrator(ask)
    if order.strange:
        yield _which(ask, order, ask.t("key.unknown"))
        return
    match order.verb:
        case Verb.LIST:
            show = (
                card_of(ask, order.vendor, administrator=mighty)
                if order.vendor
                else listing(ask, administrator=mighty)
            )
            yield await show
        case Verb.SET if not order.vendor:
            yield _which(ask, order, ask.t("key.which"))
        case Verb.SET if not order.secret:
            yield _asked(ask, order)
        case Verb.SET:
            async with aclosing(_given(ask, order)) as cards:
                async for card in cards:
                    yield card
        case _ if not order.vendor:
            yield await listing(ask, administrator=mighty)
        case Verb.TEST:
            async with aclosing(_tested(ask, order)) as cards:
                async for card in cards:
                    yield card
        case _:
            yield await _forgotten(ask, order)


# ---------------------------------------------------------------- where nobody else reads


def _in_a_form(ask: Ask, order: Order) -> bool:
    """The platform asks in a form of its own, and the order is one that needs nothing else."""
    in_the_form = order.hidden and ask.incoming.erase is None  # a message was read by others
    return ask.incoming.form and order.verb is Verb.SET and (in_the_form or not order.secret)


def _in_private(ask: Ask, order: Order) -> Notice:
    """In a group nothing is shown and nothing is asked: it leads to where that can be done."""
    t, incoming = ask.t, ask.incoming
    words = f"key-{order.vendor}" if order.vendor else "key"
    lines = [t("key.private_door", address=incoming.door.replace("{}", words))] if incoming.door else []
    lines = lines or [t("key.private_body")]
    if order.secret:
        gone = "key.seen_gone" if incoming.erased else "key.seen_there"
        lines = [t(gone), t("key.seen_body"), *lines]
    buttons = (Button(t("button.key"), _line("key set", order)),) if incoming.form else ()
    tone = Tone.WARNING if order.secret else Tone.INFO
    return Notice(tone, t("key.private"), "\n".join(lines), buttons)


def _with_warning(card: Card, ask: Ask, order: Order) -> Card:
    """What became of the message that held the key stands on every card that answers it."""
    if not isinstance(card, Notice | Choice) or not order.secret:
        return card
    if ask.incoming.erased is not None:
        line = ask.t("key.erased" if ask.incoming.erased else "key.not_erased")
    elif ask.incoming.local and not order.hidden:
        line = ask.t("key.on_screen")
    else:
        return card
    return replace(card, body="\n".join(filter(None, (card.body, line))))


# ---------------------------------------------------------------- set


def _which(ask: Ask, order: Order, question: str) -> Card:
    names = known(ask.engine.catalog.providers)
    if not names:
        return Notice(Tone.WARNING, ask.t("key.no_vendor"), ask.t("key.no_vendor_body"))
    named = [replace(order, vendor=name) for name in names]
    return Choice(question, tuple(Button(title(o.vendor), _line("key set", o)) for o in named))


def _asked(ask: Ask, order: Order) -> Secret:
    t, vendor = ask.t, vendors.entry(order.vendor)
    lines = [
        t("key.ask_shared" if order.shared else "key.ask", vendor=vendor.title),
        t("key.ask_where", address=vendor.keys_at) if vendor.keys_at else "",
        t("key.ask_how"),
        t("key.ask_typed") if ask.incoming.local else "",
        "" if ask.incoming.local or ask.incoming.form else t("key.ask_erased"),
    ]
    field = t("key.field", vendor=vendor.title)
    return Secret("\n".join(filter(None, lines)), field, _line("key give", order))


async def _given(ask: Ask, order: Order) -> AsyncGenerator[Card]:
    t, keys = ask.t, ask.engine.keys
    buttons = (Button(t("button.again"), _line("key set", order)),)
    try:
        secret = SecretStr(clean_key(order.secret))
    except NotAKey as wrong:
        yield Notice(Tone.ERROR, t("key.no_key"), t(f"key.no_key_{wrong.reason}"), buttons)
        return
    keys.noted(secret)
    owner = SHARED if order.shared else ask.person
    yield Progress(t("key.checking", vendor=title(order.vendor)), None)
    same = await keys.already(owner, order.vendor, secret)
    refused = await _checked(_provider(ask, order.vendor), secret)
    if refused is not None and not isinstance(refused, NoMoney):
        rejected = isinstance(refused, _REFUSED)
        body = [_said(refused, secret, ask), t("key.not_stored" if rejected else "key.not_checked")]
        yield Notice(Tone.ERROR, _title(refused, ask), "\n".join(body), buttons)
        return
    row = await keys.put(owner, order.vendor, secret)
    await keys.checked(row.id, GOOD if refused is None else "no-money", active=True)
    await _served_anew(ask, order.vendor)
    name = title(order.vendor)
    lines = [
        t("key.stored_shared" if order.shared else "key.stored_own"),
        t("key.stored_already") if same is not None else "",
        _said(refused, secret, ask) if refused is not None else "",
    ]
    yield Notice(
        Tone.SUCCESS if refused is None else Tone.WARNING,
        t("key.accepted", vendor=name, shown=shown(secret.get_secret_value())),
        "\n".join(filter(None, lines)),
        (Button(t("button.models"), "models"), Button(t("button.keys"), "key")),
    )


# ---------------------------------------------------------------- test and forget


async def _tested(ask: Ask, order: Order) -> AsyncGenerator[Card]:
    """Test the stored key of the person (or the shared one); without one, the one that serves."""
    t, keys = ask.t, ask.engine.keys
    owner = SHARED if order.shared else ask.person
    found = await keys.of(owner, order.vendor)
    if found is None and not order.shared:
        found = await keys.find(ask.person, order.vendor)
    buttons = (Button(t("button.key"), _line("key set", order)),)
    if found is None:
        yield Notice(Tone.WARNING, t("key.none", vendor=title(order.vendor)), buttons=buttons)
        return
    yield Progress(t("key.checking", vendor=title(order.vendor)), None)
    refused = await _checked(_provider(ask, order.vendor), found.secret)
    outcome = GOOD if refused is None else _outcome(refused)
    # What serves everybody is not switched off by whoever tries it.
    if found.row and (found.origin is Origin.OWN or administrator(ask)):
        await keys.checked(found.row, outcome, active=_active(refused))
        await _served_anew(ask, order.vendor)
    if refused is not None:
        own = found.origin is Origin.OWN
        yield Notice(Tone.ERROR, _title(refused, ask), _said(refused, found.secret, ask, own=own), buttons)
        return
    whose = t(f"key.origin_{found.origin.value}")
    yield Notice(Tone.SUCCESS, t("key.works", vendor=title(order.vendor)), whose)


async def _forgotten(ask: Ask, order: Order) -> Notice:
    t = ask.t
    gone = await ask.engine.keys.forget(SHARED if order.shared else ask.person, order.vendor)
    if not gone:
        return Notice(Tone.WARNING, t("key.none_own", vendor=title(order.vendor)))
    await _served_anew(ask, order.vendor)
    at = vendors.entry(order.vendor).keys_at
    body = t("key.forgotten_body", address=at) if at else ""
    return Notice(Tone.SUCCESS, t("key.forgotten", vendor=title(order.vendor)), body)


# ---------------------------------------------------------------- the vendor


def _provider(ask: Ask, vendor: str) -> Provider:
    return next(p for p in ask.engine.catalog.providers if p.name == vendor)


async def _checked(provider: Provider, secret: SecretStr) -> Problem | None:
    """What the vendor says against the key; `None` if it takes it."""
    try:
        await provider.check(secret)
    except Problem as refused:
        report(refused, "key refused")
        return refused
    return None


async def _served_anew(ask: Ask, vendor: str) -> None:
    """What the vendor offers may be different with another key."""
    ask.engine.catalog.relist(_provider(ask, vendor))
    await ask.engine.catalog.sync()


def _active(refused: Problem | None) -> bool | None:
    """Whether the key may serve; an outage says nothing of that."""
    if refused is None or isinstance(refused, NoMoney):
        return True
    return False if isinstance(refused, _REFUSED) else None


def _outcome(refused: Problem) -> str:
    return refused.kind.value if isinstance(refused, ApiProblem) else "unknown"


def _title(refused: Problem, ask: Ask) -> str:
    card = present.trouble(refused, ask.t)
    return card.title if isinstance(card, Notice) else ""


def _said(refused: Problem, secret: SecretStr, ask: Ask, *, own: bool = True) -> str:
    """The vendor's answer, without the key that some quote in it. `own` = it was the person's, not the bot's."""
    if isinstance(refused, ApiProblem):
        refused = replace(refused, own=own)
    card = present.trouble(refused, ask.t)
    words = card.body if isinstance(card, Notice) else ""
    return words.replace(secret.get_secret_value(), shown(secret.get_secret_value()))


def _line(verb: str, order: Order) -> str:
    return " ".join(filter(None, (verb, order.vendor, "shared" if order.shared else "")))


# ---------------------------------------------------------------- a key where a question should be


async def pasted(ask: Ask) -> AsyncGenerator[Card]:
    """A message that is nothing but a key: it goes to no model and is kept nowhere."""
    t = ask.t
    lines = [t("key.pasted_body")]
    if ask.incoming.erased is not None:
        lines.append(t("key.erased" if ask.incoming.erased else "key.not_erased"))
    if not (ask.incoming.private or ask.incoming.local):
        lines.append(t("key.seen_body"))
    yield Notice(Tone.WARNING, t("key.pasted"), "\n".join(lines), (Button(t("button.key"), "key set"),))
