"""The shipped program where people and servers change under it: corrected, deleted, closed, thrown out, refused."""

import asyncio
from pathlib import Path

import discord

from tests.fakes.discord.server import Channel, Guild
from tests.fakes.lmstudio.catalog import Messages
from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import World, world
from tests.sockets.program import PATIENCE

NOVA = "acme/nova-8b"
CALLBACK, HOOK = "POST /interactions/*/callback", "PATCH /webhooks/*"


def speak(messages: Messages) -> str:
    """The model counts for whoever asks it to, and tells others what it heard."""
    asked = messages[-1]["content"]
    return "palavra " * int(asked.split()[1]) if asked.startswith("conte") else f"ouvi: {asked}"


def server(w: World, name: str) -> tuple[Guild, Channel]:
    guild = w.discord.guild(name, w.ana)
    return guild, guild.channel("geral")


def me(w: World) -> str:
    return f"<@{w.discord.bot.id}>"


async def corrected(w: World) -> None:
    """Within a minute, in the place of its answer, which ends; a link that Discord unfurls is no correction."""
    chat = w.someone("Edu")
    question = await chat.send(w.owner(chat), "conte 3000 vzes")
    await w.says("palavra", chat)
    await chat.edit(question, "conte 3000 vzes")  # as when Discord adds a preview
    await chat.edit(question, "pensando bem, não conte")
    await w.says("ouvi: pensando bem, não conte", chat)
    await w.discord.world.bell.until(
        lambda: len(chat.answers) == 1 or None, PATIENCE, lambda: str([m.text[:40] for m in chat.answers])
    )


async def channel_deleted(w: World) -> None:
    """Nobody reads the answer: the model stops."""
    guild, room = server(w, "Apagado")
    await room.send(w.ana, f"{me(w)} conte 3000")
    await w.says("palavra", room)
    w.discord.world.backend.delete_channel(room.id)
    await w.bot.says(f"chat='discord:{room.id}:0' why=")
    assert guild.id


async def rights_taken(w: World) -> None:
    """The bot may write no more: the same, and a command is still answered, which needs no right to write."""
    guild, room = server(w, "Calado")
    await room.send(w.ana, f"{me(w)} conte 3000")
    await w.says("palavra", room)
    deny = discord.Permissions(send_messages=True, view_channel=True).value
    room.forbid(w.discord.bot.id, deny)
    await w.bot.says(f"chat='discord:{room.id}:0' why=")
    await (await w.run("help", chat=room, person=w.ana)).says("❓ Comandos", PATIENCE)
    assert guild.id


async def refused_commands(w: World) -> None:
    """429 without a bucket, 502 and lost answers on the way of a command: it is answered all the same."""
    for number, (route, kind) in enumerate(
        ((CALLBACK, "bare:0.3"), (CALLBACK, "lost"), (HOOK, "bare:0.3"), (HOOK, "status:502"), (HOOK, "drop"))
    ):
        chat = w.someone(f"R{number}")
        w.discord.fault(route, kind)
        await (await w.run("status", chat=chat)).says("📋 Situação", PATIENCE)


async def oddments(w: World) -> None:
    """What nobody can read gets a word or nothing, never a failure: a sticker, a lone picture, another bot."""
    chat = w.someone("Odo")
    await chat.send(w.owner(chat), "", files=[("x.exe", b"MZ\0\xff")])
    await w.says("x.exe", chat)
    room = server(w, "Bots")[1]
    other = w.discord.person("Robô", bot=True)
    w.discord.world.backend.add_member(room.stored.guild_id or 0, other.id)
    await room.send(other, f"{me(w)} oi")
    await room.send(w.ana, f"{me(w)} oi")
    await w.says("ouvi: oi", room)
    await room.wait_for(lambda _: len(room.answers) == 1, timeout=PATIENCE)  # a card of waiting has given way


SCENES = (corrected, channel_deleted, rights_taken, oddments)


async def test_trouble(tmp_path: Path) -> None:
    """All of the scenes above at once, each in a place of its own; nothing fails inside."""
    async with world(
        tmp_path, [FakeModel(NOVA, "Nova 8B", reply=speak, token_delay=0.02, parallel=8)], NOVA
    ) as w:
        await w.synced()
        async with asyncio.TaskGroup() as scenes:
            for scene in SCENES:
                scenes.create_task(scene(w), name=scene.__name__)
        await w.lmstudio.wait_for("generation_stopped", 3, timeout=PATIENCE)
        bad = ("Traceback", "update failed", "event failed", "crashed")
        assert not [line for line in w.bot.output if any(word in line for word in bad)]


async def test_commands_that_discord_refuses_at_first(tmp_path: Path) -> None:
    """See the scene."""
    async with world(tmp_path, [FakeModel(NOVA, "Nova 8B")], NOVA) as w:
        await w.synced()
        await refused_commands(w)
