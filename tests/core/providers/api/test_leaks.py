"""Nothing is left behind in the connection pool, however an answer ends, and connections are used again."""

import asyncio
from contextlib import suppress

import pytest

from core.conversation import Delta, ReplyOptions
from core.errors import Problem
from tests.core.providers.api.lab import ASK, Lab, a_lab
from tests.fakes.vendors.script import Row, Say

WIRES = ("openai", "anthropic", "google")


def held(lab: Lab) -> int:
    """Requests that the pool still believes to be under way; httpcore2 has no public word for it."""
    return len(lab.api._calls._http._transport._pool._requests)  # type: ignore[attr-defined]  # see above


@pytest.mark.parametrize("name", WIRES)
async def test_answers_give_their_place_in_the_pool_back(name: str) -> None:
    """Read to the end, left, refused, broken within: no request is held the moment the answer is over."""
    async with a_lab(name) as lab:
        for script in (
            Say(),
            Say(("a", "b", "c"), hold=asyncio.Event()),
            Row(400, {"error": {"message": "no"}}),
            Say(("a",), breaks=Row(0, {"error": {"type": "overloaded_error", "message": "no"}})),
            Say(("a",), cut=True),
        ):
            lab.server.script.append(script)
            events = lab.api.reply(lab.model, ASK, ReplyOptions())
            with suppress(Problem):
                async for event in events:
                    if isinstance(event, Delta) and isinstance(script, Say) and script.hold is not None:
                        break
            await events.aclose()
            assert held(lab) == 0, script


@pytest.mark.parametrize("name", WIRES)
async def test_one_connection_serves_one_answer_after_the_other(name: str) -> None:
    """No new handshake for each message."""
    async with a_lab(name) as lab:
        for _ in range(5):
            await lab.text()
        assert lab.server._runner is not None
        assert lab.server._runner.server is not None
        assert len(lab.server._runner.server.connections) == 1
        ports = {asked.headers["X-Port"] for asked in lab.server.asked}
        assert len(ports) == 1


async def test_fifty_who_leave_at_any_moment_hold_nothing() -> None:
    """Cancelled before the first byte, between words, or at the end."""
    async with a_lab("openai") as lab:
        lab.server.script += [Say(tuple("abcdefgh") * 5) for _ in range(50)]
        tasks = [asyncio.create_task(lab.ask()) for _ in range(50)]
        for turn, task in enumerate(tasks):
            for _ in range(turn):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert held(lab) == 0
        lab.server.script.clear()
        assert await lab.text() == "You said: olá"
