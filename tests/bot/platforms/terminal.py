"""A person's terminal: types into a program in a real pty, and reads what stands on the screen."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pexpect
import pyte

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("console_program.py")
PATIENCE = 15.0


class _Screen(pyte.HistoryScreen):
    """Answers the questions that programs ask of terminals (where is the cursor?)."""

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__(columns, rows, history=20_000, ratio=0.5)
        self.answer: Callable[[str], Any] = len

    def write_process_input(self, data: str) -> None:
        self.answer(data)


class Terminal:
    """`see` waits until something is on the screen or in the scrollback above it."""

    def __init__(self, *, columns: int = 80, rows: int = 24, env: Mapping[str, str] | None = None) -> None:
        self.screen = _Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)
        self.raw = ""
        base = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
        self.child: pexpect.spawn[str] = pexpect.spawn(
            sys.executable,
            [str(PROGRAM)],
            cwd=str(ROOT),
            env={**base, "LANG": "C.UTF-8", **(env or {})},
            dimensions=(rows, columns),
            encoding="utf-8",
            codec_errors="replace",
            timeout=PATIENCE,
        )
        self.child.delaybeforesend = None
        self.screen.answer = self.child.send

    def text(self) -> str:
        """The scrollback and the screen, as a person could read it."""
        width = self.screen.columns
        above = ["".join(line[x].data for x in range(width)) for line in self.screen.history.top]
        return "\n".join(line.rstrip() for line in [*above, *self.screen.display])

    def see(self, *words: str) -> str:
        """Wait until all the words are there."""
        return self.until(lambda text: all(word in text for word in words), f"{words!r}")

    def until(self, holds: Callable[[str], bool], what: str) -> str:
        """Wait until the text fulfils a condition."""
        deadline = time.monotonic() + PATIENCE
        while not holds(text := self.text()):
            if not self.listen(deadline - time.monotonic()):
                raise AssertionError(f"{what} not seen in:\n{text}")
        return text

    def listen(self, seconds: float) -> bool:
        """Take in what the program writes next; False when nothing comes or it has ended."""
        if seconds <= 0:
            return False
        try:
            piece = self.child.read_nonblocking(65536, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return False
        self.raw += piece
        self._stream.feed(piece)
        return True

    def type(self, text: str) -> None:
        self.child.send(text)

    def say(self, text: str) -> None:
        """Type a message and Enter."""
        self.child.send(text + "\r")

    def ready(self) -> None:
        """Wait for the greeting and the prompt."""
        self.see("Welcome", "write here")

    def rest(self) -> None:
        """Take in everything until the program has ended."""
        while self.listen(PATIENCE):
            pass

    def end(self) -> int | None:
        """Wait until the program has ended; its exit code."""
        self.rest()
        self.child.close()
        return self.child.exitstatus
