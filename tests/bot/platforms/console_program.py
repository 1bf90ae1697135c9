"""The program that the console tests start: the shipped platform over a scripted responder."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from bot.cards import Button, Card, Choice, Listing, Notice, Progress, Reply, Row, Secret, Tone
from bot.platforms.console import ConsolePlatform, ConsoleTexts
from bot.showing import show
from bot.surface import Completion, Incoming, MenuItem
from core.conversation import ChatRef
from tests.fakes.responder import FakeResponder

GO_ON = asyncio.Event()
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31mred\x00 [bold]plain[/bold] \ud83d end"


def long_markdown() -> str:
    """An answer of several screens, with every kind of block in it."""
    parts = ["# Title here"]
    for n in range(30):
        parts += [f"Paragraph number {n:03d} with **words**.", f"- item a{n:03d}\n- item b{n:03d}"]
    code = "\n".join(f"line_{n:03d} = {n}" for n in range(40))
    parts += [f"```python\n{code}\n```", "| k | v |\n|---|---|\n| cell1 | cell2 |", "The very end."]
    return "\n\n".join(parts)


def responder() -> FakeResponder:
    """Everything the tests ask for, by what is typed."""

    async def stream(_: Incoming) -> AsyncIterator[Card]:
        text = long_markdown()
        for at in range(0, len(text), 37):
            yield Reply(text[:at], done=False, header="HEADER", thinking="a b c")
            await asyncio.sleep(0.004)
        yield Reply(text, done=True, header="HEADER", thinking="a b c", footnote="FOOTNOTE")

    async def tall(_: Incoming) -> AsyncIterator[Card]:
        text = "```python"
        for n in range(40):
            text += f"\nline_{n:03d} = {n}"
            yield Reply(text, done=False)
            await asyncio.sleep(0.02)
        yield Reply(text + "\n```", done=True, footnote="FOOTNOTE")

    async def load(_: Incoming) -> AsyncIterator[Card]:
        for step in range(3):
            yield Progress("Loading qwen", step / 5, f"step {step}")
            await asyncio.sleep(0.1)
        if "HOLD_LOAD" in os.environ:
            await GO_ON.wait()  # the test has seen 40 %
        yield Notice(Tone.SUCCESS, "Ready", "in 0.6 s")

    async def endless(_: Incoming) -> AsyncIterator[Card]:
        yield Reply("Begun to answer", done=False)
        await fake.until_cancelled()
        yield Reply("Begun to answer", done=True, footnote="STOPPED BY YOU")

    async def stuck(_: Incoming) -> AsyncIterator[Card]:
        yield Reply("Stuck half way", done=False)
        await asyncio.Event().wait()

    fake = FakeResponder(
        {
            "stream": stream,
            "tall": tall,
            "load": load,
            "endless": endless,
            "stuck": stuck,
            "evil": [Reply(EVIL, done=True)],
            "evil notice": [Notice(Tone.WARNING, EVIL, EVIL)],
            "fail": [Notice(Tone.ERROR, "It failed")],
            "nothing": [],
            "choose": [Choice("Which one?", (Button("First", "load #one"), Button("Second", "load #two")))],
            "rows": [Listing("Models", (Row("✓", "m1", button=Button("use", "use m1")), Row("✓", "m2")))],
            "/key": [Secret("Key please", "key", "key openai")],
        },
        greeting=[Notice(Tone.INFO, "Welcome", "Everything is ready")],
        commands=[
            MenuItem("models", ("modelos",), "Lists the models"),
            MenuItem("load", (), "Loads a model", "[MODEL]"),
            MenuItem("key", ("chave",), "Takes a key", "[VENDOR]", secret=True),
        ],
        arguments={"load": [Completion("qwen3-8b", "Qwen 3 8B", "5 GB"), Completion("llama-3", "Llama 3")]},
    )
    return fake


async def main() -> int:
    """Run until the person leaves; SIGTERM cancels, SIGUSR1 brings news, SIGUSR2 ends a load."""
    platform = ConsolePlatform(
        history_file=Path(os.environ["HISTORY"]) if "HISTORY" in os.environ else None,
        texts=ConsoleTexts(placeholder="write here", goodbye="goodbye"),
    )
    running = asyncio.create_task(platform.run(responder()))
    news: list[asyncio.Task[Card | None]] = []

    async def cards() -> AsyncIterator[Card]:
        yield Notice(Tone.INFO, "Some news", "while you were typing")

    def tell() -> None:
        news.append(asyncio.create_task(show(cards(), platform.surface(ChatRef("console", "local")))))

    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, GO_ON.set)
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return int(platform.failed)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
