"""What has to be right on this machine: settings, data folder, disk, keys, clock."""

import difflib
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bot import present
from bot.cards import Notice
from bot.doctor.finding import Finding, Level
from bot.texts import Speech
from core.errors import Problem, StorageFailed
from core.settings import Settings
from core.storage import DATABASE, backup, sole

SCARCE, FULL = 2 * 10**9, 50 * 10**6  # bytes free: a fetched model is 100 MB, its log and database grow
OFF, FAR_OFF = 30.0, 300.0  # seconds: from here on schedules are late; signatures and TLS fail
_NEARLY = 0.8


def settings(read: Settings, t: Speech, env: Path = Path(".env")) -> list[Finding]:
    """They can be read; a name in `.env` that is nearly one of ours is a slip of the pen."""
    found = [Finding(Level.OK, t("doctor.settings"), t("doctor.settings_ok"))]
    ours = {name.upper() for name in Settings.model_fields} | {"PORT"}
    for name in _names(env):
        near = difflib.get_close_matches(name, ours, n=1, cutoff=_NEARLY)
        if name not in ours and near:
            text = t("doctor.settings_unknown", name=name)
            found.append(
                Finding(Level.WARNING, t("doctor.settings"), text, t("doctor.settings_near", name=near[0]))
            )
    if (
        read.http_port is not None
        and read.metrics_token is None
        and read.http_host not in {"127.0.0.1", "::1", "localhost"}
    ):
        text = t("doctor.open_metrics", host=read.http_host)
        found.append(Finding(Level.WARNING, t("doctor.settings"), text, t("doctor.open_metrics_remedy")))
    return found


def _names(env: Path) -> list[str]:
    try:
        text = env.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    return re.findall(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=", text.upper(), flags=re.MULTILINE)


def data(read: Settings, t: Speech) -> list[Finding]:
    """The folder can be written, has room, and holds a database that is whole."""
    subject, folder = t("doctor.data"), read.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as tried:
            tried.write(b"x" * 4096)
            tried.flush()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        text = t("doctor.data_closed", path=folder, reason=error.strerror or type(error).__name__)
        return [Finding(Level.ERROR, subject, text, t("doctor.data_closed_remedy"))]
    level = Level.ERROR if free < FULL else Level.WARNING if free < SCARCE else Level.OK
    remedy = t("doctor.data_scarce_remedy") if level else ""
    found = [Finding(level, subject, t("doctor.data_free", path=folder, size=t.size(free)), remedy)]
    return [*found, _database(read, t), *_running(read, t)]


def _database(read: Settings, t: Speech) -> Finding:
    subject, path = t("doctor.database"), read.data_dir / DATABASE
    if not path.exists():
        return Finding(Level.OK, subject, t("doctor.database_none"))
    try:
        backup.verify(path)
    except StorageFailed as problem:
        if problem.reason == "newer":
            return _of(problem, subject, t)
        return Finding(
            Level.ERROR,
            subject,
            t("doctor.database_damaged", detail=problem.detail),
            t("doctor.database_damaged_remedy"),
        )
    return Finding(Level.OK, subject, t("doctor.database_ok", size=t.size(path.stat().st_size)))


def _running(read: Settings, t: Speech) -> list[Finding]:
    """Whether the bot runs now; if not, whether its port is free."""
    try:
        with sole(read.data_dir):
            return _port(read, t)
    except StorageFailed as problem:
        return [Finding(Level.OK, t("doctor.data"), t("doctor.data_in_use", process=problem.detail))]


def _port(read: Settings, t: Speech) -> list[Finding]:
    if not read.http_port:
        return []
    subject, address = "HTTP_PORT", f"{read.http_host}:{read.http_port}"
    try:
        with socket.create_server((read.http_host, read.http_port)):
            return [Finding(Level.OK, subject, t("doctor.port_free", address=address))]
    except OSError as error:
        text = t("doctor.port_taken", address=address, reason=error.strerror or str(error))
        return [Finding(Level.ERROR, subject, text, t("doctor.port_taken_remedy"))]


def keys(read: Settings, t: Speech) -> Finding:
    """The master keys can be read, and nobody else on this machine reads them."""
    from core.keys.rings import FILE, ring_of  # noqa: PLC0415  # brings cryptography

    subject, path = t("doctor.keys"), read.data_dir / FILE
    if read.master_keys is None and not path.exists():
        return Finding(Level.OK, subject, t("doctor.keys_none"))
    try:
        ring_of(read.data_dir, lambda: read.master_keys).read()
    except Problem as problem:
        return _of(problem, subject, t)
    if read.master_keys is None and os.name == "posix" and path.stat().st_mode & 0o077:
        text = t("doctor.keys_open", path=path)
        return Finding(Level.ERROR, subject, text, t("doctor.keys_open_remedy", path=path))
    return Finding(Level.OK, subject, t("doctor.keys_ok"))


def clock(skews: Sequence[float], t: Speech) -> Finding:
    """Against what others say: hosts and platforms tell the time with every answer."""
    subject = t("doctor.clock")
    if not skews:
        return Finding(Level.OK, subject, t("doctor.clock_unknown"))
    skew = median(skews)
    if abs(skew) < OFF:
        return Finding(Level.OK, subject, t("doctor.clock_ok"))
    text = t("doctor.clock_behind" if skew > 0 else "doctor.clock_ahead", time=t.seconds(abs(skew)))
    level = Level.ERROR if abs(skew) >= FAR_OFF else Level.WARNING
    return Finding(level, subject, text, t("doctor.clock_remedy"))


def _of(problem: Problem, subject: str, t: Speech) -> Finding:
    """A Problem has its words and its remedy already."""
    card = present.trouble(problem, t)
    assert isinstance(card, Notice)  # these two kinds are nothing else
    return Finding(Level.ERROR, subject, card.title.removeprefix("⚠️ "), card.body.replace("\n", " "))
