"""Telegram, Discord and the console in one process: each goes on when another cannot, and all end together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.fakes.discord.server import FakeDiscord
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.fakes.telegram.server import FakeTelegram
from tests.sockets.discord_program import ANA, discord_bot
from tests.sockets.program import PATIENCE
from tests.sockets.telegram_program import Running

NOVA = "acme/nova-8b"
CUT = "🔄 Estou sendo reiniciado, e isto ficou pela metade."
AGAIN = "🔁 Refazer"


class Together:
    """The three, one person each, and the program."""

    def __init__(self, telegram: FakeTelegram, discord: FakeDiscord, lmstudio: FakeLMStudio) -> None:
        self.telegram, self.discord, self.lmstudio = telegram, discord, lmstudio
        self.bia = telegram.person(42, language_code="pt-br")
        self.ana = discord.person("Ana")
        self.on_telegram, self.on_discord = telegram.private(self.bia), discord.private(self.ana)

    def start(
        self, tmp_path: Path, *, ready: bool = True, **settings: str
    ) -> contextlib.AbstractAsyncContextManager[Running]:
        told = {
            "PLATFORMS": "telegram,discord,console",
            "ADMINS": f"telegram:{self.bia.id},{ANA}",
            "TELEGRAM_BOT_TOKEN": self.telegram.token,
            "TELEGRAM_API_ROOT": self.telegram.url,
            **settings,
        }
        return discord_bot(tmp_path, self.discord, self.lmstudio.url, told, ready=ready)

    async def telegram_says(self, words: str) -> None:
        await self.on_telegram.wait_for(lambda m: m.by_bot and words in m.text, timeout=PATIENCE)

    async def discord_says(self, words: str) -> None:
        await self.on_discord.says(words, PATIENCE)


@contextlib.asynccontextmanager
async def together(*models: FakeModel) -> AsyncIterator[Together]:
    there = models or (FakeModel(NOVA, "Nova 8B", parallel=4),)
    async with (
        FakeTelegram() as telegram,
        FakeDiscord() as discord,
        FakeLMStudio(list(there), loaded=[NOVA]) as lmstudio,
    ):
        yield Together(telegram, discord, lmstudio)


async def test_all_three_answer(tmp_path: Path) -> None:
    """Each its own people, with one model."""
    async with together() as t, t.start(tmp_path) as bot:
        await t.on_telegram.send(t.bia, "oi do telegram")
        await t.on_discord.send(t.ana, "oi do discord")
        await bot.write("oi do console")
        await t.telegram_says("You said: oi do telegram")
        await t.discord_says("You said: oi do discord")
        await bot.says("You said: oi do console")


async def test_one_that_cannot_log_in_leaves_the_others_running(tmp_path: Path) -> None:
    """It is said which setting is wrong; the other two answer. Once for each of the two."""
    async with together() as t:
        async with t.start(tmp_path, ready=False, DISCORD_BOT_TOKEN="wrong.token.nobody") as bot:
            await bot.says("DISCORD_BOT_TOKEN não serve")
            await t.on_telegram.send(t.bia, "um")
            await t.telegram_says("You said: um")
            await bot.write("dois")
            await bot.says("You said: dois")
        async with t.start(tmp_path, TELEGRAM_BOT_TOKEN="999:WRONG-token-of-nobody") as bot:
            await bot.says("TELEGRAM_BOT_TOKEN não serve")
            await t.on_discord.send(t.ana, "três")
            await t.discord_says("You said: três")
            await bot.write("quatro")
            await bot.says("You said: quatro")


async def test_one_that_crashes_leaves_the_others_running(tmp_path: Path) -> None:
    """Discord says something that its library does not survive: the log names the platform, the others answer."""
    async with together() as t:
        t.discord.switches.broken_ready = True
        async with t.start(tmp_path, ready=False) as bot:
            line = await bot.says("platform crashed")
            assert "discord" in line
            await t.on_telegram.send(t.bia, "um")
            await t.telegram_says("You said: um")
            await bot.write("dois")
            await bot.says("You said: dois")
            assert bot.process.returncode is None


async def test_sigterm_ends_all_with_what_had_come(tmp_path: Path) -> None:
    """Within ten seconds with 0: a long answer is marked on both, and its button asks again later."""
    talker = FakeModel(NOVA, "Nova 8B", reply="palavra " * 3000, token_delay=0.02, parallel=4)
    async with together(talker) as t:
        async with t.start(tmp_path) as bot:
            await t.on_telegram.send(t.bia, "conte")
            await t.on_discord.send(t.ana, "conte")
            await t.on_telegram.wait_for_draft(lambda d: "palavra" in d.text, timeout=PATIENCE)
            await t.discord_says("palavra")
            before = asyncio.get_running_loop().time()
            assert await bot.terminate() == 0
            assert asyncio.get_running_loop().time() - before < 10
        await t.lmstudio.wait_for("generation_stopped", 2, timeout=PATIENCE)
        await t.telegram_says(CUT)
        cut = await t.on_discord.says(CUT, PATIENCE)
        assert cut.text.startswith("palavra")
        assert cut.labels == [AGAIN]
        assert t.on_telegram.answers[-1].labels == [AGAIN]
        talker.reply = "Agora inteira."
        async with t.start(tmp_path):
            await cut.press(t.ana, AGAIN)
            await t.discord_says("Agora inteira.")
