"""`python -m bot doctor` against servers that are well, closed, old, half hidden behind a proxy, or not there."""

import asyncio
from pathlib import Path

from aiohttp import web

from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.server import Switches as Intents
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches
from tests.fakes.telegram.server import FakeTelegram
from tests.sockets.doctoring import doctor, host, site
from tests.sockets.program import program

NOVA, MINI = FakeModel("acme/nova-8b"), FakeModel("acme/mini-1b")
TOKEN = "sk-lm-abcdefgh:abcdefghijklmnopqrst"


def telegram(server: FakeTelegram, **more: str) -> dict[str, str]:
    return {"TELEGRAM_BOT_TOKEN": server.token, "TELEGRAM_API_ROOT": server.url, **more}


def discord(server: FakeDiscord, **more: str) -> dict[str, str]:
    return {"DISCORD_BOT_TOKEN": server.switches.token, "DISCORD_API_ROOT": server.url, **more}


# ---------------------------------------------------------------- well


async def test_all_is_well(tmp_path: Path) -> None:
    """Two platforms and a host that is in order: code 0, and every part is named."""
    async with (
        FakeLMStudio([NOVA, MINI], loaded=["acme/nova-8b"]) as lmstudio,
        FakeTelegram() as bot_api,
        FakeDiscord() as server,
    ):
        report = await doctor(tmp_path, LMSTUDIO_URLS=lmstudio.url, **telegram(bot_api), **discord(server))
    assert report.code == 0, report.text
    for words in (
        "Settings: they can be read",
        "can be written",
        "answers (API v1, 2 models) · version 0.4.25",
        "just-in-time is on",
        "Telegram: logged in as @",
        "Discord: logged in as ",
        "Discord: may read messages",
        "Clock: agrees",
    ):
        assert report.has("✅", words), words
    assert report.text.endswith("All is well.\n")


async def test_while_the_bot_runs(tmp_path: Path) -> None:
    """It disturbs nobody, and says that the bot runs."""
    async with (
        FakeLMStudio([NOVA]) as lmstudio,
        program(tmp_path / "data", LMSTUDIO_URLS=lmstudio.url) as bot,
    ):
        await bot.say("oi")
        report = await doctor(tmp_path, LMSTUDIO_URLS=lmstudio.url)
        assert "You said" in await bot.say("e agora?")
    assert report.code == 0, report.text
    assert report.has("✅", "the bot runs on it (process ")
    assert report.has("✅", "Database: whole (")


# ---------------------------------------------------------------- hosts


async def test_hosts_that_are_not_quite_right(tmp_path: Path) -> None:
    """Each has its own line with what to do."""
    models = [NOVA, MINI]
    async with (
        FakeLMStudio(models, switches=Switches(token=TOKEN)) as closed,
        FakeLMStudio(models, switches=Switches(sockets=False)) as no_socket,
        FakeLMStudio(models, switches=Switches(jit=False)) as no_jit,
        FakeLMStudio(models, switches=Switches(rest_v1=False)) as old,
        FakeLMStudio([]) as empty,
        FakeLMStudio(models, switches=Switches(greeting=False)) as hidden,
    ):
        cases = [
            (host(tmp_path / "1", closed.url), 2, "❌", "wants a token"),
            (
                host(tmp_path / "2", closed.url, LMSTUDIO_TOKEN="sk-lm-wrong"),
                2,
                "❌",
                "refuses LMSTUDIO_TOKEN",
            ),
            (host(tmp_path / "3", closed.url, LMSTUDIO_TOKEN=TOKEN), 0, "✅", "answers (API v1, 2 models)"),
            (host(tmp_path / "4", no_socket.url), 1, "⚠️", "no WebSocket"),
            (host(tmp_path / "5", no_jit.url), 0, "✅", "just-in-time is off"),
            (host(tmp_path / "6", old.url), 1, "⚠️", "only has the older API (v0)"),
            (host(tmp_path / "7", empty.url), 1, "⚠️", "has no models"),
            (host(tmp_path / "8", hidden.url), 1, "⚠️", "does not greet as LM Studio does"),
            (host(tmp_path / "9", "http://127.0.0.1:9"), 2, "❌", "does not answer"),
        ]
        for asking, code, mark, words in cases:
            report = await asking
            assert (report.code, report.has(mark, words)) == (code, True), report.text
            assert not code or "\n   → " in report.text


async def test_a_proxy_that_lies(tmp_path: Path) -> None:
    """Something that answers 200 with a page to everything is not taken for LM Studio."""
    app = web.Application()

    async def page(_: web.Request) -> web.Response:
        return web.Response(
            text="<html>Welcome</html>", content_type="text/html", headers={"Server": "nginx/1.25"}
        )

    app.router.add_route("*", "/{path:.*}", page)
    async with site(app) as url:
        report = await host(tmp_path, url)
    assert report.code == 2
    assert report.has("❌", "something else answers there (nginx/1.25, HTTP 200)")


async def test_a_host_that_hangs(tmp_path: Path) -> None:
    """It is given up; the others are told all the same."""
    stuck = asyncio.Event()
    app = web.Application()

    async def hang(_: web.Request) -> web.Response:
        await stuck.wait()
        return web.Response()

    app.router.add_route("*", "/{path:.*}", hang)
    async with site(app) as url, FakeLMStudio([NOVA]) as lmstudio:
        report = await host(tmp_path, f"{url},{lmstudio.url}")
        stuck.set()
    assert report.has("⚠️", "does not answer (")
    assert report.has("✅", "answers (API v1, 1 models)")
    assert report.code == 1  # the other one can answer


# ---------------------------------------------------------------- platforms and vendors


async def test_tokens_that_are_refused(tmp_path: Path) -> None:
    """Both platforms say so, and where to get another one."""
    async with FakeLMStudio([NOVA]) as lmstudio, FakeTelegram() as bot_api, FakeDiscord() as server:
        report = await doctor(
            tmp_path,
            LMSTUDIO_URLS=lmstudio.url,
            **telegram(bot_api, TELEGRAM_BOT_TOKEN="123:wrong"),
            **discord(server, DISCORD_BOT_TOKEN="wrong"),
        )
    assert report.code == 2
    assert report.has("❌", "Telegram: TELEGRAM_BOT_TOKEN is refused")
    assert report.has("❌", "Discord: DISCORD_BOT_TOKEN is refused")
    assert "@BotFather" in report.text
    assert "developer portal" in report.text


async def test_platforms_that_are_away_or_half_set(tmp_path: Path) -> None:
    """Offline everything else is still told; an intent that is off, a web hook without a port."""
    async with FakeLMStudio([NOVA]) as lmstudio, FakeDiscord(switches=Intents(privileged=set())) as server:
        report = await doctor(
            tmp_path,
            LMSTUDIO_URLS=lmstudio.url,
            PLATFORMS="telegram,discord",
            TELEGRAM_BOT_TOKEN="123:abc",
            TELEGRAM_API_ROOT="http://127.0.0.1:9",
            **discord(server),
        )
        missing = await doctor(tmp_path, LMSTUDIO_URLS=lmstudio.url, PLATFORMS="telegram,discord")
    assert report.code == 2
    assert report.has("❌", "Telegram: does not answer (")
    assert report.has("⚠️", "Discord: may not read messages in servers")
    assert missing.has("❌", "TELEGRAM_BOT_TOKEN is missing")
    assert missing.has("❌", "DISCORD_BOT_TOKEN is missing")


async def test_a_web_hook_that_nobody_hears(tmp_path: Path) -> None:
    """Messages would be sent where nothing listens."""
    async with FakeLMStudio([NOVA]) as lmstudio, FakeTelegram() as bot_api:
        report = await doctor(
            tmp_path,
            LMSTUDIO_URLS=lmstudio.url,
            **telegram(bot_api, TELEGRAM_WEBHOOK_URL="https://bot.example/hook"),
        )
    assert report.code == 2
    assert report.has("❌", "TELEGRAM_WEBHOOK_URL is set, but nothing listens")


async def test_keys_of_vendors(tmp_path: Path) -> None:
    """A key that is taken, one that is refused, a vendor that is away."""
    app = web.Application()

    async def models(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer good-key":
            return web.json_response({"error": {"message": "no", "code": "invalid_api_key"}}, status=401)
        return web.json_response({"data": [{"id": "m"}]})

    app.router.add_get("/v1/models", models)
    async with FakeLMStudio([NOVA]) as lmstudio, site(app) as url:
        report = await doctor(
            tmp_path,
            LMSTUDIO_URLS=lmstudio.url,
            OPENAI_API_KEY="good-key",
            OPENAI_BASE_URL=f"{url}/v1",
            MISTRAL_API_KEY="bad-key",
            MISTRAL_BASE_URL=f"{url}/v1",
            COHERE_API_KEY="some-key",
            COHERE_BASE_URL="http://127.0.0.1:9/v1",
        )
    assert report.code == 2, report.text
    assert report.has("✅", "OpenAI: takes OPENAI_API_KEY")
    assert report.has("❌", "Mistral: ")
    assert report.has("⚠️", "Cohere: ")
