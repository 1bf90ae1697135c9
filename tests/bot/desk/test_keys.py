"""`/key`: given in private alone, checked before it is kept, shown to nobody, and gone when it is forgotten."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cards import LONGEST_FIELD, Choice, Listing, Notice, Secret, Tone, plain
from bot.desk.keywords import carries_key, is_shared, order_of
from core.conversation import ChatRef
from core.errors import ApiUnreachable, KeyRejected, NoMoney, Overloaded, Problem
from core.keys import Origin
from tests.bot.checks import buttons, command
from tests.bot.desk.keyworld import ADMIN, ANA, BAD, BIA, GOOD, SEEN, Desk, desk_of


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_of(tmp_path) as desk:
        yield desk
    assert desk.leaks() == []


async def test_a_key_is_asked_for_checked_kept_and_used(desk: Desk) -> None:
    """The question says what happens with it; its answer goes to the vendor first and is then the person's own."""
    question = await desk.secret("/key set openai")
    assert "https://platform.openai.com/api-keys" in question.question
    assert "deleted at once" in question.question
    assert len(question.field) <= LONGEST_FIELD
    card = await desk.notice(f"/{question.command} {GOOD}")
    assert card.tone is Tone.SUCCESS
    assert card.title == f"✅ OpenAI accepted the key {SEEN}."
    assert "serves only you" in card.body
    assert "has been deleted" in card.body
    assert desk.vendor.checked == [GOOD]
    assert await desk.serving(ANA) == (GOOD, Origin.OWN)
    assert await desk.serving(BIA) is None
    assert await desk.talk.engine.store.turns(ChatRef("telegram", ANA)) == []


async def test_in_portuguese_and_by_the_other_name(desk: Desk) -> None:
    """`/chave`, its words and the vendors' other names do the same."""
    incoming = replace(desk.incoming("/chave definir OpenAI"), language="pt-br")
    card = await desk.says(incoming)
    assert isinstance(card, Secret)
    assert card.command == "key give openai"
    assert "Chave de API de OpenAI" in card.field


async def test_a_vendor_is_chosen_by_a_button(desk: Desk) -> None:
    """Without one, or with one that nobody knows, every vendor is offered; what was typed is not repeated."""
    for text in ("/key set", "/key set nowhere", "/key nowhere"):
        card = await desk.say(text)
        assert isinstance(card, Choice)
        assert [b.command for b in card.options] == ["key set openai", "key set mistral"]
        assert "nowhere" not in plain(card)


@pytest.mark.parametrize("gone", [True, False])
async def test_typed_openly_it_is_taken_away(desk: Desk, *, gone: bool) -> None:
    """`/key set openai sk-…` in one line works; the message goes, or the person is told to delete it."""
    desk.erasing = gone
    card = await desk.notice(f"/key set openai {GOOD}")
    assert desk.erased == [f"/key set openai {GOOD}"]
    assert ("has been deleted" in card.body) is gone
    assert ("delete it yourself" in card.body) is not gone
    assert await desk.serving(ANA) == (GOOD, Origin.OWN)


async def test_it_is_taken_away_before_anything_else(desk: Desk) -> None:
    """Not after the vendor has answered, and also where the command is not allowed or mistyped."""
    order: list[str] = []

    async def erase() -> bool:
        order.append("erased")
        return True

    def refuse(_: str) -> Problem:
        order.append("checked")
        return KeyRejected("openai")

    desk.vendor.refusal = refuse
    await desk.says(replace(desk.incoming(f"/key set openai {BAD}"), erase=erase))
    assert order == ["erased", "checked"]
    for text in (f"/kye set openai {GOOD}", f"/key set openai shared {GOOD}", f"/key set nowhere {GOOD}"):
        order.clear()
        card = await desk.says(replace(desk.incoming(text), erase=erase))
        assert order == ["erased"], text
        assert isinstance(card, Notice | Choice)
    assert await desk.serving(ANA) is None
    async with desk_of(desk.path / "closed", access="closed") as closed:
        await closed.says(replace(closed.incoming(f"/key set openai {GOOD}"), erase=erase))
        assert await closed.serving(ANA) is None
    assert order == ["erased", "erased"]


async def test_in_a_group_it_leads_to_the_private_chat(desk: Desk) -> None:
    """Nothing is listed or asked there, whatever is said; the link comes back as /start and asks."""
    for text in ("/key", "/key list", "/key set openai", "/key test openai", "/key forget openai"):
        card = await desk.notice(text, group=True)
        door = "key-openai" if "openai" in text else "key"
        assert f"https://t.me/nova_bot?start={door}" in card.body
        assert buttons(card) == ()
    question = await desk.secret("/start key-openai")
    assert question.command == "key give openai"
    choice = await desk.say("/start key")
    assert isinstance(choice, Choice)


@pytest.mark.parametrize("gone", [True, False])
async def test_a_key_that_a_group_has_read_is_not_used(desk: Desk, *, gone: bool) -> None:
    """It is taken away where that can be done, is not stored, and the person is told to revoke it."""
    desk.erasing = gone
    card = await desk.notice(f"/key set openai {GOOD}", group=True)
    assert desk.erased
    assert "Revoke it" in card.body
    assert ("delete it yourself" in card.body) is not gone
    assert desk.vendor.checked == []
    assert await desk.serving(ANA) is None


async def test_a_form_asks_in_any_place(desk: Desk) -> None:
    """Where the platform asks in a form that nobody else sees, a server is as good as a private chat."""
    card = await desk.says(replace(desk.incoming("/key set openai", group=True), form=True))
    assert isinstance(card, Secret)
    given = replace(desk.incoming(f"/{card.command} {GOOD}", group=True), form=True, erase=None)
    card = await desk.says(given)
    assert isinstance(card, Notice)
    assert card.tone is Tone.SUCCESS
    listed = await desk.says(replace(desk.incoming("/key", group=True), form=True))
    assert SEEN not in plain(listed), "what is stored is not listed there"
    assert command(listed, "Give a key") == "/key set"


@pytest.mark.parametrize(
    "pasted", [f" {GOOD}\n", f"\u200b{GOOD}\ufeff", f'"{GOOD}"', f"OPENAI_API_KEY={GOOD}"]
)
async def test_what_pasting_brings_is_cleaned(desk: Desk, pasted: str) -> None:
    """Spaces, line ends, zero-width characters, quotes: the key arrives as it is."""
    await desk.notice(f"/key give openai {pasted}")
    assert desk.vendor.checked == [GOOD]
    assert await desk.serving(ANA) == (GOOD, Origin.OWN)


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        (f"{GOOD[:9]} {GOOD[9:]}", "one word"),
        (f"{GOOD[:9]}\n{GOOD[9:]}", "one word"),
        (GOOD.replace("-", "—"), "characters"),
        (f"{GOOD}é", "characters"),
        ("x" * 5000, "longer"),
        ('""', "nothing"),
    ],
)
async def test_what_is_no_key_is_refused(desk: Desk, pasted: str, words: str) -> None:
    """In words that say what to do, before the vendor is asked, and nothing is kept."""
    card = await desk.notice(f"/key give openai {pasted}")
    assert card.tone is Tone.ERROR
    assert words in card.body
    assert command(card, "again") == "/key set openai"
    assert desk.vendor.checked == []
    assert await desk.serving(ANA) is None


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (lambda told: KeyRejected("openai", text=f"Incorrect API key provided: {told}."), "not stored"),
        (lambda _: ApiUnreachable("openai"), "could not be checked"),
        (lambda _: Overloaded("openai"), "could not be checked"),
    ],
)
async def test_a_key_that_is_not_accepted_is_not_kept(desk: Desk, refusal: object, words: str) -> None:
    """The vendor's answer is shown without the key that it quotes; another outage is told as what it is."""
    desk.vendor.refusal = refusal  # type: ignore[assignment]  # one of the lambdas above
    card = await desk.notice(f"/key give openai {BAD}")
    assert card.tone is Tone.ERROR
    assert words in card.body
    if "not stored" in words:
        assert f"Incorrect API key provided: {SEEN}." in card.body
    assert await desk.serving(ANA) is None


async def test_a_key_without_credit_is_kept_with_a_warning(desk: Desk) -> None:
    """It is the right key; what is wanting is money."""
    desk.vendor.refusal = lambda _: NoMoney("openai")
    card = await desk.notice(f"/key give openai {BAD}")
    assert card.tone is Tone.WARNING
    assert "Your account" in card.body
    assert await desk.serving(ANA) == (BAD, Origin.OWN)


async def test_the_list(desk: Desk) -> None:
    """Whose, since when, how the last check went; a page for each vendor tests, replaces and forgets."""
    empty = await desk.say("/key")
    assert "no key yet" in plain(empty)
    await desk.say(f"/key give openai {GOOD}")
    await desk.clock.advance(120)
    listed = await desk.say("/key")
    assert isinstance(listed, Listing)
    assert f"OpenAI — {SEEN} · your own · stored 2 min ago" in plain(listed)
    assert "checked 2 min ago: accepted" in plain(listed)
    assert "Without a key: Mistral" in plain(listed)
    assert [row.current for row in listed.rows] == [True]
    page = await desk.say(command(listed, "OpenAI"))
    assert [b.command for b in buttons(page)] == ["key set openai", "key test openai", "key forget openai"]
    assert SEEN not in plain(await desk.say("/key", BIA))
    assert await desk.notice(command(page, "Test")) == await desk.notice("/key test openai")


async def test_test(desk: Desk) -> None:
    """A stored key is asked about again: one that is refused serves no more, one that is accepted serves again."""
    assert (await desk.notice("/key test openai")).tone is Tone.WARNING
    await desk.say(f"/key give openai {GOOD}")
    assert "accepts the key" in (await desk.notice("/key test openai")).title
    desk.vendor.accepts = frozenset()
    card = await desk.notice("/key test openai")
    assert card.tone is Tone.ERROR
    assert await desk.serving(ANA) is None
    listed = await desk.say("/key")
    assert "❌ OpenAI" in plain(listed)
    assert "refused, so it is not used" in plain(listed)
    desk.vendor.refusal = lambda _: ApiUnreachable("openai")
    await desk.notice("/key test openai")
    assert await desk.serving(ANA) is None, "an outage says nothing of the key"
    desk.vendor.accepts = None
    await desk.notice("/key test openai")
    assert await desk.serving(ANA) == (GOOD, Origin.OWN)


async def test_forget(desk: Desk) -> None:
    """Nothing of it is left, and it says where to revoke it."""
    await desk.say(f"/key give openai {GOOD}")
    card = await desk.notice("/key forget openai")
    assert card.tone is Tone.SUCCESS
    assert "platform.openai.com" in card.body
    assert await desk.serving(ANA) is None
    assert (await desk.notice("/key forget openai")).tone is Tone.WARNING


async def test_the_same_key_again(desk: Desk) -> None:
    """It is said that it was there already."""
    await desk.say(f"/key give openai {GOOD}")
    assert "stored already" in (await desk.notice(f"/key give openai {GOOD}")).body


async def test_a_shared_key_is_for_administrators_to_give(desk: Desk) -> None:
    """It serves everybody; others neither give, test nor forget it, nor see which one it is."""
    for line in (f"/key set openai shared {GOOD}", "/key forget openai shared", "/key test openai all"):
        card = await desk.notice(line, ANA)
        assert card.tone is Tone.ERROR
    assert await desk.serving(ANA) is None
    question = await desk.secret("/key set openai shared", ADMIN)
    assert "everybody" in question.question
    card = await desk.notice(f"/{question.command} {GOOD}", ADMIN)
    assert "everybody" in card.body
    for person in (ADMIN, ANA, BIA):
        assert await desk.serving(person) == (GOOD, Origin.SHARED)
    listed = plain(await desk.say("/key", ANA))
    assert "for everybody" in listed
    assert SEEN not in listed
    assert SEEN in plain(await desk.say("/key", ADMIN))
    assert (await desk.notice("/key forget openai shared", ADMIN)).tone is Tone.SUCCESS
    assert await desk.serving(ANA) is None


async def test_the_operators_key_is_listed(tmp_path: Path) -> None:
    """It serves those who have no other; its end is shown to administrators alone."""
    async with desk_of(tmp_path, openai_api_key=GOOD) as desk:
        listed = await desk.say("/key", ANA)
        assert "the bot's" in plain(listed)
        assert SEEN not in plain(listed)
        assert SEEN in plain(await desk.say("/key", ADMIN))
        assert await desk.serving(ANA) == (GOOD, Origin.SETTINGS)
        assert "the bot's" in (await desk.notice("/key test openai", ANA)).body


@pytest.mark.parametrize("group", [True, False])
async def test_a_bare_key_is_no_question(desk: Desk, *, group: bool) -> None:
    """Pasted as a message it reaches no model and no history; it is taken away, and the way to store it is shown."""
    card = await desk.notice(GOOD, group=group)
    assert desk.erased == [GOOD]
    assert command(card, "Give a key") == "/key set"
    assert ("Revoke it" in card.body) is group
    assert desk.vendor.calls["reply"] == 0
    assert desk.vendor.checked == []
    chat = ChatRef("telegram", "-100" if group else ANA)
    assert await desk.talk.engine.store.turns(chat) == []


async def test_completion_offers_verbs_and_vendors_and_knows_no_key(desk: Desk) -> None:
    """`/key s` becomes `/key set openai`; once a key is being typed nothing matches."""
    found = await desk.talk.assistant.complete("key", "s", desk.incoming(""))
    assert [one.value for one in found] == ["set openai", "set mistral"]
    assert await desk.talk.assistant.complete("key", f"set openai {GOOD}", desk.incoming("")) == []


async def test_the_menu_says_which_command_is_given_keys(desk: Desk) -> None:
    """So that a platform keeps its lines out of every history."""
    assert [item.name for item in desk.talk.assistant.menu("en") if item.secret] == ["key"]


@pytest.mark.parametrize(
    ("argument", "carries", "shared"),
    [
        ("", False, False),
        ("list", False, False),
        ("openai", False, False),
        ("set", False, False),
        ("set openai", False, False),
        ("set openai shared", False, True),
        ("definir openai todos", False, True),
        ("openai shared", False, True),
        ("set openai x", True, False),
        ("set openai shared x", True, True),
        ("give openai x", True, False),
        (f"openai {GOOD}", True, False),
        (f"set {GOOD}", True, False),
        (GOOD, True, False),
        (f"test openai {GOOD}", True, False),
        (f"set openai\n{GOOD}", True, False),
        ("set shared openai", True, False),
    ],
)
def test_what_may_hold_a_key(argument: str, *, carries: bool, shared: bool) -> None:
    """By its words alone, for a message must go before anything else is known."""
    assert carries_key(argument) is carries
    assert is_shared(argument) is shared
    order = order_of(argument, ("openai",))
    assert not order.secret or carries, "what is taken for a key was taken away"
    assert order.shared is (shared and not order.strange)
    assert GOOD not in repr(order)
