"""The shipped program on Discord and replies to what was said long ago: the conversation continues from there."""

import asyncio
from pathlib import Path

from tests.fakes.discord.server import Channel, Message
from tests.fakes.lmstudio.catalog import Messages
from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import World, world
from tests.sockets.program import PATIENCE

NOVA = "acme/nova-8b"
LINES = [f"linha {n} com algumas palavras a mais para ser longa" for n in range(90)]


def speak(messages: Messages) -> str:
    """A long answer in several messages, or how much of the conversation was heard."""
    asked = messages[-1]["content"]
    return "\n\n".join(LINES) if asked == "tudo" else f"ouvi {len(messages)}: {asked}"


def room(w: World, name: str) -> Channel:
    """A channel of a server."""
    return w.discord.guild(name, w.ana).channel("geral")


async def asked(w: World, place: Channel, *words: str) -> list[Message]:
    """Questions one after the other, and their answers."""
    answers = []
    for number, word in enumerate(words):
        await place.send(w.ana, f"<@{w.discord.bot.id}> {word}")
        answers.append(await w.says(f"ouvi {2 * number + 1}: {word}", place))
    return answers


async def an_old_answer(w: World, place: Channel, first: Message) -> None:
    """What was said since does not count; a later word goes on in the new line; others may reply, too."""
    await place.send(w.ana, "e então?", reply_to=first)
    await w.says("ouvi 3: e então?", place)
    await place.send(w.ana, f"<@{w.discord.bot.id}> adiante")
    await w.says("ouvi 5: adiante", place)
    await place.send(w.ana, "de novo daí", reply_to=first)
    await w.says("ouvi 3: de novo daí", place)


async def a_part(w: World, place: Channel, parts: list[Message]) -> None:
    """Each of the messages of a long answer stands for all of it."""
    for number, part in enumerate(parts):
        await place.send(w.ana, f"resuma {number}", reply_to=part)
        await w.says(f"ouvi 3: resuma {number}", place)


async def of_a_command(w: World, place: Channel, answer: Message) -> None:
    """An answer that a command or a button brought is an answer like any other."""
    await place.send(w.ana, "e isso?", reply_to=answer)
    await w.says("ouvi 3: e isso?", place)


async def test_chains(tmp_path: Path) -> None:
    """Each of the scenes above, before and after a kill -9."""
    nova = FakeModel(NOVA, "Nova 8B", reply=speak, parallel=8, context_length=32_768)
    async with world(tmp_path, [nova], NOVA) as w:
        await w.synced()
        places = [room(w, name) for name in ("Velha", "Longa", "Comando")]
        old, *_ = await asked(w, places[0], "um", "dois", "três")
        await places[1].send(w.ana, f"<@{w.discord.bot.id}> tudo")
        await places[1].wait_for(lambda m: m.by_bot and "🔁 Refazer" in m.labels, timeout=PATIENCE)
        parts = [m for m in places[1].answers if "linha" in m.text]
        assert len(parts) > 1
        await w.run("ask", "pelo comando", places[2], w.ana)
        command = await w.says("ouvi 1: pelo comando", places[2])
        await asked_after(w, places[2])
        for life in ("first", "second"):
            async with asyncio.TaskGroup() as scenes:
                scenes.create_task(an_old_answer(w, places[0], old))
                scenes.create_task(a_part(w, places[1], parts))
                scenes.create_task(of_a_command(w, places[2], command))
            if life == "first":
                for place in places:
                    for message in [m for m in place.answers if "ouvi 3" in m.text or "ouvi 5" in m.text]:
                        await place.delete(message)
                await w.restart()


async def asked_after(w: World, place: Channel) -> None:
    """Something else is said, which does not belong to what a reply to the first continues."""
    await place.send(w.ana, f"<@{w.discord.bot.id}> outra coisa")
    await w.says("ouvi 3: outra coisa", place)
