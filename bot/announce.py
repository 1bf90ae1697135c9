"""News that nobody asked for, to those who administer the bot: each in a private chat, as soon as it can be reached."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import structlog

from bot.cards import Card
from bot.surface import Platform, Surface, SurfaceDown, show
from core.clock import Clock
from core.conversation import ChatRef
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
                    group.create_task(_reach(card, platform, ChatRef(name, person), engine.clock))


async def _reach(card: Card, platform: Platform, chat: ChatRef, clock: Clock) -> None:
    deadline = clock.monotonic() + GIVE_UP
    while (surface := _surface(platform, chat)) is None:
        if clock.monotonic() > deadline:
            return
        await clock.sleep(LOOK_EVERY)
    with suppress(SurfaceDown):
        await show(_only(card), surface, clock)
        log.info("administrator told", chat=str(chat))


def _surface(platform: Platform, chat: ChatRef) -> Surface | None:
    """The chat, once the platform has logged in."""
    try:
        return platform.surface(chat)
    except ValueError:
        return None


async def _only(card: Card) -> AsyncIterator[Card]:
    yield card
