"""The shipped program on Discord and replies to what was said long ago: the conversation continues from there."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.discord.server import Channel, Message, Person
from tests.fakes.lmstudio.catalog import Messages
from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import World, world
from tests.sockets.program import PATIENCE

NOVA = "acme/nova-8b"
RETRY = "🔁 Refazer"
LINES = [f"linha {n} com algumas palavras a mais para ser longa" for n in range(90)]


def speak(messages: Messages) -> str:
    """A long answer in several messages, or every question that was in the request, and whether it held that answer."""
    asked = [one["content"] for one in messages if one["role"] == "user"]
    if asked[-1] == "tudo":
        return "\n\n".join(LINES)
    whole = any(all(line in one["content"] for line in LINES) for one in messages)
    return f"ouvi: {' + '.join(asked)}{', e tudo foi dito' if whole else ''}."


async def say(
    w: World, place: Channel, text: str, to: Message | None = None, by: Person | None = None
) -> None:
    """To the bot: by its name, by a reply, or where it hears everything."""
    named = place.guild is not None and to is None and not place.stored.is_thread
    await place.send(by or w.ana, f"<@{w.discord.bot.id}> {text}" if named else text, reply_to=to)


async def hears(w: World, place: Channel, *questions: str, more: str = "") -> Message:
    """Wait until the model has been asked these questions, and nothing else."""
    return await w.says(f"ouvi: {' + '.join(questions)}{more}.", place)


async def begun(w: World, place: Channel) -> Message:
    """Three questions one after the other; the answer to the first."""
    said = ("um", "dois", "três")
    answers = []
    for number, word in enumerate(said):
        await say(w, place, word)
        answers.append(await hears(w, place, *said[: number + 1]))
    return answers[0]


async def long(place: Channel) -> list[Message]:
    """The messages of a long answer that is there."""
    await place.wait_for(lambda m: m.by_bot and RETRY in m.labels, timeout=PATIENCE)
    parts = [m for m in place.answers if "linha" in m.text]
    assert len(parts) > 1
    return parts


@dataclass
class Said:
    """What stands in the places of the scenes."""

    bia: Person  # who is in the servers, too
    old: list[Message]  # the first of three answers: in a server, in a private chat, in a thread
    parts: list[list[Message]]  # of long answers: to a message, to a command
    command: Message
    button: Message  # an answer that stands under another one's 🔁


async def commanded(w: World, place: Channel) -> Message:
    """The answer to a command."""
    await w.run("ask", "pelo comando", place, w.ana)
    return await hears(w, place, "pelo comando")


async def pressed(w: World, place: Channel) -> Message:
    """The answer that a button brought, under another one."""
    first = await begun(w, place)
    await first.press(w.ana, RETRY)
    return await place.wait_for(
        lambda m: m.by_bot and m is not first and m.text == first.text, timeout=PATIENCE
    )


async def thread(w: World, place: Channel) -> Channel:
    """One that the bot has opened."""
    await w.run("thread", "à parte", place, w.ana)
    [found] = await w.discord.world.bell.until(lambda: place.threads or None, PATIENCE, lambda: "no thread")
    return found


async def everything(w: World) -> Said:
    """All that is replied to later on, each in a place of its own; something else was said after it."""
    bia = w.discord.person("Bia")
    rooms = [w.discord.guild(f"Casa {n}", w.ana, bia).channel("geral") for n in range(6)]
    places = (rooms[0], w.chat, await thread(w, rooms[1]))
    await say(w, rooms[2], "tudo")
    await w.run("ask", "tudo", rooms[3], w.ana)
    old, parts, command, button = await asyncio.gather(
        asyncio.gather(*(begun(w, place) for place in places)),
        asyncio.gather(*(long(room) for room in rooms[2:4])),
        commanded(w, rooms[4]),
        pressed(w, rooms[5]),
    )
    for room in rooms[2:]:
        await say(w, room, "outra coisa")
    for room in rooms[2:]:
        await room.wait_for(lambda m: m.by_bot and "outra coisa" in m.text, timeout=PATIENCE)
    return Said(bia, old, parts, command, button)


async def an_old_answer(w: World, first: Message, by: Person, when: str) -> None:
    """What was said since does not count; a later word goes on in the new line; in a server others may reply."""
    place = first.channel
    await say(w, place, f"{when}, e então?", first, by)
    answer = await hears(w, place, "um", f"{when}, e então?")
    await say(w, place, f"{when}, adiante")
    await hears(w, place, "um", f"{when}, e então?", f"{when}, adiante")
    await say(w, place, f"{when}, de novo daí", first)
    await hears(w, place, "um", f"{when}, de novo daí")
    await say(w, place, f"{when}, e daqui?", answer)
    await hears(w, place, "um", f"{when}, e então?", f"{when}, e daqui?")


async def parts(w: World, messages: list[Message], when: str) -> None:
    """Each of the messages of a long answer stands for all of it."""
    for number, part in enumerate(messages):
        await say(w, part.channel, f"{when}, resuma {number}", part)
        await hears(w, part.channel, "tudo", f"{when}, resuma {number}", more=", e tudo foi dito")


async def by_interaction(w: World, answer: Message, question: str, when: str) -> None:
    """An answer that a command or a button brought is an answer like any other."""
    await say(w, answer.channel, f"{when}, e isso?", answer)
    await hears(w, answer.channel, question, f"{when}, e isso?")


async def test_chains(tmp_path: Path) -> None:
    """Each of the scenes above at once, before and after a kill -9; what LM Studio is asked holds nothing else."""
    nova = FakeModel(NOVA, "Nova 8B", reply=speak, parallel=8, context_length=32_768)
    async with world(tmp_path, [nova], NOVA) as w:
        await w.synced()
        said = await everything(w)
        for when in ("antes", "depois"):
            async with asyncio.TaskGroup() as scenes:
                for old in said.old:
                    by = w.ana if old.channel is w.chat else said.bia
                    scenes.create_task(an_old_answer(w, old, by, when))
                for messages in said.parts:
                    scenes.create_task(parts(w, messages, when))
                scenes.create_task(by_interaction(w, said.command, "pelo comando", when))
                scenes.create_task(by_interaction(w, said.button, "um", when))
            if when == "antes":
                await w.restart()
