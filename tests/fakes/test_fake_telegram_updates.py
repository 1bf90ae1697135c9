"""getUpdates of the fake as documented: long poll, offsets, kinds of updates, conflicts."""

import asyncio
import time

from tests.fakes.calling import telegram
from tests.fakes.telegram.server import Switches


async def test_update_waits_until_confirmed_by_offset() -> None:
    """An update comes again until a call names a higher offset; identifiers grow by one."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        await chat.send(ana, "one")
        await chat.send(ana, "two")
        first = await line.ok("getUpdates")
        again = await line.ok("getUpdates", offset=0)
        rest = await line.ok("getUpdates", offset=first[0]["update_id"] + 1)
        none = await line.ok("getUpdates", offset=first[1]["update_id"] + 1)
    assert first == again
    assert [update["message"]["text"] for update in first] == ["one", "two"]
    assert first[1]["update_id"] == first[0]["update_id"] + 1
    assert [update["message"]["text"] for update in rest] == ["two"]
    assert none == []


async def test_limit_and_negative_offset() -> None:
    """`limit` cuts what is told; a negative offset keeps only the last ones and forgets the others."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        for text in ("one", "two", "three"):
            await chat.send(ana, text)
        limited = await line.ok("getUpdates", limit=2)
        last = await line.ok("getUpdates", offset=-1)
        left = await line.ok("getUpdates")
    assert [update["message"]["text"] for update in limited] == ["one", "two"]
    assert [update["message"]["text"] for update in last] == ["three"]
    assert left == last


async def test_long_poll_answers_the_moment_something_comes() -> None:
    """A waiting poll is answered by the message that arrives, long before its timeout."""
    async with telegram() as (server, line):
        ana = server.person(1, language_code="pt-br")
        chat = server.private(ana)
        poll = asyncio.create_task(line.ok("getUpdates", timeout=30))
        await server.wait_arrived("getUpdates")
        began = time.monotonic()
        await chat.send(ana, "hello")
        updates = await poll
    assert time.monotonic() - began < 2
    assert updates[0]["message"]["from"] == {
        "id": 1, "is_bot": False, "first_name": ana.first_name, "language_code": "pt-br",
    }  # fmt: skip
    assert updates[0]["message"]["chat"] == {"id": 1, "type": "private", "first_name": ana.first_name}


async def test_long_poll_ends_empty() -> None:
    """With nothing to tell, the poll is answered with nothing after its timeout, at most the server's own."""
    async with telegram(Switches(longest_poll=0.05)) as (_, line):
        assert await line.ok("getUpdates", timeout=50) == []


async def test_second_poller_ends_the_first() -> None:
    """The poll that waits gets 409 when another begins to wait."""
    async with telegram() as (server, line):
        first = asyncio.create_task(line.error("getUpdates", timeout=30))
        await server.wait_arrived("getUpdates")
        second = asyncio.create_task(line.ok("getUpdates", timeout=30))
        told = await first
        ana = server.person(1)
        await server.private(ana).send(ana, "for the second")
        updates = await second
    assert told == (
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    )
    assert len(updates) == 1


async def test_poll_of_a_client_that_left_takes_nothing() -> None:
    """A client killed in its poll loses no update: the next one gets it."""
    async with telegram() as (server, line):
        poll = asyncio.create_task(line.ok("getUpdates", timeout=30))
        await server.wait_arrived("getUpdates")
        poll.cancel()
        await asyncio.gather(poll, return_exceptions=True)
        await server.wait_for("getUpdates", status=0)
        ana = server.person(1)
        await server.private(ana).send(ana, "still here")
        assert (await line.ok("getUpdates"))[0]["message"]["text"] == "still here"


async def test_webhook_and_polling_exclude_each_other() -> None:
    """Setting a webhook ends the waiting poll; polling then fails until the webhook is deleted."""
    async with telegram() as (server, line):
        poll = asyncio.create_task(line.error("getUpdates", timeout=30))
        await server.wait_arrived("getUpdates")
        await line.ok("setWebhook", url="http://127.0.0.1:9/hook")
        ended = await poll
        refused = await line.error("getUpdates")
        await line.ok("deleteWebhook")
        assert await line.ok("getUpdates") == []
    assert ended == (409, "Conflict: terminated by setWebhook request")
    assert refused == (
        409,
        (
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first"
        ),
    )


async def test_kinds_of_updates_are_remembered() -> None:
    """Member changes come only if asked for; the list stays until another is given, an empty one resets it."""
    async with telegram() as (server, line):
        ana, bia = server.person(1), server.person(2)
        group = server.group([ana])
        await group.join(bia)
        usual = await line.ok("getUpdates", allowed_updates=["chat_member"])
        await group.leave(bia)
        asked = await line.ok("getUpdates", offset=usual[-1]["update_id"] + 1)
        await line.ok("getUpdates", offset=asked[-1]["update_id"] + 1, allowed_updates=[])
        await group.join(bia)
        reset = await line.ok("getUpdates")
    assert [list(update)[1] for update in usual] == ["message"]
    assert [list(update)[1] for update in asked] == ["chat_member"]
    assert asked[0]["chat_member"]["new_chat_member"]["status"] == "left"
    assert [list(update)[1] for update in reset] == ["message"]
