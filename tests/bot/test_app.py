"""The program as a whole: how it begins, complains and ends."""

import io
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from bot import app
from bot.begin import complain
from bot.texts import Speech
from core.errors import SettingWrong
from core.settings import Settings

ROOT = Path(app.__file__).parents[1]
NAMES = [name.upper() for name in Settings.model_fields]


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """What the program sees: nothing of the machine's own settings, and a host that is not there."""
    kept = {name: value for name, value in os.environ.items() if name not in NAMES}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(folder / "data"),
        "LMSTUDIO_URLS": "http://127.0.0.1:9",
        "EMBEDDED": "off",
        **changes,
    }


def python_m_bot(
    folder: Path, *arguments: str, text: str = "", **changes: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "bot", *arguments],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        cwd=folder,
        env=environment(folder, **changes),
        check=False,
    )


def test_lines_in_cards_out(tmp_path: Path) -> None:
    """Piped: each line is answered, the end of the input ends the program, and all went well."""
    done = python_m_bot(tmp_path, text="/help\n/stop\n", LANGUAGE="en")
    assert (done.returncode, done.stderr) == (0, "")
    assert "❓ Commands" in done.stdout
    assert "Nothing is under way." in done.stdout


def test_an_error_card_makes_the_exit_code_1(tmp_path: Path) -> None:
    """Without any model the question cannot be answered: a card says so, and the code tells a script."""
    done = python_m_bot(tmp_path, text="oi\n")
    assert done.returncode == 1
    assert "Nenhum LM Studio respondeu em 127.0.0.1:9." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_version_and_help(tmp_path: Path) -> None:
    """Both answer without any setting, even with wrong ones, and make no folder."""
    assert python_m_bot(tmp_path, "--version", SYNC_EVERY="x").stdout.startswith("orquestrador ")
    done = python_m_bot(tmp_path, "--help", SYNC_EVERY="x")
    assert done.returncode == 0
    assert ".env" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_it_in_order(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    """SIGTERM is an ordinary end; Ctrl-C in a pipe has the code that shells give it. Neither shows a traceback."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "bot"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env=environment(tmp_path, PYTHONUNBUFFERED="1"),
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write("/help\n")
        program.stdin.flush()
        assert "Comandos" in program.stdout.readline()
        program.send_signal(sent)
        _, errors = program.communicate(timeout=20)
    assert (program.returncode, errors) == (code, "")


# ---------------------------------------------------------------- what keeps it from starting


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """This process with the settings of a test; logging as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    yield monkeypatch
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("pt-BR", "⚠️ A configuração PLATFORMS não serve: fax, pager ≠ console, discord, telegram"),
        ("en", "⚠️ The setting PLATFORMS cannot be used: fax, pager ≠ console, discord, telegram"),
    ],
)
def test_an_unknown_platform(
    here: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], language: str, words: str
) -> None:
    """It is named, with those that there are, in the language of the settings."""
    here.setenv("PLATFORMS", "console,fax,pager")
    here.setenv("LANGUAGE", language)
    assert app.run() == 1
    assert capsys.readouterr().err.startswith(words)


@pytest.mark.parametrize(
    ("set_", "token", "names"),
    [
        ((), None, ("console",)),
        ((), "1:x", ("telegram",)),
        (("console",), "1:x", ("console",)),
        (("console", "telegram", "console"), "1:x", ("console", "telegram")),
    ],
)
def test_the_platforms_that_run(set_: tuple[str, ...], token: str | None, names: tuple[str, ...]) -> None:
    """Those of the settings, each once; without any, Telegram if its token is set, else the console."""
    settings = Settings(
        _env_file=None, platforms=set_, telegram_bot_token=None if token is None else SecretStr(token)
    )
    assert app._names(settings) == names


def test_telegram_without_a_token(here: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The setting is named, with where to get one."""
    here.setenv("PLATFORMS", "telegram")
    assert app.run() == 1
    shown = capsys.readouterr().err
    assert "A configuração TELEGRAM_BOT_TOKEN não serve: falta; crie um bot com o @BotFather" in shown


def test_telegram_without_its_library(here: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is missing is named, with the way to get it; no traceback."""
    for name in [n for n in sys.modules if n.startswith("bot.platforms.telegram")]:
        here.delitem(sys.modules, name)
    here.setitem(sys.modules, "telegram", None)
    here.setenv("TELEGRAM_BOT_TOKEN", "1:x")
    assert app.run() == 1
    shown = capsys.readouterr().err
    assert "falta a biblioteca telegram" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("pt-BR", "⚠️ A configuração SYNC_EVERY não serve: "),
        ("en", "⚠️ The setting SYNC_EVERY cannot be used: "),
        ("en_US:en", "⚠️ The setting "),
        ("klingon", "⚠️ A configuração "),
    ],
)
def test_a_setting_that_cannot_be_read(
    here: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], language: str, words: str
) -> None:
    """The setting is named in the language of the environment; its value, which may be a secret, is not shown."""
    here.setenv("SYNC_EVERY", "hunter2")
    here.setenv("LANGUAGE", language)
    assert app.run() == 1
    shown = capsys.readouterr().err
    assert shown.startswith(words)
    assert "hunter2" not in shown


def test_the_language_of_the_env_file_counts_too(
    here: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong setting is told in the language that .env asks for."""
    (tmp_path / ".env").write_text("# mine\nLANGUAGE = 'en'\nSYNC_EVERY=soon\n", encoding="utf-8")
    here.delenv("LANGUAGE", raising=False)
    assert app.run() == 1
    assert capsys.readouterr().err.startswith("⚠️ The setting SYNC_EVERY cannot be used: ")


def test_an_env_file_that_is_no_text(
    here: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file in another encoding is named; no traceback."""
    (tmp_path / ".env").write_bytes("# não\n".encode("latin-1"))
    here.setenv("LANGUAGE", "en")
    assert app.run() == 1
    assert capsys.readouterr().err.startswith("⚠️ The setting .env cannot be used: ")


def test_a_data_folder_that_cannot_be_made(
    here: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The path and the remedy are told, without a traceback."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    here.setenv("DATA_DIR", str(tmp_path / "file" / "data"))
    assert app.run() == 1
    shown = capsys.readouterr().err
    assert f"Não consigo gravar em {tmp_path / 'file' / 'data'}." in shown
    assert "DATA_DIR" in shown
    assert "Traceback" not in shown


def test_a_database_that_is_none(tmp_path: Path) -> None:
    """It is set aside as it is, a new one is begun, and both are told; /status still says so."""
    garbage = b"not a database at all" * 100
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orquestrador.db").write_bytes(garbage)
    done = python_m_bot(tmp_path, text="/status\n", PLATFORMS="console", LANGUAGE="en")
    (aside,) = (tmp_path / "data").glob("orquestrador.damaged-*.db")
    assert aside.read_bytes() == garbage
    assert "The database was damaged and has been set aside." in done.stderr
    assert f"It now lies in {aside}" in done.stderr
    assert "event='database was damaged'" in done.stderr
    assert f"It now lies in {aside}" in done.stdout
    again = python_m_bot(tmp_path, text="/status\n", PLATFORMS="console", LANGUAGE="en")
    assert "damaged" not in again.stderr + again.stdout


def test_a_second_copy(tmp_path: Path) -> None:
    """One program per data folder: the second one names the first one's process and ends."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "bot"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env=environment(tmp_path, PYTHONUNBUFFERED="1"),
    ) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        first.stdin.write("/help\n")
        first.stdin.flush()
        assert "Comandos" in first.stdout.readline()
        second = python_m_bot(tmp_path, text="/help\n", LANGUAGE="en")
        first.kill()
        first.communicate(timeout=20)
    third = python_m_bot(tmp_path, text="/help\n")
    assert (second.returncode, second.stdout) == (1, "")
    assert f"Another copy of the bot (process {first.pid})" in second.stderr
    assert third.returncode == 0


def test_complain_says_it_with_its_remedy() -> None:
    """One place for what keeps the program from starting; the code is 1."""
    written = io.StringIO()
    assert complain(SettingWrong("X", "why"), Speech("en"), written) == 1
    assert written.getvalue() == (
        "⚠️ The setting X cannot be used: why.\nCorrect it in the environment or in the file .env; see .env.example.\n"
    )
