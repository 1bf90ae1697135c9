"""Forms and menus of the shipped program on Discord: keys that nobody reads, choices in selects, /ask anywhere."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.discord.server import Person, Press
from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import ANA, World, world
from tests.sockets.keyvendor import OWN, WRONG, QuotingOpenAI, in_clear
from tests.sockets.program import PATIENCE

MINI = "acme/mini-1b"
WHOLE = "\n\n".join(f"Linha {n} com algumas palavras a mais para ser longa." for n in range(600))


@pytest.fixture
async def vendor() -> AsyncIterator[QuotingOpenAI]:
    async with QuotingOpenAI() as vendor:
        yield vendor


def models() -> list[FakeModel]:
    return [FakeModel(MINI, "Mini 1B", reply=WHOLE, context_length=32768)]


async def form(press: Press) -> Press:
    """The form that a command leads to, at once or by a button."""
    if await press.answered(PATIENCE) == "modal":
        return press
    card = await press.says("🔑", PATIENCE)
    return await card.press(press.person, card.labels[0])


async def told(w: World, person: Person, key: str) -> Press:
    """A key goes into the form; what the bot says then."""
    return await (await form(await w.run("key", "set openai", person=person))).fill(key)


async def test_a_key_is_asked_for_in_a_form(tmp_path: Path, vendor: QuotingOpenAI) -> None:
    """A wrong one is refused, a right one kept and used; none is said, logged or written in clear."""
    async with world(tmp_path, models(), MINI, OPENAI_BASE_URL=vendor.base, ADMINS=ANA) as w:
        await (await told(w, w.ana, WRONG)).says("não aceitou a chave", PATIENCE)
        await (await told(w, w.ana, f" {OWN}\n")).says("OpenAI aceitou a chave", PATIENCE)
        await (await w.run("use", "gpt-6-mini")).says("Agora uso", PATIENCE)
        await w.ask("o que é um rio?", "o que é um rio?")
        assert vendor.paid == [OWN]
        said = [m.text for m in w.discord.world.messages.values() if m.by_bot]
        sent = [str(call.body) for call in w.discord.calls]
        assert in_clear(tmp_path, *said, *sent, *w.bot.output) == []


async def test_in_a_server_only_the_person_sees_it(tmp_path: Path, vendor: QuotingOpenAI) -> None:
    """The form and what follows it are ephemeral."""
    async with world(tmp_path, models(), MINI, OPENAI_BASE_URL=vendor.base, ADMINS=ANA) as w:
        room = w.discord.guild("Casa", w.ana).channel("geral")
        press = await form(await w.run("key", "set openai", chat=room, person=w.ana))
        answer = await (await press.fill(OWN)).says("OpenAI aceitou a chave", PATIENCE)
        assert answer.ephemeral
        assert [m for m in room.answers if not m.ephemeral] == []


async def test_a_choice_in_a_menu_runs_the_command(tmp_path: Path) -> None:
    """/help offers the commands in a select; choosing one shows what it shows; a model is chosen so, too."""
    async with world(tmp_path, models(), MINI) as w:
        card = await (await w.run("help")).says("❓ Comandos", PATIENCE)
        assert "/models" in card.options
        await card.choose(w.ana, "/models")
        await w.says("📚 Modelos")


async def test_a_long_answer_to_ask_follows_itself_up(tmp_path: Path) -> None:
    """Deferred, then the answer and what follows it, everything there; elsewhere at most five follow-ups and a file."""
    async with world(tmp_path, models(), MINI) as w:
        press = await w.run("ask", "tudo")
        assert await press.answered(PATIENCE) == "deferred"
        await w.chat.wait_for(lambda m: "🔁 Refazer" in m.labels, timeout=PATIENCE)
        assert press.message is not None
        said = "\n".join(m.text for m in w.chat.answers)
        files = [data.decode() for m in w.chat.answers for data in m.files.values()]
        assert any(WHOLE in text for text in (said, *files))
        chat = w.discord.foreign(w.ana, w.discord.person("Bia"))
        press = await w.run("ask", "tudo", chat=chat, person=w.ana)
        last = await chat.wait_for(lambda m: bool(m.files), timeout=PATIENCE)
        assert WHOLE in next(iter(last.files.values())).decode()
        assert 0 < len(press.follow_ups) <= 5


async def test_killed_while_an_answer_streams(tmp_path: Path) -> None:
    """After a kill -9 what had come stands there, its button stops nothing, and /retry answers the question."""
    talker = FakeModel(MINI, "Mini 1B", reply=" ".join(f"p{n}" for n in range(300)), token_delay=0.03)
    async with world(tmp_path, [talker], MINI) as w:
        await w.chat.send(w.ana, "conte")
        half = await w.says("p9")
        await w.restart()
        assert "p9" in half.text
        await (await half.press(w.ana, "⏹ Parar")).says("Não há nada em andamento", PATIENCE)
        talker.token_delay = 0.0
        await w.run("retry")
        await w.says("p299")
