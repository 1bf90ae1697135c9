"""The words after a question for a key are its answer: they reach no model, whatever happens in between."""

from dataclasses import replace
from pathlib import Path

from bot.cards import Notice, Reply, Secret, Tone, plain
from core.asked import PATIENCE
from core.conversation import ChatRef
from core.keys import Origin
from tests.bot.desk.keyworld import ANA, BIA, GOOD, SEEN, Desk, desk_of

ODD = "a local key with no shape"


async def asked(desk: Desk) -> Secret:
    return await desk.secret("/key set openai")


async def test_the_next_words_are_the_answer(tmp_path: Path) -> None:
    """They go to the vendor, are taken away first, and the words after them are a message again."""
    async with desk_of(tmp_path) as desk:
        await asked(desk)
        card = await desk.notice(GOOD)
        assert card.title == f"✅ OpenAI accepted the key {SEEN}."
        assert desk.erased == [GOOD]
        assert await desk.serving(ANA) == (GOOD, Origin.OWN)
        assert isinstance(await desk.say("hello"), Reply)
        assert desk.erased == [GOOD]
        turns = await desk.talk.engine.store.turns(ChatRef("telegram", ANA))
        assert turns[0].text == "hello"
        assert desk.leaks() == []


async def test_also_words_that_look_like_no_key(tmp_path: Path) -> None:
    """Whatever was said after the question is taken for the key, told so, and kept nowhere."""
    async with desk_of(tmp_path) as desk:
        await asked(desk)
        card = await desk.notice(ODD)
        assert card.tone is Tone.ERROR
        assert "one word" in plain(card)
        assert desk.erased == [ODD]
        assert desk.vendor.calls["reply"] == 0
        assert await desk.talk.engine.store.turns(ChatRef("telegram", ANA)) == []


async def test_of_that_person_in_that_chat_alone(tmp_path: Path) -> None:
    """Others go on talking meanwhile."""
    async with desk_of(tmp_path) as desk:
        await asked(desk)
        assert isinstance(await desk.say("hello", BIA), Reply)
        assert desk.erased == []
        assert (await desk.notice(GOOD)).tone is Tone.SUCCESS


async def test_a_command_ends_the_question(tmp_path: Path) -> None:
    """Whoever says something else first is not waited for."""
    async with desk_of(tmp_path) as desk:
        await asked(desk)
        await desk.say("/help")
        assert isinstance(await desk.say("hello"), Reply)


async def test_after_a_while_nobody_waits(tmp_path: Path) -> None:
    """What is said long after is a message, unless it looks like a key."""
    async with desk_of(tmp_path) as desk:
        await asked(desk)
        await desk.clock.advance(PATIENCE + 1)
        assert isinstance(await desk.say("hello"), Reply)
        await asked(desk)
        await desk.clock.advance(PATIENCE + 1)
        assert "looks like an API key" in (await desk.notice(GOOD)).title
        assert desk.vendor.checked == []


async def test_it_is_remembered_across_a_restart(tmp_path: Path) -> None:
    """A kill between the question and its answer sends no key to a model."""
    async with desk_of(tmp_path) as desk:
        await asked(desk)
    async with desk_of(tmp_path) as again:
        card = await again.notice(ODD)
        assert "one word" in plain(card)
        assert again.vendor.calls["reply"] == 0
    async with desk_of(tmp_path) as once_more:
        assert isinstance(await once_more.say("hello"), Reply), "it was answered"


async def test_an_answer_that_comes_before_the_question_is_seen(tmp_path: Path) -> None:
    """Whoever is quicker than the platform is understood all the same."""
    async with desk_of(tmp_path) as desk:
        cards = desk.talk.assistant.respond(desk.incoming("/key set openai"))
        first = await anext(aiter(cards))
        assert isinstance(first, Secret)
        card = await desk.notice(GOOD)
        assert card.tone is Tone.SUCCESS
        await cards.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_a_form_and_the_console_wait_themselves(tmp_path: Path) -> None:
    """Who leaves a form or a hidden prompt goes on talking, and the next words are a message."""
    async with desk_of(tmp_path) as desk:
        for form, local in ((True, False), (False, True)):
            asking = replace(desk.incoming("/key set openai"), form=form, local=local)
            assert isinstance(await desk.says(asking), Secret)
            assert isinstance(await desk.says(replace(desk.incoming("hello"), form=form, local=local)), Reply)


async def test_words_beside_a_form(tmp_path: Path) -> None:
    """Whoever writes the key into the chat instead reaches no model; in a group it is not used, however it is put."""
    async with desk_of(tmp_path) as desk:
        assert isinstance(await desk.says(replace(desk.incoming("/key set openai"), form=True)), Secret)
        await desk.says(replace(desk.incoming("plainword12345"), form=True))
        assert (desk.vendor.checked, desk.erased) == (["plainword12345"], ["plainword12345"])
        assert desk.vendor.calls["reply"] == 0
        for line in (GOOD, f"/key give openai {GOOD}", f"/key set openai {GOOD}"):
            said = await desk.says(replace(desk.incoming(line, group=True), form=True))
            assert "Revoke it" in plain(said)
        assert await desk.serving(ANA) is None


async def test_without_a_disk_it_is_remembered_as_long_as_the_program_runs(tmp_path: Path) -> None:
    """A full disk costs the memory of a restart, not the secrecy."""
    async with desk_of(tmp_path) as desk:
        await desk.talk.engine.store._db.execute("DROP TABLE asked")
        await asked(desk)
        card = await desk.notice(ODD)
        assert isinstance(card, Notice)
        assert "one word" in plain(card)
