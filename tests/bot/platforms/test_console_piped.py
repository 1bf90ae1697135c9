"""The console without a terminal: lines in, plain text out."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.cards import Card, Notice, Progress, Reply, Secret, Tone
from bot.platforms.console import ConsolePlatform, ConsoleTexts
from bot.showing import show
from bot.surface import Incoming
from core.conversation import ChatRef
from tests.bot.platforms.terminal import PROGRAM, ROOT
from tests.fakes.responder import FakeResponder

ENV = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes as POSIX has them")


def run_program(sent: bytes, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, str(PROGRAM)],
        input=sent,
        capture_output=True,
        env={**ENV, **(env or {})},
        timeout=30,
        check=False,
    )


def start_program() -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, str(PROGRAM)], stdin=pipe, stdout=pipe, stderr=pipe, env=ENV, bufsize=0
    )


async def talk(
    sent: str, fake: FakeResponder, texts: ConsoleTexts | None = None
) -> tuple[ConsolePlatform, str, str]:
    out, err = io.StringIO(), io.StringIO()
    platform = ConsolePlatform(stdin=io.StringIO(sent), stdout=out, stderr=err, texts=texts)
    await platform.run(fake)
    return platform, out.getvalue(), err.getvalue()


async def test_each_line_is_a_message() -> None:
    """Every line that is not blank is heard once, from the person at the machine, in the reader's language."""
    fake = FakeResponder()
    _, out, _ = await talk("one\n\n  \n two \r\nlast", fake, ConsoleTexts(language="en"))
    chat = ChatRef("console", "local")
    assert fake.heard == [
        Incoming(chat, "local", text, language="en", local=True, private=True, draws=False)
        for text in ("one", "two", "last")
    ]
    assert out == "`'one'`\n\n`'two'`\n\n`'last'`\n\n"


async def test_nobody_is_greeted() -> None:
    """A pipe gets answers only."""
    fake = FakeResponder(greeting=[Notice(Tone.INFO, "Welcome")])
    _, out, err = await talk("", fake)
    assert (out, err, fake.greeted) == ("", "", [])


async def test_only_the_final_card_is_printed() -> None:
    """What is on the way is not printed; each step of progress is one line on standard error."""
    steps: list[Card] = [Progress("Load", n / 100, f"{n} s") for n in range(0, 101, 5)]
    cards = [*steps, Reply("half", done=False), Reply("half done", done=True, footnote="f")]

    async def slowly(_: Incoming) -> AsyncIterator[Card]:
        for card in cards:
            yield card
            await asyncio.sleep(0.085)

    _, out, err = await talk("go\n", FakeResponder({"go": slowly}))
    assert out == "half done\nf\n\n"
    told = err.splitlines()
    assert all(line.startswith("Load · ") for line in told)
    assert 2 <= len(told) <= 11
    assert len(set(told)) == len(told)


async def test_a_new_title_is_told() -> None:
    """Progress without a fraction is told once for each title, whatever its detail does."""

    async def titles(_: Incoming) -> AsyncIterator[Card]:
        for title, detail in (("Wait", "1"), ("Wait", "2"), ("Load", "3")):
            yield Progress(title, None, detail)
            await asyncio.sleep(0.1)
        yield Notice(Tone.SUCCESS, "Done")

    _, _, err = await talk("go", FakeResponder({"go": titles}))
    assert err == "Wait · 1\nLoad · 3\n"


@pytest.mark.parametrize(
    ("card", "failed"),
    [
        (Notice(Tone.ERROR, "no"), True),
        (Notice(Tone.WARNING, "hm"), False),
        (Reply("half", done=True, failed=True), True),
        (Reply("all", done=True), False),
    ],
)
async def test_failed_tells_of_any_error(card: Card, failed: bool) -> None:  # noqa: FBT001  # a table of cases
    """One final card that is an error is enough, wherever it comes; another run starts afresh."""
    platform, _, _ = await talk("bad\ngood\n", FakeResponder({"bad": [card]}))
    assert platform.failed is failed


async def test_an_answer_without_cards_prints_nothing() -> None:
    """No card, no line."""
    _, out, _ = await talk("nothing\nmore\n", FakeResponder({"nothing": []}))
    assert out == "`'more'`\n\n"


async def test_control_characters_stay_out() -> None:
    """Neither stream carries an escape sequence of a model."""

    async def evil(_: Incoming) -> AsyncIterator[Card]:
        yield Progress("\x1b[2Jtitle", 0.5, "\x9bdetail")
        await asyncio.sleep(0.1)
        yield Reply("\x1b]0;t\x07text", done=True)

    _, out, err = await talk("go", FakeResponder({"go": evil}))
    assert out == "]0;ttext\n\n"
    assert err.startswith("[2Jtitle · ")
    assert not {"\x1b", "\x9b"} & set(out + err)


async def test_reading_can_be_cancelled() -> None:
    """A run that waits for input ends at once when it is cancelled, and the loop was never blocked."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin:
        platform = ConsolePlatform(stdin=stdin, stdout=io.StringIO(), stderr=io.StringIO())
        asked = asyncio.Event()

        async def answer(_: Incoming) -> AsyncIterator[Card]:
            asked.set()
            yield Reply("", done=True)

        running = asyncio.create_task(platform.run(FakeResponder({"first": answer})))
        os.write(writing, b"first\n")
        await asked.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        os.close(writing)  # lets the reading thread end


async def test_news_that_nobody_asked_for() -> None:
    """The platform's surface prints whole cards and leaves out what is only on the way to them."""
    out = io.StringIO()
    platform = ConsolePlatform(stdin=io.StringIO(), stdout=out, stderr=io.StringIO())

    async def news() -> AsyncIterator[Card]:
        yield Progress("Wait", None)
        await asyncio.sleep(0)
        yield Reply("ha", done=False)
        await asyncio.sleep(0)
        yield Reply("half", done=True)

    await show(news(), platform.surface(ChatRef("console", "local")))
    assert out.getvalue() == "half\n\n"


def test_another_chat_has_no_surface() -> None:
    """There is one chat at a terminal."""
    with pytest.raises(ValueError, match="telegram"):
        ConsolePlatform(stdin=io.StringIO()).surface(ChatRef("telegram", "1"))


async def test_a_secret_is_answered_by_the_next_line() -> None:
    """The line after the question goes to its command, never to a model; a command instead drops the question."""
    fake = FakeResponder({"/key": [Secret("Key?", "key", "key openai")]})
    await talk("/key\nsk-123\nhello\n/key\n/models\n", fake)
    assert [i.text for i in fake.heard] == ["/key", "/key openai sk-123", "hello", "/key", "/models"]


def test_exit_at_the_end_of_input() -> None:
    """The program ends with the input; bytes that are no UTF-8 are replaced, a byte order mark is dropped."""
    done = run_program(b"\xef\xbb\xbfol\xc3\xa1\nbad \xff byte")
    assert done.returncode == 0
    assert done.stdout.decode() == "`'olá'`\n\n`'bad \N{REPLACEMENT CHARACTER} byte'`\n\n"
    assert done.stderr == b""


def test_exit_code_of_an_error() -> None:
    """An error among the final cards is told by `failed`, and what follows it is still answered."""
    done = run_program(b"fail\nhello\n")
    assert done.returncode == 1
    assert done.stdout.decode() == "It failed\n\n`'hello'`\n\n"


def test_poor_encoding_does_not_crash() -> None:
    """On an ASCII output everything is printed, poorly where it must be."""
    done = run_program("load\nolá\n".encode(), {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert b"Ready" in done.stdout
    assert b"'ol?'" in done.stdout
    assert b"Loading qwen - " in done.stderr


@POSIX
def test_a_reader_that_leaves_ends_it_quietly() -> None:
    """When nobody reads the output any more the program ends without a word of complaint."""
    program = start_program()
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdin.write(b"one\n")
    assert program.stdout.readline() == b"`'one'`\n"
    program.stdout.close()
    program.stdin.write(b"two\nthree\n")
    assert program.wait(20) == 0
    assert program.stderr.read() == b""
    program.stdin.close()
    program.stderr.close()


@POSIX
@pytest.mark.parametrize("message", [b"", b"endless\n"])
def test_an_interrupt_ends_it(message: bytes) -> None:
    """SIGINT cancels the run, whether it waits for a line or for an answer, and leaves no thread hanging."""
    program = start_program()
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdin.write(b"hello\n" + message)
    program.stdout.readline()
    program.send_signal(signal.SIGINT)
    program.wait(20)
    assert b"Fatal" not in program.stderr.read()
    for stream in (program.stdin, program.stdout, program.stderr):
        stream.close()


def test_a_pipe_starts_quickly() -> None:
    """A pipe brings in neither prompt-toolkit nor rich, nor the parser of Markdown."""
    code = (
        "import asyncio, io, sys\n"
        "from bot.platforms.console import ConsolePlatform\n"
        "from tests.fakes.responder import FakeResponder\n"
        "asyncio.run(ConsolePlatform(stdin=io.StringIO('hi')).run(FakeResponder()))\n"
        "print({m.split('.')[0] for m in sys.modules} & {'rich', 'prompt_toolkit', 'markdown_it', 'pygments'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=ENV, cwd=ROOT, timeout=30, check=True
    )
    assert done.stdout.decode().splitlines()[-1] == "set()"


@pytest.fixture
def disk(tmp_path: Path) -> Callable[[bytes], Path]:
    """Makes a file to read from."""

    def make(content: bytes) -> Path:
        path = tmp_path / "input.txt"
        path.write_bytes(content)
        return path

    return make


async def test_many_lines_from_a_file(disk: Callable[[bytes], Path]) -> None:
    """A file longer than any buffer arrives line by line, whole and in order."""
    sent = [f"line {n} " + "é" * (n % 500) for n in range(700)]
    with disk("\n".join(sent).encode()).open(encoding="utf-8") as stdin:
        fake = FakeResponder()
        await ConsolePlatform(stdin=stdin, stdout=io.StringIO(), stderr=io.StringIO()).run(fake)
    assert [i.text for i in fake.heard] == [line.strip() for line in sent]
