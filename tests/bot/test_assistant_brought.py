"""What comes along with a message: fetched when its turn has come, and judged with it."""

import asyncio
from pathlib import Path

from bot.cards import Notice, Tone, plain
from bot.gate import LONGEST_MESSAGE
from bot.surface import Brought, Incoming, Unfit
from core.conversation import ChatRef, Delta, Done, Role
from core.model import ModelState
from tests.bot.talk import Saying, Talk, talking
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, a_model

NOVA = a_model("acme/nova-8b", ModelState.LOADED)
CHAT = ChatRef("console", "ana")


class Fetching:
    """A file that comes when a test says so."""

    def __init__(self, brought: Brought | Unfit) -> None:
        self._brought = brought
        self.asked = asyncio.Event()
        self.comes = asyncio.Event()

    async def __call__(self) -> Brought:
        self.asked.set()
        await self.comes.wait()
        if isinstance(self._brought, Unfit):
            raise self._brought
        return self._brought


def send(talk: Talk, text: str, bring: Fetching | None = None) -> Saying:
    return Saying(talk.assistant.respond(Incoming(CHAT, "ana", text, bring=bring)))


async def test_a_later_message_waits_for_the_file(tmp_path: Path) -> None:
    """The question with the file is asked first, and its words stand below the person's own."""
    host = FakeLoader([NOVA])
    host.answers = [[Delta("first"), Done("stop")], [Delta("second"), Done("stop")]]
    async with talking(tmp_path, host, clock=FakeClock()) as talk:
        file = Fetching(Brought("n.txt: abc"))
        one, two = send(talk, "resuma", file), send(talk, "e agora?")
        await file.asked.wait()
        file.comes.set()
        assert plain(await one.last()).startswith("first")
        assert plain(await two.last()).startswith("second")
        turns = await talk.turns()
        assert [turn.text for turn in turns if turn.role is Role.USER] == ["resuma\n\nn.txt: abc", "e agora?"]


async def test_stopping_while_it_is_fetched(tmp_path: Path) -> None:
    """Nothing is asked, nothing is remembered; and /stop itself fetches nothing, whatever hangs on it."""
    async with talking(tmp_path, FakeLoader([NOVA]), clock=FakeClock()) as talk:
        file, other = Fetching(Brought("abc")), Fetching(Brought("abc"))
        one = send(talk, "resuma", file)
        await file.asked.wait()
        assert "Parado" in plain(await send(talk, "/stop", other).last())
        assert not other.asked.is_set()
        assert "Parado" in plain(await one.last())
        assert await talk.turns() == []


async def test_what_no_model_reads_says_so(tmp_path: Path) -> None:
    """The platform's own card is the answer; so it is when nothing came, or too much."""
    async with talking(tmp_path, FakeLoader([NOVA]), clock=FakeClock()) as talk:
        card = Notice(Tone.WARNING, "Não sei ler isso")
        for what, says in (
            (Unfit(card), "Não sei ler isso"),
            (Brought(), "Não há nada para ler"),
            (Brought("x" * LONGEST_MESSAGE), "longo demais"),
        ):
            file = Fetching(what)
            file.comes.set()
            assert says in plain(await send(talk, "" if what == Brought() else "leia", file).last())
        assert await talk.turns() == []
