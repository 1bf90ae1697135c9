"""A stranger, a guest, a member and an administrator try every command."""

from pathlib import Path

import pytest

from bot.cards import Listing, Notice, Reply, plain
from bot.commands import BY_NAME, COMMANDS, Command
from bot.gate import may
from core.model import ModelState
from core.people import Role
from core.providers.base import Provider
from tests.bot.checks import buttons
from tests.bot.street import Street, street
from tests.fakes.provider import FakeLoader, a_model

NOVA = a_model("acme/nova-8b", ModelState.LOADED, name="Nova 8B")

# Who may what. A new command fails the test below until it stands here.
LEAST = {
    "start": Role.GUEST,
    "help": Role.GUEST,
    "models": Role.GUEST,
    "use": Role.GUEST,
    "load": Role.MEMBER,
    "unload": Role.MEMBER,
    "stats": Role.GUEST,
    "bench": Role.MEMBER,
    "status": Role.MEMBER,
    "suggest": Role.GUEST,
    "reset": Role.ADMINISTRATOR,
    "reload": Role.ADMINISTRATOR,
    "here": Role.ADMINISTRATOR,
    "thread": Role.GUEST,
    "ask": Role.GUEST,
    "new": Role.GUEST,
    "stop": Role.GUEST,
    "retry": Role.GUEST,
    "system": Role.GUEST,
    "key": Role.GUEST,
    "lang": Role.GUEST,
    "pair": Role.STRANGER,
    "people": Role.ADMINISTRATOR,
    "allow": Role.ADMINISTRATOR,
    "deny": Role.ADMINISTRATOR,
}
PLACE = frozenset({"here"})  # what whoever manages a group or server may do there
OUTSIDE = "👋 This bot is private."


def test_every_command_has_an_expectation() -> None:
    """The table above is complete, and names nothing that is not there."""
    assert LEAST.keys() == {command.name for command in COMMANDS}
    assert {command.name for command in COMMANDS if command.place} == PLACE


def refused(card: object, name: str) -> bool:
    return isinstance(card, Notice) and card.title == f"⚠️ You may not use /{name} here."


@pytest.mark.parametrize("role", [Role.GUEST, Role.MEMBER, Role.ADMINISTRATOR])
async def test_those_who_are_let_in_try_every_command(tmp_path: Path, role: Role) -> None:
    """What their role may is done, what it may not gets a clear card that names the role it takes; aliases too."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        for word, command in sorted(BY_NAME.items()):
            card = await there.say(f"/{word}", role)
            assert refused(card, command.name) is (role < LEAST[command.name]), (word, plain(card))
            if role < LEAST[command.name]:
                assert LEAST[command.name].name.lower() in plain(card)
        assert isinstance(await there.say("hello", role), Reply)
        assert "I do not know the command" in plain(await there.say("/nonsense", role))


@pytest.mark.parametrize("role", [Role.STRANGER, Role.DENIED])
async def test_those_outside_try_every_command(tmp_path: Path, role: Role) -> None:
    """One polite card with their id, whatever they try first; then nothing at all, and nothing is done."""
    loader = FakeLoader([NOVA])
    async with street(tmp_path, loader) as there:
        first = await there.cards("/unload nova force", role)
        assert [plain(card).split("\n")[0] for card in first] == [OUTSIDE]
        assert f"telegram:{there.incoming('', role).person.rpartition(':')[2]}" in plain(first[0])
        for word in [
            *(f"/{word}" for word in BY_NAME),
            "/pair AAAA-AAAA-AAAA",
            "hello",
            "/nonsense",
            "",
        ]:
            assert await there.cards(word, role) == [], word
        assert [card async for card in there.assistant.greet(there.incoming("", role))] == []
        assert await there.engine.store.turns(there.incoming("", role).chat) == []
    assert (loader.asked, loader.loaded, loader.calls["unload"]) == ([], [], 0)


GRAVE = [
    "/stats all",
    "/estatisticas tudo",
    "/unload nova force",
    "/load nova anyway",
    "/use nova anyway",
    "/usar nova ?1 anyway",
    "/carregar x anyway",
    "/key set openai shared",
    "/chave esquecer openai todos",
]


@pytest.mark.parametrize("line", GRAVE)
@pytest.mark.parametrize("role", [Role.GUEST, Role.MEMBER])
async def test_grave_arguments_take_an_administrator(tmp_path: Path, line: str, role: Role) -> None:
    """To cut an answer or to load what does not fit is not for members, though the command alone is."""
    name = BY_NAME[line.split(maxsplit=1)[0][1:]].name
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        card = await there.say(line, role)
        assert refused(card, name)
        assert "administrator" in plain(card)
        assert not refused(await there.say(line, Role.ADMINISTRATOR), name)


async def test_completions_and_greetings(tmp_path: Path) -> None:
    """Whoever may not use a command is told nothing by its completion either."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:

        async def completed(command: str, role: Role) -> list[str]:
            found = await there.assistant.complete(command, "", there.incoming("", role))
            return [one.value for one in found]

        for role in Role:
            assert await completed("use", role) == ([NOVA.key] if role >= Role.GUEST else []), role
            assert await completed("load", role) == ([NOVA.key] if role >= Role.MEMBER else []), role
            assert (await completed("lang", role) != []) is (role >= Role.GUEST), role
        greeting = [card async for card in there.assistant.greet(there.incoming("", Role.GUEST))]
        assert "Here you talk" in plain(greeting[-1])


async def test_a_reader_sees_only_buttons_that_work(tmp_path: Path) -> None:
    """Help lists what the reader may use; cards lose the buttons that the reader's role may not press."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        for role in (Role.GUEST, Role.MEMBER, Role.ADMINISTRATOR):
            listing = await there.say("/help", role)
            assert isinstance(listing, Listing)
            shown = {row.button.command for row in listing.rows if row.button}
            assert shown == {name for name, least in LEAST.items() if least <= role}
        status = [button.command for button in buttons(await there.say("/status", Role.MEMBER))]
        assert status == []
        assert "reset" in [
            button.command for button in buttons(await there.say("/status", Role.ADMINISTRATOR))
        ]


async def test_what_the_platform_says_of_a_place_makes_nobody_administrator(tmp_path: Path) -> None:
    """Whoever manages a group there is still a stranger, a guest or a member to the bot."""
    group: dict[str, object] = {"groups": ("telegram:-100",), "manages": True, "private": False}
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        assert refused(await there.say("/people", Role.MEMBER, **group), "people")
        assert plain(await there.say("/people", Role.STRANGER, **group)).startswith(OUTSIDE)
        assert refused(await there.say("/reset", Role.GUEST, **group), "reset")


async def test_a_group_lets_in_whoever_writes_there(tmp_path: Path) -> None:
    """Not in private; and who was sent away by name stays outside there too."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        group: dict[str, object] = {"groups": ("telegram:-100",), "private": False}
        assert plain(await there.say("hello", Role.STRANGER, **group)).startswith(OUTSIDE)
        done = await there.say("/allow here guest our group", Role.ADMINISTRATOR, **group)
        assert "our group (telegram:-100): now guest" in plain(done)
        assert isinstance(await there.say("hello", Role.STRANGER, **group), Reply)
        assert await there.cards("hello", Role.STRANGER) == []
        assert plain((await there.cards("hello", Role.DENIED, **group))[0]).startswith(OUTSIDE)
        assert refused(await there.say("/load nova", Role.STRANGER, **group), "load")
        assert isinstance(await there.say("hello", Role.MEMBER, groups=("telegram:-200",)), Reply)


async def test_open_doors_make_guests(tmp_path: Path) -> None:
    """With ACCESS=open whoever comes is a guest, except those who were sent away."""
    loader: Provider = FakeLoader([NOVA])
    async with street(tmp_path, loader, access="open") as there:
        assert isinstance(await there.say("hello", 99), Reply)
        assert refused(await there.say("/load nova", 99), "load")
        assert refused(await there.say("/people", 99), "people")
        assert plain(await there.say("hello", Role.DENIED)).startswith(OUTSIDE)


async def test_too_many_messages(tmp_path: Path) -> None:
    """A card says when the next one is taken; stopping is always possible; administrators have no limit."""
    loader: Provider = FakeLoader([NOVA])
    async with street(tmp_path, loader, messages_per_minute=2, guest_messages_per_minute=1) as there:
        assert isinstance(await there.say("one", Role.GUEST), Reply)
        card = await there.say("two", Role.GUEST)
        assert plain(card) == "⏳ Messages per minute: 1 at most.\nThe next one is taken in 1 min."
        assert plain(await there.say("/stop", Role.GUEST)) == "Nothing is under way."
        assert isinstance(await there.say("/models", Role.MEMBER), Listing)
        assert isinstance(await there.say("two", Role.MEMBER), Reply)
        assert "minute: 2 at most" in plain(await there.say("three", Role.MEMBER))
        for _ in range(5):
            assert isinstance(await there.say("more", Role.ADMINISTRATOR), Reply)


async def test_who_is_welcome(tmp_path: Path) -> None:
    """Platforms fetch nothing for those who may not talk."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        welcome = {role for role in Role if there.assistant.welcome(there.incoming("", role))}
        assert welcome == {Role.GUEST, Role.MEMBER, Role.ADMINISTRATOR}


@pytest.mark.parametrize(
    ("role", "manages", "allowed"),
    [
        (Role.DENIED, True, False),
        (Role.STRANGER, False, False),
        (Role.STRANGER, True, True),
        (Role.GUEST, False, False),
        (Role.GUEST, True, True),
        (Role.ADMINISTRATOR, False, True),
    ],
)
def test_what_concerns_a_place_alone(role: Role, manages: bool, allowed: bool) -> None:  # noqa: FBT001  # a table
    """Whoever manages a group or server may what is about that place, unless sent away; and nothing else by it."""
    here = Command("here", (), BY_NAME["help"].run, role=Role.ADMINISTRATOR, place=True)
    said = Street.incoming("/here", role, manages=manages, private=False)
    assert may(role, here, "", said) is allowed
    assert may(role, BY_NAME["reset"], "", said) is (role is Role.ADMINISTRATOR)
