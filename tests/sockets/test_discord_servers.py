"""The shipped program in servers: who is heard, whose buttons they are, threads, /here, rights."""

import asyncio
from pathlib import Path

from tests.fakes.discord.server import Channel, Person, Switches
from tests.fakes.lmstudio.catalog import Messages
from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import World, world
from tests.sockets.program import PATIENCE

NOVA = "acme/nova-8b"


def speak(messages: Messages) -> str:
    """The model tells what it heard, and how many messages there were."""
    return f"ouvi {len(messages)}: {messages[-1]['content']}"


async def rooms(w: World, name: str) -> tuple[Person, Person, Channel]:
    """An administrator, a member, and a channel of a server where both are with Ana."""
    chefe, bia = w.discord.person(f"Chefe{name}"), w.discord.person(f"Bia{name}")
    guild = w.discord.guild(name, w.ana, chefe, bia)
    guild.give(chefe, "chefes", manage_guild=True)
    return chefe, bia, guild.channel("geral")


def me(w: World) -> str:
    return f"<@{w.discord.bot.id}>"


async def heard(w: World) -> None:
    """A mention and a reply are answered, as replies, without a ping; what is said to others is not."""
    _, bia, room = await rooms(w, "Ouvido")
    await room.send(bia, "oi, Ana!")
    mention = await room.send(w.ana, f"{me(w)} que horas são?")
    answer = await w.says("ouvi 1: que horas são?", room)
    assert answer.reply_to == mention.id
    assert answer.pings == []
    await room.send(bia, "e amanhã?", reply_to=answer)
    await w.says("ouvi 3: e amanhã?", room)
    assert len([m for m in room.answers if "ouvi" in m.text]) == 2


async def here(w: World) -> None:
    """/here is for those who may manage the server; then everything in that channel is answered."""
    chefe, bia, room = await rooms(w, "Aqui")
    await (await w.run("here", chat=room, person=bia)).says("Você não pode usar /here aqui", PATIENCE)
    await room.send(bia, "alô?")
    await (await w.run("here", chat=room, person=chefe)).says("A partir de agora ouço tudo", PATIENCE)
    await room.send(bia, "e agora?")
    await w.says("e agora?", room)
    assert not [m for m in room.answers if "alô?" in m.text]


async def threads(w: World) -> None:
    """/thread opens one; everything in it is answered there, and it knows nothing of the channel."""
    _, bia, room = await rooms(w, "Fios")
    await (await w.run("thread", chat=room, person=bia)).answered(PATIENCE)
    await w.discord.world.bell.until(lambda: room.threads or None, PATIENCE, lambda: "no thread")
    thread = room.threads[0]
    await thread.send(bia, "aqui dentro")
    await w.says("ouvi 1: aqui dentro", thread)
    await thread.send(bia, "de novo")
    await w.says("ouvi 3: de novo", thread)


SCENES = (heard, here, threads)


async def test_servers(tmp_path: Path) -> None:
    """All of the scenes above at once, each in a server of its own."""
    async with world(
        tmp_path, [FakeModel(NOVA, "Nova 8B", reply=speak, parallel=4)], NOVA, ADMINS="", ACCESS="open"
    ) as w:
        await w.synced()
        async with asyncio.TaskGroup() as scenes:
            for scene in SCENES:
                scenes.create_task(scene(w), name=scene.__name__)
        assert not [line for line in w.bot.output if "Traceback" in line]


async def test_whose_buttons_they_are(tmp_path: Path) -> None:
    """Only the asker and who may manage the server; others are told so, also after a kill -9 and a restart.

    A list stays the asker's, whoever turned its page.
    """
    many = [FakeModel(f"acme/model-{n:02}", f"Model {n:02}") for n in range(45)]
    async with world(tmp_path, many, ADMINS="", ACCESS="open") as w:
        await w.synced()
        chefe, bia, room = await rooms(w, "Botões")
        listing = await (await w.run("models", chat=room, person=w.ana)).says("página 1 de", PATIENCE)

        def following() -> str:
            return next(label for label in listing.labels if "Próxima" in label)

        for _ in range(2):
            refused = await (await listing.press(bia, following())).says("Só quem perguntou", PATIENCE)
            assert refused.ephemeral
            await w.restart()
        await listing.press(w.ana, following())
        await w.says("página 2 de", room)
        await listing.press(chefe, following())
        await w.says("página 3 de", room)
        back = next(label for label in listing.labels if "Anterior" in label)
        await (await listing.press(bia, back)).says("Só quem perguntou", PATIENCE)
        await listing.press(w.ana, back)
        await w.says("página 2 de", room)


async def test_without_the_content_intent(tmp_path: Path) -> None:
    """Where the portal does not allow it the bot runs without, and says once what works: mentions, private chats."""
    async with world(
        tmp_path,
        [FakeModel(NOVA, "Nova 8B", reply=speak)],
        NOVA,
        switches=Switches(privileged=set()),
    ) as w:
        _, _, room = await rooms(w, "Calado")
        await room.send(w.ana, f"{me(w)} oi")
        await w.says("ouvi 1: oi", room)
        await w.says("Neste servidor só ouço comandos, menções e conversas diretas", room)
        await room.send(w.ana, f"{me(w)} de novo")
        await w.says("de novo", room)
        await w.ask("a sós", "ouvi 1: a sós")
        assert len([m for m in w.discord.world.messages.values() if "só ouço comandos" in m.text]) == 1
