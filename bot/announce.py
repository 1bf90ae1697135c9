"""News that nobody asked for, to those who administer the bot: each in a private chat, as soon as it can be reached."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import structlog

from bot.cards import Card
from bot.showing import show
from bot.surface import Platform, Surface, SurfaceDown
from core.clock import Clock
from core.engine import Engine
from core.people import Role

log = structlog.get_logger(__name__)

LOOK_EVERY = 2.0  # seconds between two looks whether a platform is there yet
GIVE_UP = 600.0


async def announce(card: Card, engine: Engine, platforms: Sequence[Platform]) -> None:
    """Show the card to every administrator that has a chat; who cannot be reached finds it in the log."""
    grants = [grant.who for grant in engine.access.grants() if grant.role is Role.ADMINISTRATOR]
    async with asyncio.TaskGroup() as group:
        for platform in platforms:
            for who in grants:
                name, _, person = who.partition(":")
                if name == platform.name and person:
                    group.create_task(_reach(card, platform, who, engine.clock))


async def _reach(card: Card, platform: Platform, who: str, clock: Clock) -> None:
    deadline = clock.monotonic() + GIVE_UP
    while (surface := await _surface(platform, who)) is None:
        if clock.monotonic() > deadline:
            return
        await clock.sleep(LOOK_EVERY)
    with suppress(SurfaceDown):
        await show(_only(card), surface, clock)
        log.info("administrator told", who=who)


async def _surface(platform: Platform, who: str) -> Surface | None:
    """The private chat with that one, once the platform has logged in."""
    chat = await platform.private(who)
    try:
        return None if chat is None else platform.surface(chat)
    except ValueError:
        return None


async def _only(card: Card) -> AsyncIterator[Card]:
    yield card
