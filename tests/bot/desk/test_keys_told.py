"""Keys in messages: whoever sent one learns what became of the message, whatever else the answer is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cards import plain
from tests.bot.desk.keyworld import ADMIN, ANA, BIA, GOOD, Desk, desk_of

STAYS = "I could not delete the message with the key"
GONE = "The message with the key has been deleted"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_of(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(("erasing", "told"), [(False, STAYS), (True, GONE)])
@pytest.mark.parametrize(
    "text",
    [
        f"/key set openai {GOOD}",
        f"/key set openai shared {GOOD}",
        f"/kye set openai {GOOD}",
        f"/key set nowhere {GOOD}",
        GOOD,
        "/key set openai " + "x" * 9000,
    ],
)
async def test_every_answer_says_it(desk: Desk, text: str, erasing: bool, told: str) -> None:  # noqa: FBT001  # a case
    """Also where the command is refused, mistyped, too long or not for that person; once."""
    desk.erasing = erasing
    assert plain(await desk.say(text)).count(told) == 1


async def test_over_the_limit_and_outside(tmp_path: Path) -> None:
    """Too many messages, and a stranger who was told already today and hears nothing else."""
    async with desk_of(tmp_path / "open", guest_messages_per_minute=1) as desk:
        desk.erasing = False
        await desk.say("/key")
        assert STAYS in plain(await desk.say(f"/key set openai {GOOD}"))
    async with desk_of(tmp_path / "closed", access="closed") as desk:
        desk.erasing = False
        for _ in range(2):
            assert STAYS in plain(await desk.say(f"/key set openai {GOOD}"))


@pytest.mark.parametrize(
    "text",
    [
        f"OPENAI_API_KEY={GOOD}",
        f"export X='{GOOD}'",
        f"Authorization: Bearer {GOOD}",
        f"minha chave: {GOOD}",
        f"a chave é {GOOD}, guarde",
    ],
)
async def test_a_key_among_a_few_words_is_no_question(desk: Desk, text: str) -> None:
    """However people paste one: it reaches no model and no file, and the message is taken away."""
    card = plain(await desk.say(text))
    assert "looks like an API key" in card
    assert desk.erased == [text]
    assert desk.leaks() == []


async def test_code_that_quotes_a_key_is_a_question(desk: Desk) -> None:
    """A long text about something else is asked: whoever shows a program wants it read."""
    await desk.say("explain:\n" + "x = 1\n" * 60 + f"key = '{GOOD}'")
    assert desk.erased == []


async def test_who_tests_a_shared_key_does_not_switch_it_off(desk: Desk) -> None:
    """Only an administrator's test decides about what serves everybody; and it is not told to be one's own."""
    await desk.say(f"/key set openai shared {GOOD}", ADMIN)
    assert await desk.serving(BIA) is not None

    desk.vendor.accepts = frozenset()
    told = plain(await desk.say("/key test openai", ANA))
    assert "your key" not in told
    assert await desk.serving(BIA) is not None
    await desk.say("/key test openai shared", ADMIN)
    assert await desk.serving(BIA) is None


async def test_erased_is_said_of_a_message_alone(desk: Desk) -> None:
    """Where nothing was to be deleted nothing is said of it."""
    told = plain(await desk.says(replace(desk.incoming(f"/key set openai {GOOD}"), erase=None, form=True)))
    assert STAYS not in told
    assert GONE not in told
