"""Only what is used is imported: start-up stays quick, a missing optional library hurts only itself."""

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.fakes.lmstudio.server import FakeLMStudio
from tests.sockets.program import PATIENCE, ROOT, environment

UNUSED_IN_A_PIPE = {
    "aiohttp",  # the embedded engine's server
    "xllamacpp",
    "telegram",
    "discord",
    "matplotlib",
    "prompt_toolkit",  # the terminal's prompt
    "rich.live",
    "core.embedded",
}


def _imported(data_dir: Path, url: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bot"],
        cwd=ROOT,
        env=environment(data_dir, LMSTUDIO_URLS=url, EMBEDDED="auto"),
        input=b"/status\n",
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    lines = run.stderr.decode().splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


async def test_a_pipe_with_lm_studio_imports_no_screen_and_no_engine(tmp_path: Path) -> None:
    """With LM Studio there and no terminal, neither the engine's nor any screen's library is imported."""
    async with FakeLMStudio() as server:
        imported = await asyncio.to_thread(_imported, tmp_path, server.url)
    assert "core.providers.lmstudio" in imported
    assert imported & UNUSED_IN_A_PIPE == set()


def test_telegram_speaks_through_httpx2() -> None:
    """The entry point puts it in httpx's place: that one loses its connections when calls are cancelled."""
    code = (
        "import sys, bot.app\n"
        "from bot.__main__ import app\n"
        "bot.app.run = lambda: 0\n"
        "app([], standalone_mode=False)\n"
        "import telegram.request._httpxrequest as request\n"
        "print(request.httpx.__name__)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert run.stdout == "httpx2\n"
