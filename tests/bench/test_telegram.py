"""What an answer costs on Telegram: `python -m pytest -m bench -s tests/bench/test_telegram.py`.

The shipped program between a Bot API server that takes 50 ms for each call and an LM Studio that says 50 (or 200)
words a second. Printed; asserted is only what must hold on any machine: whole answers, no refusal, and that the
strict limit costs no more than a quarter of what the model takes.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil
import pytest

from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.fakes.telegram.server import Chat, FakeTelegram, Switches
from tests.sockets.program import PATIENCE
from tests.sockets.telegram_program import telegram_bot

LATENCY = 0.05  # seconds a call is on its way
ROUNDS = 3
QUIET = 1.2  # seconds after which a chat bears the next call


@dataclass(frozen=True)
class Scene:
    name: str
    chats: int
    tokens_per_second: float
    tokens: int
    strict: bool = False

    @property
    def seconds(self) -> float:
        """What the model takes at the least."""
        return self.tokens / self.tokens_per_second


STRICT = 1.25  # times what the model takes
SCENES = (
    Scene("one chat, 50 tokens/s x 200", 1, 50, 200),
    Scene("ten chats, 50 tokens/s x 200", 10, 50, 200),
    Scene("five chats, 200 tokens/s x 800", 5, 200, 800),
    Scene("one chat, 50 tokens/s x 200, one call a second or 429 for 3 s", 1, 50, 200, strict=True),
)


@dataclass(frozen=True)
class Figures:
    """Of one answer, in seconds."""

    to_request: float
    first_words: float
    model: float
    after_last_token: float
    whole: float
    calls: int


def model(number: int, scene: Scene) -> FakeModel:
    """Each chat has a model of its own, so that the host's journal tells them apart."""
    words = " ".join(f"p{n}" for n in range(scene.tokens))
    name = f"acme/m{number}x-1b"
    return FakeModel(
        name, f"M{number}x", size_bytes=10_000_000, reply=words, token_delay=1 / scene.tokens_per_second
    )


async def _answer(telegram: FakeTelegram, lmstudio: FakeLMStudio, chat: Chat, scene: Scene) -> Figures:
    key = f"acme/m{chat.id}x-1b"
    calls, answers = len(telegram.calls), len(chat.answers)
    last = f"p{scene.tokens - 1}"
    began = time.monotonic()
    await chat.send(chat.owner, "conte")
    answer = await chat.wait_for(
        lambda m: m.by_bot and m.text.endswith(last) and m in chat.answers[answers:],
        timeout=PATIENCE + scene.seconds,
    )
    assert answer.text.split() == [f"p{n}" for n in range(scene.tokens)]
    await asyncio.sleep(QUIET)
    of_model = [r for r in lmstudio.journal.records if r.model == key]
    started = [r.at for r in of_model if r.kind == "generation_started"][-1]
    finished = [r.at for r in of_model if r.kind == "generation_finished"][-1]
    drafts = [d.at for d in chat.drafts if d.at > began and "p0" in d.text]
    stood = max(answer.at, *answer.edited) if answer.edited else answer.at
    mine = [c for c in telegram.calls[calls:] if c.chat == chat.id]
    return Figures(
        started - began, min([*drafts, stood]) - began, finished - started,
        stood - finished, stood - began, len(mine),
    )  # fmt: skip


async def _scene(scene: Scene, tmp_path: Path) -> str:
    switches = Switches(latency=LATENCY, calls_per_second=1 if scene.strict else None)
    models = [model(n + 1, scene) for n in range(scene.chats)]
    async with (
        FakeTelegram(switches=switches) as telegram,
        FakeLMStudio(models, loaded=[m.key for m in models]) as lmstudio,
        telegram_bot(tmp_path, telegram, lmstudio.url, {"LOG_LEVEL": "INFO"}) as bot,
    ):
        people = [telegram.person(n + 1, language_code="pt-br") for n in range(scene.chats)]
        chats = [telegram.private(person) for person in people]
        for chat in chats:
            await chat.send(chat.owner, f"/usar m{chat.id}x")
        for chat in chats:
            await chat.wait_for(lambda m: m.by_bot and "Agora uso" in m.text, timeout=PATIENCE)
        await telegram.wait_for("setMyCommands", 6, timeout=PATIENCE)
        await asyncio.sleep(QUIET)
        process = psutil.Process(bot.process.pid)
        idle, cpu = process.memory_info().rss, sum(process.cpu_times()[:2])
        figures: list[Figures] = []
        for _ in range(ROUNDS):
            figures += await asyncio.gather(*(_answer(telegram, lmstudio, chat, scene) for chat in chats))
        used = sum(process.cpu_times()[:2]) - cpu
        memory = process.memory_info().rss
        refused = telegram.count(status=429)
    assert refused == 0
    if scene.strict:  # of a model that takes 4 s: within 5
        assert median(one.whole / one.model for one in figures) <= STRICT
    return _told(scene, figures, used, (idle, memory))


def _told(scene: Scene, figures: list[Figures], used: float, memory: tuple[int, int]) -> str:
    def of(name: str) -> str:
        values = [getattr(one, name) for one in figures]
        return f"{median(values) * 1000:.0f} ms (at most {max(values) * 1000:.0f})"

    calls = [one.calls for one in figures]
    lines = [
        f"{scene.name}; {len(figures)} answers",
        f"  update to request at LM Studio  {of('to_request')}",
        f"  update to first words shown     {of('first_words')}",
        f"  the model itself                {of('model')}",
        f"  last token to final text        {of('after_last_token')}",
        f"  update to final text            {of('whole')}",
        f"  calls an answer                 {median(calls):g} (at most {max(calls)})",
        f"  CPU an answer                   {used / len(figures) * 1000:.0f} ms",
        f"  resident memory                 {memory[0] / 1e6:.0f} MB before, {memory[1] / 1e6:.0f} MB after",
    ]
    return "\n".join(lines)


@pytest.mark.bench
@pytest.mark.timeout(300)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_an_answer_on_telegram(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whole, and nothing is refused; how long it took is printed, and under the strict limit it is 5 s for 4 s."""
    told = await _scene(scene, tmp_path)
    with capsys.disabled():
        print(f"\n{told}")
