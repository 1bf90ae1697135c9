"""The fake as a process of its own: its script, its log on stdout, and its sudden death."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.lmstudio.catalog import LOAD_ERRORS
from tests.fakes.lmstudio.script import build

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = {
    "models": [
        {"key": "a/one", "reply": "yes", "reasoning": ["off", "on"]},
        {"key": "a/two", "load_error": "E8"},
    ],
    "switches": {"unknown_route_status": 404},
    "loaded": ["a/one"],
    "faults": [{"target": "/v1/models", "kind": "status:503"}],
}


@asynccontextmanager
async def _running(script: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fakes.lmstudio",
        "--port",
        "0",
        "--script",
        str(script),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield process, (await process.stdout.readline()).decode().strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_process_prints_url_then_log_and_can_be_killed(tmp_path: Path) -> None:
    """The first line is the URL, then each record is a JSON line; kill -9 ends it at once."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT), encoding="utf-8")
    async with _running(script) as (process, url), aiohttp.ClientSession() as session:
        async with session.get(f"{url}/v1/models") as answer:
            assert answer.status == 503
        assert process.stdout is not None
        request, fault = [json.loads(await process.stdout.readline()) for _ in range(2)]
        assert (request["kind"], request["path"]) == ("request", "/v1/models")
        assert (fault["kind"], fault["detail"]) == ("fault", "status")
        process.kill()
        await process.wait()
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{url}/v1/models")


async def test_script_builds_the_same_fake() -> None:
    """Models, switches, what is loaded and faults all come from the script."""
    async with build(SCRIPT) as server:
        assert server.model("a/one").reasoning == ("off", "on")
        assert server.model("a/two").load_error == LOAD_ERRORS["E8"]
        assert server.switches.unknown_route_status == 404
        assert [i.identifier for i in server.instances()] == ["a/one"]
        assert server.faults.rules[0].status == 503


def test_script_with_unknown_keys_is_refused() -> None:
    """A misspelt key of the script is told, not ignored."""
    with pytest.raises(ValueError, match="swiches"):
        build({"swiches": {}})
