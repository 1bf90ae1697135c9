"""The shipped program where Discord refuses, hangs, goes away or calls back; and where it dies itself."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fakes.discord.server import Channel, FakeDiscord, Switches
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.sockets.discord_program import World, discord_bot, world
from tests.sockets.program import PATIENCE

NOVA = "acme/nova-8b"
SEND, EDIT = "POST /channels/*/messages", "PATCH /channels/*/messages/*"
COUNTED = [f"p{n}" for n in range(150)]


def talker(words: int = 150, delay: float = 0.02) -> FakeModel:
    return FakeModel(
        NOVA, "Nova 8B", reply=" ".join(f"p{n}" for n in range(words)), token_delay=delay, parallel=8
    )


def of(chat: Channel, route: str) -> str:
    """A route for one channel only."""
    return route.replace("/channels/*", f"/channels/{chat.id}")


async def lands(w: World, chat: Channel) -> None:
    """The whole text, once."""
    answer = await w.says("p149", chat)
    assert answer.stored.content.split()[:150] == COUNTED
    assert len([m for m in chat.answers if "p0" in m.text]) == 1


async def refused(w: World, kind: str) -> None:
    """429 with and without the headers of a bucket, at an edit and at the first message: waited out, nothing lost."""
    chat = w.someone(f"R{kind.partition(':')[0]}")
    w.discord.fault(of(chat, SEND), kind)
    w.discord.fault(of(chat, EDIT), kind, times=2)
    await chat.send(w.owner(chat), "conte")
    await lands(w, chat)
    calls = w.discord.journal.matching(f"/channels/{chat.id}/messages*")
    assert [c.status for c in calls].count(429) == 3
    for call, later in pairwise(calls):
        if call.status == 429:
            assert later.time - call.done >= 0.49


async def stubborn(w: World) -> None:
    """Refused more often than the library tries again: it waits as long as Discord says, not longer."""
    chat = w.someone("Teimoso")
    w.discord.fault(of(chat, SEND), "bare:0.2", times=7)
    began = asyncio.get_running_loop().time()
    await chat.send(w.owner(chat), "conte")
    await lands(w, chat)
    assert asyncio.get_running_loop().time() - began < 20


async def test_a_strict_limit_of_which_nothing_is_told(tmp_path: Path) -> None:
    """One call a second, else 429 for three: nothing is refused, from the first answer on, also to a command."""
    strict = Switches(bucket=(1, 1.0), webhook_bucket=(1, 1.0), penalty=3.0, told=False)
    async with world(tmp_path, [talker()], NOVA, switches=strict) as w:
        await w.chat.send(w.ana, "conte")
        await lands(w, w.chat)
        commanding = w.someone("Comandante")
        await w.run("ask", "conte", commanding)
        await lands(w, commanding)
        assert w.discord.count(status=429) == 0


async def outage(w: World) -> None:
    """502, and connections that drop before and after the call had its effect: the answer lands whole."""
    chat = w.someone("Fora")
    w.discord.fault(of(chat, SEND), "status:502")
    w.discord.fault(of(chat, SEND), "drop")
    w.discord.fault(of(chat, EDIT), "drop", after=1)
    w.discord.fault(of(chat, EDIT), "lost", after=2)
    await chat.send(w.owner(chat), "conte")
    await lands(w, chat)


async def test_answers_land(tmp_path: Path) -> None:
    """All of the scenes above at once, each in a chat of its own."""
    async with world(tmp_path, [talker()], NOVA) as w, asyncio.TaskGroup() as scenes:
        for kind in ("status:429:0.5", "bare:0.5"):
            scenes.create_task(refused(w, kind))
        scenes.create_task(outage(w))
        scenes.create_task(stubborn(w))


async def falls(w: World, way: str, shard: int | None = None) -> None:
    """A connection ends in that way; where nothing is replayed, return once there is another one."""
    gateway = w.discord.gateway
    known = sum(line.startswith("IDENTIFY") for line in gateway.log)
    if way == "close 4000":
        await gateway.close(4000, shard)
    elif way == "drop":
        await gateway.drop(shard)
    elif way == "op 7":
        gateway.reconnect(shard)
    else:
        gateway.invalidate(shard, resumable="resumable" in way)
    if way == "op 9":  # nothing is replayed: Discord forgets
        await gateway.wait_for("IDENTIFY", known + 1, timeout=PATIENCE)


@pytest.mark.parametrize("way", ["close 4000", "drop", "op 7", "op 9", "op 9 resumable"])
async def test_the_gateway_goes_and_comes_back(tmp_path: Path, way: str) -> None:
    """An answer goes on; what Discord replays is answered once, what is said after it too."""
    async with world(tmp_path, [talker(60)], NOVA) as w:
        await w.chat.send(w.ana, "conte")
        await w.says("p3")
        await falls(w, way)
        other = w.someone("Bia")
        await other.send(w.owner(other), "conte")
        await w.says("p59", other)
        await w.says("p59")
        assert len([m for m in other.answers if "p0" in m.text]) == 1
        assert len([m for m in w.chat.answers if "p0" in m.text]) == 1
        resumed = [line for line in w.discord.gateway.log if line.startswith("RESUME")]
        assert len(resumed) == (0 if way == "op 9" else 1)


async def test_discord_is_away_in_mid_answer(tmp_path: Path) -> None:
    """While it is away the model goes on; when it is back the text is there, and messages are taken again."""
    async with world(tmp_path, [talker(60)], NOVA) as w:
        await w.chat.send(w.ana, "conte")
        await w.says("p3")
        await w.discord.kill()
        await w.lmstudio.wait_for("generation_finished", timeout=PATIENCE)
        await w.discord.start()
        await w.says("p59")
        other = w.someone("Bia")
        await other.send(w.owner(other), "conte")
        await w.says("p59", other)


@pytest.mark.parametrize(
    ("setting", "way", "shard"),
    [
        ("auto", "close 4000", 1),
        ("2", "drop", 0),
        ("2", "op 7", 1),
        ("2", "op 9", 0),
        ("2", "op 9 resumable", 0),
    ],
)
async def test_two_shards(tmp_path: Path, setting: str, way: str, shard: int) -> None:
    """As many as Discord advises, or as are set: one falls, what it missed is replayed; the other never noticed."""
    switches = Switches(shards=2 if setting == "auto" else 1)
    async with world(tmp_path, [talker(60)], NOVA, switches=switches, SHARDS=setting) as w:
        gateway = w.discord.gateway
        await gateway.wait_for("IDENTIFY", 2, timeout=PATIENCE)
        assert {line for line in gateway.log if line.startswith("ID")} == {"IDENTIFY 0/2", "IDENTIFY 1/2"}
        await w.bot.says("discord is ready")
        rooms = [w.discord.guild(f"G{n}", w.ana, shard=(n, 2)).channel("geral") for n in (0, 1)]
        steady, falling = rooms[1 - shard], rooms[shard]
        [before] = gateway.live(1 - shard)
        [session] = [one.session.id for one in gateway.live(shard) if one.session]
        await steady.send(w.ana, f"<@{w.discord.bot.id}> conte")
        await w.says("p3", steady)
        await falls(w, way, shard)
        await falling.send(w.ana, f"<@{w.discord.bot.id}> conte")
        await w.chat.send(w.ana, "conte")  # private chats are the first shard's
        for room in (steady, falling, w.chat):
            await w.says("p59", room)
            assert len([m for m in room.answers if "p0" in m.text]) == 1
        assert gateway.live(1 - shard) == [before]
        resumed = [line.split()[1] for line in gateway.log if line.startswith("RESUME")]
        assert resumed == ([] if way == "op 9" else [session])


async def test_a_token_that_discord_refuses(tmp_path: Path) -> None:
    """The program says so and ends with 1; with the console beside it, that one goes on. The token is not shown."""
    wrong = "WRONG-token-of-nobody.CCCCCC.DDDDDDDDDDDDDDDDDDDDDDDDDDDDDD"
    async with FakeDiscord() as discord, FakeLMStudio([talker(1)], loaded=[NOVA]) as lmstudio:
        settings = {"DISCORD_BOT_TOKEN": wrong}
        async with discord_bot(tmp_path, discord, lmstudio.url, settings, ready=False) as bot:
            assert await bot.exit_code() == 1
        printed = "\n".join(bot.output)
        assert "DISCORD_BOT_TOKEN não serve" in printed
        assert "Traceback" not in printed
        settings["PLATFORMS"] = "discord,console"
        async with discord_bot(tmp_path, discord, lmstudio.url, settings, ready=False) as bot:
            await bot.says("DISCORD_BOT_TOKEN não serve")
            await bot.write("/help")
            await bot.says("❓ Comandos")
        assert wrong not in "\n".join(bot.output)


async def test_sigterm_in_mid_answer(tmp_path: Path) -> None:
    """Everything ends within ten seconds with 0, also while Discord hangs; the model stops."""
    async with world(tmp_path, [talker(3000)], NOVA) as w:
        await w.chat.send(w.ana, "conte")
        await w.says("p3")
        w.discord.fault("*", "hang", times=None)
        before = asyncio.get_running_loop().time()
        assert await w.bot.terminate() == 0
        assert asyncio.get_running_loop().time() - before < 10
        await w.lmstudio.wait_for("generation_stopped", timeout=PATIENCE)


async def test_killed_in_mid_answer(tmp_path: Path) -> None:
    """After a kill -9 the buttons of what stands there work: one stops nothing, and the question is not lost."""
    async with world(tmp_path, [FakeModel(NOVA, "Nova 8B", load_seconds=60)]) as w:
        await w.chat.send(w.ana, "conte")
        card = await w.says("🔄 Carregando modelo")
        await w.restart()
        await (await card.press(w.ana, "✖ Cancelar")).says("Não há nada em andamento", PATIENCE)
        w.lmstudio.model(NOVA).load_seconds = 0
        await w.run("retry")
        await w.says("You said: conte")
