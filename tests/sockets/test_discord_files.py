"""The shipped program on Discord and what people send besides words: pictures, text files, other things, keys."""

import asyncio
import base64
from pathlib import Path

from tests.fakes.lmstudio.server import FakeModel
from tests.fakes.pdf import locked, pdf
from tests.sockets.discord_program import World, world
from tests.sockets.program import PATIENCE

EYE, BLIND = "acme/eye-4b", "acme/mini-1b"
PICTURE = b"\xff\xd8\xff\xe0picture\xff\xd9"


def models() -> list[FakeModel]:
    return [FakeModel(EYE, "Eye 4B", vision=True), FakeModel(BLIND, "Mini 1B", params="1B", reply="li")]


def pictures(w: World) -> list[bytes]:
    """The pictures of the last question as the model got them."""
    content = w.lmstudio.bodies[-1]["messages"][-1]["content"]
    found = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    return [base64.b64decode(url.partition(",")[2]) for url in found]


async def test_pictures(tmp_path: Path) -> None:
    """Several in one message are one question to a model that sees."""
    async with world(tmp_path, models(), EYE) as w:
        await (await w.run("use", "eye")).says("Agora uso", PATIENCE)
        await w.chat.send(w.ana, "e estas duas?", files=[("a.jpg", PICTURE), ("b.jpg", PICTURE + b"2")])
        await w.says("You said: e estas duas?")
        assert pictures(w) == [PICTURE, PICTURE + b"2"]


async def test_text_files(tmp_path: Path) -> None:
    """A text file goes into the question under its name; what is too large, or no text, says so."""
    async with world(tmp_path, models(), BLIND) as w:
        chats = [w.someone(name) for name in ("Ana1", "Bia1", "Caio1")]
        sent = [("notas.md", "# Olá\n".encode()), ("grande.txt", b"x" * 300_000), ("dados.csv", b"a\0b")]
        for chat, file in zip(chats, sent, strict=True):
            await chat.send(w.owner(chat), "resuma", files=[file])
        await asyncio.gather(
            w.says("li", chats[0]),
            w.says('O arquivo "grande.txt" é grande demais', chats[1]),
            w.says('O arquivo "dados.csv" não parece texto', chats[2]),
        )
        question = w.lmstudio.bodies[-1]["messages"][-1]["content"]
        assert question.startswith("resuma")
        assert "notas.md" in question
        assert "# Olá" in question


async def test_pdfs(tmp_path: Path) -> None:
    """The words of a PDF go into the question; one with a password says what to do."""
    async with world(tmp_path, models(), BLIND) as w:
        chats = [w.someone(name) for name in ("Ana1", "Bia1")]
        report = pdf("Lucro: 42")
        sent = [("r.pdf", report), ("s.pdf", locked(report, "senha"))]
        for chat, file in zip(chats, sent, strict=True):
            await chat.send(w.owner(chat), "resuma", files=[file])
        await asyncio.gather(
            w.says("li", chats[0]), w.says('O PDF "s.pdf" está protegido por senha', chats[1])
        )
        question = w.lmstudio.bodies[-1]["messages"][-1]["content"]
        assert question == "resuma\n\nr.pdf:\n```\nLucro: 42\n```"


async def test_a_very_long_answer_comes_as_a_file_too(tmp_path: Path) -> None:
    """Its messages, and a file with the whole."""
    whole = "\n\n".join(f"Linha {n} com algumas palavras a mais para ser longa." for n in range(900))
    async with world(tmp_path, [FakeModel(BLIND, "Mini 1B", reply=whole, context_length=32768)], BLIND) as w:
        await w.chat.send(w.ana, "tudo")
        last = await w.chat.wait_for(lambda m: m.by_bot and bool(m.files), timeout=PATIENCE)
        assert whole in next(iter(last.files.values())).decode()


async def test_files_take_their_time(tmp_path: Path) -> None:
    """A later message does not overtake a file that is fetched; one edited meanwhile is asked as it says now."""
    async with world(tmp_path, [FakeModel(BLIND, "Mini 1B", parallel=4)], BLIND) as w:
        first, second = w.someone("Ana1"), w.someone("Bia1")
        slow = w.discord.fault("GET /cdn/*", "slow:1.5", times=None)
        await first.send(w.owner(first), "resuma", files=[("a.txt", b"abc")])
        await first.send(w.owner(first), "e agora?")
        asked = await second.send(w.owner(second), "rezuma", files=[("a.txt", b"abc")])
        await second.edit(asked, "resuma bem")
        await asyncio.gather(w.says("You said: e agora?", first), w.says("You said: resuma bem", second))
        assert "You said: resuma\n" in first.answers[0].text
        assert len(first.answers) == 2
        assert len(second.answers) == 1
        questions = [body["messages"][-1]["content"] for body in w.lmstudio.bodies]
        assert not [one for one in questions if one.startswith("rezuma")]
        w.discord.faults.rules.remove(slow)
        w.discord.fault("GET /cdn/*", "status:502")
        await first.send(w.owner(first), "de novo", files=[("b.txt", b"xyz")])
        await w.says("You said: de novo", first)
