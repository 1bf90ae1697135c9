"""The webhook of the fake: updates posted with the secret, in order for each chat, until they are taken."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.fakes.calling import telegram
from tests.fakes.telegram.listening import Listener

SECRET = "fake_secret-1"


class Hook:
    """A bot's side: answers with the next status, or 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.bodies: list[Any] = []
        self.secrets: list[str | None] = []
        self.listener = Listener(self._take, 0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.port}/hook"

    async def _take(self, request: web.BaseRequest) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@asynccontextmanager
async def _hook() -> AsyncIterator[Hook]:
    hook = Hook()
    await hook.listener.start()
    try:
        yield hook
    finally:
        await hook.listener.kill()


async def test_updates_are_posted_with_the_secret() -> None:
    """What waited and what comes later is posted, each once, with the secret in its header."""
    async with telegram() as (server, line), _hook() as hook:
        ana = server.person(1)
        chat = server.private(ana)
        await chat.send(ana, "before")
        await line.ok("setWebhook", url=hook.url, secret_token=SECRET)
        await chat.send(ana, "after")
        await server.wait_taken()
        info = await line.ok("getWebhookInfo")
    assert [body["message"]["text"] for body in hook.bodies] == ["before", "after"]
    assert hook.secrets == [SECRET, SECRET]
    assert (info["url"], info["pending_update_count"]) == (hook.url, 0)


async def test_refused_update_is_posted_again_and_others_pass_it() -> None:
    """An error is told and tried again; updates of the same chat wait behind, others do not."""
    async with telegram() as (server, line), _hook() as hook:
        ana, bia = server.person(1), server.person(2)
        hook.statuses = [500, 401]
        await line.ok("setWebhook", url=hook.url)
        await server.private(ana).send(ana, "first")
        await server.webhook.wait_for_posts(1)
        await server.private(ana).send(ana, "second")
        await server.private(bia).send(bia, "other")
        await server.wait_taken()
        info = await line.ok("getWebhookInfo")
    texts = [body["message"]["text"] for body in hook.bodies]
    assert texts[:2] == ["first", "other"]
    assert [text for text in texts if text != "other"] == ["first", "first", "second"]
    assert texts.count("other") == 2
    assert hook.secrets[0] is None
    assert info["last_error_message"].startswith("Wrong response from the webhook: ")


async def test_nobody_at_the_webhook_then_somebody() -> None:
    """While nothing listens the updates wait; they come once the bot is back."""
    async with telegram() as (server, line), _hook() as hook:
        await hook.listener.stop()
        ana = server.person(1)
        await line.ok("setWebhook", url=hook.url)
        await server.private(ana).send(ana, "hello")
        await server.webhook.wait_for_posts(2)
        info = await line.ok("getWebhookInfo")
        await hook.listener.start()
        await server.wait_taken()
    assert info["last_error_message"] == "Connection refused"
    assert info["pending_update_count"] == 1
    assert len(hook.bodies) == 1


async def test_deleting_gives_updates_back_to_polling() -> None:
    """After deleteWebhook the waiting updates are for getUpdates, unless they were dropped."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        set_first = await line.call("setWebhook", url="http://127.0.0.1:9/hook")
        set_again = await line.call("setWebhook", url="http://127.0.0.1:9/hook")
        await chat.send(ana, "hello")
        deleted = await line.call("deleteWebhook")
        again = await line.call("deleteWebhook")
        waiting = await line.ok("getUpdates")
        await line.ok("deleteWebhook", drop_pending_updates=True)
        assert await line.ok("getUpdates") == []
    told = [reply.body["description"] for reply in (set_first, set_again, deleted, again)]
    assert told == [
        "Webhook was set",
        "Webhook is already set",
        "Webhook was deleted",
        "Webhook is already deleted",
    ]
    assert waiting[0]["message"]["text"] == "hello"


async def test_wrong_urls_and_secrets() -> None:
    """An address that is none and a secret with other signs are refused."""
    async with telegram() as (_, line):
        url = await line.error("setWebhook", url="nowhere")
        secret = await line.error("setWebhook", url="https://a.org/", secret_token="a b")
    assert url == (400, "Bad Request: bad webhook: invalid webhook URL specified")
    assert secret == (400, "Bad Request: secret token contains unallowed characters")
