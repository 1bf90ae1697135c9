"""The webhook: updates posted to the bot, again and again until it takes them, in order for each chat."""

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp

from tests.fakes.telegram.bell import Bell
from tests.fakes.telegram.switches import Switches
from tests.fakes.telegram.updates import Update, Updates
from tests.fakes.telegram.wire import Json

_POST_SECONDS = 60.0
_LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Post:
    """One attempt to deliver an update; status 0: nobody answered."""

    update_id: int
    status: int
    at: float


@dataclass
class Webhook:
    updates: Updates
    switches: Switches
    bell: Bell
    url: str = ""
    secret: str = ""
    max_connections: int = 40
    certificate: bool = False
    last_error: str = ""
    last_error_date: int = 0
    posts: list[Post] = field(default_factory=list)
    _lanes: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _session: aiohttp.ClientSession | None = None

    def info(self) -> Json:
        told: Json = {
            "url": self.url,
            "has_custom_certificate": self.certificate,
            "pending_update_count": len(self.updates.pending),
        }
        if self.url:
            told |= {"max_connections": self.max_connections, "ip_address": "127.0.0.1"}
        if self.last_error:
            told |= {"last_error_date": self.last_error_date, "last_error_message": self.last_error}
        if self.updates.allowed:
            told["allowed_updates"] = sorted(self.updates.allowed)
        return told

    async def start(self) -> None:
        self._session = aiohttp.ClientSession()
        self.updates.on_new.append(self.look)
        self.look()

    async def stop(self) -> None:
        """Post nothing more; what is not taken stays."""
        if self.look in self.updates.on_new:
            self.updates.on_new.remove(self.look)
        await self.rest()
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def rest(self) -> None:
        lanes, self._lanes = list(self._lanes.values()), {}
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)

    def look(self) -> None:
        """Begin with each chat that has something to deliver."""
        if not self.url or self._session is None:
            return
        for update in self.updates.pending:
            if update.lane not in self._lanes:
                self._lanes[update.lane] = asyncio.create_task(self._deliver(update.lane, self._session))

    async def _deliver(self, lane: int, session: aiohttp.ClientSession) -> None:
        pause = self.switches.webhook_retry_seconds
        while True:
            update = next((each for each in self.updates.pending if each.lane == lane), None)
            if update is None:
                del self._lanes[lane]
                return
            if await self._post(update, session):
                self.updates.done(update)
                self.bell.ring()
                pause = self.switches.webhook_retry_seconds
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _post(self, update: Update, session: aiohttp.ClientSession) -> bool:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.secret} if self.secret else {}
        limit = aiohttp.ClientTimeout(total=_POST_SECONDS)
        try:
            async with session.post(self.url, json=update.whole, headers=headers, timeout=limit) as answer:
                await answer.read()
                status, reason = answer.status, answer.reason
        except TimeoutError:
            status, reason = 0, "Read timeout expired"
        except aiohttp.ClientError:
            status, reason = 0, "Connection refused"
        self.posts.append(Post(update.id, status, time.monotonic()))
        self.bell.ring()
        if 200 <= status < 300:
            return True
        told = f"Wrong response from the webhook: {status} {reason}" if status else str(reason)
        self.last_error, self.last_error_date = told, int(time.time())
        return False

    async def wait_for_posts(self, n: int, timeout: float = 5.0) -> list[Post]:
        """Return the attempts once there are `n`."""
        return await self.bell.until(
            lambda: self.posts if len(self.posts) >= n else None, timeout, lambda: f"posts: {self.posts}"
        )
