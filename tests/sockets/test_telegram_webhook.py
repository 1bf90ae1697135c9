"""The shipped program with a web hook: through a tunnel, as from the internet to its HTTP server."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.fakes.telegram.listening import Listener
from tests.fakes.telegram.server import FakeTelegram
from tests.sockets.program import PATIENCE
from tests.sockets.telegram_program import Running, telegram_bot, world

NOVA = "acme/nova-8b"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
SECRET = "a-secret_of-ours"


@dataclass
class Tunnel:
    """What a reverse proxy does: a public address in front of wherever the program listens today."""

    target: str = ""
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    lose: int = 0  # answers that do not find their way back

    def __post_init__(self) -> None:
        self._listener = Listener(self._pass, 0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}/tg/posts"

    async def _pass(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        self.seen.append((request.path, request.headers.get(HEADER, ""), body))
        if not self.target:
            return web.Response(status=502)
        kept = {name: value for name, value in request.headers.items() if name.lower() == HEADER.lower()}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.target}{request.path}", data=body, headers=kept) as answer,
        ):
            status = answer.status
        if self.lose:
            self.lose -= 1
            return web.Response(status=504)
        return web.Response(status=status)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Tunnel"]:
        await self._listener.start()
        try:
            yield self
        finally:
            await self._listener.kill()


async def address(bot: Running) -> str:
    line = await bot.says("http server listens")
    return line.partition("address='")[2].partition("'")[0]


async def post(url: str, body: bytes, secret: str | None) -> int:
    headers = {} if secret is None else {HEADER: secret}
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        return answer.status


async def test_messages_come_by_the_web_hook(tmp_path: Path) -> None:
    """Right secret: answered, streamed, buttons too, once though an answer was lost. Wrong or missing: refused."""
    model = FakeModel(NOVA, "Nova 8B", token_delay=0.02)
    settings = {"HTTP_PORT": "0", "TELEGRAM_WEBHOOK_SECRET": SECRET}
    async with (
        FakeTelegram() as telegram,
        FakeLMStudio([model], loaded=[NOVA]) as lmstudio,
        Tunnel().open() as tunnel,
    ):
        settings["TELEGRAM_WEBHOOK_URL"] = tunnel.url
        ana = telegram.person(42, language_code="pt-br")
        chat = telegram.private(ana)
        await chat.send(ana, "antes")  # nobody listens yet: Telegram keeps it
        async with telegram_bot(tmp_path, telegram, lmstudio.url, settings) as bot:
            tunnel.target = await address(bot)
            told = (await telegram.wait_for("setWebhook", timeout=PATIENCE))[0].parameters
            assert "stopped_message_generation" in told["allowed_updates"]
            await chat.wait_for(lambda m: m.by_bot and "You said: antes" in m.text, timeout=PATIENCE)
            tunnel.lose = 1
            await chat.send(ana, "uma vez")
            answer = await chat.wait_for(
                lambda m: m.by_bot and "You said: uma vez" in m.text, timeout=PATIENCE
            )
            await telegram.wait_taken(timeout=PATIENCE)
            await (await answer.press(ana, "🔁 Refazer")).answered(PATIENCE)
            await telegram.wait_for("sendMessage", 3, timeout=PATIENCE)
            said = [m.text.rpartition(" You said: ")[2] for m in chat.answers]
            assert said == ["antes", "uma vez", "uma vez"]
            assert {secret for _, secret, _ in tunnel.seen} == {SECRET}
            body = tunnel.seen[-1][2].replace(b'"update_id": 7', b'"update_id": 8')
            for secret in ("wrong", "", None):
                assert await post(f"{tunnel.target}/tg/posts", body, secret) == 403
            assert await post(f"{tunnel.target}/other", body, SECRET) == 404
            await bot.says("post with a wrong secret refused")
            assert telegram.count("getUpdates") == 0
            async with aiohttp.ClientSession() as session, session.get(f"{tunnel.target}/health") as health:
                assert (await health.json())["platforms"] == {"telegram": {"ok": True}}
        assert not [line for line in bot.output if SECRET in line]
        assert len(chat.answers) == 3
        tunnel.target = ""
        await chat.send(ana, "depois")
        del settings["TELEGRAM_WEBHOOK_URL"]  # back to fetching: the hook goes, what waited is answered
        async with telegram_bot(tmp_path, telegram, lmstudio.url, settings):
            await chat.wait_for(lambda m: m.by_bot and "You said: depois" in m.text, timeout=PATIENCE)
            assert telegram.count("deleteWebhook") == 1
            assert telegram.webhook.url == ""


async def test_a_web_hook_that_nothing_listens_for(tmp_path: Path) -> None:
    """Without HTTP_PORT the program says which setting is missing, and ends with 1."""
    async with FakeTelegram() as telegram, FakeLMStudio([FakeModel(NOVA)]) as lmstudio:
        settings = {"TELEGRAM_WEBHOOK_URL": "https://bot.example/tg"}
        async with telegram_bot(tmp_path, telegram, lmstudio.url, settings, ready=False) as bot:
            await bot.says("A configuração HTTP_PORT não serve")
            assert await bot.exit_code() == 1


async def test_somebody_elses_web_hook_is_named_with_the_remedy(tmp_path: Path) -> None:
    """It was set while this program fetches: 409 from then on; a restart takes the messages back."""
    async with world(tmp_path, [FakeModel(NOVA)], NOVA) as w, Tunnel().open() as other:
        await w.telegram.wait_arrived("getUpdates")
        async with aiohttp.ClientSession() as session:
            hook = f"{w.telegram.url}/bot{w.telegram.token}/setWebhook"
            await session.post(hook, json={"url": other.url, "secret_token": "theirs"})
        line = await w.bot.says("another program takes this bot's messages")
        assert "stop the other program" in line
        await w.bot.says("a web hook")
        await w.chat.send(w.ana, "/help")
        await w.restart()
        await w.says("❓ Comandos")
        assert w.telegram.webhook.url == ""
