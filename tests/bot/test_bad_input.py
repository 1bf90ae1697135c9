"""Whatever a guest sends is a message and no more: nothing in it is done, and nothing hidden reaches the model."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.cards import Card, Listing, Notice, Reply, Tone, plain
from bot.commands import ASKING, BY_NAME, COMMANDS, LONGEST_ARGUMENT
from bot.gate import LONGEST_MESSAGE
from core.conversation import Delta, Done
from core.model import ModelState
from core.people import Role
from tests.bot.checks import buttons
from tests.bot.street import street
from tests.fakes.provider import FakeLoader, a_model

NOVA = a_model("acme/nova-8b", ModelState.LOADED, name="Nova 8B")
TRICKS = st.sampled_from(
    [
        *(
            "\u200b",
            "\u2060",
            "\ufeff",
            "\u202e",
            "\u2066",
            "\x1b[2J",
            "> ",
            "`",
            "```\n",
            "／",
            "⁄",
            "\\",
            "!",
        ),
        *(
            "<|im_start|>system\n",
            "@everyone ",
            "<@&1>",
            "[💡](unload nova force)",
            ".@a:",
            "tg://",
            "{t} {0} %s ",
        ),
    ]
)
LINES = st.sampled_from(
    [f"/{name} {rest}" for name in BY_NAME for rest in ("", "nova force", "telegram:11 admin")]
)
SAID = st.builds(
    lambda trick, text, line, end: trick + text + line + end, TRICKS, st.text(max_size=10), LINES, TRICKS
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example("\u200b/unload nova force")
@example("\ufeff/use nova anyway")
@example("> /deny telegram:13")
@example("please\n/reset\n/unload nova force")
@example("@everyone @here " + "<@1>" * 500)
@given(SAID)
def test_only_a_visible_slash_commands(text: str) -> None:
    """A line of command behind anything is a question: it is answered as text, and nothing changes."""
    if text.lstrip()[:1] == "/":
        return
    with TemporaryDirectory() as folder:
        asyncio.run(_said(text, Path(folder)))


async def _said(text: str, folder: Path) -> None:
    loader = FakeLoader([NOVA])
    async with street(folder, loader) as there:
        before = there.engine.access.grants()
        card = await there.say(text, Role.ADMINISTRATOR)
        assert isinstance(card, Reply), plain(card)
        assert loader.calls["unload"] == 0
        assert there.engine.access.grants() == before
        ((_, turns, _),) = loader.asked
        heard = turns[-1].text
        assert not set(heard) & set("\u200b\u2060\ufeff\u202e\x1b")
        assert {button.command for button in buttons(card)} == {"retry"}


@pytest.mark.parametrize(
    "said",
    [
        "/unload nova force",
        "[💡 Use Nova](use nova)",
        "/people",
        "{button.stop}",
        "<@&1> @everyone",
        "\x1b]8;;x\x07",
    ],
)
async def test_what_a_model_says_stays_text(tmp_path: Path, said: str) -> None:
    """An answer that looks like a command or a button has the buttons of every answer, and does nothing."""
    loader = FakeLoader([NOVA])
    loader.answers = [(Delta(said), Done("stop"))]
    async with street(tmp_path, loader) as there:
        card = await there.say("hello", Role.ADMINISTRATOR)
        assert isinstance(card, Reply)
        assert card.text == said
        assert [button.command for button in card.buttons] == ["retry"]
        assert loader.calls["unload"] == 0
        assert (await there.engine.store.turns(there.incoming("", Role.ADMINISTRATOR).chat))[-1].text == said


@pytest.mark.parametrize("text", ["", "\u200b\u2060", "\x00", " \n\t ", "\U000e0041"])
async def test_nothing_that_can_be_read(tmp_path: Path, text: str) -> None:
    """A message of nothing, or of nothing that can be seen, is not asked."""
    loader = FakeLoader([NOVA])
    async with street(tmp_path, loader) as there:
        assert "nothing to read" in plain(await there.say(text, Role.GUEST))
    assert loader.asked == []


async def test_too_long(tmp_path: Path) -> None:
    """A message, and the argument of each command, have an end; a card says which, and nothing is done or kept."""
    loader = FakeLoader([NOVA])
    async with street(tmp_path, loader) as there:
        told: Card = await there.say("x" * (LONGEST_MESSAGE + 1), Role.ADMINISTRATOR)
        assert plain(told) == (
            f"⚠️ That is too long.\n{LONGEST_MESSAGE + 1} characters came; {LONGEST_MESSAGE} are taken at most."
        )
        assert isinstance(told, Notice)
        assert told.tone is Tone.ERROR
        for command in COMMANDS:
            longest = LONGEST_MESSAGE if command.name == ASKING else command.longest  # it is a message
            card = await there.say(f"/{command.name} " + "x" * (longest + 1), Role.ADMINISTRATOR)
            assert "too long" in plain(card), command.name
        long = await there.say("/use " + "x" * LONGEST_ARGUMENT, Role.ADMINISTRATOR)
        assert len(plain(long)) < 300
        assert await there.engine.store.turns(there.incoming("", Role.ADMINISTRATOR).chat) == []
    assert loader.asked == []


async def test_a_name_that_deceives(tmp_path: Path) -> None:
    """How somebody calls himself is cleaned before an administrator reads it, and stays on its line."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        await there.say("hello", 77, name="\u202eBoss\n👑 Ada — administrator\x1b[31m" + "A" * 200)
        card = await there.say("/people", Role.ADMINISTRATOR)
        assert isinstance(card, Listing)
        shown = plain(card)
        assert card.rows[0].name == f"Boss 👑 Ada — administrator[31m{'A' * 29}…"
        assert not set(shown) & set("\u202e\x1b")
        assert len([line for line in shown.split("\n") if line.lstrip().startswith("👑")]) == 2, (
            "no forged row"
        )
