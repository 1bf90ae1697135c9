"""The console in a real terminal, as a person sees it."""

import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

import termios

from tests.bot.platforms.terminal import Terminal

CTRL_C, CTRL_D, CTRL_T, ALT_ENTER, UP = "\x03", "\x04", "\x14", "\x1b\r", "\x1b[A"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Where the program keeps its history: a folder that does not exist yet."""
    return tmp_path / "data" / "history"


@pytest.fixture
def terminal(history: Path) -> Iterator[Terminal]:
    """A terminal of 80 by 24 with the program ready in it."""
    opened = Terminal(env={"HISTORY": str(history)})
    opened.ready()
    yield opened
    opened.child.close(force=True)


def echoes(terminal: Terminal) -> bool:
    """Whether the terminal shows keys by itself, as it does in a shell."""
    return bool(termios.tcgetattr(terminal.child.child_fd)[3] & termios.ECHO)


def test_greets_answers_and_leaves(terminal: Terminal) -> None:
    """A greeting, a prompt, an answer, a goodbye on Ctrl-D with the terminal as it was found."""
    assert not echoes(terminal), "keys are ours while the program runs"
    terminal.say("hello")
    terminal.see("'hello'", "write here")
    terminal.type(CTRL_D)
    terminal.rest()
    assert echoes(terminal)
    assert terminal.end() == 0
    assert "goodbye" in terminal.text()
    assert "\x1b[?25h" in terminal.raw[terminal.raw.rindex("\x1b[?25l") :], "the cursor is shown again"


def test_long_markdown_arrives_once(terminal: Terminal) -> None:
    """An answer of many screens stands in the scrollback whole, in order, nothing twice."""
    terminal.say("stream")
    text = terminal.see("FOOTNOTE", "write here")
    marks = ["HEADER", "(3 palavras)", "Title here"]
    for n in range(30):
        marks += [f"number {n:03d} with words.", f"• item a{n:03d}", f"• item b{n:03d}"]
    marks += [f"line_{n:03d} = {n}\n" for n in range(40)]
    marks += ["cell1", "The very end.", "FOOTNOTE"]
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert {mark: text.count(mark) for mark in marks if text.count(mark) != 1} == {}
    assert "Ctrl-C" not in text


def test_a_block_taller_than_the_screen() -> None:
    """While a code block outgrows a small screen its newest line is seen; in the end it is there once."""
    terminal = Terminal(columns=40, rows=8)
    terminal.see("Everything is ready", "write here")
    terminal.say("tall")
    text = terminal.see("line_025")
    assert "FOOTNOTE" not in text
    assert "line_000" not in text, "what cannot be redrawn must not scroll off"
    text = terminal.see("FOOTNOTE", "write here")
    assert [text.count(f"line_{n:03d} = {n}\n") for n in range(40)] == [1] * 40
    terminal.child.close(force=True)


def test_load_bar_moves_in_place() -> None:
    """Progress is one bar that moves; the result takes its place."""
    terminal = Terminal(env={"HOLD_LOAD": "1"})
    terminal.ready()
    terminal.say("load")
    seen = terminal.see("━", "40%")
    assert seen.count("Loading qwen") == 1
    terminal.child.kill(signal.SIGUSR2)
    text = terminal.see("Ready", "in 0.6 s", "write here")
    assert "Loading qwen" not in text
    terminal.child.close(force=True)


def test_buttons_by_number(terminal: Terminal) -> None:
    """The number of a button presses it; another number, or one when there is no button, is a message."""
    terminal.say("choose")
    terminal.see("[1] First", "[2] Second", "write here")
    terminal.say("3")
    terminal.see("'3'", "write here")
    terminal.say("2")
    terminal.see("'2'", "write here")
    terminal.say("choose")
    terminal.until(lambda text: text.count("[2] Second") == 2, "the choice again")
    terminal.say("2")
    terminal.see("'/load #two'")


def test_buttons_of_rows(terminal: Terminal) -> None:
    """A row with a button is pressed by its number too."""
    terminal.say("rows")
    terminal.see("[1] ✓", "write here")
    terminal.say("1")
    terminal.see("'/use m1'")


def test_ctrl_c_stops_an_answer(terminal: Terminal) -> None:
    """The responder ends the answer with its last card, and the next message is answered."""
    terminal.say("endless")
    terminal.see("Begun to answer", "Ctrl-C interrompe")
    terminal.type(CTRL_C)
    terminal.see("STOPPED BY YOU", "write here")
    terminal.say("next")
    assert "Interrompido" not in terminal.see("'next'")


def test_ctrl_c_twice_ends_what_does_not_end(terminal: Terminal) -> None:
    """What the responder cannot stop is dropped; what was seen of it stays."""
    terminal.say("stuck")
    terminal.see("Stuck half way")
    terminal.type(CTRL_C)
    terminal.type(CTRL_C)
    assert terminal.see("Interrompido.", "write here").count("Stuck half way") == 1
    terminal.say("next")
    terminal.see("'next'")


def test_ctrl_c_clears_the_line(terminal: Terminal) -> None:
    """At the prompt Ctrl-C forgets what was typed, and does not leave."""
    terminal.type("half a thought")
    terminal.see("half a thought")
    terminal.type(CTRL_C)
    terminal.until(lambda text: "half a thought" not in text, "a clear line")
    terminal.say("whole")
    terminal.see("'whole'")


@pytest.mark.parametrize("what", ["endless", "stuck"])
def test_ctrl_d_while_answering_stops_and_leaves(terminal: Terminal, what: str) -> None:
    """Leaving stops the answer first, and does not wait for one that never ends."""
    terminal.say(what)
    terminal.see("Ctrl-C interrompe", "Stuck half" if what == "stuck" else "Begun")
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    assert ("Interrompido" if what == "stuck" else "STOPPED BY YOU") in terminal.text()
    assert "goodbye" in terminal.text()


@pytest.mark.parametrize("what", ["", "endless"])
def test_sigterm_gives_the_terminal_back(terminal: Terminal, what: str) -> None:
    """Cancelled at the prompt or in an answer, the program leaves echo on and the cursor visible."""
    if what:
        terminal.say(what)
        terminal.see("Begun to answer")
    terminal.child.kill(signal.SIGTERM)
    terminal.rest()
    assert echoes(terminal)
    hidden, shown = terminal.raw.rfind("\x1b[?25l"), terminal.raw.rfind("\x1b[?25h")
    assert shown > hidden
    assert terminal.raw.rfind("\x1b[?2004l") > terminal.raw.rfind("\x1b[?2004h")
    assert "Traceback" not in terminal.raw


def test_completes_commands_and_arguments(terminal: Terminal) -> None:
    """After a slash the commands with their summaries; after a command what the responder offers."""
    terminal.type("/l")
    terminal.see("/load [MODEL]", "Loads a model")
    terminal.type("\t")
    terminal.see("› /load")
    terminal.type(" q")
    terminal.see("Qwen 3 8B", "5 GB")
    terminal.type("\t\r")
    terminal.see("'/load qwen3-8b'")


def test_an_alias_completes(terminal: Terminal) -> None:
    """Another name of a command is offered with the same summary."""
    terminal.type("/modelo")
    terminal.see("/modelos", "Lists the models")
    terminal.type("\t\r")
    terminal.see("'/modelos'")


def test_news_appear_above_the_line(terminal: Terminal) -> None:
    """News that come while a person types stand above what is typed, which stays."""
    terminal.type("half a tho")
    terminal.see("half a tho")
    terminal.child.kill(signal.SIGUSR1)
    terminal.until(lambda text: "while you were typing" in text.partition("› half a tho")[0], "news above")
    terminal.type("ught\r")
    terminal.see("'half a thought'")


def test_news_during_an_answer(terminal: Terminal) -> None:
    """News that come while an answer runs stand above it, and the answer goes on in its place."""
    terminal.say("endless")
    terminal.see("Ctrl-C interrompe", "Begun")
    terminal.child.kill(signal.SIGUSR1)
    terminal.see("while you were typing")
    terminal.type(CTRL_C)
    text = terminal.see("STOPPED BY YOU")
    assert text.count("Begun to answer") == 1
    assert text.index("while you were typing") < text.index("Begun to answer")


def test_several_lines_are_one_message(terminal: Terminal) -> None:
    """A pasted text and a line begun by Alt-Enter stay one message, which nothing but Enter sends."""
    terminal.type("\x1b[200~first\nsecond\x1b[201~")
    terminal.see("first", "second")
    terminal.type(ALT_ENTER + "third\r")
    terminal.see(r"'first\nsecond\nthird'")


def test_what_is_typed_meanwhile_waits(terminal: Terminal) -> None:
    """Keys pressed while an answer runs are not echoed into it, and stand at the next prompt."""
    terminal.say("endless")
    terminal.see("Ctrl-C interrompe", "Begun")
    terminal.type(CTRL_C + "typed ahead")
    terminal.see("STOPPED BY YOU", "› typed ahead")


def test_secret_is_neither_shown_nor_kept(terminal: Terminal, history: Path) -> None:
    """A secret goes to its command unseen, and into no history."""
    terminal.say("/key")
    terminal.see("Key please")
    terminal.until(lambda text: text.rstrip().endswith("›"), "the hidden prompt")
    terminal.say("sk-very-secret")
    terminal.see("***")
    terminal.until(
        lambda text: "'/key openai sk-very-secret'" in text, "the answer of the fake, which quotes it"
    )
    typed = terminal.raw[: terminal.raw.index("'/key openai")]
    assert "very-secret" not in typed
    assert "secret" not in history.read_text()


@pytest.mark.parametrize(
    "line", ["/key set openai sk-canary", "/CHAVE openai sk-canary", "sk-canary-0123456789abcdefghij"]
)
def test_a_typed_key_is_in_no_history(terminal: Terminal, history: Path, line: str) -> None:
    """What is given to a command that takes keys, and a bare key, comes back by no arrow and stands in no file."""
    terminal.ready()
    terminal.say("hello")
    terminal.see("hello")
    terminal.say(line)
    terminal.until(lambda text: text.count("›") >= 3, "a third prompt")  # see the words
    terminal.type("\x1b[A")
    terminal.until(lambda text: text.rstrip().endswith("› hello"), "the line before it")
    assert "canary" not in history.read_text("utf-8")


def test_history_is_private_and_comes_back(terminal: Terminal, history: Path) -> None:
    """Messages are kept across runs in a file only its owner reads."""
    terminal.say("remember me")
    terminal.see("'remember me'", "write here")
    terminal.type(CTRL_D)
    terminal.end()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    again = Terminal(env={"HISTORY": str(history)})
    again.ready()
    again.type(UP)
    again.see("› remember me")
    again.child.close(force=True)


def test_thinking_unfolds(terminal: Terminal) -> None:
    """Ctrl-T shows the reasoning behind the last answer, above the prompt."""
    terminal.say("stream")
    assert "a b c" not in terminal.see("FOOTNOTE", "write here")
    terminal.type(CTRL_T)
    terminal.see("\na b c\n")


def test_models_cannot_send_escape_sequences(terminal: Terminal) -> None:
    """No byte of a model's escape sequence reaches the terminal, and its text is shown as it is."""
    for message in ("evil", "evil notice"):
        terminal.say(message)
        terminal.until(lambda text: text.count("[bold]plain[/bold]") >= 1 and "write here" in text, message)
        assert "\x1b]0;owned" not in terminal.raw
        assert "\x1b[2J" not in terminal.raw
        assert "\x9b" not in terminal.raw
    assert terminal.screen.title == ""


def test_error_is_told_by_the_exit_code(terminal: Terminal) -> None:
    """`failed` counts in a terminal too."""
    terminal.say("fail")
    terminal.see("It failed", "write here")
    terminal.type(CTRL_D)
    assert terminal.end() == 1


@pytest.mark.parametrize(
    "env",
    [
        {"TERM": "dumb"},
        {"NO_COLOR": "1"},
        {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LANG": "C", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["dumb", "no-color", "ascii"],
)
def test_poor_terminals_still_work(env: dict[str, str]) -> None:
    """Without cursor movement, colours or UTF-8 every answer still arrives once."""
    terminal = Terminal(env=env)
    terminal.see("Welcome")
    terminal.say("load")
    terminal.see("Ready")
    terminal.say("stream")
    text = terminal.see("FOOTNOTE")
    assert text.count("The very end.") == 1
    assert text.count("item a007") == 1
    if env.get("TERM") == "dumb":
        assert "\x1b" not in terminal.raw
        assert "Loading qwen" in text
    if "NO_COLOR" in env:
        assert "\x1b[36m" not in terminal.raw
    terminal.type(CTRL_D)
    assert terminal.end() == 0


def test_a_dumb_terminal_hides_secrets_too() -> None:
    """Where the prompt cannot hide what it echoes, nothing is echoed."""
    terminal = Terminal(env={"TERM": "dumb"})
    terminal.see("Welcome", "›")
    terminal.say("/key")
    terminal.until(lambda text: text.partition("Key please")[2].rstrip().endswith("›"), "the hidden prompt")
    terminal.say("sk-very-secret")
    terminal.see("'/key openai sk-very-secret'")
    assert terminal.raw.count("secret") == 1, "only the fake quotes it"
    terminal.child.close(force=True)
