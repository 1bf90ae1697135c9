"""Faults, limits and deaths of the fake."""

import asyncio
import time

import aiohttp
import pytest

from tests.fakes.calling import Reply, telegram
from tests.fakes.telegram.server import FakeTelegram, Switches


async def test_flood_wait_tells_how_long() -> None:
    """429 carries `retry_after`, for as many calls as asked, after as many as asked."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        server.fault("send*", "status:429:7", times=2, after=1)
        replies = [await line.call("sendMessage", chat_id=1, text=str(n)) for n in range(4)]
    assert [reply.status for reply in replies] == [200, 429, 429, 200]
    assert replies[1].error == (429, "Too Many Requests: retry after 7")
    assert replies[1].body["parameters"] == {"retry_after": 7}
    assert [message.text for message in chat.answers] == ["0", "3"]


async def test_proxy_pages_are_not_json() -> None:
    """502 and the page with status 200 are HTML, as a proxy writes them."""
    async with telegram() as (server, line):
        server.fault("getMe", "status:502")
        server.fault("getMe", "html")
        server.fault("getMe", "status:500")
        page, wrong, error = [await line.call("getMe") for _ in range(3)]
    assert (page.status, page.content_type) == (502, "text/html")
    assert (wrong.status, wrong.content_type) == (200, "text/html")
    assert error.error == (500, "Internal Server Error")


async def test_fault_of_one_chat_leaves_others_alone() -> None:
    """A rule for a chat meets only its calls."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        server.private(server.person(2))
        server.fault("*", "status:403", times=None, chat=chat, text="Forbidden: no")
        assert await line.error("sendMessage", chat_id=1, text="x") == (403, "Forbidden: no")
        await line.ok("sendMessage", chat_id=2, text="x")
        assert await line.error("sendMessage", chat_id=1, text="x") == (403, "Forbidden: no")


@pytest.mark.parametrize(("kind", "seen"), [("drop", []), ("lost", ["x"])])
async def test_connection_lost_before_or_after_the_effect(kind: str, seen: list[str]) -> None:
    """Dropped before: nothing was sent. Lost after: it was, and only the answer is missing."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        server.fault("sendMessage", kind)
        with pytest.raises(aiohttp.ClientConnectionError):
            await line.call("sendMessage", chat_id=1, text="x")
        assert [message.text for message in chat.answers] == seen
        await server.wait_for("sendMessage", status=0)


async def test_hanging_call_ends_when_the_client_leaves() -> None:
    """A call that hangs is on record as arrived, and as unanswered once the client gave up."""
    async with telegram() as (server, line):
        server.fault("getMe", "hang")
        asking = asyncio.create_task(line.call("getMe"))
        await server.wait_arrived("getMe")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert (await server.wait_for("getMe"))[0].status == 0


async def test_slow_call_and_latency() -> None:
    """One call may be slow by rule; with a latency every call takes its time, but polls wait anyway."""
    async with telegram(Switches(latency=0.02)) as (server, line):
        server.fault("getMe", "slow:0.03")
        began = time.monotonic()
        await line.ok("getMe")
        assert time.monotonic() - began >= 0.05


def test_unknown_fault_is_refused() -> None:
    """A misspelt kind is told, not ignored."""
    with pytest.raises(ValueError, match="explode"):
        FakeTelegram().fault("*", "explode")


async def test_strict_limit_of_a_chat() -> None:
    """More than so many calls in a second: 429, and for as long as told every call of the chat fails."""
    async with telegram(Switches(calls_per_second=2)) as (server, line):
        server.private(server.person(1))
        server.private(server.person(2))
        replies = [await line.call("sendMessage", chat_id=1, text=str(n)) for n in range(4)]
        other = await line.call("sendMessage", chat_id=2, text="x")
        free = await line.call("getChat", chat_id=1)
    assert [reply.status for reply in replies] == [200, 200, 429, 429]
    assert [reply.body["parameters"]["retry_after"] for reply in replies[2:]] == [3, 3]
    assert (other.status, free.status) == (200, 200)


async def test_limit_per_minute_of_a_group() -> None:
    """Groups have a limit per minute besides; private chats do not."""
    async with telegram(Switches(calls_per_second=9, calls_per_minute=3)) as (server, line):
        ana = server.person(1)
        group = server.group([ana])
        server.private(ana)

        async def statuses(chat: int) -> list[int]:
            sent: list[Reply] = [await line.call("sendMessage", chat_id=chat, text=str(n)) for n in range(4)]
            return [reply.status for reply in sent]

        assert await statuses(group.id) == [200, 200, 200, 429]
        assert await statuses(1) == [200] * 4


async def test_stopped_server_comes_back_on_its_port_with_its_chats() -> None:
    """A call under way is let go, new ones find nobody, and after the start all is as it was."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        for end in (server.stop, server.kill):
            poll = asyncio.create_task(line.call("getUpdates", timeout=30))
            await server.wait_arrived("getUpdates")
            server.journal.arrived.clear()
            await end()
            with pytest.raises(aiohttp.ClientConnectionError):
                await poll
            with pytest.raises(aiohttp.ClientConnectionError):
                await line.call("getMe")
            url = server.url
            await server.start()
            assert server.url == url
            await line.ok("sendMessage", chat_id=1, text="back")
        await chat.send(ana, "hello")
        assert (await line.ok("getUpdates"))[0]["message"]["text"] == "hello"
        assert [message.text for message in chat.answers] == ["back", "back"]
