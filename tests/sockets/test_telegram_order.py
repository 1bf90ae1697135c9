"""The shipped program and messages whose files take their time: order, albums, corrections, and /stop."""

import asyncio
from pathlib import Path

from tests.fakes.lmstudio.server import FakeModel
from tests.fakes.telegram.server import Chat
from tests.sockets.telegram_program import World, world

EYE = "acme/eye-4b"
ONE, TWO = b"\xff\xd8one\xff\xd9", b"\xff\xd8two\xff\xd9"


def questions(w: World) -> list[str]:
    """What the model was asked, in order, without its pictures; with their number where there were some."""
    asked = []
    for body in w.lmstudio.bodies:
        content = body["messages"][-1]["content"]
        if isinstance(content, list):
            words = "".join(part.get("text", "") for part in content)
            content = f"{words} ({sum(part['type'] == 'image_url' for part in content)})"
        asked.append(content)
    return asked


def said(chat: Chat) -> list[str]:
    """What each answer there repeats, without files."""
    return [m.text.partition("You said: ")[2].partition("\n")[0] for m in chat.answers]


def place(w: World, number: int) -> Chat:
    """The private chat of somebody."""
    return w.telegram.private(w.telegram.person(number, language_code="pt-br"))


async def file_first(w: World) -> None:
    """What was sent after a file is answered after it, although the file has to be fetched."""
    chat = place(w, 60)
    await chat.document(chat.owner, "notas.txt", b"abc", "text/plain", caption="resuma")
    await chat.send(chat.owner, "e agora?")
    await w.says("You said: e agora?", chat)
    assert said(chat) == ["resuma", "e agora?"]


async def album_first(w: World) -> None:
    """The same for an album, whose pictures come one by one."""
    chat = place(w, 61)
    await chat.photo(chat.owner, ONE, caption="compare", group="61")
    await chat.photo(chat.owner, TWO, group="61")
    await chat.send(chat.owner, "e depois?")
    await w.says("You said: e depois?", chat)
    assert said(chat) == ["compare", "e depois?"]
    assert "compare (2)" in questions(w)


async def album_in_a_group(w: World) -> None:
    """The name stands under one picture, whichever it is; all of them are meant."""
    group = w.telegram.group([w.ana])
    me = f"@{w.telegram.bot.username}"
    for number, named in enumerate((0, 1)):
        for place_, picture in enumerate((ONE, TWO, ONE)):
            caption = f"{me} o que há em {number}?" if place_ == named else ""
            await group.photo(w.ana, picture, caption=caption, group=f"g{number}")
        await w.says(f"You said: o que há em {number}?", group)
        assert f"o que há em {number}? (3)" in questions(w)
    assert len(group.answers) == 2


async def corrected_meanwhile(w: World) -> None:
    """A question that is edited while its file is fetched is asked once, as it says now."""
    chat = place(w, 62)
    question = await chat.document(chat.owner, "a.txt", b"abc", "text/plain", caption="rezuma")
    await chat.edit(question, "resuma bem")
    await w.says("You said: resuma bem", chat)
    assert len(chat.answers) == 1
    assert not [one for one in questions(w) if one.startswith("rezuma")]


async def corrected_album(w: World) -> None:
    """The words for all of an album may be corrected, too: the same pictures are asked about anew."""
    chat = place(w, 64)
    question = await chat.photo(chat.owner, ONE, caption="compre", group="64")
    await chat.photo(chat.owner, TWO, group="64")
    await w.says("You said: compre", chat)
    await chat.edit(question, "compare bem")
    await w.says("You said: compare bem", chat)
    assert said(chat) == ["compare bem"]
    assert "compare bem (2)" in questions(w)


async def stopped_meanwhile(w: World) -> None:
    """/stop ends the fetching as it ends an answer; nothing is asked."""
    chat = place(w, 63)
    await chat.document(chat.owner, "a.txt", b"abc", "text/plain", caption="esqueça")
    await chat.send(chat.owner, "/stop")
    await w.says("Parado", chat)
    await chat.send(chat.owner, "outra coisa")
    await w.says("You said: outra coisa", chat)
    assert not [one for one in questions(w) if one.startswith("esqueça")]


async def test_files_take_their_time(tmp_path: Path) -> None:
    """All of the scenes above at once, each in a chat of its own; every file comes late."""
    eye = FakeModel(EYE, "Eye 4B", vision=True, parallel=8)
    async with world(tmp_path, [eye], EYE) as w:
        w.telegram.switches.privacy = False  # else not even Telegram tells of an album's other pictures
        w.telegram.fault("getFile", "slow:1.5", times=None)
        files = (file_first, corrected_meanwhile, stopped_meanwhile)
        albums = (album_first, album_in_a_group, corrected_album)
        async with asyncio.TaskGroup() as group:
            for scene in (*files, *albums):
                group.create_task(scene(w), name=scene.__name__)
