"""The shipped program and what people send besides words: photos, albums, text files, other things."""

import asyncio
import base64
from pathlib import Path

from tests.fakes.lmstudio.server import FakeModel
from tests.fakes.pdf import locked, pdf, scanned
from tests.sockets.telegram_program import World, world

EYE, BLIND = "acme/eye-4b", "acme/mini-1b"
SMALL, LARGE = b"\xff\xd8small\xff\xd9", b"\xff\xd8large\xff\xd9"


def models() -> list[FakeModel]:
    return [FakeModel(EYE, "Eye 4B", vision=True), FakeModel(BLIND, "Mini 1B", params="1B")]


def pictures(w: World, words: str) -> list[bytes]:
    """The pictures of the question with these words as the model got them."""
    contents = [body["messages"][-1]["content"] for body in w.lmstudio.bodies]
    content = next(c for c in contents if isinstance(c, list) and any(p.get("text") == words for p in c))
    found = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    return [base64.b64decode(url.partition(",")[2]) for url in found]


async def photos(w: World) -> None:
    """The largest size and the caption reach a model that sees; an album is one question; a blind model says so."""
    await w.ask("/usar eye", "Agora uso")
    await w.chat.photo(w.ana, SMALL, contents={(1280, 960): LARGE}, caption="o que é isto?")
    await w.says("You said: o que é isto?")
    assert pictures(w, "o que é isto?") == [LARGE]
    await w.chat.photo(w.ana, SMALL, group="7")
    await w.chat.photo(w.ana, LARGE, caption="e estas duas?", group="7")
    await w.says("You said: e estas duas?")
    assert pictures(w, "e estas duas?") == [SMALL, LARGE]
    bia = w.telegram.person(43, "Bia", language_code="pt-br")
    other = w.telegram.private(bia)
    await other.send(bia, "/usar mini")
    await w.says("Agora uso", other)
    await other.photo(bia, SMALL, caption="e isto?")
    await w.says("não enxerga imagens", other)


async def documents(w: World) -> None:
    """A text file goes into the question under its name, also where its way is broken twice; what does not says so."""
    chats = [w.telegram.private(w.telegram.person(50 + n, language_code="pt-br")) for n in range(4)]
    for chat in chats[:1]:
        await chat.send(chat.owner, "/usar mini")
        await w.says("Agora uso", chat)
    w.telegram.fault("getFile", "drop")
    w.telegram.fault("getFile", "status:502")
    w.telegram.fault("getFile", "status:429:1")
    content = "# Olá\n```\nx\n```\n".encode()
    await chats[0].document(chats[0].owner, "notas.md", content, "text/markdown", caption="resuma")
    await chats[1].document(chats[1].owner, "grande.txt", b"x", size=300_000)
    await chats[2].document(chats[2].owner, "dados.csv", b"a\0b")
    await chats[3].document(chats[3].owner, "programa.exe", b"MZ")
    await asyncio.gather(
        w.says("You said: resuma", chats[0]),
        w.says('O arquivo "grande.txt" é grande demais.\nO limite é 256 KB.', chats[1]),
        w.says('O arquivo "dados.csv" não parece texto.', chats[2]),
        w.says("Não sei ler este tipo de mensagem", chats[3]),
    )
    questions = [body["messages"][-1]["content"] for body in w.lmstudio.bodies]
    assert "resuma\n\nnotas.md:\n````md\n# Olá\n```\nx\n```\n````" in questions
    # A name is only a name: neither a way to somewhere nor a command.
    await chats[0].document(chats[0].owner, "../x/unload mini force.md\u202e", b"/reset", "text/markdown")
    await w.says("You said: unload mini force.md", chats[0])
    assert w.lmstudio.bodies[-1]["messages"][-1]["content"] == "unload mini force.md:\n```md\n/reset\n```"
    w.telegram.fault("getFile", "status:400", text="Bad Request: wrong file_id")
    await chats[1].document(chats[1].owner, "x.txt", b"x")
    await w.says("Não consegui baixar o arquivo", chats[1])


async def pdfs(w: World) -> None:
    """The words of a PDF go into the question; one with a password, or of pictures, says what to do."""
    people = [w.telegram.person(60 + n, language_code="pt-br") for n in range(3)]
    chats = [w.telegram.private(person) for person in people]
    await chats[0].send(people[0], "/usar mini")
    await w.says("Agora uso", chats[0])
    report = pdf("Relatório de março", "Lucro: 42")
    await chats[0].document(people[0], "r.pdf", report, "application/pdf", caption="e o lucro?")
    await chats[1].document(people[1], "s.pdf", locked(report, "senha"), "application/pdf")
    await chats[2].document(people[2], "d.pdf", scanned(), "application/pdf")
    await asyncio.gather(
        w.says("You said: e o lucro?", chats[0]),
        w.says('O PDF "s.pdf" está protegido por senha', chats[1]),
        w.says('O PDF "d.pdf" não contém texto, só imagens', chats[2]),
    )
    questions = [body["messages"][-1]["content"] for body in w.lmstudio.bodies]
    assert "e o lucro?\n\nr.pdf:\n```\nRelatório de março\n\nLucro: 42\n```" in questions


async def test_files(tmp_path: Path) -> None:
    """First what comes as text, then what comes as pictures."""
    async with world(tmp_path, models(), EYE, BLIND) as w:
        await documents(w)
        await pdfs(w)
        await photos(w)
