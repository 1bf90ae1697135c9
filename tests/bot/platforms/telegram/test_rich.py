"""Finished answers as rich messages: what is tried, what is not, and that nothing is lost where it fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from telegram import Bot

from bot.cards import Button, Reply
from bot.platforms.telegram.hearing import Spot
from bot.platforms.telegram.line import Line
from bot.platforms.telegram.pace import Pace
from bot.platforms.telegram.rich import LONGEST, markdown
from bot.platforms.telegram.surface import POST, Abilities, TelegramSurface
from bot.surface import SurfaceDown
from tests.bot.markdown_judge import letters
from tests.bot.markdown_texts import CORPUS, DOCUMENT
from tests.fakes.clock import FakeClock
from tests.fakes.telegram.server import Chat, FakeTelegram, Switches

TABLE = "# Título\n\n| a | b |\n|---|---|\n| 1 | $x^2$ |"
DONE = Reply(
    TABLE,
    done=True,
    header="✅ Modelo *pronto*",
    thinking="penso\nlogo [existo](x)",
    thinking_label="💭 Pensou",
    footnote="⏹ resposta_parada",
    buttons=(Button("🔁", "retry"),),
)


@asynccontextmanager
async def place(
    *, known: bool = True, group: bool = False
) -> AsyncIterator[tuple[FakeTelegram, Chat, TelegramSurface]]:
    async with FakeTelegram(switches=Switches(rich_messages=known)) as telegram:
        ana = telegram.person(42)
        chat = telegram.group([ana]) if group else telegram.private(ana)
        bot = Bot(telegram.token, f"{telegram.url}/bot")
        clock = FakeClock(rushing=True)
        spot = Spot(chat.id, None, 42 if group else None)
        async with bot:
            yield (
                telegram,
                chat,
                TelegramSurface(Line(bot, spot, Pace(clock)), spot, clock, Abilities(rich=True)),
            )
        assert telegram.violations == []


def test_all_of_an_answer_in_one_message() -> None:
    """Header, thoughts and footnote are words of ours, no Markdown; the answer is the model's own."""
    assert markdown(DONE) == (
        "**✅ Modelo \\*pronto\\***\n\n"
        "> **💭 Pensou**\n> penso\n> logo \\[existo\\]\\(x\\)\n\n"
        f"{TABLE}\n\n"
        "_⏹ resposta\\_parada_"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "a <b>b</b>",
        "<!-- x -->",
        "![f](tg://photo?id=1)",
        "[a](tg://user?id=1)",
        "&lt;",
        "x" * LONGEST,
    ],
)
def test_what_is_not_for_a_rich_message(text: str) -> None:
    """Telegram would read it otherwise than it was meant, or not take it."""
    assert markdown(replace(DONE, text=text)) is None


def test_a_fence_that_was_left_open_is_closed() -> None:
    """The footnote is no code."""
    made = markdown(replace(DONE, text="```python\nx = 1", thinking="", header=""))
    assert made == "```python\nx = 1\n```\n\n_⏹ resposta\\_parada_"


@given(DOCUMENT)
@settings(max_examples=100, deadline=None)
def test_every_letter_of_the_answer_is_in_it(text: str) -> None:
    """Whatever the model says."""
    made = markdown(Reply(text, done=True))
    assert made is None or letters(text) in letters(made)


@pytest.mark.parametrize("group", [False, True])
async def test_a_finished_answer_is_a_rich_message(group: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """With its buttons, after a draft or in place of what grew; one message."""
    async with place(group=group) as (telegram, chat, surface):
        await surface.post(Reply("# Tí", done=False))
        await surface.edit(POST, DONE)
        (answer,) = chat.answers
        assert answer.rich is not None
        assert answer.text == markdown(DONE)
        assert answer.labels == ["🔁"]
        assert surface.messages == (answer.id,)
        assert telegram.count("sendRichMessage") == (0 if group else 1)


async def test_a_server_without_rich_messages_is_asked_once() -> None:
    """The answer lands by entities, and so do all after it."""
    async with place(known=False) as (telegram, chat, surface):
        await surface.post(DONE)
        await surface.edit(POST, replace(DONE, text="| x |\n|---|\n| y |"))
        (answer,) = chat.answers
        assert answer.rich is None
        assert "resposta_parada" in answer.text
        assert answer.labels == ["🔁"]
        assert telegram.count("sendRichMessage") == 1


async def test_a_message_that_is_refused_goes_by_entities() -> None:
    """Nothing is lost, and the next answer is tried again."""
    async with place() as (telegram, chat, surface):
        telegram.fault("sendRichMessage", "status:400", text="Bad Request: RICH_MESSAGE_TOO_MANY_BLOCKS")
        await surface.post(DONE)
        (answer,) = chat.answers
        assert answer.rich is None
        assert letters("Título a b 1 x^2") == letters(
            answer.text.partition("existo](x)")[2].partition("⏹")[0]
        )


async def test_a_message_that_the_server_cannot_bear() -> None:
    """It answers with 502 whenever it sees it: the second try goes by entities."""
    async with place() as (telegram, chat, surface):
        telegram.fault("sendRichMessage", "status:502", times=None)
        with pytest.raises(SurfaceDown):
            await surface.post(DONE)
        await surface.post(DONE)
        assert [m.rich for m in chat.answers] == [None]


@pytest.mark.parametrize("name", CORPUS)
async def test_the_corpus_lands_one_way_or_the_other(name: str) -> None:
    """Every answer of the corpus stands there, and no call is one that the Bot API does not have."""
    async with place() as (_, chat, surface):
        await surface.post(Reply(CORPUS[name], done=True))
        assert chat.answers
