"""The line where a person writes: history, completion, secrets, and keys while an answer runs."""

import os
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session, run_in_terminal
from prompt_toolkit.completion import CompleteEvent, Completer
from prompt_toolkit.completion import Completion as Offer
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import DummyHistory, FileHistory, History, InMemoryHistory
from prompt_toolkit.input import create_input
from prompt_toolkit.input.typeahead import clear_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import DummyOutput, create_output
from prompt_toolkit.output.plain_text import PlainTextOutput
from prompt_toolkit.utils import is_dumb_terminal

from bot.clean import clean
from bot.platforms.console.wording import ConsoleTexts
from bot.surface import Incoming, MenuItem, Responder
from core.keyshape import looks_like_key

SIGN = "› "
OWNER_ONLY = 0o600


class Prompt:
    """Reads from one terminal."""

    def __init__(
        self,
        responder: Responder,
        *,
        stdin: TextIO,
        stdout: TextIO,
        history_file: Path | None,
        texts: ConsoleTexts,
        unfold: Callable[[], None],
        said: Callable[[str], Incoming],
    ) -> None:
        self._responder = responder
        self._input = create_input(stdin)
        # A dumb terminal gets prompt-toolkit's dumb prompt, which it gives only when left to its own output:
        # then that must be one that writes no escape sequence.
        self._dumb = is_dumb_terminal()
        self._output = PlainTextOutput(stdout) if self._dumb else create_output(stdout)
        with create_app_session(input=self._input, output=self._output):
            self._session: PromptSession[str] = PromptSession(
                FormattedText([("bold ansicyan", SIGN)]),
                history=_open_history(history_file, self._is_secret),
                completer=CommandCompleter(responder, texts.language, said),
                complete_while_typing=True,
                multiline=True,
                placeholder=FormattedText([("ansibrightblack", texts.placeholder)]),
                prompt_continuation=FormattedText([("", "  ")]),
                key_bindings=_keys(unfold),
                input=self._input,
                output=None if self._dumb else self._output,
            )
        # The dumb prompt echoes whatever is typed, secrets too: there the secret's prompt shows nothing at all.
        self._secrets: PromptSession[str] = PromptSession(
            FormattedText([("bold ansimagenta", SIGN)]),
            history=DummyHistory(),
            is_password=True,
            input=self._input,
            output=DummyOutput() if self._dumb else self._output,
        )

        for session in (self._session, self._secrets):
            # A terminal that does not say where its cursor is works all the same; the warning is for nobody.
            session.app.renderer.cpr_not_supported_callback = None

    def _is_secret(self, line: str) -> bool:
        """A line that must be in no history: a command that may be given a key, or a bare key."""
        word = line.strip().partition(" ")[0].lower()
        items = self._responder.menu(None)
        commands = {f"/{name}" for item in items if item.secret for name in (item.name, *item.aliases)}
        return word in commands or any(map(looks_like_key, line.split()))

    @contextmanager
    def owning_keys(self) -> Iterator[None]:
        """From here on keys come to us one by one and unechoed, at the prompt and between prompts."""
        with self._input.raw_mode():
            yield

    async def ask(self) -> str | None:
        """A message, or `None` when the person leaves."""
        return await self._read(self._session)

    async def ask_secret(self) -> str | None:
        """A secret, or `None` when the person would rather not."""
        clear_typeahead(self._input)  # what was typed before the question was meant for somebody else
        if not self._dumb:
            return await self._read(self._secrets)
        self._output.write(SIGN)
        self._output.flush()
        try:
            return await self._read(self._secrets)
        finally:
            self._output.write("\n")
            self._output.flush()

    async def _read(self, session: PromptSession[str]) -> str | None:
        try:
            text = await session.prompt_async(set_exception_handler=False, handle_sigint=False)
        except EOFError:
            return None
        except KeyboardInterrupt:
            return ""
        # Bytes that are no UTF-8 come as surrogates, which no server would take.
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    @contextmanager
    def watching(self, on_stop: Callable[[], None], on_leave: Callable[[], None]) -> Iterator[None]:
        """While an answer runs: Ctrl-C and Ctrl-D act at once, everything else waits for the next prompt."""
        typed: list[KeyPress] = []

        def read() -> None:
            for press in self._input.read_keys():
                match press.key:
                    case Keys.ControlC:
                        typed.clear()
                        on_stop()
                    case Keys.ControlD:
                        typed.clear()
                        on_leave()
                    case Keys.CPRResponse:  # an answer of the terminal to the last prompt
                        pass
                    case _:
                        typed.append(press)
            if self._input.closed:
                on_leave()

        with self._input.attach(read), self._taking_pastes_whole():
            try:
                yield
            finally:
                store_typeahead(self._input, [*typed, *self._input.flush_keys()])

    @contextmanager
    def _taking_pastes_whole(self) -> Iterator[None]:
        """The prompt asks the terminal for this itself; while an answer runs we must."""
        self._output.enable_bracketed_paste()
        self._output.flush()
        try:
            yield
        finally:
            self._output.disable_bracketed_paste()
            self._output.flush()

    def above(self, printing: Callable[[], None]) -> None:
        """Print above the line being written, now or as soon as it can be drawn again."""
        if self._session.app.is_running or self._secrets.app.is_running:
            run_in_terminal(printing)
        else:
            printing()


class CommandCompleter(Completer):
    """Commands after a slash, and what the responder knows of their arguments."""

    def __init__(self, responder: Responder, language: str | None, said: Callable[[str], Incoming]) -> None:
        self._responder = responder
        self._language = language
        self._said = said

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002  # prompt-toolkit's interface
    ) -> Iterable[Offer]:
        """The commands; their arguments must be waited for."""
        typed = document.text_before_cursor
        if typed.startswith("/") and not any(c.isspace() for c in typed):
            yield from self._commands(typed)

    async def get_completions_async(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002  # prompt-toolkit's interface
    ) -> AsyncGenerator[Offer, None]:
        """Commands or arguments, whichever is being typed."""
        typed = document.text_before_cursor
        command, space, prefix = typed.partition(" ")
        if not typed.startswith("/") or "\n" in typed:
            return
        if not space:
            for offer in self._commands(typed):
                yield offer
            return
        prefix = prefix.lstrip()
        for found in await self._responder.complete(self._named(command[1:]), prefix, self._said("")):
            yield Offer(
                clean(found.value),
                start_position=-len(prefix),
                display=clean(found.label),
                display_meta=clean(found.detail),
            )

    def _commands(self, typed: str) -> Iterator[Offer]:
        for item in self._menu():
            for name in (item.name, *item.aliases):
                if f"/{name}".startswith(typed.lower()):
                    shown = f"/{name} {item.arguments}".rstrip()
                    yield Offer(f"/{name}", -len(typed), display=shown, display_meta=item.summary)

    def _named(self, word: str) -> str:
        """The command's own name, where an alias was typed."""
        for item in self._menu():
            if word.lower() in {item.name, *item.aliases}:
                return item.name
        return word

    def _menu(self) -> Iterable[MenuItem]:
        return self._responder.menu(self._language)


def _keys(unfold: Callable[[], None]) -> KeyBindings:
    keys = KeyBindings()
    writing = has_focus(DEFAULT_BUFFER)

    @keys.add("enter", filter=writing, eager=True)
    def _send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=writing)
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @keys.add("c-c", filter=writing, eager=True)
    def _clear(event: KeyPressEvent) -> None:
        event.current_buffer.reset()

    @keys.add("c-t", filter=writing, eager=True)
    def _unfold(_event: KeyPressEvent) -> None:
        run_in_terminal(unfold)

    return keys


class _NoSecrets(History):
    """A history that keeps no line with a key, not even until the program ends."""

    is_secret: Callable[[str], bool] = staticmethod(lambda _: False)

    def append_string(self, string: str) -> None:
        """Append, unless a key may be in it."""
        if not self.is_secret(string):
            super().append_string(string)


class _ShortHistory(_NoSecrets, InMemoryHistory):
    """A history for as long as the program runs."""


class _PrivateHistory(_NoSecrets, FileHistory):
    """A history that only its owner reads, and that never stands in the way of a message."""

    def store_string(self, string: str) -> None:
        """Append, if the disk lets us."""
        try:
            super().store_string(string)
        except OSError:  # a full or read-only disk costs the history, not the conversation
            return


def _open_history(path: Path | None, is_secret: Callable[[str], bool]) -> History:
    history = _history_at(path)
    history.is_secret = is_secret
    return history


def _history_at(path: Path | None) -> _NoSecrets:
    if path is None:
        return _ShortHistory()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, OWNER_ONLY))
        path.chmod(OWNER_ONLY)  # it may be there from another program, open to others
    except OSError:
        return _ShortHistory()
    return _PrivateHistory(path)
