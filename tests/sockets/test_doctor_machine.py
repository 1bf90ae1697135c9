"""The doctor on the machine itself: settings, data folder, database, keys, clock."""

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web

from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.sockets.doctoring import doctor, host, site
from tests.sockets.program import ROOT, environment

NOVA = FakeModel("acme/nova-8b")


@pytest.mark.parametrize(("minutes", "code", "mark"), [(2, 1, "⚠️"), (-60, 2, "❌")])
async def test_a_clock_that_is_wrong(tmp_path: Path, minutes: int, code: int, mark: str) -> None:
    """By what others say with every answer."""
    app = web.Application()
    app.on_response_prepare.append(_dated(minutes))

    async def anything(request: web.Request) -> web.Response:
        if request.path == "/lmstudio-greeting":
            return web.json_response({"lmstudio": True})
        return web.json_response({"data": [{"id": "m", "object": "model"}], "models": [], "object": "list"})

    app.router.add_route("*", "/{path:.*}", anything)
    async with site(app) as url:
        report = await host(tmp_path, url)
    words = " behind that of others" if minutes > 0 else " ahead of that of others"
    assert report.has(mark, words), report.text
    assert report.code >= code


def _dated(minutes: int) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def sign(_: web.Request, response: web.StreamResponse) -> None:
        then = datetime.now(UTC) + timedelta(minutes=minutes)
        response.headers["Date"] = format_datetime(then, usegmt=True)

    return sign


def damage(folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    (data / "orquestrador.db").write_bytes(b"not a database" * 500)
    (data / "master.keys").write_text("k1:AAAA\n")
    (folder / ".env").write_text("LMSTUDIO_URL=http://127.0.0.1:1\n")


async def test_this_machine(tmp_path: Path) -> None:
    """A damaged database, a key file that is none, a slip in .env, metrics open to the world."""
    await asyncio.to_thread(damage, tmp_path)
    async with FakeLMStudio([NOVA]) as lmstudio:
        report = await doctor(
            tmp_path,
            LMSTUDIO_URLS=lmstudio.url,
            HTTP_PORT="8080",
            HTTP_HOST="0.0.0.0",  # noqa: S104  # nothing listens: the doctor only reads it
        )
    assert report.code == 2
    assert report.has("❌", "Database: damaged: file is not a database")
    assert report.has("❌", "Keys at rest: ")
    assert report.has("⚠️", "LMSTUDIO_URL in .env is no setting")
    assert "Did you mean LMSTUDIO_URLS?" in report.text
    assert report.has("⚠️", "/metrics is open to everybody who reaches 0.0.0.0")
    data = tmp_path / "data"
    assert await asyncio.to_thread((data / "orquestrador.db").read_bytes) == b"not a database" * 500


async def test_the_port(tmp_path: Path) -> None:
    """A port that another program has is told before the start fails on it."""
    async with FakeLMStudio([NOVA]) as lmstudio:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = str(other.getsockname()[1])
            taken = await doctor(tmp_path, LMSTUDIO_URLS=lmstudio.url, HTTP_PORT=port)
        free = await doctor(tmp_path, LMSTUDIO_URLS=lmstudio.url, HTTP_PORT=port)
    assert (taken.code, free.code) == (2, 0), free.text
    assert taken.has("❌", f"HTTP_PORT: cannot listen at 127.0.0.1:{port}")
    assert free.has("✅", f"HTTP_PORT: 127.0.0.1:{port} is free")


async def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    """Code 2, and the setting is named."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "doctor",
        cwd=ROOT,
        env=environment(tmp_path, LANGUAGE="en", SYNC_EVERY="soon"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 2
    assert "The setting SYNC_EVERY cannot be used" in err.decode()


@pytest.mark.skipif(os.name != "posix", reason="no such modes there")
async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A file where the data folder should be."""
    await asyncio.to_thread((tmp_path / "data").write_text, "")
    report = await host(tmp_path, "http://127.0.0.1:9")
    assert report.code == 2
    assert report.has("❌", "cannot be written: ")
