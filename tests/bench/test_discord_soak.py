"""Discord goes wrong at random: `SOAK_SECONDS=120 SOAK_SEED=7 python -m pytest -m bench -s tests/bench/test_discord_soak.py`.

Asserted: every question has its whole answer, once; nothing failed inside. Printed too: what Discord refused,
which an edit may be whose forerunner nobody knows the fate of.
The same seed gives the same faults in the same order; their moments depend on the machine.
"""

import asyncio
import os
import random
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.fakes.discord.server import Channel
from tests.fakes.lmstudio.catalog import Messages
from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import World, world

SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
SEED = int(os.environ.get("SOAK_SEED", str(int(time.time()))))
PEOPLE = 12
ANSWERED_WITHIN = 90.0  # seconds; a question without its whole answer by then has none
NOVA = "acme/nova-8b"
FAULTS = (
    ("POST /channels/*/messages", "status:429:0.5"),
    ("POST /channels/*/messages", "bare:0.5"),
    ("POST /channels/*/messages", "status:502"),
    ("POST /channels/*/messages", "drop"),
    ("POST /channels/*/messages", "lost"),
    ("PATCH /channels/*/messages/*", "global:0.5"),
    ("PATCH /channels/*/messages/*", "bare:0.5"),
    ("PATCH /channels/*/messages/*", "drop"),
    ("PATCH /channels/*/messages/*", "lost"),
    ("PATCH /channels/*/messages/*", "slow:2"),
    ("DELETE /channels/*", "status:502"),
    ("POST /channels/*/typing", "status:502"),
)


def speak(messages: Messages) -> str:
    """Every answer names its question, in the beginning and in the end."""
    asked = messages[-1]["content"]
    return f"[{asked}] " + "palavra " * 60 + f"fim-{asked}"


class Soak:
    def __init__(self, w: World, dice: random.Random) -> None:
        self.w = w
        self.dice = dice
        self.until = time.monotonic() + SECONDS
        self.outcomes: Counter[str] = Counter()

    async def person(self, number: int) -> None:
        """Asks, waits for the whole answer, asks again."""
        chat = self.w.someone(f"P{number}")
        question = 0
        while time.monotonic() < self.until:
            question += 1
            text = f"q{number}.{question}."
            await chat.send(self.w.owner(chat), text)
            self.outcomes[await self._outcome(chat, text)] += 1
            await asyncio.sleep(self.dice.uniform(0, 2))

    async def _outcome(self, chat: Channel, text: str) -> str:
        try:
            await chat.wait_for(lambda m: m.by_bot and f"fim-{text}" in m.text, timeout=ANSWERED_WITHIN)
        except TimeoutError:
            return "none"
        begun = [m for m in chat.answers if f"[{text}]" in m.text]
        return "answered" if len(begun) == 1 else "twice"

    async def trouble(self) -> None:
        """Every second or so a call goes wrong, and now and then the gateway."""
        gateway = self.w.discord.gateway
        while time.monotonic() < self.until:
            await asyncio.sleep(self.dice.uniform(0.3, 1.2))
            chance = self.dice.random()
            if chance < 0.03:
                await gateway.close(4000)
            elif chance < 0.05:
                gateway.reconnect()
            elif chance < 0.07:
                await gateway.drop()
            else:
                self.w.discord.fault(*self.dice.choice(FAULTS))


@pytest.mark.bench
@pytest.mark.timeout(0)
async def test_soak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever goes wrong on the way, every question has its whole answer, once."""
    dice = random.Random(SEED)  # noqa: S311  # dice
    model = FakeModel(NOVA, "Nova 8B", reply=speak, token_delay=0.03, parallel=PEOPLE)
    async with world(tmp_path, [model], NOVA, LOG_LEVEL="INFO") as w:
        soak = Soak(w, dice)
        process = psutil.Process(w.bot.process.pid)
        before = process.memory_info().rss
        async with asyncio.TaskGroup() as group:
            group.create_task(soak.trouble())
            for number in range(PEOPLE):
                group.create_task(soak.person(number))
        grown = (process.memory_info().rss - before) / 1e6
        statuses = Counter(call.status for call in w.discord.calls)
        resumed = sum(line.startswith("RESUME") for line in w.discord.gateway.log)
        refused = Counter(c.error[:70] for c in w.discord.calls if c.status in (400, 403, 404))
        failed = [line for line in w.bot.output if "level='error'" in line or "Traceback" in line]
    with capsys.disabled():
        print(f"\nseed {SEED}, {SECONDS:.0f} s, {PEOPLE} people: {dict(soak.outcomes)}; calls by status")
        print(
            f"{dict(statuses)} (0 = cut); resumed {resumed}; memory grew by {grown:.1f} MB; {dict(refused)}"
        )
    assert failed == []
    assert set(soak.outcomes) == {"answered"}
