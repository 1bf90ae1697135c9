"""The price of a streamed answer: `python -m pytest -m bench -s tests/bench/test_apis.py`. Printed, not asserted.

The server is a process of its own, so that only the client's CPU time counts; the ratio is of one run.
"""

import asyncio
import multiprocessing
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from multiprocessing.connection import Connection

import openai
import pytest
from pydantic import SecretStr

from core.conversation import Delta, ReplyOptions, Role, Turn
from core.model import Model, ModelState
from core.providers import vendors
from core.providers.api import Api
from tests.core.providers.api.lab import entry
from tests.fakes.vendors.openai import FakeOpenAI
from tests.fakes.vendors.script import Say

CHUNKS = 4000
ROUNDS = 5
WORDS = tuple(f"palavra{n} " for n in range(CHUNKS))


def _serve(pipe: Connection) -> None:
    async def serve() -> None:
        async with FakeOpenAI() as server:
            server.script += [Say(WORDS)] * (2 * ROUNDS + 2)
            pipe.send(server.base)
            await asyncio.to_thread(pipe.recv)

    asyncio.run(serve())


@asynccontextmanager
async def _server() -> AsyncIterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    process.start()
    try:
        yield await asyncio.to_thread(ours.recv)
    finally:
        ours.send(None)
        await asyncio.to_thread(process.join, 10)


async def _ours(api: Api) -> int:
    model = Model("openai", "", "gpt-6", "gpt-6", ModelState.EXTERNAL)
    chars = 0
    async with aclosing(api.reply(model, [Turn(Role.USER, "x")], ReplyOptions())) as events:
        async for event in events:
            if isinstance(event, Delta):
                chars += len(event.text)
    return chars


async def _theirs(client: openai.AsyncOpenAI) -> int:
    stream = await client.chat.completions.create(
        model="gpt-6",
        messages=[{"role": "user", "content": "x"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chars = 0
    async for chunk in stream:
        for choice in chunk.choices:
            chars += len(choice.delta.content or "")
    return chars


@pytest.mark.bench
@pytest.mark.timeout(300)
async def test_cpu_per_chunk() -> None:
    """Print the CPU time of a chunk with our wire and with the vendor's own client, turn and turn about."""
    key = FakeOpenAI.key

    async def pay(_: str | None) -> SecretStr:
        return SecretStr(key)

    async with _server() as base:
        fake = FakeOpenAI()
        vendor = vendors.at(entry("openai", fake), base)
        api, client = Api(vendor, pay), openai.AsyncOpenAI(base_url=base, api_key=key, max_retries=0)
        spent = {"ours": 0.0, "openai": 0.0}
        await _ours(api)
        await _theirs(client)
        for _ in range(ROUNDS):
            for name in spent:
                started = time.process_time()
                chars = await (_ours(api) if name == "ours" else _theirs(client))
                spent[name] += time.process_time() - started
                assert chars == sum(map(len, WORDS))
        await api.aclose()
        await client.close()
    print()
    each = {name: seconds * 1e6 / (ROUNDS * CHUNKS) for name, seconds in spent.items()}
    print(f"ours    {each['ours']:6.0f} µs CPU a chunk")
    print(
        f"openai  {each['openai']:6.0f} µs CPU a chunk, {openai.__version__} on CPython {sys.version.split()[0]}"
    )
    print(f"ratio   {each['openai'] / each['ours']:6.2f}")
