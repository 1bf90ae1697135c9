"""Talks to the child's HTTP: llama.cpp's server, OpenAI's words with a few of its own."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from io import BytesIO
from typing import Any, Self

import aiohttp

from core.embedded.runner import Gone, Json, LoadError, Refused, overflow_text
from core.embedded.runtime import Process, crash_text
from core.embedded.whole import whole
from core.model import FailureKind

_CONNECT = 5.0  # seconds
_DEATH = 2.0  # seconds between a broken connection and the news of the child's end
_FAREWELL = 0.5  # seconds that readers have to hear of the end
_LINE_BYTES = 2**20
_CHAT = "/v1/chat/completions"


class Llama:
    """A `Runner` over one child process; made by `Llama.open`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._context = 0
        self._busy = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {process.key}", "Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT),
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            read_bufsize=_LINE_BYTES,
            trust_env=False,
        )

    @classmethod
    async def open(cls, process: Process) -> Self:
        """Take over a child that is ready, and ask it how large its context really became."""
        llama = cls(process)
        try:
            llama._context = min(slot["n_ctx"] for slot in await llama._slots())
        except BaseException as error:
            await llama.aclose()
            if isinstance(error, aiohttp.ClientError):
                raise LoadError(FailureKind.CRASHED, crash_text(process.process.returncode)) from error
            raise
        return llama

    @property
    def context(self) -> int:
        """See `Runner.context`."""
        return self._context

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def exited(self) -> asyncio.Future[str]:
        """See `Runner.exited`."""
        return self._process.exited

    async def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[Json]:
        """See `Runner.stream`. Chunks may carry llama.cpp's `prompt_progress` and `timings`."""
        asked = {**body, "stream": True, "return_progress": True, "stream_options": {"include_usage": True}}
        async with self._post(_CHAT, asked) as response, aclosing(_lines(response)) as lines:
            async for line in lines:
                if line == b"[DONE]":
                    return
                yield _chunk(json.loads(line))
        # the connection ended before the answer did
        raise Gone(await self._why())

    async def complete(self, body: Mapping[str, Any]) -> Json:
        """See `Runner.complete`."""
        async with aclosing(self.stream(body)) as chunks:
            return await whole(chunks)

    async def tokenize(self, text: str) -> list[int]:
        """See `Runner.tokenize`."""
        tokens: list[int] = (await self._json("/tokenize", {"content": text}))["tokens"]
        return tokens

    async def render(self, messages: Sequence[Json]) -> str:
        """See `Runner.render`."""
        return str((await self._json("/apply-template", {"messages": list(messages)}))["prompt"])

    async def idle(self) -> bool:
        """Whether no slot of llama.cpp is at work."""
        return not any(slot["is_processing"] for slot in await self._slots())

    async def _slots(self) -> list[Json]:
        async with self._http.get(self._process.url + "/slots") as response:
            slots: list[Json] = await response.json()
            return slots

    async def aclose(self) -> None:
        """See `Runner.aclose`."""
        await self._process.end()
        # the child's end breaks every connection, and their readers hear of it; a session that is
        # closed before that would leave them waiting for ever
        with suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), _FAREWELL)
        await self._http.close()

    async def _json(self, path: str, body: Mapping[str, Any]) -> Json:
        async with self._post(path, body) as response:
            answer: Json = await response.json()
            return answer

    @asynccontextmanager
    async def _post(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._process.exited.done():
            raise Gone(self._process.exited.result())
        self._busy += 1
        self._quiet.clear()
        try:
            # a stream, not bytes: a long conversation must not be written in one go
            data = BytesIO(json.dumps(body).encode())
            async with self._http.post(self._process.url + path, data=data) as response:
                if response.status >= 400:  # noqa: PLR2004  # where HTTP's refusals begin
                    raise _refusal(response.status, await response.json(content_type=None))
                try:
                    yield response
                finally:
                    response.close()  # not back to a pool: llama.cpp stops when the connection ends
        except (aiohttp.ClientError, ConnectionError) as error:
            raise Gone(await self._why()) from error
        finally:
            self._busy -= 1
            if not self._busy:
                self._quiet.set()

    async def _why(self) -> str:
        done, _ = await asyncio.wait({self._process.exited}, timeout=_DEATH)
        return self._process.exited.result() if done else "The engine closed the connection."


async def _lines(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
    """The data of each server-sent event."""
    async for line in response.content:
        if line.startswith(b"data: "):
            yield line.removeprefix(b"data: ").strip()


def _chunk(data: Json) -> Json:
    if "error" in data:
        raise _refusal(500, data)
    return data


def _refusal(status: int, body: Any) -> Refused:
    match body:
        case {"error": {"type": "exceed_context_size_error", "n_prompt_tokens": asked, "n_ctx": room}}:
            return Refused(400, overflow_text(asked, room), overflow=True)
        case {"error": {"message": str(text)}}:
            return Refused(status, text, overflow="Context size has been exceeded" in text)
        case _:
            return Refused(status, "The engine refused the request.")
