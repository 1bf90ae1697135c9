"""The small HTTP server: what it tells to whom, what it takes, and what it does not put up with."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2
import pytest

from bot.web import LONGEST_BODY, WebServer
from core.errors import SettingWrong

PAGE = b"# TYPE one gauge\none 1.0\n"


class Teller:
    """What the program would tell of itself."""

    def __init__(self) -> None:
        self.well = True
        self.bug: Exception | None = None

    async def health(self) -> tuple[bool, Mapping[str, object]]:
        if self.bug is not None:
            raise self.bug
        return self.well, {"status": "ok" if self.well else "failing", "reasons": ["a reason"]}

    def metrics(self) -> tuple[bytes, str]:
        return PAGE, "text/plain; version=1.0.0; charset=utf-8"


@asynccontextmanager
async def served(
    teller: Teller | None = None, *, token: str | None = None, patience: float = 10.0
) -> AsyncIterator[tuple[WebServer, httpx2.AsyncClient]]:
    teller = teller or Teller()
    server = WebServer(health=teller.health, metrics=teller.metrics, token=token, patience=patience)
    async with (
        server.serving("127.0.0.1", 0) as address,
        httpx2.AsyncClient(base_url=address, timeout=20) as client,
    ):
        yield server, client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# ---------------------------------------------------------------- pages


async def test_health() -> None:
    """200 while all is well, 503 with the reasons when it is not."""
    teller = Teller()
    async with served(teller) as (_, client):
        well = await client.get("/health")
        teller.well = False
        ill = await client.get("/health")
    assert (well.status_code, well.json()["status"]) == (200, "ok")
    assert (ill.status_code, ill.json()) == (503, {"status": "failing", "reasons": ["a reason"]})


async def test_metrics() -> None:
    """The page as it is made, with its own content type."""
    async with served() as (_, client):
        page = await client.get("/metrics")
    assert (page.status_code, page.content) == (200, PAGE)
    assert page.headers["content-type"] == "text/plain; version=1.0.0; charset=utf-8"


@pytest.mark.parametrize(
    "given", [{}, bearer("wrong"), {"Authorization": "Bearer"}, {"Authorization": "Basic s3cret"}]
)
async def test_a_token_keeps_strangers_out(given: dict[str, str]) -> None:
    """With METRICS_TOKEN set nobody else reads metrics, nor more of the health than whether it is good."""
    teller = Teller()
    teller.well = False
    async with served(teller, token="s3cret") as (_, client):
        page = await client.get("/metrics", headers=given)
        health = await client.get("/health", headers=given)
    assert (page.status_code, page.content) == (401, b"")
    assert page.headers["www-authenticate"] == "Bearer"
    assert (health.status_code, health.json()) == (503, {"status": "failing"})


async def test_a_token_lets_in() -> None:
    """Whoever has it reads everything."""
    async with served(token="s3cret") as (_, client):
        page = await client.get("/metrics", headers=bearer("s3cret"))
        health = await client.get("/health", headers=bearer("s3cret"))
    assert page.content == PAGE
    assert health.json()["reasons"] == ["a reason"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 405), ("POST", "/health", 404), ("PUT", "/health", 405)]
)
async def test_nothing_else_is_there(method: str, path: str, status: int) -> None:
    """Other paths and methods are refused in one word."""
    async with served() as (_, client):
        answer = await client.request(method, path)
    assert answer.status_code == status


async def test_a_bug_is_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    """A bug answers 500; its words, which may quote a person, are neither sent nor logged."""
    teller = Teller()
    teller.bug = ValueError("what somebody wrote")
    async with served(teller) as (_, client):
        answer = await client.get("/health")
    told = capsys.readouterr()
    assert (answer.status_code, answer.content) == (500, b"")
    assert "ValueError" in told.out
    assert "somebody" not in told.out + told.err


# ---------------------------------------------------------------- what is sent to platforms


async def test_receive() -> None:
    """What is posted to a path reaches its taker whole, and the taker's status is the answer."""
    taken: list[tuple[str | None, bytes]] = []

    async def take(headers: Mapping[str, str], body: bytes) -> int:
        taken.append((headers.get("x-telegram-bot-api-secret-token"), body))
        return 200 if body else 403

    async with served() as (server, client):
        server.receive("/telegram/hook", take)
        secret = {"X-Telegram-Bot-Api-Secret-Token": "abc"}
        good = await client.post("/telegram/hook", content=b'{"update_id":1}', headers=secret)
        bad = await client.post("/telegram/hook")
        elsewhere = await client.post("/telegram", content=b"x")
    assert taken == [("abc", b'{"update_id":1}'), (None, b"")]
    assert [a.status_code for a in (good, bad, elsewhere)] == [200, 403, 404]


async def test_a_taker_with_a_bug() -> None:
    """The sender hears 500 and may send it again; the next one is taken."""
    bodies: list[bytes] = []

    async def take(_: Mapping[str, str], body: bytes) -> int:
        bodies.append(body)
        if body == b"bad":
            raise ZeroDivisionError
        return 200

    async with served() as (server, client):
        server.receive("/hook", take)
        answers = [await client.post("/hook", content=body) for body in (b"bad", b"good")]
    assert [a.status_code for a in answers] == [500, 200]
    assert bodies == [b"bad", b"good"]


async def test_too_large_a_body() -> None:
    """Nothing larger than the limit is kept in memory, with or without an honest Content-Length."""
    taken: list[int] = []

    async def take(_: Mapping[str, str], body: bytes) -> int:
        taken.append(len(body))
        return 200

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LONGEST_BODY // 2**16 + 1):
            yield b"x" * 2**16

    async with served() as (server, client):
        server.receive("/hook", take)
        whole = await client.post("/hook", content=b"x" * (LONGEST_BODY + 1))
        chunked = await client.post("/hook", content=pieces())
        fits = await client.post("/hook", content=b"x" * 1000)
    assert [a.status_code for a in (whole, chunked, fits)] == [413, 413, 200]
    assert taken == [1000]


SLOW = [
    b"",
    b"GET /health HTTP/1.1\r\nHost: x\r\n",
    b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345",
]


@pytest.mark.parametrize("sent", SLOW)
async def test_slow_clients_are_let_go(sent: bytes) -> None:
    """Whoever does not end its request is cut off, and others are served meanwhile."""
    taken: list[bytes] = []

    async def take(_: Mapping[str, str], body: bytes) -> int:
        taken.append(body)
        return 200

    async with served(patience=0.3) as (server, client):
        server.receive("/hook", take)
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(sent)
        assert (await client.get("/health")).status_code == 200
        async with asyncio.timeout(10):
            rest = await reader.read()
        writer.close()
    assert taken == []
    assert rest == b"" or rest.startswith(b"HTTP/1.1 408 ")


async def test_leaving_does_not_wait_for_a_slow_client() -> None:
    """The program ends within seconds though somebody is still sending."""

    async def take(_: Mapping[str, str], __: bytes) -> int:
        return 200

    async with asyncio.timeout(8):
        async with served(patience=100.0) as (server, client):
            server.receive("/hook", take)
            _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
            writer.write(SLOW[2])
            await client.get("/health")
        writer.close()


# ---------------------------------------------------------------- where it cannot listen


async def trouble(host: str, port: int) -> SettingWrong:
    teller = Teller()
    with pytest.raises(SettingWrong) as caught:
        async with WebServer(health=teller.health, metrics=teller.metrics).serving(host, port):
            pass
    return caught.value


async def test_a_port_that_is_taken() -> None:
    """HTTP_PORT is named, with the address that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        problem = await trouble("127.0.0.1", port)
    assert problem.name == "HTTP_PORT"
    assert f"127.0.0.1:{port} (Address already in use)" in problem.detail


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
async def test_an_address_that_is_not_ours(host: str) -> None:
    """HTTP_HOST is named."""
    problem = await trouble(host, 0)
    assert problem.name == "HTTP_HOST"
    assert host in problem.detail
