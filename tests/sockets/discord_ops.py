"""The shipped program on Discord, as whoever runs it sees it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.fakes.discord.server import FakeDiscord
from tests.sockets.program import Program, program


@contextlib.asynccontextmanager
async def discord_bot(
    data_dir: Path, discord: FakeDiscord, lmstudio: str, **settings: str
) -> AsyncIterator[Program]:
    """Start it and wait until it is ready; its token is in nothing it printed."""
    given = {
        "PLATFORMS": "discord",
        "DISCORD_BOT_TOKEN": discord.token,
        "DISCORD_API_ROOT": discord.url,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "LMSTUDIO_URLS": lmstudio,
        "ACCESS": "open",
        # discord.py imports it for voice, which is not used here
        "PYTHONWARNINGS": "error,ignore:'audioop' is deprecated:DeprecationWarning",
        **settings,
    }
    async with program(data_dir, **given) as bot:
        await bot.shows("discord is ready")
        yield bot
        assert not any(discord.token in line for line in bot.progress)
