"""The shipped program in groups: who is heard, whose buttons they are, topics, corrections."""

import asyncio
from itertools import pairwise
from pathlib import Path

from tests.fakes.lmstudio.catalog import Messages
from tests.fakes.lmstudio.server import FakeModel
from tests.fakes.telegram.server import Chat, Person
from tests.sockets.program import PATIENCE
from tests.sockets.telegram_program import World, world

NOVA, MINI = "acme/nova-8b", "acme/mini-1b"


def people(w: World) -> tuple[Person, Person, Chat]:
    """An administrator, a member, and the group of both with Ana."""
    chefe = w.telegram.person(1, "Chefe", language_code="pt-br")
    bia = w.telegram.person(43, "Bia", language_code="pt-br")
    return chefe, bia, w.telegram.group([w.ana, bia], [chefe])


def speak(messages: Messages) -> str:
    """The model counts for whoever asks it to, and tells others what it heard."""
    asked = messages[-1]["content"]
    if asked.startswith("conte"):
        return "palavra " * int(asked.split()[1])
    return f"ouvi {len(messages)}: {asked}"


async def heard(w: World) -> None:
    """A mention, a reply and a command are answered, the mention as a reply; what is said to others is not."""
    _, bia, group = people(w)
    me = w.telegram.bot.username
    await group.send(bia, "oi, Ana!")
    await group.send(bia, "/models@another_bot")
    await group.send(bia, "/comandodeoutrobot")
    mention = await group.send(w.ana, f"@{me.upper()}, que horas são?")
    answer = await w.says("ouvi 1: que horas são?", group)
    assert answer.reply_to is mention
    await group.send(bia, "e amanhã?", reply_to=answer)
    await w.says("ouvi 3: e amanhã?", group)
    await group.send(bia, f"/help@{me}")
    await w.says("❓ Comandos", group)
    assert len(group.answers) == 3
    assert group.drafts == []


async def edits(w: World) -> None:
    """At least three seconds apart, with a stop button until it is done; typing is shown before it streams."""
    _, _, group = people(w)
    await group.send(w.ana, f"@{w.telegram.bot.username} conte 200")
    answer = await group.wait_for(lambda m: m.by_bot and "⏹ Parar" in m.labels, timeout=PATIENCE)
    await group.wait_for(lambda m: m.by_bot and m.labels == ["🔁 Refazer"], timeout=PATIENCE)
    assert answer.text == ("palavra " * 200).strip()
    *growing, _ = answer.edited
    assert all(b - a >= 3.0 for a, b in pairwise([answer.at, *growing]))
    assert len(group.answers) == 1


async def topics(w: World) -> None:
    """Each answers in its topic, and knows nothing of the other."""
    forum = await w.telegram.forum([w.ana])
    me = w.telegram.bot.username
    places = {name: forum.topic(name) for name in ("Alpha", "Beta")}
    for name, thread in places.items():
        await forum.send(w.ana, f"@{me} em {name}", thread=thread)
    await forum.send(w.ana, f"@{me} no geral")
    for name, thread in places.items():
        assert (await w.says(f"ouvi 1: em {name}", forum)).thread == thread
    assert (await w.says("ouvi 1: no geral", forum)).thread is None


async def corrected(w: World) -> None:
    """Within a minute, in the place of its answer, which ends; later it is no new question."""
    _, _, group = people(w)
    me = w.telegram.bot.username
    question = await group.send(w.ana, f"@{me} conte 3000 vzes")
    answer = await group.wait_for(lambda m: m.by_bot and "palavra" in m.text, timeout=PATIENCE)
    await group.edit(question, f"@{me} pensando bem, não conte")
    await w.says("ouvi 1: pensando bem, não conte", group)  # without the question as it was before
    assert "pensando bem, não conte" in answer.text
    assert len(group.answers) == 1
    question.date -= 120
    await group.edit(question, f"@{me} tarde demais")
    await group.send(w.ana, f"/help@{me}")
    await w.says("❓ Comandos", group)
    assert not any("tarde demais" in m.text for m in group.answers)


async def thrown_out(w: World) -> None:
    """Kicked from a group, blocked by a person: the model stops, a line in the log, nothing else."""
    chefe, _, group = people(w)
    duda = w.telegram.person(45, "Duda", language_code="pt-br")
    chat = w.telegram.private(duda)
    await group.send(w.ana, f"@{w.telegram.bot.username} conte 3000")
    await group.wait_for(lambda m: m.by_bot, timeout=PATIENCE)
    await chat.send(duda, "conte 3000")
    await chat.wait_for_draft(lambda d: "palavra" in d.text, timeout=PATIENCE)
    await group.kick_bot(chefe)
    await chat.block()
    await w.bot.says(f"'telegram:{group.id}:0' why=")
    line = await w.bot.says("nobody reads the answer")
    assert "level='info'" in line


async def chains(w: World) -> None:
    """A reply to an old answer continues from there, also after what was said since; a later word goes on there."""
    _, bia, group = people(w)
    me = w.telegram.bot.username
    await group.send(w.ana, f"@{me} um")
    first = await w.says("ouvi 1: um", group)
    await group.send(w.ana, f"@{me} dois")
    await w.says("ouvi 3: dois", group)
    await group.send(w.ana, f"@{me} três")
    await w.says("ouvi 5: três", group)
    await group.send(bia, "e então?", reply_to=first)
    await w.says("ouvi 3: e então?", group)
    await group.send(w.ana, f"@{me} adiante")
    await w.says("ouvi 5: adiante", group)
    await (await first.press(w.ana, "🔁 Refazer")).answered(PATIENCE)
    again = await group.wait_for(
        lambda m: m.by_bot and m.text == "ouvi 1: um" and m is not first, timeout=PATIENCE
    )
    await group.send(bia, "e agora?", reply_to=again)
    await w.says("ouvi 3: e agora?", group)


SCENES = (heard, edits, topics, corrected, thrown_out, chains)


async def test_groups(tmp_path: Path) -> None:
    """All of the scenes above at once, each in a group of its own."""
    model = FakeModel(
        NOVA, "Nova 8B", reply=speak, token_delay=0.02, parallel=16, context_length=32_768
    )  # nobody waits for a place
    async with world(tmp_path, [model], NOVA) as w:
        w.telegram.switches.privacy = False  # everything reaches the bot: it must not answer everything
        async with asyncio.TaskGroup() as scenes:
            for scene in SCENES:
                scenes.create_task(scene(w), name=scene.__name__)
        await w.lmstudio.wait_for("generation_stopped", 2, timeout=PATIENCE)
        assert not [line for line in w.bot.output if "Traceback" in line]


async def test_a_chain_survives_a_restart(tmp_path: Path) -> None:
    """After a kill -9 a reply to an old answer, or to the question itself, still continues from there."""
    async with world(tmp_path, [FakeModel(NOVA, "Nova 8B", reply=speak)], NOVA) as w:
        asked = await w.chat.send(w.ana, "um")
        first = await w.says("ouvi 1: um")
        await w.ask("dois", "ouvi 3: dois")
        await w.restart()
        await w.chat.send(w.ana, "e daí?", reply_to=first)
        await w.says("ouvi 3: e daí?")
        await w.chat.send(w.ana, "de novo", reply_to=asked)
        await w.says("ouvi 3: > um")


async def test_whose_buttons_they_are(tmp_path: Path) -> None:
    """The asker's, the group's and the bot's administrators'; others are told so, also after a kill -9.

    A list stays the asker's, whoever turned its page.
    """
    many = [FakeModel(f"acme/model-{n:02}", f"Model {n:02}") for n in range(45)]
    async with world(tmp_path, many, ACCESS="open", ADMINS="telegram:44") as w:
        chefe, bia, group = people(w)
        dona = w.telegram.person(44, "Dona", language_code="pt-br")
        await group.join(dona)
        await group.send(w.ana, "/models")
        listing = await w.says("página 1 de 3", group)
        refused = await (await listing.press(bia, "▶ Próxima")).answered()
        assert "Só quem perguntou" in refused.text
        await w.restart()
        refused = await (await listing.press(bia, "▶ Próxima")).answered(PATIENCE)
        assert "Só quem perguntou" in refused.text
        await listing.press(w.ana, "▶ Próxima")
        await w.says("página 2 de 3", group)
        await listing.press(chefe, "▶ Próxima")
        await w.says("página 3 de 3", group)
        refused = await (await listing.press(bia, "◀ Anterior")).answered()
        assert "Só quem perguntou" in refused.text
        await listing.press(w.ana, "◀ Anterior")
        await w.says("página 2 de 3", group)
        await listing.press(dona, "◀ Anterior")
        await w.says("página 1 de 3", group)
        await listing.press(w.ana, "▶ Próxima")
        await w.says("página 2 de 3", group)
        stale = await (await listing.press(w.ana, "????", shown=False)).answered()
        assert stale.text == "Este botão não vale mais."
        stale = await (await listing.press(w.ana, "models 2", shown=False)).answered()
        assert stale.text == "Este botão não vale mais."
        assert len(group.answers) == 1


async def test_a_group_that_becomes_a_supergroup(tmp_path: Path) -> None:
    """Telegram gives it another number: who was let in there, and what was said there, go along, also over a restart."""
    settings = {"ADMINS": "telegram:1", "ACCESS": "closed"}
    async with world(tmp_path, [FakeModel(NOVA, "Nova 8B", reply=speak)], NOVA, **settings) as w:
        chefe, bia, _ = people(w)
        me = f"@{w.telegram.bot.username}"
        group = w.telegram.group([w.ana, bia], [chefe], kind="group")
        await group.send(chefe, "/allow here guest")
        await w.says("convidado", group)
        await group.send(bia, f"{me} um")
        await w.says("ouvi 1: um", group)
        larger = w.telegram.group([w.ana, bia], [chefe])
        await group.upgrade(chefe, larger)
        await w.bot.says("chat moved")
        await larger.send(bia, f"{me} dois")
        await w.says("ouvi 3: dois", larger)
        await w.restart()
        await larger.send(bia, f"{me} três")
        await w.says("ouvi 5: três", larger)
