"""How the tests of the fake Telegram call it: plain HTTP, with nothing of a client's wisdom."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.fakes.telegram.server import FakeTelegram, Switches

Json = dict[str, Any]
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x02\x00\x00\x00\x03\x08\x02\x00\x00\x00"


@dataclass(frozen=True)
class Reply:
    status: int
    content_type: str
    text: str

    @property
    def body(self) -> Json:
        parsed: Json = json.loads(self.text)
        return parsed

    @property
    def error(self) -> tuple[int, str]:
        """The status and what was said; the status stands in the body too."""
        assert self.body["ok"] is False
        assert self.body["error_code"] == self.status
        return self.status, self.body["description"]


class Line:
    def __init__(self, server: FakeTelegram, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    def url(self, method: str, token: str | None = None) -> str:
        return f"{self.server.url}/bot{token or self.server.token}/{method}"

    async def call(self, method: str, _token: str | None = None, /, **parameters: Any) -> Reply:
        """POST a form, as clients do; files are bytes."""
        form = aiohttp.FormData()
        for name, value in parameters.items():
            if isinstance(value, bytes):
                form.add_field(name, value, filename=f"{name}.bin", content_type="application/x-test")
            else:
                form.add_field(name, value if isinstance(value, str) else json.dumps(value))
        async with self.session.post(self.url(method, _token), data=form) as answer:
            return Reply(answer.status, answer.content_type, await answer.text())

    async def ok(self, method: str, /, **parameters: Any) -> Any:
        reply = await self.call(method, **parameters)
        assert reply.status == 200, reply.text
        assert reply.body["ok"] is True
        return reply.body["result"]

    async def error(self, method: str, /, **parameters: Any) -> tuple[int, str]:
        return (await self.call(method, **parameters)).error


@asynccontextmanager
async def telegram(switches: Switches | None = None) -> AsyncIterator[tuple[FakeTelegram, Line]]:
    async with FakeTelegram(switches=switches, strict=False) as server, aiohttp.ClientSession() as session:
        yield server, Line(server, session)
