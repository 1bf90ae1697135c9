"""Waiting with a sign of life a second: for one thing that comes, or for a channel's messages."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from core.clock import Clock
from core.providers.lmstudio.socket import Channel

TICK = 1.0  # seconds between two looks where the host reports no progress


async def briefly(waiting: Coroutine[Any, Any, None]) -> None:
    """Wait for it, but not longer than a second."""
    try:
        async with asyncio.timeout(1):
            await waiting
    except TimeoutError:
        return


async def tick(waited: asyncio.Future[Any], clock: Clock) -> None:
    """Return when it is done, or after a second of waiting for it."""
    second = asyncio.ensure_future(clock.sleep(TICK))
    try:
        await asyncio.wait({waited, second}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        second.cancel()


async def ticking(channel: Channel, clock: Clock) -> AsyncGenerator[Any]:
    """The channel's messages, and `None` after each second of silence."""
    following: asyncio.Future[Any] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(anext(channel))
            await tick(following, clock)
            if not following.done():
                yield None
                continue
            try:
                message = following.result()
            except StopAsyncIteration:
                return
            finally:
                following = None
            yield message
    finally:
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
