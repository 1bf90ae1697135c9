"""The shipped program on Discord: a process of its own between a Discord and an LM Studio, both ours."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.discord.server import FIRST_PERSON, Channel, FakeDiscord, Message, Person, Press, Switches
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.sockets.program import PATIENCE, ROOT, environment
from tests.sockets.telegram_program import Running

NONE: Mapping[str, str] = {}
# discord.py imports it for voices, on the versions of Python that still have it.
QUIET = "error,ignore:'audioop' is deprecated and slated for removal:DeprecationWarning"
ANA = f"discord:{FIRST_PERSON}"
EVERYBODY = ",".join(f"discord:{FIRST_PERSON + number}" for number in range(60))
SYNC = "PUT /applications/{application_id}/commands"


def settings_of(discord: FakeDiscord) -> dict[str, str]:
    """What leads the program to this Discord."""
    return {
        "DISCORD_BOT_TOKEN": discord.token,
        "DISCORD_API_ROOT": discord.url,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
    }


async def connected(discord: FakeDiscord, before: int, shards: int = 1) -> None:
    """Wait until every shard of a new process has a session. `before` = orders that the gateway had then."""

    def look() -> bool | None:
        new = [line for line in discord.gateway.log[before:] if line.startswith("IDENTIFY")]
        return True if len(new) >= shards and len(discord.gateway.live()) >= shards else None

    await discord.world.bell.until(look, PATIENCE, lambda: f"the bot did not come: {discord.gateway.log}")


@contextlib.asynccontextmanager
async def discord_bot(
    data_dir: Path,
    discord: FakeDiscord,
    lmstudio: str,
    settings: Mapping[str, str] = NONE,
    *,
    ready: bool = True,
) -> AsyncIterator[Running]:
    """Start the program; the token is in nothing it printed, and Discord would have taken every body."""
    before = len(discord.gateway.log)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        cwd=ROOT,
        env=environment(
            data_dir,
            **{
                "PLATFORMS": "discord",
                **settings_of(discord),
                "LMSTUDIO_URLS": lmstudio,
                "ADMINS": EVERYBODY,
                "PYTHONWARNINGS": QUIET,
                "LOG_LEVEL": "DEBUG",
                **settings,
            },
        ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Running(process)
    try:
        if ready:
            await _up(running, connected(discord, before, discord.switches.shards))
        yield running
    except BaseException:
        sys.stderr.write("\n".join(running.output[-60:]) + os.linesep)
        raise
    finally:
        await running.kill()
    assert [line for line in running.output if discord.token in line] == []
    assert discord.violations == []


async def _up(running: Running, waiting: Awaitable[None]) -> None:
    """Wait, unless the program ends before."""
    coming = asyncio.ensure_future(waiting)
    ending = asyncio.ensure_future(running.process.wait())
    await asyncio.wait({coming, ending}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if not coming.done():
        coming.cancel()
        raise AssertionError("\n".join(["it ended:", *running.output]))
    await coming


@dataclass
class World:
    """A bot that runs, and Ana, who speaks Portuguese, in her private chat with it."""

    discord: FakeDiscord
    lmstudio: FakeLMStudio
    bot: Running
    ana: Person
    chat: Channel
    again: Callable[[], AbstractAsyncContextManager[Running]]
    stack: contextlib.AsyncExitStack

    async def restart(self, *, dead: Callable[[], Awaitable[object]] | None = None) -> None:
        """A kill -9, and the program again with the same data; `dead` runs in between."""
        await self.bot.kill()
        if dead is not None:
            await dead()
        self.bot = await self.stack.enter_async_context(self.again())

    async def says(self, words: str, chat: Channel | None = None) -> Message:
        """Wait until the bot has said these words."""
        return await (chat or self.chat).says(words, PATIENCE)

    async def ask(self, text: str, words: str, chat: Channel | None = None) -> Message:
        """Somebody writes in a private chat, Ana if nobody else is named, and the bot says these words."""
        place = chat or self.chat
        await place.send(self.owner(place), text)
        return await self.says(words, place)

    def owner(self, chat: Channel) -> Person:
        """Whose private chat it is."""
        return self.discord.world.people[chat.stored.recipient_ids[0]]

    async def run(
        self, name: str, argument: str = "", chat: Channel | None = None, person: Person | None = None
    ) -> Press:
        """A command of the menu; an argument goes into its first option."""
        await self.synced()
        place = chat or self.chat
        options = self.discord.commands()[name].get("options") or []
        given = {options[0]["name"]: argument} if argument else {}
        return await place.slash(person or self.owner(place), name, **given)

    async def synced(self) -> None:
        """Wait until there is a menu of commands."""
        if not self.discord.commands():
            await self.discord.wait_for(SYNC, timeout=PATIENCE)

    def someone(self, name: str, locale: str = "pt-BR") -> Channel:
        """The private chat of another person."""
        return self.discord.private(self.discord.person(name, locale=locale))


@contextlib.asynccontextmanager
async def world(
    data_dir: Path,
    models: list[FakeModel],
    *loaded: str,
    switches: Switches | None = None,
    prepare: Callable[[FakeDiscord], object] | None = None,
    **settings: str,
) -> AsyncIterator[World]:
    """Everything that there is. `prepare` arranges people and guilds before the bot comes."""
    async with FakeDiscord(switches=switches) as discord, FakeLMStudio(models, loaded=loaded) as lmstudio:
        ana = discord.person("Ana")
        chat = discord.private(ana)
        if prepare is not None:
            prepare(discord)

        def start() -> AbstractAsyncContextManager[Running]:
            return discord_bot(data_dir, discord, lmstudio.url, settings)

        async with contextlib.AsyncExitStack() as stack:
            bot = await stack.enter_async_context(start())
            yield World(discord, lmstudio, bot, ana, chat, start, stack)
