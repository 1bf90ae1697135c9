"""The shipped program in a real terminal: stopping, leaving and dying in mid-answer."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect

from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.sockets.program import PATIENCE, ROOT, environment

NOVA = "acme/nova-8b"
ENDLESS = "palavra " * 5000


def talkative() -> list[FakeModel]:
    return [FakeModel(NOVA, "Nova 8B", reply=ENDLESS, token_delay=0.01)]


@contextmanager
def terminal(data_dir: Path, url: str, **settings: str) -> Iterator["pexpect.spawn[str]"]:
    """The program in a terminal of 100 columns; closing it is what closing the window does."""
    env = environment(data_dir, LMSTUDIO_URLS=url, TERM="xterm-256color", **settings)
    child = pexpect.spawn(
        sys.executable,
        ["-m", "bot"],
        cwd=str(ROOT),
        env=env,
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=(40, 100),
    )
    try:
        yield child
    finally:
        child.close(force=True)


async def sees(child: "pexpect.spawn[str]", words: str) -> None:
    """Wait, beside the event loop that serves LM Studio, until the words are on the screen."""
    await asyncio.to_thread(child.expect_exact, words)


async def asked(child: "pexpect.spawn[str]", server: FakeLMStudio) -> None:
    """A long answer is under way on the screen."""
    await sees(child, "Nova 8B")
    await sees(child, "›")
    child.sendline("conte até o fim")
    await server.wait_for("generation_started", timeout=PATIENCE)
    await sees(child, "palavra")


async def stopped_within_a_second(server: FakeLMStudio) -> None:
    """The server notices within a second that nobody listens any more."""
    before = asyncio.get_running_loop().time()
    await server.wait_for("generation_stopped", timeout=PATIENCE)
    assert asyncio.get_running_loop().time() - before < 1.0


async def test_ctrl_c_stops_the_answer_at_the_server(tmp_path: Path) -> None:
    """Ctrl-C ends the generation within a second; the text stays and the prompt comes back."""
    async with FakeLMStudio(talkative(), loaded=[NOVA]) as server:
        with terminal(tmp_path, server.url) as child:
            await asked(child, server)
            child.sendintr()
            await stopped_within_a_second(server)
            await sees(child, "resposta parada")
            child.sendeof()
            await asyncio.to_thread(child.expect, pexpect.EOF)
            child.close()
            assert child.exitstatus == 0


async def test_leaving_stops_the_answer_at_the_server(tmp_path: Path) -> None:
    """Ctrl-D in mid-answer ends the generation within a second, and the program."""
    async with FakeLMStudio(talkative(), loaded=[NOVA]) as server:
        with terminal(tmp_path, server.url) as child:
            await asked(child, server)
            child.sendeof()
            await stopped_within_a_second(server)
            await asyncio.to_thread(child.expect, pexpect.EOF)


async def test_closing_the_window_stops_the_answer_at_the_server(tmp_path: Path) -> None:
    """A terminal that is gone ends the generation within a second."""
    async with FakeLMStudio(talkative(), loaded=[NOVA]) as server:
        with terminal(tmp_path, server.url) as child:
            await asked(child, server)
            child.close(force=False)
            await stopped_within_a_second(server)


async def test_a_dead_host_in_mid_answer_keeps_what_had_come(tmp_path: Path) -> None:
    """Killing LM Studio while it answers keeps the text, says what happened and offers to redo."""
    async with FakeLMStudio(talkative(), loaded=[NOVA]) as server:
        with terminal(tmp_path, server.url) as child:
            await asked(child, server)
            await server.kill()
            await sees(child, "A resposta foi interrompida")
            await sees(child, "Refazer")


async def test_a_killed_program_can_answer_the_question_after_its_restart(tmp_path: Path) -> None:
    """A kill -9 in mid-answer loses nothing that was asked: /refazer answers it in the next process."""
    async with FakeLMStudio(talkative(), loaded=[NOVA]) as server:
        with terminal(tmp_path, server.url) as child:
            await asked(child, server)
            child.kill(signal.SIGKILL)
            await stopped_within_a_second(server)
        server.model(NOVA).reply = None
        with terminal(tmp_path, server.url) as child:
            await sees(child, "Nova 8B")
            await sees(child, "›")
            child.sendline("/refazer")
            await sees(child, "You said: conte até o fim")
