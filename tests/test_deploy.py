"""What the program is deployed with: every file named is there, every command starts, nothing private goes along."""

import asyncio
import configparser
import fnmatch
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.web import WebServer
from core.settings import Settings

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "bot" / "deploy" / "orquestrador.service"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, with continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    found = [line.strip().partition(" ") for line in lines if line.strip()]
    return [(name, rest.strip()) for name, _, rest in found]


def of(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


def copied() -> list[tuple[str, str]]:
    """Source and target of everything that is copied from here, not from another stage."""
    return [(words[0], words[1]) for rest in of("COPY") if "--from" not in rest and (words := rest.split())]


def ignored(path: str) -> bool:
    """By .dockerignore: the last rule that fits counts."""
    verdict = False
    for rule in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = rule.strip().removeprefix("!").removeprefix("**/")
        if pattern and not rule.startswith("#") and (path == pattern or fnmatch.fnmatch(path, pattern)):
            verdict = not rule.startswith("!")
    return verdict


# ---------------------------------------------------------------- Docker


def test_what_is_copied_is_there() -> None:
    """Each source exists and reaches the builder; nothing else does."""
    sources = [source for source, _ in copied()]
    assert sources == ["requirements.txt", "LICENSE", "core", "bot"]
    for source in sources:
        assert (ROOT / source).exists()
        assert not ignored(source)
    for private in (".env", ".git", "tests", ".venv", "data.db", "compose.yaml", "orquestrador.db"):
        assert ignored(private)


def test_the_image_is_safe_and_whole() -> None:
    """A user without rights at the end, the engine's library, a volume where the data lies, only pinned wheels."""
    names = [name for name, _ in instructions()]
    assert of("USER") == ["orquestrador"]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "RUN" not in names[names.index("USER") :]
    run = " ".join(of("RUN"))
    assert "libgomp1" in run
    assert "--only-binary=:all: -r requirements.txt" in run
    assert "--hash=sha256:" in (ROOT / "requirements.txt").read_text("utf-8")
    assert of("VOLUME") == ["/data"]
    assert "DATA_DIR=/data" in " ".join(of("ENV"))
    assert of("STOPSIGNAL") == ["SIGTERM"]
    assert all(re.fullmatch(r"python:3\.\d+-slim( AS \w+)?", image) for image in of("FROM"))


def test_the_image_starts(tmp_path: Path) -> None:
    """Nothing but what is copied is needed: the entry point runs there, and every text and script is with it."""
    for source, _ in copied():
        path = ROOT / source
        if path.is_dir():
            shutil.copytree(path, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, tmp_path / source)
    (entry,) = (json.loads(rest) for rest in of("ENTRYPOINT"))
    assert entry[0] == "python"
    done = subprocess.run(
        [sys.executable, *entry[1:]],
        input="/help\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"DATA_DIR": str(tmp_path / "data"), "EMBEDDED": "off", "LMSTUDIO_URLS": "http://127.0.0.1:9",
             "PATH": "", "LC_ALL": "C.UTF-8"},
        timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "Comandos" in done.stdout


async def checked(*, well: bool) -> int:
    """The exit code of the image's health check against a server that is well, or is not."""

    async def health() -> tuple[bool, dict[str, str]]:
        return well, {"status": "x"}

    server = WebServer(health=health, metrics=lambda: (b"", ""))
    (check,) = of("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    async with server.serving("127.0.0.1", 0) as address:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command[1:],
            env={"HTTP_PORT": address.rpartition(":")[2]},
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await process.wait()


async def test_the_health_check() -> None:
    """It follows /health, and fails where nobody listens."""
    assert await checked(well=True) == 0
    assert await checked(well=False) != 0


def test_compose() -> None:
    """Its settings are settings, its volume is declared and mounted where the data lies, its port is this machine's."""
    text = (ROOT / "compose.yaml").read_text("utf-8")
    block = text.partition("    environment:\n")[2].partition("    extra_hosts:")[0]
    names = re.findall(r"^ {6}([A-Z_]+):", block, flags=re.MULTILINE)
    assert {name.lower() for name in names} <= set(Settings.model_fields)
    assert "      - data:/data\n" in text
    assert "\nvolumes:\n  data:\n" in text
    assert re.findall(r"- ([\d.]+):(\d+):(\d+)\n", text) == [("127.0.0.1", "8080", "8080")]
    assert "\t" not in text


# ---------------------------------------------------------------- systemd and Procfile


class Unit(configparser.RawConfigParser):
    """A unit file; names count as written and may come twice, the last one is kept."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def unit() -> Unit:
    parser = Unit(strict=False)
    parser.read(UNIT, encoding="utf-8")
    return parser


def test_the_unit() -> None:
    """It starts the program, reloads it, waits for its answers, and keeps its data where it says."""
    service = unit()["Service"]
    assert shlex.split(service["ExecStart"])[1:] == ["-m", "bot"]
    assert service["ExecReload"].endswith("-HUP $MAINPID")
    assert int(service["TimeoutStopSec"]) > 10
    assert "Environment=DATA_DIR=/var/lib/orquestrador\n" in UNIT.read_text("utf-8")
    assert service["StateDirectory"] == "orquestrador"
    assert service["User"] != "root"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Its own judge finds no mistake, and calls it well guarded."""
    text = UNIT.read_text("utf-8").replace("/opt/orquestrador/.venv/bin/python", sys.executable)
    copy = tmp_path / UNIT.name
    copy.write_text(text, "utf-8")
    analyze = shutil.which("systemd-analyze") or ""

    def judge(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([analyze, *arguments, str(copy)], capture_output=True, text=True, check=False)

    verified = judge("verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = judge("security", "--offline=true", "--threshold=25")  # its exposure, from 0 (best) to 100
    assert judged.returncode == 0, judged.stdout


def test_the_procfile() -> None:
    """Each process runs the program, which takes the settings before it."""
    lines = (ROOT / "Procfile").read_text("utf-8").splitlines()
    processes = dict(line.split(": ", 1) for line in lines)
    assert set(processes) == {"worker", "web"}
    for command in processes.values():
        words = shlex.split(command)
        settings = [word.partition("=")[0] for word in words if "=" in word]
        assert {name.lower() for name in settings} <= set(Settings.model_fields)
        assert [word for word in words if "=" not in word] == ["python", "-m", "bot"]
