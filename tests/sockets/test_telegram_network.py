"""The shipped program where Telegram refuses, hangs, dies or is somebody else's; and where it dies itself."""

import asyncio
from pathlib import Path

import aiohttp

from tests.fakes.lmstudio.catalog import Messages
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.fakes.telegram.server import FakeTelegram, Switches
from tests.sockets.program import PATIENCE
from tests.sockets.telegram_program import World, telegram_bot, world

NOVA, QUICK = "acme/nova-8b", "acme/quick-1b"


def talker(words: int, delay: float = 0.02) -> FakeModel:
    return FakeModel(NOVA, "Nova 8B", reply=" ".join(f"p{n}" for n in range(words)), token_delay=delay)


LINES = [f"linha {n} 🙂 com **negrito** e palavras" for n in range(150)]
CODE = ["```python", *(f"x{n} = {n}  # comentário" for n in range(300)), "```"]
LONG = "\n\n".join(LINES) + "\n\n" + "\n".join(CODE)
COUNTED = [f"p{n}" for n in range(250)]


def speak(messages: Messages) -> str:
    return LONG if messages[-1]["content"] == "tudo" else " ".join(COUNTED)


async def split(w: World) -> None:
    """12,000 characters in messages that fit, code in code, nothing lost; buttons under the last."""
    assert len(LONG) > 12_000
    await w.ask("/usar quick", "Agora uso")
    await w.chat.send(w.ana, "tudo")
    last = await w.chat.wait_for(lambda m: m.by_bot and m.labels == ["🔁 Refazer"], timeout=PATIENCE)
    parts = w.chat.answers[1:]
    assert parts[-1] is last
    assert len(parts) >= 3
    assert all(not m.labels for m in parts[:-1])
    assert all(m.content.units <= 4096 for m in parts)
    said = "\n".join(m.text for m in parts)
    assert all(f"linha {n} 🙂 com negrito e palavras\n" in said for n in range(150))
    assert all(f"x{n} = {n}  # comentário" in said for n in range(300))
    assert last.covered("pre")


async def pause(w: World) -> None:
    """429 with retry_after: nothing is called before it is over, the whole text lands."""
    chat = w.telegram.world.chats[43]
    bia = chat.owner
    w.telegram.fault("sendMessageDraft", "status:429:3", after=1, chat=chat)
    await chat.send(bia, "conte")
    await w.telegram.wait_for("sendMessageDraft", status=429, timeout=PATIENCE)
    other = w.telegram.world.chats[44]
    await other.send(other.owner, "/help")
    await w.says("❓ Comandos", other)
    assert len(chat.answers) == 1, "whoever asks later does not wait for the pause"
    await w.telegram.wait_for("sendMessage", 2, chat=chat, timeout=PATIENCE)
    assert chat.answers[1].text.split() == COUNTED
    refused = next(c for c in w.telegram.calls if c.status == 429)
    later = [c for c in w.telegram.calls if c.chat == chat.id and c.time > refused.done]
    assert later[0].time - refused.done >= 2.99
    assert w.telegram.count(status=429) == 1


async def outage(w: World) -> None:
    """502, a dropped connection, a poll that breaks: the answer lands whole and once."""
    chat = w.telegram.world.chats[45]
    w.telegram.fault("sendMessage", "status:502", chat=chat)
    w.telegram.fault("sendMessage", "drop", chat=chat)
    w.telegram.fault("getUpdates", "drop")
    await chat.send(chat.owner, "conte")
    answer = await w.says("p249", chat)
    assert answer.text.split() == COUNTED
    assert len(chat.answers) == 2


async def test_answers_land(tmp_path: Path) -> None:
    """All of the scenes above at once, each in a chat of its own."""
    models = [
        FakeModel(NOVA, "Nova 8B", reply=speak, token_delay=0.02),
        FakeModel(QUICK, "Quick 1B", reply=LONG, params="1B"),
    ]
    async with world(tmp_path, models, NOVA, QUICK, LOG_LEVEL="INFO") as w:
        for number in (43, 44, 45):
            person = w.telegram.person(number, language_code="pt-br")
            chat = w.telegram.private(person)
            await chat.send(person, "/usar nova")
            await w.says("Agora uso", chat)
        async with asyncio.TaskGroup() as scenes:
            for scene in (split, pause, outage):
                scenes.create_task(scene(w), name=scene.__name__)
        assert w.telegram.count("sendMessage", status=400) == 0


async def test_telegram_dies_in_mid_answer_and_comes_back(tmp_path: Path) -> None:
    """While it is away the model goes on; when it is back the text is there, and messages are taken again."""
    async with world(tmp_path, [talker(60)], NOVA) as w:
        await w.chat.send(w.ana, "conte")
        await w.chat.wait_for_draft(lambda d: "p3" in d.text, timeout=PATIENCE)
        await w.telegram.kill()
        await w.bot.says("telegram does not answer")
        await w.lmstudio.wait_for("generation_finished", timeout=PATIENCE)
        await w.telegram.start()
        await w.says("p59")
        await w.chat.send(w.ana, "/help")
        await w.says("❓ Comandos")
        await w.bot.says("telegram answers again")


async def test_another_poller_is_named_with_the_remedy(tmp_path: Path) -> None:
    """409: the log says what to do, and once the other is gone messages are taken again."""
    async with world(tmp_path, [talker(1)], NOVA) as w, aiohttp.ClientSession() as session:
        await w.telegram.wait_arrived("getUpdates")
        async with session.post(f"{w.telegram.url}/bot{w.telegram.token}/getUpdates", json={"timeout": 1}):
            line = await w.bot.says("another program takes this bot's messages")
        assert "stop the other program" in line
        await w.chat.send(w.ana, "/help")
        await w.says("❓ Comandos")


async def test_a_token_that_telegram_refuses(tmp_path: Path) -> None:
    """The program says so and ends with 1; with the console beside it, that one goes on. The token is not shown."""
    wrong = "999:WRONG-token-of-nobody-BBBBBBBBBBBBBBBBBB"
    async with FakeTelegram() as telegram, FakeLMStudio([talker(1)], loaded=[NOVA]) as lmstudio:
        settings = {"TELEGRAM_BOT_TOKEN": wrong}
        async with telegram_bot(tmp_path, telegram, lmstudio.url, settings, ready=False) as bot:
            assert await bot.exit_code() == 1
        printed = "\n".join(bot.output)
        assert "A configuração TELEGRAM_BOT_TOKEN não serve: o Telegram" in printed
        assert "Traceback" not in printed
        assert wrong not in printed
        settings["PLATFORMS"] = "telegram,console"
        async with telegram_bot(tmp_path, telegram, lmstudio.url, settings, ready=False) as bot:
            await bot.says("TELEGRAM_BOT_TOKEN não serve")
            await bot.write("/help")
            await bot.says("❓ Comandos")
        assert wrong not in "\n".join(bot.output)


async def test_sigterm_in_mid_answer(tmp_path: Path) -> None:
    """Everything ends within ten seconds with 0: the model stops; also while Telegram hangs."""
    async with world(tmp_path, [talker(3000)], NOVA) as w:
        await w.chat.send(w.ana, "conte")
        await w.chat.wait_for_draft(lambda d: "p3" in d.text, timeout=PATIENCE)
        w.telegram.fault("*", "hang", times=None)
        before = asyncio.get_running_loop().time()
        assert await w.bot.terminate() == 0
        assert asyncio.get_running_loop().time() - before < 10
        await w.lmstudio.wait_for("generation_stopped")


async def test_killed_in_mid_answer(tmp_path: Path) -> None:
    """After a kill -9 the buttons of what stands there work: one stops nothing, one answers the question."""
    async with world(tmp_path, [FakeModel(NOVA, "Nova 8B", load_seconds=60)]) as w:
        await w.chat.send(w.ana, "conte")
        card = await w.says("🔄 Carregando modelo")
        await w.restart()
        pressed = await (await card.press(w.ana, "✖ Cancelar")).answered(PATIENCE)
        assert pressed.text == "Não há nada em andamento."
        w.lmstudio.model(NOVA).load_seconds = 0
        await w.chat.send(w.ana, "/retry")
        await w.says("You said: conte")


async def test_killed_while_it_speaks(tmp_path: Path) -> None:
    """After a kill -9 in mid-answer what came stands there; its button stops nothing, /retry answers whole, once."""
    async with world(tmp_path, [talker(400)], NOVA) as w:
        group = w.telegram.group([w.ana])
        await w.chat.send(w.ana, "conte")
        await w.chat.wait_for_draft(lambda d: "p3" in d.text, timeout=PATIENCE)
        await group.send(w.ana, f"@{w.telegram.bot.username} conte")
        half = await group.wait_for(
            lambda m: m.by_bot and "⏹ Parar" in m.labels and "p3" in m.text, timeout=PATIENCE
        )
        await w.restart(dead=lambda: w.lmstudio.wait_for("generation_stopped", 2, timeout=PATIENCE))
        assert half.text.startswith("p0 p1")
        pressed = await (await half.press(w.ana, "⏹ Parar")).answered(PATIENCE)
        assert pressed.text == "Não há nada em andamento."
        asked = len(w.lmstudio.bodies)
        for chat in (w.chat, group):
            await chat.send(w.ana, "/retry")
            answer = await w.says("p399", chat)
            assert answer.text.split() == [f"p{n}" for n in range(400)]
        assert [len(body["messages"]) for body in w.lmstudio.bodies[asked:]] == [1, 1]
        assert len(w.chat.answers) == 1


async def test_under_a_strict_limit_nothing_is_refused(tmp_path: Path) -> None:
    """One call a second and chat, drafts too, else three seconds of refusals: it grows, lands, and meets none."""
    async with (
        FakeTelegram(switches=Switches(calls_per_second=1, latency=0.05)) as telegram,
        FakeLMStudio([talker(160)], loaded=[NOVA]) as lmstudio,
        telegram_bot(tmp_path, telegram, lmstudio.url),
    ):
        ana = telegram.person(42, language_code="pt-br")
        bia = telegram.person(43, language_code="pt-br")
        chat, other = telegram.private(ana), telegram.private(bia)
        await chat.send(ana, "conte")
        for command in ("/help", "/models", "conte"):
            await other.send(bia, command)
        for place in (chat, other):
            answer = await place.wait_for(lambda m: m.by_bot and "p159" in m.text, timeout=PATIENCE)
            assert answer.text.split() == [f"p{n}" for n in range(160)]
        assert len(chat.drafts) >= 3
        assert telegram.count(status=429) == 0
