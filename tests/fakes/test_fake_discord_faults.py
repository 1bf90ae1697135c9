"""What goes wrong at the fake Discord goes wrong for discord.py as it does in life."""

import time

import aiohttp
import discord
import pytest

from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord_client import connected

SEND = "POST /channels/*/messages"


@pytest.mark.parametrize("kind", ["status:429:0.2", "bare:0.2", "global:0.2"])
async def test_a_429_is_waited_out(kind: str) -> None:
    """With the headers of a bucket, without them, and for all calls: the client waits and the message lands."""
    async with FakeDiscord() as server:
        chat = server.private(server.person("Ana"))
        server.fault(SEND, kind)
        async with connected(server) as bot:
            begun = time.monotonic()
            await bot.get_partial_messageable(chat.id).send("oi")
            assert time.monotonic() - begun >= 0.2
        statuses = [call.status for call in server.journal.matching(SEND)]
        assert statuses == [429, 200]


async def test_a_ban_of_the_proxy_is_an_error() -> None:
    """A 429 that Discord did not write is not waited out."""
    async with FakeDiscord() as server:
        chat = server.private(server.person("Ana"))
        server.fault(SEND, "banned")
        async with connected(server) as bot:
            with pytest.raises(discord.HTTPException, match="429"):
                await bot.get_partial_messageable(chat.id).send("oi")


async def test_a_502_is_tried_again() -> None:
    """A page of the proxy; the client tries again after a second."""
    async with FakeDiscord() as server:
        chat = server.private(server.person("Ana"))
        server.fault(SEND, "status:502")
        async with connected(server) as bot:
            await bot.get_partial_messageable(chat.id).send("oi")
        assert [call.status for call in server.journal.matching(SEND)] == [502, 200]


@pytest.mark.parametrize(("kind", "landed"), [("drop", 0), ("lost", 1)])
async def test_a_connection_may_end_before_or_after_the_call_had_its_effect(kind: str, landed: int) -> None:
    """The client knows no difference: it has no answer."""
    async with FakeDiscord() as server:
        chat = server.private(server.person("Ana"))
        server.fault(SEND, kind)
        async with connected(server) as bot:
            with pytest.raises(aiohttp.ClientError):
                await bot.get_partial_messageable(chat.id).send("oi")
        assert len(chat.answers) == landed
        assert [call.status for call in server.journal.matching(SEND)] == [0]


async def test_a_nonce_makes_one_message() -> None:
    """A call whose answer was lost may be made again with the same nonce: the message stands there once."""
    async with FakeDiscord() as server:
        chat = server.private(server.person("Ana"))
        server.fault(SEND, "lost")
        async with connected(server) as bot:
            place = bot.get_partial_messageable(chat.id)
            with pytest.raises(aiohttp.ClientError):
                await place.send("oi", nonce="7")
            again = await place.send("oi", nonce="7")
            await place.send("oi", nonce="8")
        assert chat.answers[0].id == again.id
        assert len(chat.answers) == 2


async def test_a_bucket_holds_five_sends_and_edits_of_a_channel() -> None:
    """discord.py reads its headers and waits by itself: nothing is refused; another channel is free."""
    async with FakeDiscord() as server:
        server.switches.bucket = (5, 0.4)
        first, other = (server.private(server.person(name)) for name in ("Ana", "Bia"))
        async with connected(server) as bot:
            begun = time.monotonic()
            sent = await bot.get_partial_messageable(first.id).send("0")
            for number in range(1, 6):
                await sent.edit(content=str(number))
            assert time.monotonic() - begun >= 0.3
            await bot.get_partial_messageable(other.id).send("oi")
        assert server.count(status=429) == 0
        assert first.answers[0].text == "5"


async def test_who_does_not_heed_the_headers_is_refused() -> None:
    """The sixth call of a bucket is a 429 that tells how long."""
    async with FakeDiscord() as server, aiohttp.ClientSession() as session:
        chat = server.private(server.person("Ana"))
        headers = {"Authorization": f"Bot {server.token}"}
        answers, body = [], {"retry_after": 0.0}
        for _ in range(6):
            async with session.post(
                f"{server.url}/channels/{chat.id}/messages", json={"content": "x"}, headers=headers
            ) as answer:
                answers.append(
                    (answer.status, answer.headers["X-RateLimit-Remaining"], answer.headers["Via"])
                )
                body = await answer.json()
        assert [status for status, _, _ in answers] == [200] * 5 + [429]
        assert [left for _, left, _ in answers] == ["4", "3", "2", "1", "0", "0"]
        assert 0 < body["retry_after"] <= 5
