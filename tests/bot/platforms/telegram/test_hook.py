"""Updates by a web hook: the real HTTP server, a platform with a scripted responder, a Bot API server that posts."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import structlog
from pydantic import SecretStr

from bot.opening import Opening
from bot.platforms.telegram import TelegramPlatform, open_platform
from bot.platforms.telegram.hook import LOOK_EVERY, HookPlace
from bot.web import WebServer
from core.errors import SettingWrong
from tests.fakes.clock import FakeClock
from tests.fakes.responder import FakeResponder
from tests.fakes.telegram.server import FakeTelegram

SECRET = "our-secret_1"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


async def well() -> tuple[bool, dict[str, Any]]:
    return True, {"status": "ok"}


def server() -> WebServer:
    return WebServer(health=well, metrics=lambda: (b"", "text/plain"))


def update(number: int, text: str) -> bytes:
    who = {"id": 42, "is_bot": False, "first_name": "Ana"}
    message = {"message_id": 1, "date": 1, "chat": {"id": 42, "type": "private"}, "text": text, "from": who}
    return json.dumps({"update_id": number, "message": message}).encode()


class Stage:
    """A platform that is posted to. The menus are out of the way, so that only the hook sleeps."""

    def __init__(self, telegram: FakeTelegram, address: str, platform: TelegramPlatform) -> None:
        self.telegram = telegram
        self.address = address
        self.platform = platform
        self.clock = FakeClock()
        self.responder = FakeResponder()

    async def post(self, body: bytes, secret: str | None) -> int:
        headers = {} if secret is None else {HEADER: secret}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.address, data=body, headers=headers) as answer,
        ):
            return answer.status


@asynccontextmanager
async def stage(telegram: FakeTelegram, *, secret: str = SECRET) -> AsyncIterator[Stage]:
    web = server()
    async with web.serving("127.0.0.1", 0) as address:
        place = HookPlace(f"{address}/tg/hook", web, secret)
        clock = FakeClock()
        platform = TelegramPlatform(telegram.token, telegram.url, clock=clock, hook=place)
        made = Stage(telegram, place.url, platform)
        made.clock = clock
        task = asyncio.create_task(platform.run(made.responder))
        try:
            await telegram.wait_for("setWebhook")
            await clock.asleep()
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert await made.post(b"{}", secret) == 503, "who is gone takes nothing"
    assert telegram.violations == []


async def test_what_people_write_arrives_by_posts() -> None:
    """Telegram is told address, secret and kinds; a message is answered; nothing is fetched."""
    async with FakeTelegram() as telegram, stage(telegram):
        ana = telegram.person(42)
        chat = telegram.private(ana)
        await chat.send(ana, "oi")
        await chat.wait_for(lambda m: m.by_bot and "oi" in m.text)
        (told,) = await telegram.wait_for("setWebhook")
        assert told.parameters["allowed_updates"] == [
            "message", "edited_message", "callback_query", "stopped_message_generation",
        ]  # fmt: skip
        assert telegram.webhook.secret == SECRET
        assert telegram.count("getUpdates") == 0


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", "é"])
async def test_a_post_without_the_secret_is_refused(secret: str | None) -> None:
    """Whatever it says: nobody is answered; said in the log once in a while, without what was sent."""
    body = update(1, "canary")
    async with FakeTelegram() as telegram, stage(telegram) as it:
        with structlog.testing.capture_logs() as logs:
            assert [await it.post(body, secret) for _ in range(3)] == [403, 403, 403]
        assert it.responder.heard == []
        assert [line["event"] for line in logs] == ["post with a wrong secret refused"]
        assert "canary" not in str(logs)
        assert await it.post(body, SECRET) == 200, "the same with the right one is taken"


async def test_a_secret_of_its_own() -> None:
    """Without one in the settings it makes one, and Telegram knows it."""
    async with FakeTelegram() as telegram, stage(telegram, secret="") as it:
        made = telegram.webhook.secret
        assert len(made) >= 32
        assert await it.post(b'{"update_id":1}', made) == 200
        assert await it.post(b'{"update_id":2}', "") == 403


async def test_the_same_update_is_taken_once() -> None:
    """Telegram posts again what it thinks was lost."""
    body = update(7, "oi")
    async with FakeTelegram() as telegram, stage(telegram) as it:
        telegram.private(telegram.person(42))
        assert [await it.post(body, SECRET) for _ in range(2)] == [200, 200]
        await telegram.wait_for("sendMessage")
        assert len(it.responder.heard) == 1


async def test_nonsense_with_the_right_secret() -> None:
    """It is refused, and the next update is taken."""
    async with FakeTelegram() as telegram, stage(telegram) as it:
        for body in (b"", b"{", b"[]", b"null", b'{"message":{}}', b'{"update_id":1,"message":{"x":1}}'):
            assert await it.post(body, SECRET) == 400, body
        assert await it.post(b'{"update_id":3}', SECRET) == 200


async def test_it_is_set_again_where_another_program_took_it_away() -> None:
    """The log says which remedy there is."""
    async with FakeTelegram() as telegram, stage(telegram) as it:
        async with aiohttp.ClientSession() as session:
            await session.post(f"{telegram.url}/bot{telegram.token}/deleteWebhook")
        assert telegram.webhook.url == ""
        with structlog.testing.capture_logs() as logs:
            await it.clock.advance(LOOK_EVERY)
            await telegram.wait_for("setWebhook", 2)
            await it.clock.asleep()
        assert telegram.webhook.url == it.address
        line = next(line for line in logs if "taken the web hook away" in line["event"])
        assert "stop the other program" in line["remedy"]


async def test_what_telegram_cannot_deliver_is_told_with_the_remedy() -> None:
    """Once for each failure; the platform is ill while messages wait for it."""
    async with FakeTelegram() as telegram, stage(telegram) as it:
        telegram.webhook.secret = "another"  # as a proxy does that drops the header
        ana = telegram.person(42)
        await telegram.private(ana).send(ana, "oi")
        await telegram.webhook.wait_for_posts(1)
        with structlog.testing.capture_logs() as logs:
            for n in (1, 2):
                await it.clock.advance(LOOK_EVERY)
                await telegram.wait_for("getWebhookInfo", n)
                await it.clock.asleep()
        told = [line for line in logs if line["event"] == "telegram cannot deliver to the web hook"]
        assert told
        assert "403" in told[0]["why"]
        assert "HTTP_PORT" in told[0]["remedy"]
        assert it.platform.trouble == "web hook not reached"
        telegram.webhook.secret = SECRET
        await telegram.wait_taken()
        await it.clock.advance(LOOK_EVERY)
        await telegram.wait_for("getWebhookInfo", 3)
        await it.clock.asleep()
        assert it.platform.trouble == ""


async def test_telegram_is_away_while_it_is_set() -> None:
    """It is tried until it works, and a pause that Telegram asks for is kept."""
    async with FakeTelegram() as telegram:
        telegram.fault("setWebhook", "status:502")
        telegram.fault("setWebhook", "status:429:7")
        web = server()
        async with web.serving("127.0.0.1", 0) as address:
            clock = FakeClock()
            place = HookPlace(f"{address}/h", web, SECRET)
            platform = TelegramPlatform(telegram.token, telegram.url, clock=clock, hook=place)
            task = asyncio.create_task(platform.run(FakeResponder()))
            await telegram.wait_for("setWebhook", 1)
            await clock.asleep()
            assert platform.trouble == "NetworkError"
            await clock.advance(1)
            await telegram.wait_for("setWebhook", 2)
            await clock.asleep()
            await clock.advance(6.9)
            assert telegram.count("setWebhook") == 2
            await clock.advance(0.2)
            await telegram.wait_for("setWebhook", 3)
            await clock.asleep()
            assert platform.trouble == ""
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_an_address_that_telegram_refuses() -> None:
    """The setting is named, with Telegram's words."""
    async with FakeTelegram() as telegram:
        telegram.fault(
            "setWebhook", "status:400", text="Bad Request: bad webhook: HTTPS URL must be provided"
        )
        place = HookPlace("http://127.0.0.1:9/h", server())
        with pytest.raises(SettingWrong, match="TELEGRAM_WEBHOOK_URL") as wrong:
            await TelegramPlatform(telegram.token, telegram.url, hook=place).run(FakeResponder())
    assert "https url must be provided" in str(wrong.value).lower()


@pytest.mark.parametrize(
    ("settings", "web", "name"),
    [
        ({"telegram_webhook_url": "https://bot.example/t"}, False, "HTTP_PORT"),
        ({"telegram_webhook_url": "bot.example"}, True, "TELEGRAM_WEBHOOK_URL"),
        (
            {"telegram_webhook_url": "https://bot.example/t", "telegram_webhook_secret": SecretStr("a b")},
            True,
            "TELEGRAM_WEBHOOK_SECRET",
        ),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], web: bool, name: str, tmp_path: Any) -> None:  # noqa: FBT001  # a parameter of pytest
    """What is wrong is named before anything is called."""
    there = {
        "telegram_bot_token": SecretStr("1:x"),
        "telegram_api_root": "http://127.0.0.1:9",
        "telegram_webhook_url": None,
        "telegram_webhook_secret": None,
        "telegram_rich": False,
        **settings,
    }
    there_is = server() if web else None
    opening = Opening(there.__getitem__, lambda _: lambda key, **_: key, tmp_path, there_is)
    with pytest.raises(SettingWrong, match=name):
        open_platform(opening)
