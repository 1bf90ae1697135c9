"""Three hosts, random faults, many chats: `SOAK_SECONDS=600 SOAK_SEED=7 python -m pytest -m bench -s tests/bench/test_soak.py`.

What must hold is asserted: every message has an outcome (an answer, or a card that says why), nothing is
loaded twice, no task or connection is left behind. The figures are printed. The same seed gives the same
faults in the same order; their moments depend on the machine.
"""

import asyncio
import gc
import os
import random
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from bot.assistant import Assistant
from bot.cards import Card, Choice, Listing, Notice, Progress, Reply
from bot.surface import Incoming
from core.conversation import ChatRef
from core.engine import Engine, open_engine
from core.settings import Settings
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel

SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
SEED = int(os.environ.get("SOAK_SEED", str(int(time.time()))))
CHATS = 12
ANSWERED_WITHIN = 90.0  # seconds; a message without an outcome by then has none
KEYS = ("acme/nova-8b", "acme/mini-1b", "beta/orion-4b")
FAULTS = (
    ("/v1/chat/completions", "status:503"),
    ("/v1/chat/completions", "html:502"),
    ("/v1/chat/completions", "drop"),
    ("/v1/chat/completions", "drop-mid:3"),
    ("/v1/chat/completions", "garbage"),
    ("/v1/chat/completions", "empty"),
    ("/v1/chat/completions", "error-event"),
    ("/v1/chat/completions", "crash:2"),
    ("/api/v1/models", "html:500"),
    ("/api/v0/models", "drop"),
    ("/llm", "drop"),
    ("getOrLoad", "status:500"),
    ("getOrLoad", "warning"),
)


def _models(dice: random.Random) -> list[FakeModel]:
    return [
        FakeModel(
            key,
            load_seconds=dice.uniform(0.1, 1.0),
            token_delay=0.005,
            reply="uma resposta de algumas palavras para cada pergunta que chega",
            size_bytes=1_000_000_000 * (1 + n),
        )
        for n, key in enumerate(KEYS)
    ]


class Soak:
    """The hosts, the people and what became of their messages."""

    def __init__(self, engine: Engine, hosts: list[FakeLMStudio], dice: random.Random) -> None:
        self.assistant = Assistant(engine)
        self.hosts = hosts
        self.dice = dice
        self.outcomes: Counter[str] = Counter()
        self.duplicates: list[str] = []
        self.until = time.monotonic() + SECONDS

    async def person(self, number: int) -> None:
        """Talks, changes models, stops and unloads, one thing after the other."""
        chat = ChatRef("soak", str(number))
        while time.monotonic() < self.until:
            text = self.dice.choices(
                ["oi, tudo bem?", f"/use {self.dice.choice(KEYS)}", "/retry", "/unload", "/models", "/reset"],
                [30, 4, 2, 1, 1, 1],
            )[0]
            try:
                async with asyncio.timeout(ANSWERED_WITHIN):
                    last = await self._say(chat, text)
            except TimeoutError:
                self.outcomes["none"] += 1
                continue
            self.outcomes[_outcome(last)] += 1

    async def _say(self, chat: ChatRef, text: str) -> Card | None:
        last = None
        stopping = self.dice.random() < 0.03  # dice, not secrets
        async for card in self.assistant.respond(Incoming(chat, chat.chat, text, local=True)):
            last = card
            if stopping and isinstance(card, Reply) and not card.done:
                stopping = False
                self.assistant.cancel(chat)
        return last

    async def trouble(self) -> None:
        """Every second something breaks, and now and then a whole host."""
        while time.monotonic() < self.until:
            await asyncio.sleep(1)
            host = self.dice.choice(self.hosts)
            if self.dice.random() < 0.08:  # dice
                host.go_down(self.dice.uniform(0.5, 5))
                continue
            target, kind = self.dice.choice(FAULTS)
            host.fault(target, kind)
            self.look()

    def look(self) -> None:
        """No model may ever be in a host's memory twice."""
        for host in self.hosts:
            keys = Counter(instance.model.key for instance in host.instances())
            self.duplicates += [key for key, times in keys.items() if times > 1]
            host.log.clear()  # the fake remembers everything, which would hide what the bot keeps
            host.bodies.clear()


def _outcome(card: Card | None) -> str:
    match card:
        case Reply(done=True, failed=failed):
            return "broken" if failed else "answered"
        case Notice(tone=tone):
            return f"notice-{tone.value}"
        case Listing() | Choice():
            return "listing"
        case Progress() | None:
            return "none"
        case _:
            return "none"


@pytest.mark.bench
@pytest.mark.timeout(0)
async def test_soak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every message has an outcome, nothing is loaded twice, nothing is left behind."""
    dice = random.Random(SEED)  # noqa: S311  # dice
    process = psutil.Process()
    before = len(asyncio.all_tasks())
    async with AsyncExitStack() as stack:
        hosts = [await stack.enter_async_context(FakeLMStudio(_models(dice))) for _ in range(3)]
        urls = tuple(host.url for host in hosts)
        settings = Settings(
            _env_file=None,
            data_dir=tmp_path,
            lmstudio_urls=urls,
            embedded="off",
            sync_every=2,
            log_level="ERROR",
        )
        async with open_engine(settings) as engine:
            engine.start()
            await engine.catalog.settled.wait()
            soak = Soak(engine, hosts, dice)
            people = [asyncio.create_task(soak.person(n)) for n in range(CHATS)]
            troubles = asyncio.create_task(soak.trouble())
            memory = await _watch_memory(process, SECONDS)
            await asyncio.gather(*people, troubles)
            soak.look()
    gc.collect()
    left = len(asyncio.all_tasks()) - before
    connections = [c for c in process.net_connections("tcp") if c.status == psutil.CONN_ESTABLISHED]
    with capsys.disabled():
        print(f"\nseed {SEED}, {SECONDS:.0f} s, {CHATS} chats, 3 hosts: {dict(soak.outcomes)}")
        print(f"memory in MB by fifths of the time: {[round(m / 1e6) for m in memory]}")
        print(f"duplicates {len(soak.duplicates)}, tasks left {left}, connections left {len(connections)}")
    assert soak.outcomes["none"] == 0
    assert soak.duplicates == []
    assert (left, connections) == (0, [])
    assert soak.outcomes["answered"] > 0


async def _watch_memory(process: psutil.Process, seconds: float) -> list[int]:
    figures = []
    for _ in range(5):
        await asyncio.sleep(seconds / 5)
        figures.append(int(process.memory_info().rss))
    return figures
