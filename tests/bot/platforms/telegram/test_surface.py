"""Cards on a surface of Telegram's: what is called, and what becomes of what Telegram says to it."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from telegram import Bot, MessageEntity

from bot.cards import Button, Card, Notice, Picture, Progress, Reply, Tone
from bot.platforms.telegram.hearing import Spot
from bot.platforms.telegram.line import Gone, Line, Part, Refused
from bot.platforms.telegram.pace import APART, DRAFT, PRIVATE, Pace
from bot.platforms.telegram.surface import POST, Abilities, TelegramSurface
from bot.ranks import Rank
from bot.surface import SlowDown, SurfaceDown
from tests.fakes.clock import FakeClock
from tests.fakes.telegram.server import Chat, FakeTelegram

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
STOP, CANCEL = Button("⏹", "stop"), Button("↪", "suggest")
READING = Progress("lendo", None, buttons=(STOP,))
LOADING = Progress("carregando", 0.5, buttons=(STOP, CANCEL))
GROWING = Reply("um te", done=False, buttons=(STOP,))
DONE = Reply("um **texto**", done=True, buttons=(Button("🔁", "retry"),))
LONG = replace(DONE, text="palavra " * 1000)


@dataclass
class Place:
    """A surface on a chat of a server's; the clock waits for nobody."""

    telegram: FakeTelegram
    chat: Chat
    bot: Bot
    clock: FakeClock
    abilities: Abilities

    def surface(self, turning: tuple[int, ...] = ()) -> TelegramSurface:
        spot = Spot(self.chat.id, None, 42 if self.chat.id < 0 else None)
        return TelegramSurface(
            Line(self.bot, spot, Pace(self.clock)), spot, self.clock, self.abilities, turning
        )

    async def show(self, *cards: Card) -> TelegramSurface:
        """Cards one after the other, each as soon as it may be shown."""
        surface = self.surface()
        await surface.post(cards[0])
        for card in cards[1:]:
            await self.clock.sleep(surface.limits.edit_every)
            await surface.edit(POST, card)
        return surface

    @property
    def texts(self) -> list[str]:
        return [m.text for m in self.chat.answers]


@asynccontextmanager
async def place(*, group: bool = False) -> AsyncIterator[Place]:
    async with FakeTelegram() as telegram:
        ana = telegram.person(42)
        chat = telegram.group([ana]) if group else telegram.private(ana)
        bot = Bot(telegram.token, f"{telegram.url}/bot")
        async with bot:
            yield Place(telegram, chat, bot, FakeClock(rushing=True), Abilities())
        assert telegram.violations == []


async def test_a_private_answer_is_a_draft_until_it_is_done() -> None:
    """What has no button but the one for stopping is drawn as a draft; the message comes once."""
    async with place() as p:
        surface = await p.show(READING, GROWING)
        assert surface.streaming
        assert surface.limits.edit_every == DRAFT
        await surface.edit(POST, DONE)
        assert [d.text for d in p.chat.drafts] == ["lendo", "um te"]
        assert all(d.can_stop for d in p.chat.drafts)
        assert p.texts == ["um texto"]
        assert not surface.streaming


async def test_first_words_do_not_wait_behind_reading() -> None:
    """For a moment only words are shown; what is there after it is."""
    async with place() as p:
        line = Line(p.bot, Spot(p.chat.id), Pace(p.clock))
        surface = TelegramSurface(line, Spot(p.chat.id), p.clock, p.abilities, held=0.35)
        with pytest.raises(SlowDown) as told:
            await surface.post(READING)
        assert not told.value.asked
        await surface.post(GROWING)
        assert [d.text for d in p.chat.drafts] == ["um te"]
        later = TelegramSurface(line, Spot(p.chat.id), p.clock, p.abilities, held=0.35)
        await p.clock.sleep(2)
        await later.post(READING)
        assert p.chat.drafts[-1].text == "lendo"


async def test_words_that_wait_for_their_turn_stream_already() -> None:
    """So that typing does not take the turn from them."""
    async with place() as p:
        clock = FakeClock()
        pace = Pace(clock)
        surface = TelegramSurface(Line(p.bot, Spot(p.chat.id), pace), Spot(p.chat.id), clock, p.abilities)
        pace.called()
        showing = asyncio.create_task(surface.post(GROWING))
        await clock.asleep()
        assert surface.streaming
        assert p.chat.drafts == []
        await clock.advance(APART)
        await showing
        assert [d.text for d in p.chat.drafts] == ["um te"]


async def test_a_load_card_is_a_message_that_turns_into_the_answer() -> None:
    """Its buttons would not fit a draft."""
    async with place() as p:
        surface = await p.show(LOADING, GROWING, DONE)
        assert p.chat.drafts == []
        assert p.texts == ["um texto"]
        assert surface.limits.edit_every == PRIVATE


async def test_a_server_without_drafts_gets_messages() -> None:
    """It is asked once; every answer after that is edited."""
    async with place() as p:
        p.telegram.fault("sendMessageDraft", "status:404", text="Not Found: method not found")
        await p.show(READING, GROWING, DONE)
        await p.show(READING, DONE)
        assert p.telegram.count("sendMessageDraft") == 1
        assert p.texts == ["um texto", "um texto"]


async def test_a_long_answer_and_back() -> None:
    """While it grows only its end is shown; whole, it has parts; a shorter card takes the rest away."""
    async with place(group=True) as p:
        surface = await p.show(LOADING, replace(LONG, done=False))
        assert len(p.texts) == 1
        await surface.edit(POST, LONG)
        assert len(p.texts) == 2
        assert [m.labels for m in p.chat.answers] == [[], ["🔁"]]
        await surface.edit(POST, DONE)
        assert p.texts == ["um texto"]


async def test_a_part_that_failed_is_made_up_for() -> None:
    """What landed already is not sent again, neither by edit nor by post."""
    async with place(group=True) as p:
        p.telegram.fault("sendMessage", "status:429:2", after=1)
        surface = p.surface()
        with pytest.raises(SlowDown) as told:
            await surface.post(LONG)
        assert told.value.seconds == 2
        await surface.post(LONG)
        assert len(p.texts) == 2
        p.telegram.fault("editMessageText", "drop")
        with pytest.raises(SurfaceDown):
            await surface.edit(POST, DONE)
        await surface.edit(POST, DONE)
        assert p.texts == ["um texto"]


async def test_a_message_that_somebody_deleted_comes_anew() -> None:
    """The answer lands all the same."""
    async with place(group=True) as p:
        surface = await p.show(LOADING)
        await p.chat.delete(p.chat.answers[0])
        await p.clock.sleep(5)
        await surface.edit(POST, DONE)
        assert p.texts == ["um texto"]


async def test_what_says_the_same_already_is_well() -> None:
    """Telegram refuses an edit that changes nothing: that is no failure."""
    async with place() as p:
        await p.show(DONE)
        await p.surface((p.chat.answers[0].id,)).post(DONE)
        assert p.telegram.count("editMessageText", status=400) == 1
        assert p.texts == ["um texto"]


async def test_entities_that_telegram_refuses_cost_the_setting_not_the_text() -> None:
    """The same words come plainly."""
    async with place() as p:
        line = Line(p.bot, Spot(42), Pace(p.clock))
        part = Part("um texto", (MessageEntity(MessageEntity.TEXT_LINK, 0, 2, url="::"),))
        p.telegram.fault("sendMessage", "status:400", text="Bad Request: can't parse entities: what is this")
        await line.send(part, None, Rank.FINAL)
        assert p.texts == ["um texto"]
        assert p.chat.answers[0].entities == ()


@pytest.mark.parametrize("status", ["status:403", "status:400"])
async def test_nobody_reads(status: str) -> None:
    """Blocked, thrown out, deleted: the answer ends."""
    async with place() as p:
        p.telegram.fault("sendMessage", status, text="Bad Request: chat not found")
        with pytest.raises(Gone):
            await p.surface().post(DONE)


async def test_what_telegram_will_never_take_is_not_tried_for_minutes() -> None:
    """It is told as refused."""
    async with place() as p:
        p.telegram.fault("sendMessage", "status:400", text="Bad Request: something new")
        with pytest.raises(Refused):
            await p.surface().post(DONE)


async def test_typing() -> None:
    """Shown while there is no draft; a draft that would vanish is renewed; a failure is no matter."""
    async with place() as p:
        surface = p.surface()
        await surface.busy()
        assert p.chat.actions == [(None, "typing")]
        await p.clock.sleep(1)
        await surface.post(GROWING)
        await surface.busy()
        await p.clock.sleep(25)
        await surface.busy()
        assert [d.text for d in p.chat.drafts] == ["um te", "um te"]
        await p.chat.block()
        await p.clock.sleep(25)
        await surface.busy()


async def test_a_picture() -> None:
    """It takes the place of the words that stood there."""
    async with place() as p:
        await p.show(LOADING, Picture(PNG, "legenda"))
        (message,) = p.chat.answers
        assert (message.text, message.file) == ("legenda", PNG)


async def test_a_card_that_cannot_be_drawn_is_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours in drawing costs the setting, not the answer."""
    async with place() as p:
        surface = p.surface()

        def broken(*_: object) -> None:
            raise ValueError

        monkeypatch.setattr(surface._renderer, "draw", broken)
        await surface.post(Notice(Tone.INFO, "título", "corpo"))
        assert p.texts == ["título\ncorpo"]
