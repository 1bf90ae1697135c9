"""`/key` in the shipped program on Telegram and in the console: asked, taken away, checked, kept, used, forgotten."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pexpect
import pytest

from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.fakes.telegram.server import Chat, Message, Person
from tests.sockets.keyvendor import OTHERS, OWN, SHARED, WRONG, QuotingOpenAI, in_clear
from tests.sockets.program import PATIENCE, program
from tests.sockets.telegram_program import World, world
from tests.sockets.test_terminal_life import sees, terminal

MINI = "acme/mini-1b"
SEEN = "sk-…WXYZ"


def models() -> list[FakeModel]:
    return [FakeModel(MINI, "Mini 1B")]


@pytest.fixture
async def vendor() -> AsyncIterator[QuotingOpenAI]:
    async with QuotingOpenAI() as vendor:
        yield vendor


@asynccontextmanager
async def town(path: Path, vendor: QuotingOpenAI) -> AsyncIterator[World]:
    """Telegram; afterwards no key was said, logged or written in clear by the bot."""
    async with world(path, models(), MINI, OPENAI_BASE_URL=vendor.base, ADMINS="telegram:42") as w:
        yield w
        said = [m.text for chat in w.telegram.world.chats.values() for m in chat.messages if m.by_bot]
        assert in_clear(path, *said, *w.bot.output) == []
        sent = [str(call.parameters) for call in w.telegram.calls]
        assert [one for one in sent if "canary" in one] == []


async def gone(w: World, message: Message) -> None:
    """Wait until the bot has taken the message away."""
    await w.telegram.world.bell.until(lambda: message.deleted or None, PATIENCE, lambda: "it is still there")


async def given(person: Person, chat: Chat, key: str, line: str = "/key set openai") -> Message:
    """The bot asks, the person answers with a key; the message that did."""
    asked = await chat.send(person, line)
    await chat.wait_for(
        lambda m: m.id > asked.id and m.by_bot and "🔑 Mande-me agora" in m.text, timeout=PATIENCE
    )
    return await chat.send(person, key)


async def test_a_key_of_one_s_own_on_telegram(tmp_path: Path, vendor: QuotingOpenAI) -> None:
    """Asked for in private, deleted, checked, stored, listed, used for its owner alone, and forgotten."""
    async with town(tmp_path, vendor) as w:
        message = await given(w.ana, w.chat, WRONG)
        refusal = await w.says("não aceitou a chave")
        await gone(w, message)
        assert "Incorrect API key provided: •••." in refusal.text
        assert "não foi guardada" in refusal.text
        message = await given(w.ana, w.chat, f" {OWN}\n")
        stored = await w.says(f"OpenAI aceitou a chave {SEEN}")
        await gone(w, message)
        assert "foi apagada" in stored.text
        await w.ask("/chave", f"OpenAI — {SEEN} · sua")
        await w.ask("/use gpt-6-mini", "Agora uso")
        await w.ask("o que é um rio?", "o que é um rio?")
        assert vendor.paid == [OWN]
        bia = w.telegram.person(43, "Bia", language_code="pt-br")
        others = w.telegram.private(bia)
        await w.chat.send(w.ana, "/allow telegram:43 member")
        await w.says("telegram:43: agora membro")
        await others.send(bia, "/chave")
        listed = await w.says("Ainda não há nenhuma chave", others)
        assert SEEN not in listed.text
        await given(bia, others, OTHERS)
        await w.says("aceitou a chave", others)
        await others.send(bia, "/use gpt-6-mini")
        await w.says("Agora uso", others)
        await others.send(bia, "e um mar?")
        await w.says("e um mar?", others)
        assert vendor.paid == [OWN, OTHERS]
        await w.restart()
        await w.ask("e uma ilha?", "e uma ilha?")
        assert vendor.paid == [OWN, OTHERS, OWN]
        await w.ask("/key test openai", "aceita a chave")
        await w.ask("/key forget openai", "foi esquecida")
        await w.ask("/key", "Ainda não há nenhuma chave")


async def test_typed_openly_and_where_deleting_fails(tmp_path: Path, vendor: QuotingOpenAI) -> None:
    """A key in the same line as the command is taken away too; if that fails the person is told to do it."""
    async with town(tmp_path, vendor) as w:
        message = await w.chat.send(w.ana, f"/key set openai {OWN}")
        assert "foi apagada" in (await w.says("OpenAI aceitou a chave")).text
        await gone(w, message)
        w.telegram.fault("deleteMessage", "status:400", text="Bad Request: message can't be deleted")
        message = await w.chat.send(w.ana, f"/chave definir openai {OTHERS}")
        warned = await w.says("apague-a você")
        assert "OpenAI aceitou a chave" in warned.text
        assert not message.deleted
        await w.chat.delete(message)


async def test_a_group_is_no_place_for_keys(tmp_path: Path, vendor: QuotingOpenAI) -> None:
    """It leads to the private chat by a link that asks there; a key typed in the group is taken away, not stored."""
    async with town(tmp_path, vendor) as w:
        group = w.telegram.group([w.ana], bot="administrator")
        await group.send(w.ana, "/key set openai")
        card = await w.says("assunto só entre nós", group)
        link = f"https://t.me/{w.telegram.bot.username}?start=key-openai"
        assert link in card.text
        message = await group.send(w.ana, f"/key set openai {OWN}")
        warned = await w.says("Revogue-a", group)
        await gone(w, message)
        assert "outros puderam lê-la" in warned.text
        message = await group.send(w.ana, f"@{w.telegram.bot.username} {OWN}")
        await w.says("parece uma chave", group)
        await gone(w, message)
        assert vendor.asked == []
        await w.ask("/start key-openai", "🔑 Mande-me agora")
        message = await w.chat.send(w.ana, OWN)
        await w.says("OpenAI aceitou a chave")
        await gone(w, message)


async def test_a_key_as_a_message_reaches_no_model(tmp_path: Path, vendor: QuotingOpenAI) -> None:
    """Also when the program was killed between its question and the answer to it."""
    async with town(tmp_path, vendor) as w:
        message = await w.chat.send(w.ana, WRONG)
        await gone(w, message)
        await w.says("🔑 Isso parece uma chave")
        await w.ask("/key set openai", "🔑 Mande-me agora")
        await w.restart()
        message = await w.chat.send(w.ana, OWN)
        await gone(w, message)
        await w.says("OpenAI aceitou a chave")
        assert w.lmstudio.bodies == []


async def test_a_shared_key_serves_everybody(tmp_path: Path, vendor: QuotingOpenAI) -> None:
    """The administrator gives it; others use it, do not see which one it is, and cannot give one."""
    async with town(tmp_path, vendor) as w:
        await w.chat.send(w.ana, "/key set openai shared")
        await w.says("servir a todos")
        await w.chat.send(w.ana, SHARED)
        await w.says("serve a todos que podem")
        bia = w.telegram.person(43, "Bia", language_code="pt-br")
        others = w.telegram.private(bia)
        await w.chat.send(w.ana, "/allow telegram:43 member")
        await w.says("telegram:43: agora membro")
        await others.send(bia, "/use gpt-6-mini")
        await w.says("Agora uso", others)
        await others.send(bia, "olá?")
        await w.says("olá?", others)
        assert vendor.paid == [SHARED]
        await others.send(bia, "/key set openai shared")
        assert "administrador" in (await w.says("/key", others)).text


async def test_in_a_pipe(tmp_path: Path, vendor: QuotingOpenAI) -> None:
    """The line after the question is the key: it is printed nowhere, checked, kept and used."""
    async with FakeLMStudio(models(), loaded=[MINI]) as lmstudio:
        where = {"LMSTUDIO_URLS": lmstudio.url, "OPENAI_BASE_URL": vendor.base, "LOG_LEVEL": "DEBUG"}
        said = []
        async with program(tmp_path, **where) as bot:
            said += [
                await bot.say("/key set openai"),
                await bot.say(WRONG),
                await bot.say("/chave set openai"),
            ]
            said += [await bot.say(OWN), await bot.say("/use gpt-6-mini"), await bot.say("o que é um rio?")]
            said += [await bot.say(f"/key set openai {OTHERS}"), await bot.say(OWN), await bot.say("/key")]
            assert await bot.end() == 1, "one key was refused"
            told = bot.progress
    assert "Mande-me agora" in said[0]
    assert "O que você digitar agora não aparece" in said[0]
    assert "Incorrect API key provided: •••" in said[1]
    assert "OpenAI aceitou a chave" in said[3]
    assert "o que é um rio?" in said[5]
    assert "na sua tela" in said[6]
    assert "parece uma chave" in said[7]
    assert f"OpenAI — {SEEN} · sua" in said[8]
    assert vendor.paid == [OWN]
    assert lmstudio.bodies == []
    assert in_clear(tmp_path, *said, *told) == []


async def test_without_its_master_key(tmp_path: Path, vendor: QuotingOpenAI) -> None:
    """A lost file of master keys costs the stored keys alone: local models answer, and giving the key again mends it."""
    async with FakeLMStudio(models(), loaded=[MINI]) as lmstudio:
        where = {"LMSTUDIO_URLS": lmstudio.url, "OPENAI_BASE_URL": vendor.base}
        async with program(tmp_path, **where) as bot:
            await bot.say("/key set openai")
            await bot.say(OWN)
            await bot.end()
        (tmp_path / "master.keys").unlink()
        async with program(tmp_path, **where) as bot:
            listed = await bot.say("/models")
            await bot.say("/use mini")
            answer = await bot.say("oi")
            tested = await bot.say("/key test openai")
            await bot.say("/key set openai")
            mended = await bot.say(OWN)
            await bot.end()
    assert "Mini 1B" in listed or MINI in listed
    assert "You said: oi" in answer
    assert "já não pode ser lida" in tested
    assert "aceitou a chave" in mended


async def test_in_a_terminal(tmp_path: Path, vendor: QuotingOpenAI) -> None:
    """Typed at a hidden prompt: not on the screen, not in the history, and not brought back by the arrow."""
    async with FakeLMStudio(models(), loaded=[MINI]) as lmstudio:
        with terminal(tmp_path, lmstudio.url, OPENAI_BASE_URL=vendor.base, LOG_LEVEL="DEBUG") as child:
            shown = (tmp_path / "screen").open("w", encoding="utf-8")
            child.logfile_read = shown
            await sees(child, "Mini 1B")
            await sees(child, "›")
            child.sendline("/key set openai")
            await sees(child, "digitar agora")
            await sees(child, "›")
            child.sendline(OWN)
            await sees(child, "aceitou a chave")
            await sees(child, "›")
            child.sendline("/status")
            await sees(child, "Situação")
            child.sendeof()
            await asyncio.to_thread(child.expect, pexpect.EOF)
            shown.close()
    assert vendor.given == OWN
    assert in_clear(tmp_path) == []
    assert "/status" in (tmp_path / "history").read_text("utf-8")
