"""/metrics: read by the client library's own parser, equal to what was done; the dashboard asks for what is there."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from prometheus_client.parser import text_string_to_metric_families

import bot
from bot.begin import complain
from bot.metrics import PREFIX, Metrics
from bot.showing import show
from bot.standing import Standing
from bot.surface import SlowDown
from bot.texts import Speech
from bot.watch import Watch, watching
from core.conversation import Delta, Done, Usage
from core.errors import Interrupted, LoadFailed
from core.model import FailureKind
from tests.bot.talk import Talk, talking
from tests.bot.test_standing import FakePlatform
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, FakeProvider, a_model
from tests.fakes.responder import FakeResponder
from tests.fakes.surface import FakeSurface

DASHBOARD = Path(bot.__file__).parent / "deploy" / "grafana.json"
NOVA, MINI = a_model(), a_model("acme/mini-1b")


class Gate(asyncio.Event):
    """Tells that somebody waits at it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


class Program:
    """A conversation, and the metrics of it."""

    def __init__(self, talk: Talk, clock: FakeClock) -> None:
        self.talk = talk
        self.clock = clock
        self.standing = Standing(complain=partial(complain, t=Speech("en")))
        self.metrics = Metrics(talk.engine, self.standing)
        talk.engine.measures.listen(self.metrics.heard)
        watching.set(Watch("console", self.metrics))

    def read(self) -> dict[tuple[str, ...], float]:
        """Every sample by its name and the values of its labels, in the order of the labels' names."""
        page, content_type = self.metrics.page()
        assert content_type.startswith("text/plain")
        found = {}
        for family in text_string_to_metric_families(page.decode()):
            assert family.documentation
            for sample in family.samples:
                values = [value for _, value in sorted(sample.labels.items())]
                found[(sample.name.removeprefix(f"{PREFIX}_"), *values)] = sample.value
        return found


@asynccontextmanager
async def measured(folder: Path, *providers: FakeLoader | FakeProvider) -> AsyncIterator[Program]:
    clock = FakeClock(rushing=True)
    async with talking(folder, *providers, clock=clock) as talk:
        yield Program(talk, clock)


async def test_answers_and_loads(tmp_path: Path) -> None:
    """A load that fails, one that works, an answer that ends and one that breaks."""
    host = FakeLoader([NOVA, MINI])
    host.loads[MINI.key] = [(LoadFailed(MINI, FailureKind.CRASHED, "exit 6"),)]
    host.answers = [
        [Delta("Certainly"), Done("stop", Usage(12, 2))],
        [Delta("half"), Interrupted(NOVA, "ReadError")],
    ]
    async with measured(tmp_path, host) as program:
        await program.talk.say("/load mini")
        await program.talk.say("/use nova")
        await program.talk.say("oi")
        await program.talk.say("tudo")
        found = program.read()
    nova = (NOVA.key, "lmstudio")
    assert found["loads_total", "fake:1", MINI.key, "crashed"] == 1
    assert found["loads_total", "fake:1", NOVA.key, "ok"] == 1
    assert found["load_seconds_count", "fake:1", NOVA.key] == 1
    assert ("load_seconds_count", "fake:1", MINI.key) not in found
    assert found["answers_total", NOVA.key, "done", "lmstudio"] == 1
    assert found["answers_total", NOVA.key, "broken", "lmstudio"] == 1
    assert found["first_token_seconds_count", *nova] == 2
    assert found["answer_seconds_count", *nova] == 1
    assert (found["tokens_total", "in", *nova], found["tokens_total", "out", *nova]) == (12, 2)
    assert found["problems_total", "LoadFailed"] == 1
    assert found["problems_total", "Interrupted"] == 1


async def test_seconds(tmp_path: Path) -> None:
    """First word, whole answer and words a second, by a clock that is moved by hand."""
    host = FakeLoader([NOVA])
    first, last = Gate(), asyncio.Event()
    host.answers = [[first, Delta("a"), last, Done("stop", Usage(5, 30))]]
    clock = FakeClock()
    async with talking(tmp_path, host, clock=clock) as talk:
        program = Program(talk, clock)
        await talk.say("/load nova")
        saying = talk.begin("oi")
        await first.reached.wait()
        await clock.advance(2)
        first.set()
        await saying.until("a")
        await clock.advance(3)
        last.set()
        await saying.last()
        found = program.read()
    nova = (NOVA.key, "lmstudio")
    assert found["first_token_seconds_sum", *nova] == pytest.approx(2)
    assert found["answer_seconds_sum", *nova] == pytest.approx(5)
    assert found["answer_tokens_per_second_sum", *nova] == pytest.approx(10)


async def test_a_stopped_answer(tmp_path: Path) -> None:
    """Whoever stops it is not counted as a failure."""
    host = FakeLoader([NOVA])
    host.answers = [[Delta("half"), asyncio.Event(), Done("stop")]]
    async with measured(tmp_path, host) as program:
        saying = program.talk.begin("oi")
        await saying.until("half")
        await program.talk.say("/stop")
        await saying.last()
        found = program.read()
    assert found["answers_total", NOVA.key, "stopped", "lmstudio"] == 1
    assert ("problems_total", "Interrupted") not in found


async def test_how_things_stand(tmp_path: Path) -> None:
    """Platforms, hosts, models and queues, at the moment of reading."""
    host = FakeLoader([NOVA, MINI])
    gate = asyncio.Event()
    host.answers = [[Delta("half"), gate, Done("stop")]]
    async with measured(tmp_path, host, FakeProvider()) as program:
        running = asyncio.create_task(program.standing.run(FakePlatform("telegram"), FakeResponder()))
        await program.talk.say("/use nova")
        saying = program.talk.begin("oi")
        await saying.until("half")
        found = program.read()
        gate.set()
        await saying.last()
        after = program.read()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert found["platform_up", "telegram"] == 1
    assert (found["host_up", "fake:1", "lmstudio"], found["host_up", "", "vendor"]) == (1, 1)
    assert found["models", "fake:1", "lmstudio", "loaded"] == 1
    assert found["models", "fake:1", "lmstudio", "on-disk"] == 1
    queue = f"fake:1|{NOVA.key}"
    assert (found["queue_answering", queue], found["queue_waiting", queue]) == (1, 0)
    assert after["queue_answering", queue] == 0


async def test_deliveries(tmp_path: Path) -> None:
    """Pauses that a platform asks for, and how long a finished card takes to stand."""
    async with measured(tmp_path, FakeLoader([NOVA])) as program:
        clock = FakeClock()
        surface = FakeSurface(clock, script=[SlowDown(7.0), None])
        async with clock.passing():
            await show(FakeResponder().respond(program.talk.asker()), surface, clock)
        found = program.read()
    assert found["rate_limit_hits_total", "console"] == 1
    assert found["delivery_wait_seconds_count", "console"] == 1
    assert found["delivery_wait_seconds_sum", "console"] == pytest.approx(7.0)


async def test_the_dashboard(tmp_path: Path) -> None:
    """Every name that the Grafana dashboard asks for is one that the program tells."""
    async with measured(tmp_path, FakeLoader([NOVA])) as program:
        program.metrics.page()
        told = set()
        for family in text_string_to_metric_families(program.metrics.page()[0].decode()):
            suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(
                family.type, [""]
            )
            told |= {family.name + suffix for suffix in suffixes}
    dashboard = json.loads(await asyncio.to_thread(DASHBOARD.read_text, "utf-8"))
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(rf"{PREFIX}_\w+", target["expr"])
    }
    assert asked - told == set()
    ours = {name for name in told if not name.startswith(f"{PREFIX}_process_")}
    shown = {name.removesuffix(end) for name in asked for end in ("_bucket", "_sum", "_count", "_total")}
    assert {name.rsplit("_", 1)[0] for name in ours if name.endswith("_bucket")} <= shown
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
