"""Letting in, sending away, the list of people, and the first administrator."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.cards import Listing, Notice, Reply, Tone, plain
from bot.desk.ask import visitor
from bot.desk.people import PAGE, whom
from core.conversation import ChatRef
from core.model import ModelState
from core.people import Role
from tests.bot.checks import buttons, command
from tests.bot.street import IDS, Street, street
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, a_model

NOVA = a_model("acme/nova-8b", ModelState.LOADED, name="Nova 8B")
ADA = Role.ADMINISTRATOR


async def listing(there: Street, text: str = "/people") -> Listing:
    card = await there.say(text, ADA)
    assert isinstance(card, Listing), plain(card)
    return card


async def test_a_stranger_knocks_and_is_let_in(tmp_path: Path) -> None:
    """The card names the id; the list shows who waits, with buttons; one tap, and the answer comes; also later."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        await there.say("hello", Role.STRANGER)
        shown = await listing(there)
        assert shown.rows[0].name == "Zé"
        assert "stranger, waits for a decision · telegram:10 · here just now" in shown.rows[0].detail
        assert command(shown, "Send away Zé") == "/deny telegram:10"
        done = await there.say(command(shown, "Let in Zé"), ADA)
        assert plain(done).startswith("✅ Zé (telegram:10): now member.")
        assert isinstance(await there.say("hello", Role.STRANGER), Reply)
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        assert isinstance(await there.say("hello", Role.STRANGER), Reply)
        assert "Zé" not in [row.name for row in (await listing(there)).rows if "stranger" in row.detail]


async def test_a_stranger_is_sent_away_and_the_decision_forgotten(tmp_path: Path) -> None:
    """Sent away is no longer asked about; forgotten is a stranger again."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        await there.say("hello", Role.STRANGER)
        done = await there.say(command(await listing(there), "Send away Zé"), ADA)
        assert plain(done).startswith("⛔ Zé (telegram:10): sent away.")
        assert [row.mark for row in (await listing(there)).rows if row.name == "Zé"] == ["⛔"]
        assert there.engine.access.role(visitor(there.incoming("", Role.STRANGER))) is Role.DENIED
        undone = await there.say(command(done, "Forget"), ADA)
        assert "Nothing is decided about Zé (telegram:10) any more." in plain(undone)
        assert there.engine.access.role(visitor(there.incoming("", Role.STRANGER))) is Role.STRANGER
        assert "Nothing is known about telegram:10." in plain(await there.say("/people forget 10", ADA))


@pytest.mark.parametrize(
    ("line", "more", "decided"),
    [
        ("/allow telegram:55", {}, ("telegram:55", Role.MEMBER, "")),
        ("/allow 55 guest", {}, ("telegram:55", Role.GUEST, "")),
        ("/allow 55 admin Duda da Silva", {}, ("telegram:55", Role.ADMINISTRATOR, "Duda da Silva")),
        ("/permitir 55 convidado", {}, ("telegram:55", Role.GUEST, "")),
        ("/allow discord:role:7 membro The crew", {}, ("discord:role:7", Role.MEMBER, "The crew")),
        ("/allow here", {"groups": ("telegram:-9",)}, ("telegram:-9", Role.MEMBER, "")),
        (
            "/allow here",
            {"groups": ("discord:role:2", "discord:guild:1")},
            ("discord:guild:1", Role.MEMBER, ""),
        ),
        ("/permitir aqui convidado", {"groups": ("telegram:-9",)}, ("telegram:-9", Role.GUEST, "")),
        (
            "/allow",
            {"reply_person": "telegram:55", "reply_name": "Duda"},
            ("telegram:55", Role.MEMBER, "Duda"),
        ),
        (
            "/allow guest",
            {"reply_person": "telegram:55", "reply_name": "Duda"},
            ("telegram:55", Role.GUEST, "Duda"),
        ),
        (
            "/allow 56",
            {"reply_person": "telegram:55", "reply_name": "Duda"},
            ("telegram:56", Role.MEMBER, ""),
        ),
        ("/deny 55 spam", {}, ("telegram:55", Role.DENIED, "spam")),
        (
            "/negar",
            {"reply_person": "telegram:55", "reply_name": "Duda"},
            ("telegram:55", Role.DENIED, "Duda"),
        ),
        ("/allow 55 guest \u202e\u200bevil\x1b[31m " + "x" * 90, {}, ("telegram:55", Role.GUEST, None)),
    ],
)
async def test_whom_and_as_what(
    tmp_path: Path, line: str, more: dict[str, object], decided: tuple[str, Role, str | None]
) -> None:
    """By id, by number, here, or by replying; the role in either language; a label that is fit to be shown."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        card = await there.say(line, ADA, **more)
        assert isinstance(card, Notice)
        assert card.tone is Tone.SUCCESS
        who, role, label = decided
        grant = there.engine.access.grant(who)
        assert grant is not None
        assert grant.role is role
        assert grant.by == f"telegram:{IDS[ADA]}"
        if label is None:
            assert len(grant.label) == 60
            assert grant.label.startswith("evil[31m x")
        else:
            assert grant.label == label


@pytest.mark.parametrize(
    "line", ["/allow", "/allow Duda", "/allow here", "/deny", "/people ???", "/people forget"]
)
async def test_nobody_such(tmp_path: Path, line: str) -> None:
    """Where nobody is meant a card says how to name somebody, and nothing is decided."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        before = there.engine.access.grants()
        assert "Whom do you mean?" in plain(await there.say(line, ADA))
        assert there.engine.access.grants() == before


def test_mentions() -> None:
    """As Discord writes them: a person, and a role. Numbers mean nothing at the console."""
    said = Street.incoming("", Role.GUEST)
    assert whom("<@5>", said) == whom("<@!5>", said) == "telegram:5"
    assert whom("<@&5>", said) == "telegram:role:5"
    assert whom("TELEGRAM:5", said) == "telegram:5"
    assert whom("5", said) == "telegram:5"
    assert whom("5", replace(said, chat=ChatRef("console", "local"))) is None


async def test_what_nobody_may_change(tmp_path: Path) -> None:
    """Oneself, the setting's administrators, a whole group as administrator: each refused with its reason."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        assert "Nobody decides about himself" in plain(await there.say(f"/deny {IDS[ADA]}", ADA))
        assert "ADMINS says so" in plain(await there.say("/deny 1", ADA))
        assert "cannot be administrator" in plain(await there.say("/allow telegram:-5 admin", ADA))


async def test_one_person(tmp_path: Path) -> None:
    """Who that is, who decided, and buttons for everything else the person may become."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        await there.say("hello", Role.GUEST)
        card = await there.say("/people telegram:11", ADA)
        assert plain(card).startswith("👋 Gil\nguest · telegram:11\ndecided by telegram:1\nhere just now")
        pressed = {button.command for button in buttons(card)}
        assert pressed == {
            "allow telegram:11 administrator",
            "allow telegram:11 member",
            "deny telegram:11",
            "people forget telegram:11",
            "people",
        }
        await there.say("/allow telegram:11 administrator", ADA)
        assert isinstance(await there.say("/people", Role.GUEST), Listing)
        by_setting = await there.say("/people telegram:1", ADA)
        assert [button.command for button in buttons(by_setting)] == ["people"]
        assert "decided by ADMINS" in plain(by_setting)
        assert "Nothing is known about telegram:9999." in plain(await there.say("/people 9999", ADA))


async def test_many_people_are_paged(tmp_path: Path) -> None:
    """Strangers first; pages in order, none lost; a page that is not there is the last one."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        for number in range(100, 120):
            await there.say("hello", number)
        first = await listing(there)
        assert (len(first.rows), first.page, first.pages) == (PAGE, 1, 4)
        names = []
        for page in range(1, 5):
            names += [row.name for row in (await listing(there, f"/people {page}")).rows]
        assert len(names) == len(set(names)) == 25
        assert all(name.startswith("telegram:1") for name in names[:20])
        assert (await listing(there, "/people 99")).page == 4


async def test_guests_of_open_doors_are_listed(tmp_path: Path) -> None:
    """Whoever talks without a decision is in the list too, so that one can be sent away."""
    clock = FakeClock()
    async with street(tmp_path, FakeLoader([NOVA]), clock=clock, access="open") as there:
        await there.say("hello", 99)
        await clock.advance(3 * 86400)
        last = (await listing(there)).rows[-1]
        assert (last.name, last.detail) == ("telegram:99", "guest · last here 3 d ago")
        assert "as a guest (ACCESS=open)" in plain(await listing(there))


async def test_the_first_administrator(tmp_path: Path) -> None:
    """A stranger is told how to claim the bot; the code does it, once; others get no second chance."""
    async with street(tmp_path, FakeLoader([NOVA]), admins=(), nobody=True) as there:
        code = await there.engine.access.new_code()
        assert "It has no administrator yet." in plain(await there.say("hello", 77))
        assert "Send /pair and the code" in plain(await there.say("/pair", 77))
        assert "It is another one." in plain(await there.say("/pair AAAA-AAAA-AAAA", 77))
        assert "first administrator" in plain(await there.say(f"/parear {code.lower()}", 77))
        assert isinstance(await there.say("/people", 77), Listing)
        assert "administrator already" in plain(await there.say("/pair x", 77))
        late = await there.cards(f"/pair {code}", 78)
        assert plain(late[0]).startswith("👋 This bot is private.\nIf you would")
        assert await there.cards(f"/pair {code}", 78) == []
        await there.say("/allow 78 guest", 77)
        assert "has an administrator already" in plain(await there.say(f"/pair {code}", 78))
