"""Channels that are heard whole, threads, and questions where only commands are heard."""

from pathlib import Path

import pytest

from bot.cards import Notice, Reply, Tone, plain
from core.conversation import ChatRef
from core.model import ModelState
from core.people import Role
from tests.bot.street import CHIEF, IDS, Street, street
from tests.bot.talk import talking
from tests.fakes.provider import FakeLoader, a_model

CHANNEL = ChatRef("discord", "77")
THREAD = ChatRef("discord", "77", "78")
LOADED = a_model("acme/nova-8b", ModelState.LOADED, name="Nova 8B")


async def here(
    people: Street,
    who: Role,
    chat: ChatRef = CHANNEL,
    *,
    manages: bool = False,
    private: bool = False,
    hears: bool = True,
) -> str:
    """What somebody in that role is told, in a channel on Discord."""
    person = f"discord:{IDS[who]}"
    await people.engine.access.decide(person, who, "", CHIEF)
    more: dict[str, object] = {"private": private, "manages": manages, "hears": hears}
    cards = await people.cards("/here", who, chat=chat, person=person, **more)
    return plain(cards[-1]) if cards else ""


async def test_an_administrator_sets_a_channel_and_takes_it_back(tmp_path: Path) -> None:
    """It is remembered over a restart; a thread under it is a place of its own."""
    async with street(tmp_path) as people:
        assert not people.assistant.listens(CHANNEL)
        assert "hear everything" in await here(people, Role.ADMINISTRATOR)
        assert people.assistant.listens(CHANNEL)
        assert not people.assistant.listens(THREAD)
    async with street(tmp_path) as people:
        assert people.assistant.listens(CHANNEL)
        assert "no longer" in await here(people, Role.ADMINISTRATOR)
        assert not people.assistant.listens(CHANNEL)
    async with street(tmp_path) as people:
        assert not people.assistant.listens(CHANNEL)


@pytest.mark.parametrize("who", [Role.GUEST, Role.MEMBER])
async def test_others_may_not_unless_they_manage_the_server(tmp_path: Path, who: Role) -> None:
    """By Discord's word; whoever was sent away may not even then."""
    async with street(tmp_path) as people:
        await here(people, who)
        assert not people.assistant.listens(CHANNEL)
        await here(people, who, manages=True)
        assert people.assistant.listens(CHANNEL)
        await here(people, Role.DENIED, THREAD, manages=True)
        assert not people.assistant.listens(THREAD)


async def test_elsewhere_it_is_explained(tmp_path: Path) -> None:
    """Where the platform does not tell of everything, and in a private chat, nothing is set; it can be taken back."""
    async with street(tmp_path) as people:
        assert "not shown everything" in await here(people, Role.ADMINISTRATOR, hears=False)
        assert not people.assistant.listens(CHANNEL)
        assert "anyway" in await here(people, Role.ADMINISTRATOR, private=True)
        assert not people.assistant.listens(CHANNEL)
        await here(people, Role.ADMINISTRATOR)
        assert "no longer" in await here(people, Role.ADMINISTRATOR, hears=False)
        assert "/new" in plain(await people.say("/thread viagem", Role.GUEST))


async def test_who_administers_the_bot(tmp_path: Path) -> None:
    """They may press what was meant for others."""
    async with street(tmp_path) as people:
        found = {role for role in Role if people.assistant.administers(people.incoming("", role))}
        assert found == {Role.ADMINISTRATOR}


async def test_a_question_by_command_is_a_message(tmp_path: Path) -> None:
    """Answered and remembered without the word, also one that looks like a command; a key reaches no model."""
    host = FakeLoader([LOADED])
    async with talking(tmp_path, host) as talk:
        assert isinstance(await talk.say("/ask oi"), Reply)
        assert isinstance(await talk.say("/perguntar /help"), Reply)
        assert [turn.text for turn in await talk.turns()][::2] == ["oi", "/help"]
        told = await talk.say("/ask sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH")
        assert isinstance(told, Notice)
        assert len(await talk.turns()) == 4
        nothing = await talk.say("/ask")
        assert isinstance(nothing, Notice)
        assert nothing.tone is not Tone.SUCCESS
