"""Which keys there are: whose, since when, and what their vendor said last. Never the key itself."""

from datetime import UTC, datetime

from bot.cards import Button, Card, Listing, Row
from bot.desk.ask import Ask
from bot.desk.keywords import known
from core.keys import SHARED
from core.keyshape import shown
from core.providers import vendors
from core.storage.keys import KeyRow

DAY = 86_400.0


def title(vendor: str) -> str:
    """A vendor as people call it."""
    return vendors.title(vendor)


async def listing(ask: Ask, *, administrator: bool) -> Card:
    """Every key that serves the person, and a button for each vendor that has one."""
    rows = await ask.engine.keys.stored(ask.person, SHARED)
    shown_rows: list[Row] = []
    without: list[str] = []
    for vendor in known(ask.engine.catalog.providers):
        of_vendor = _rows(ask, vendor, [r for r in rows if r.provider == vendor], administrator=administrator)
        shown_rows += of_vendor
        if not of_vendor:
            without.append(title(vendor))
    t = ask.t
    lines = [t("key.list_body") if shown_rows else t("key.list_empty")]
    if without:
        lines.append(t("key.list_without", vendors=", ".join(without)))
    return Listing(
        t("key.list"), tuple(shown_rows), "\n".join(lines), buttons=(Button(t("button.key"), "key set"),)
    )


async def card_of(ask: Ask, vendor: str, *, administrator: bool) -> Card:
    """The keys for one vendor, and what can be done with them."""
    t = ask.t
    stored = [r for r in await ask.engine.keys.stored(ask.person, SHARED) if r.provider == vendor]
    rows = _rows(ask, vendor, stored, administrator=administrator, buttons=False)
    own = any(r.owner == ask.person for r in stored)
    shared = any(r.owner == SHARED for r in stored)
    buttons = [Button(t("button.key_replace" if own else "button.key"), f"key set {vendor}")]
    if rows:
        buttons.append(Button(t("button.key_test"), f"key test {vendor}"))
    if own:
        buttons.append(Button(t("button.key_forget"), f"key forget {vendor}"))
    if administrator:
        buttons.append(Button(t("button.key_shared"), f"key set {vendor} shared"))
    if administrator and shared:
        buttons.append(Button(t("button.key_forget_shared"), f"key forget {vendor} shared"))
    body = "" if rows else t("key.none", vendor=title(vendor))
    return Listing(f"🔑 {title(vendor)}", tuple(rows), body, buttons=tuple(buttons))


def _rows(
    ask: Ask, vendor: str, stored: list[KeyRow], *, administrator: bool, buttons: bool = True
) -> list[Row]:
    """The own key first, then the shared one, then that of the settings: in this order they serve."""
    t = ask.t
    button = Button(title(vendor), f"key {vendor}") if buttons else None
    rows = []
    for row in sorted(stored, key=lambda r: r.owner == SHARED):
        shared = row.owner == SHARED
        words = [
            row.shown if administrator or not shared else "",
            t("key.origin_shared" if shared else "key.origin_own"),
            t("key.stored_at", when=_when(ask, row.stored_at)),
        ]
        note = (
            t("key.checked_at", when=_when(ask, row.checked_at), outcome=_outcome(ask, row))
            if row.checked_at
            else ""
        )
        rows.append(
            Row(
                "✓" if row.active else "❌",
                title(vendor),
                " · ".join(filter(None, words)),
                note,
                button=button,
            )
        )
    secret = ask.engine.keys.of_settings(vendor)
    if secret is not None:
        words = [shown(secret.get_secret_value()) if administrator else "", t("key.origin_settings")]
        rows.append(Row("✓", title(vendor), " · ".join(filter(None, words)), button=None if rows else button))
    first = next((i for i, row in enumerate(rows) if row.mark == "✓"), None)
    return [
        Row(
            row.mark,
            row.name,
            row.detail,
            row.note,
            current=index == first,
            button=row.button if not index else None,
        )
        for index, row in enumerate(rows)
    ]


def _outcome(ask: Ask, row: KeyRow) -> str:
    key = f"key.outcome_{row.outcome}"
    return ask.t(key) if ask.t.has(key) else ask.t("key.outcome_unknown")


def _when(ask: Ask, at: float) -> str:
    """How long ago; of another day the date."""
    passed = max(0.0, ask.engine.clock.time() - at)
    if passed < DAY:
        return ask.t("key.ago", time=ask.t.seconds(passed))
    return datetime.fromtimestamp(at, UTC).strftime(ask.t("key.date"))
