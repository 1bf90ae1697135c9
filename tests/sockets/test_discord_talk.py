"""The shipped program on Discord, in private chats: loading, streaming, long answers, buttons."""

import asyncio
from itertools import pairwise
from pathlib import Path

from tests.fakes.discord.server import Channel
from tests.fakes.lmstudio.catalog import Messages
from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import World, world
from tests.sockets.program import PATIENCE

NOVA, MINI = "acme/nova-8b", "acme/mini-1b"
TOLD = "Um **texto** com `código` e mais palavras. " * 40
LINES = [f"linha {n} 🙂 com **negrito** e palavras" for n in range(60)]
CODE = ["```python", *(f"x{n} = {n}  # comentário" for n in range(100)), "```"]
LONG = "\n\n".join(LINES) + "\n\n" + "\n".join(CODE)
DONE = "🔁 Refazer"


def speak(messages: Messages) -> str:
    """The model tells a story, tells a long one, goes on for ever, or tells what it heard."""
    asked = messages[-1]["content"]
    return {"conte": TOLD, "tudo": LONG, "sem fim": "palavra " * 3000}.get(asked, f"ouvi: {asked}")


async def person(w: World, name: str, use: str = "nova", locale: str = "pt-BR") -> Channel:
    """The private chat of somebody who uses that model."""
    chat = w.someone(name, locale)
    await (await w.run("use", use, chat)).says("Agora uso", PATIENCE)
    return chat


async def done(chat: Channel) -> None:
    await chat.wait_for(lambda m: m.by_bot and DONE in m.labels, timeout=PATIENCE)


async def english(w: World) -> None:
    """Cards follow the language of the person's client."""
    chat = w.someone("Eve", "en-US")
    await (await w.run("help", chat=chat)).says("❓ Commands", PATIENCE)


async def loading(w: World) -> None:
    """A bar and its buttons while it loads, typing above; then the answer, and the load card is over."""
    chat = w.someone("Lia")
    await (await w.run("use", "lazy", chat)).says("Agora uso", PATIENCE)
    await chat.send(w.owner(chat), "oi")
    card = await w.says('🔄 Carregando modelo "Lazy 4B"…', chat)
    assert "✖ Cancelar" in card.labels
    assert card.colour is not None
    await chat.wait_typing(timeout=PATIENCE)
    await w.says("ouvi: oi", chat)
    assert all(b - a > 1.0 for a, b in pairwise([card.at, *(e.at for e in card.edits[:-1])]))
    assert [e for e in card.edits if "█" in e.text]
    await chat.wait_gone(card, timeout=PATIENCE)


async def streaming(w: World) -> None:
    """One message, from "is reading" to the last words: edits more than a second apart, as Markdown."""
    chat = await person(w, "Rui")
    before = len(chat.answers)
    await chat.send(w.owner(chat), "conte")
    await done(chat)
    (answer,) = chat.answers[before:]
    assert w.discord.count(f"/channels/{chat.id}/messages/*", status=204) == 0, "nothing was taken away"
    assert TOLD.strip() in answer.text
    assert len(answer.edits) >= 3
    assert all(b - a >= 1.0 for a, b in pairwise([answer.at, *(e.at for e in answer.edits[:-1])]))


async def long(w: World) -> None:
    """Messages that fit, a code block in each is closed and opened again, nothing is lost; buttons at the end."""
    chat = await person(w, "Zé", "quick")
    before = len(chat.answers)
    await chat.send(w.owner(chat), "tudo")
    await done(chat)
    parts = chat.answers[before:]
    assert len(parts) >= 3
    assert all(len(part.stored.content) <= 2000 for part in parts)
    assert all(part.stored.content.count("```") % 2 == 0 for part in parts)
    said = "\n".join(part.text for part in parts)
    assert all(line in said for line in LINES)
    assert all(f"x{n} = {n}  # comentário" in said for n in range(100))
    assert [DONE in part.labels for part in parts][:-1] == [False] * (len(parts) - 1)


async def stop(w: World) -> None:
    """/stop overtakes: what had come stays."""
    chat = await person(w, "Ivo")
    await chat.send(w.owner(chat), "sem fim")
    await w.says("palavra", chat)
    await w.run("stop", chat=chat)
    answer = await w.says("resposta parada", chat)
    assert "palavra" in answer.text


async def suggestion(w: World) -> None:
    """A failed load offers a model; one press switches and answers; the failure stays readable."""
    chat = w.someone("Gil")
    await (await w.run("use", "broken", chat)).says("Agora uso", PATIENCE)
    await chat.send(w.owner(chat), "qual é a capital?")
    card = await w.says('⚠️ Modelo "Broken 2B" não está disponível.', chat)
    label = next(label for label in card.labels if label.startswith("💡 Usar"))
    await (await card.press(w.owner(chat), label)).answered(PATIENCE)
    answer = await chat.wait_for(
        lambda m: m.by_bot and m is not card and "qual é a capital?" in m.text, timeout=PATIENCE
    )
    assert "não está disponível" in card.text
    assert answer is not card


async def order(w: World) -> None:
    """Two questions of one person are answered one after the other, as they came."""
    chat = await person(w, "Bia")
    for text in ("primeira", "segunda"):
        await chat.send(w.owner(chat), text)
    await w.says("ouvi: segunda", chat)
    texts = [m.text for m in chat.answers if "ouvi:" in m.text]
    assert ["primeira" in texts[0], "segunda" in texts[1]] == [True, True]


SCENES = (english, loading, streaming, long, stop, suggestion, order)


async def test_private_chats(tmp_path: Path) -> None:
    """All of the scenes above at once, each in a chat of its own; Discord never has to refuse a call."""
    there = [
        FakeModel(NOVA, "Nova 8B", reply=speak, token_delay=0.03, parallel=8),
        FakeModel(MINI, "Mini 1B", params="1B", parallel=8),
        FakeModel("acme/quick-1b", "Quick 1B", params="1B", reply=speak, context_length=32768),
        FakeModel("acme/lazy-4b", "Lazy 4B", load_seconds=5, progress_steps=20, reply=speak),
        FakeModel("acme/broken-2b", "Broken 2B", load_error="Received load-error"),
    ]
    async with world(tmp_path, there, NOVA, MINI, "acme/quick-1b") as w:
        await w.synced()
        async with asyncio.TaskGroup() as scenes:
            for scene in SCENES:
                scenes.create_task(scene(w), name=scene.__name__)
        await w.lmstudio.wait_for("generation_stopped", timeout=PATIENCE)
        said = ("capital", "segunda", "código", "palavra")
        assert not [line for line in w.bot.output if any(word in line for word in said)], (
            "no word of anybody's is logged"
        )
        assert w.discord.count(status=429) == 0


async def test_a_cold_load_that_outlives_the_interaction(tmp_path: Path) -> None:
    """After 15 minutes the token is worth nothing: the bot goes on by its own right, and the end is told."""
    slow = FakeModel(NOVA, "Nova 8B", load_seconds=6, progress_steps=60)
    async with world(tmp_path, [slow]) as w:
        press = await w.run("load", "nova")
        await press.says("Carregando", PATIENCE)
        w.discord.advance(901)
        await w.says('Modelo "Nova 8B" carregado com sucesso')
        late = [c for c in w.discord.calls if c.path.startswith("/webhooks") and c.status == 404]
        assert len(late) == 1


async def test_a_cold_load_that_outlives_an_interaction_elsewhere(tmp_path: Path) -> None:
    """Where the bot may not write by its own right it goes on in the asker's private chat, and is never silent."""
    slow = FakeModel(NOVA, "Nova 8B", load_seconds=6, progress_steps=60, reply="quarenta e dois")
    async with world(tmp_path, [slow]) as w:
        await w.synced()
        elsewhere = w.discord.foreign(w.ana, w.discord.person("Bia"))
        press = await w.run("ask", "qual é a resposta?", chat=elsewhere, person=w.ana)
        await press.says("Carregando", PATIENCE)
        w.discord.advance(901)
        answer = await w.says("quarenta e dois")
        assert answer.channel is w.chat
        late = [c for c in w.discord.calls if c.path.startswith("/webhooks") and c.status == 404]
        assert len(late) == 1
