"""What Discord costs: `python -m pytest -m bench -s tests/bench/test_discord.py`.

The shipped program between a Discord and an LM Studio, both ours: 50 ms for each API call, models that say 50
or 200 words a second. Printed: from the message to the request for an answer, from the last word to the final
text, calls and CPU for each answer, memory; completion among 500 models. Asserted is only what holds on any
machine: under a strict limit nothing is refused, and 4 s of a model are 5 s of a person's.
The servers run in the test's own process, so that the seconds hold a share of theirs; CPU is the bot's alone.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.fakes.discord.server import Channel, FakeDiscord, Switches
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.fakes.telegram.server import FakeTelegram
from tests.sockets.discord_program import World, discord_bot, world
from tests.sockets.program import PATIENCE

LATENCY = 0.05
ROUNDS = 3
STRICT = 1.25  # times what the model takes: 5 s for 4 s


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one answer, in seconds; `calls` by kind."""

    until_request: float
    until_text: float
    sends: int
    edits: int
    others: int
    model: float
    whole: float


async def _answer(w: World, chat: Channel, model: str) -> Figures:
    began = len(w.discord.calls)
    asked = time.monotonic()
    await chat.send(w.owner(chat), "conte")
    message = await chat.wait_for(lambda m: m.at > asked and m.by_bot and "fim" in m.text, timeout=PATIENCE)
    told = {r.kind: r.at for r in w.lmstudio.log if r.model == model and r.at > asked}
    first, last = told["generation_started"], told["generation_finished"]
    shown = next((e.at for e in message.edits if "fim" in e.text), message.at)
    calls = [c for c in w.discord.calls[began:] if f"/channels/{chat.id}/" in c.path]
    sends = sum(c.route.startswith("POST") and c.route.endswith("/messages") for c in calls)
    edits = sum(c.route.startswith("PATCH") for c in calls)
    others = len(calls) - sends - edits
    return Figures(first - asked, shown - last, sends, edits, others, last - first, shown - asked)


async def _strict(tmp_path: Path, *, told: bool) -> str:
    """One call a second for a channel, else 429 for 3 s; a model that takes 4 s. `told` = headers say so before."""
    answer = " ".join(f"pal{n}" for n in range(199)) + " fim"
    model = FakeModel("acme/nova-8b", reply=answer, token_delay=1 / 50, size_bytes=1000)
    switches = Switches(latency=LATENCY, bucket=(1, 1.0), penalty=3.0, told=told)
    async with world(tmp_path, [model], model.key, switches=switches, LOG_LEVEL="INFO") as w:
        await w.synced()
        figures: list[Figures] = []
        for _ in range(ROUNDS):
            await asyncio.sleep(6.0)
            figures.append(await _answer(w, w.chat, model.key))
        refused = w.discord.count(status=429)
    assert refused == 0
    assert statistics.median(f.whole / f.model for f in figures) <= STRICT
    return (
        f"one call a second or 429 for 3 s, {'told in headers' if told else 'never told'}; "
        f"{len(figures)} answers: the model takes {_spread([f.model for f in figures])} ms, from the message to the "
        f"final text {_spread([f.whole for f in figures])} ms, refused {refused}"
    )


async def _chats(tmp_path: Path, count: int, per_second: float, words: int) -> str:
    """So many chats at once, each with a model of its own."""
    answer = " ".join(f"pal{n}" for n in range(words - 1)) + " fim"
    keys = [f"acme/nova-{n}" for n in range(count)]
    models = [FakeModel(key, reply=answer, token_delay=1 / per_second, size_bytes=1000) for key in keys]
    async with world(tmp_path, models, *keys, switches=Switches(latency=LATENCY), LOG_LEVEL="INFO") as w:
        await w.synced()
        chats = [w.someone(f"Ana{n}") for n in range(count)]
        for chat, key in zip(chats, keys, strict=True):
            await (await w.run("use", key, chat)).says("Agora uso", PATIENCE)
        process = psutil.Process(w.bot.process.pid)
        before = process.cpu_times()
        figures: list[Figures] = []
        for _ in range(ROUNDS):
            await asyncio.sleep(6.0)  # the start, and a channel's budget that what was before has drawn on
            figures += await asyncio.gather(*map(_answer, [w] * count, chats, keys))
        await asyncio.sleep(1.5)  # the buttons
        after = process.cpu_times()
        cpu = (after.user + after.system - before.user - before.system) / len(figures)
        refused = w.discord.count(status=429)
        memory = process.memory_info().rss / 1e6
    name = f"{count} chat(s), {per_second:.0f} words a second x {words}"
    return (
        f"{name}: to the request {_spread([f.until_request for f in figures])} ms, last word to final text "
        f"{_spread([f.until_text for f in figures])} ms; an answer takes {_mean([f.sends for f in figures]):.1f} "
        f"sends, {_mean([f.edits for f in figures]):.1f} edits, {_mean([f.others for f in figures]):.1f} other "
        f"calls, {cpu * 1000:.0f} ms CPU; refused {refused}; RSS {memory:.0f} MB"
    )


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} (worst {max(seconds) * 1000:.0f})"


def _mean(numbers: list[int]) -> float:
    return statistics.fmean(numbers)


@pytest.mark.bench
@pytest.mark.timeout(300)
async def test_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One chat, ten chats, five with a fast model that talks long."""
    for number, (count, per_second, words) in enumerate(((1, 50, 200), (10, 50, 200), (5, 200, 800))):
        line = await _chats(tmp_path / str(number), count, per_second, words)
        with capsys.disabled():
            print(f"\n{line}")


@pytest.mark.bench
@pytest.mark.timeout(120)
@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
async def test_a_strict_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str], *, told: bool) -> None:
    """Nothing is refused, and 4 s of a model are 5 s of a person's, whether Discord tells of its limit or not."""
    line = await _strict(tmp_path, told=told)
    with capsys.disabled():
        print(f"\n{line}")


@pytest.mark.bench
@pytest.mark.timeout(120)
async def test_completion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the typed letters to the choices, with 500 models, and 50 ms for each call."""
    models = [FakeModel(f"maker{n % 20}/model-{n:03}", f"Model {n:03}") for n in range(500)]
    async with world(tmp_path, models, switches=Switches(latency=LATENCY), LOG_LEVEL="INFO") as w:
        await w.synced()
        option = w.discord.commands()["use"]["options"][0]["name"]
        seconds = []
        for typed in (
            "",
            "m",
            "mo",
            "model",
            "model-4",
            "maker7",
            "499",
            "xyz",
            "maker1/model-02",
            "odel 3",
        ) * 5:
            began = time.monotonic()
            await (await w.chat.autocomplete(w.ana, "use", option, typed)).answered(PATIENCE)
            seconds.append(time.monotonic() - began)
        with capsys.disabled():
            print(f"\ncompletion among 500 models, {len(seconds)} times: {_spread(seconds)} ms")


@pytest.mark.bench
@pytest.mark.timeout(120)
async def test_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the program with one platform and with both, five seconds after its start."""
    async with (
        FakeDiscord() as discord,
        FakeTelegram() as telegram,
        FakeLMStudio([FakeModel("acme/nova-8b")]) as lmstudio,
    ):
        to_telegram = {"TELEGRAM_BOT_TOKEN": telegram.token, "TELEGRAM_API_ROOT": telegram.url}
        for platforms in ("telegram", "discord", "telegram,discord"):
            settings = {**to_telegram, "PLATFORMS": platforms, "LOG_LEVEL": "INFO"}
            has_discord = "discord" in platforms
            data = tmp_path / platforms.replace(",", "-")
            async with discord_bot(data, discord, lmstudio.url, settings, ready=has_discord) as bot:
                if "telegram" in platforms:
                    await bot.says("telegram is ready")
                await asyncio.sleep(5)
                memory = psutil.Process(bot.process.pid).memory_info().rss / 1e6
            with capsys.disabled():
                print(f"\nRSS with {platforms}: {memory:.0f} MB")
