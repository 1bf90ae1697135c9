"""Traps G: parallel requests. What a person sees and what LM Studio saw."""

import asyncio
from pathlib import Path

import pytest

from tests.contract.person import person
from tests.fakes.clock import FakeClock
from tests.fakes.lmstudio.catalog import Messages
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NOVA = "acme/nova-8b"
SHARED = Switches(shared_context=True)
LONG, FITTING = 600, 250  # words; alone the second fits into 400 tokens, beside the first it does not


def talkative(messages: Messages) -> str:
    """Far more than fits for "longo", a good deal for anybody else."""
    n = LONG if messages[-1]["content"] == "longo" else FITTING
    return " ".join(["palavra"] * (n - 1) + ["fim"])


async def test_g1_the_innocent_victim_of_a_neighbours_overflow_is_answered_after_all(tmp_path: Path) -> None:
    """One answer too long fails both: the other begins again by itself, once, and only the guilty one is cut."""
    hold = asyncio.Event()
    model = FakeModel(NOVA, context_length=400, hold_reply=hold, reply=talkative)
    async with (
        FakeLMStudio([model], loaded=[NOVA], switches=SHARED) as server,
        person(tmp_path, server) as ana,
    ):
        guilty = ana.begin("longo")
        victim = ana.friend("bia").begin("curto")
        await server.wait_for("generation_started", 2)
        hold.set()
        answer = await victim.end()
        assert answer.count("palavra") == FITTING - 1
        assert "fim" in answer
        assert "a resposta recomeçou" in answer
        cut = await guilty.end()
        assert "o contexto do modelo está cheio" in cut
        assert "palavra palavra" in cut
        asked = [body["messages"][-1]["content"] for body in server.bodies]
        assert sorted(asked) == ["curto", "curto", "longo", "longo"]
        assert server.count("load_started") == 0


async def test_g1_what_would_not_fit_together_is_not_sent_together(tmp_path: Path) -> None:
    """Prompt and answer of all in flight are budgeted as one: the second waits though a slot is free."""
    hold = asyncio.Event()
    model = FakeModel(NOVA, context_length=400, hold_reply=hold, reply="ok pronto")
    async with (
        FakeLMStudio([model], loaded=[NOVA], switches=SHARED) as server,
        person(tmp_path, server) as ana,
    ):
        first = ana.begin("a" * 600)
        await server.wait_for("generation_started")
        second = ana.friend("bia").begin("b" * 600)
        await second.shows("1.º na fila")
        assert len(server.bodies) == 1
        hold.set()
        assert "ok pronto" in await first.end()
        assert "ok pronto" in await second.end()
        assert server.count("generation_failed") == 0


async def test_g2_a_neighbours_prompt_may_freeze_an_answer_for_minutes(tmp_path: Path) -> None:
    """Between two words LM Studio may read somebody else's long prompt: nothing is cut for it."""
    clock, hold = FakeClock(), asyncio.Event()
    async with (
        FakeLMStudio([FakeModel(NOVA, hold_reply=hold, hold_after=3)], loaded=[NOVA]) as server,
        person(tmp_path, server, clock=clock) as ana,
    ):
        saying = ana.begin("oi")
        await saying.shows("Nova 8B heard")
        await clock.asleep()
        await clock.advance(330)
        hold.set()
        answer = await saying.end()
        assert "You said: oi" in answer
        assert "interrompida" not in answer


async def test_g3_an_mlx_instance_has_one_conversation_at_a_time(tmp_path: Path) -> None:
    """Concurrent requests spoil each other's prompt cache: the second waits for its turn, and sees that."""
    hold = asyncio.Event()
    model = FakeModel(NOVA, format="mlx", parallel=4, hold_reply=hold)
    async with FakeLMStudio([model], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        first = ana.begin("um")
        await server.wait_for("generation_started")
        second = ana.friend("bia").begin("dois")
        await second.shows("1.º na fila")
        assert len(server.bodies) == 1
        hold.set()
        assert "You said: um" in await first.end()
        assert "You said: dois" in await second.end()


@pytest.mark.parametrize("together", [2, 3])
async def test_g4_how_many_an_mlx_engine_bears_is_a_setting(tmp_path: Path, together: int) -> None:
    """MLX_PARALLEL requests are sent at once, and no more."""
    hold = asyncio.Event()
    model = FakeModel(NOVA, format="mlx", parallel=4, hold_reply=hold)
    async with (
        FakeLMStudio([model], loaded=[NOVA]) as server,
        person(tmp_path, server, mlx_parallel=together) as ana,
    ):
        sayings = [ana.friend(f"chat{n}").begin(f"oi {n}") for n in range(together)]
        await server.wait_for("generation_started", together)
        last = ana.begin("e eu?")
        await last.shows("1.º na fila")
        assert len(server.bodies) == together
        hold.set()
        for saying in [*sayings, last]:
            assert "You said:" in await saying.end()


async def test_g5_lm_studios_own_queue_is_never_used(tmp_path: Path) -> None:
    """Eight chats at two slots: at most two are ever sent, everybody is answered, in the order of arrival."""
    hold = asyncio.Event()
    model = FakeModel(NOVA, parallel=2, hold_reply=hold)
    async with FakeLMStudio([model], loaded=[NOVA]) as server, person(tmp_path, server) as ana:
        sayings = [ana.friend(f"chat{n}").begin(f"oi {n}") for n in range(8)]
        await server.wait_for("generation_started", 2)
        await sayings[-1].shows("na fila")
        hold.set()
        answers = [await saying.end() for saying in sayings]
        assert all(f"You said: oi {n}" in answer for n, answer in enumerate(answers))
        assert server.count("generation_queued") == 0
        running = most = 0
        for record in server.log:
            running += record.kind == "generation_started"
            running -= record.kind == "generation_finished"
            most = max(most, running)
        assert most == 2
