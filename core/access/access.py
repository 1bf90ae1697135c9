"""The gate of the program: who is what, what was decided about whom, and who was here."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog

from core.access.limits import DAY, Allowance, Pace
from core.access.pairing import Pairing
from core.access.rules import BY_SETTING, Rules, role_of
from core.access.spending import Spending
from core.clock import Clock
from core.errors import StorageFailed
from core.people import Grant, Role, Seen, Visitor, is_group
from core.refusals import CodeRefused, TokensSpent, TooManyMessages, Unchangeable
from core.storage.access import AccessQueries

log = structlog.get_logger(__name__)

SEEN_EVERY = 3600.0  # seconds between two notes that somebody was here
WEEK = 7 * DAY
LISTED = 200  # people that a list shows at most
_REMEMBERED = 10_000


class Access:
    """Answers from memory; what changes is stored at once. `announce` tells a new code to the operator."""

    def __init__(self, queries: AccessQueries, clock: Clock, rules: Rules) -> None:
        self._queries = queries
        self._clock = clock
        self._rules = rules
        self._grants: dict[str, Grant] = {}
        self._pairing = Pairing(queries, clock)
        self._pace = Pace(clock)
        self.spending = Spending(queries, clock)
        self._seen: OrderedDict[str, Seen] = OrderedDict()  # as last stored, of those who wrote lately
        self._turn = asyncio.Lock()
        self.announce: Callable[[str], Awaitable[None]] = _to_nobody

    async def open(self) -> None:
        """Read what was decided. Raises StorageFailed."""
        self._grants = {grant.who: grant for grant in await self._queries.grants()}

    def follow(self, rules: Rules) -> None:
        """The settings were read again: what they say counts from the next message on."""
        self._rules = rules

    # ------------------------------------------------------------ who is what

    def role(self, visitor: Visitor) -> Role:
        """What somebody is to the bot."""
        return role_of(visitor, self._rules, self._grants)

    @property
    def has_administrator(self) -> bool:
        """Whether anybody may administer, besides whoever sits at the machine."""
        granted = any(grant.role is Role.ADMINISTRATOR for grant in self._grants.values())
        return granted or bool(self._rules.admins)

    def grants(self) -> list[Grant]:
        """Everything that was decided, those of the setting first, then by role and label."""
        by_setting = [_by_setting(who) for who in sorted(self._rules.admins)]
        others = [grant for grant in self._grants.values() if grant.who not in self._rules.admins]
        return by_setting + sorted(others, key=lambda g: (-g.role, g.label.lower(), g.who))

    def grant(self, who: str) -> Grant | None:
        """What was decided about that one."""
        return _by_setting(who) if who in self._rules.admins else self._grants.get(who)

    # ------------------------------------------------------------ who was here

    async def knock(self, visitor: Visitor) -> bool:
        """A stranger has come; whether that one is to be told so, which is once a day."""
        async with self._turn:
            now = self._clock.time()
            before = await self._known(visitor.id)
            tell = not before.told_at or not 0 <= now - before.told_at < DAY
            await self._note(
                Seen(visitor.id, visitor.name, now, knocked_at=now, told_at=now if tell else before.told_at),
                before,
            )
            return tell

    async def arrived(self, visitor: Visitor) -> None:
        """Somebody has come who is let in."""
        if visitor.local:
            return
        async with self._turn:
            before = await self._known(visitor.id)
            now = Seen(visitor.id, visitor.name or before.name, self._clock.time(), told_at=before.told_at)
            await self._note(now, before)

    async def seen(self, who: str) -> Seen | None:
        """What is known of somebody who has written."""
        return self._seen.get(who) or await self._queries.visitor(who)

    async def strangers(self) -> list[Seen]:
        """Who knocked in the last week and waits for a decision, newest first."""
        return [one for one in await self._visitors() if one.knocked_at]

    async def guests(self) -> list[Seen]:
        """Who was let in during the last week without a decision of their own, newest first."""
        return [one for one in await self._visitors() if not one.knocked_at]

    async def _visitors(self) -> list[Seen]:
        since = self._clock.time() - WEEK
        known = await self._queries.visitors(since, LISTED)
        return [one for one in known if self.grant(one.who) is None]

    async def _known(self, who: str) -> Seen:
        try:
            return await self.seen(who) or Seen(who, "", 0.0)
        except StorageFailed:
            return Seen(who, "", 0.0)

    async def _note(self, now: Seen, before: Seen) -> None:
        """Store it if it says anything new; without the disk it is known until the program ends."""
        if 0 <= now.seen_at - before.seen_at < SEEN_EVERY and _gist(now) == _gist(before):
            return
        self._seen[now.who] = now
        self._seen.move_to_end(now.who)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        try:
            await self._queries.save_visitor(now)
        except StorageFailed as full:  # whoever is let in talks on, whoever is not stays outside
            log.warning("visit not recorded", problem=str(full))

    # ------------------------------------------------------------ decisions

    async def decide(self, who: str, role: Role, label: str, by: str) -> Grant:
        """Let somebody in as that, or send away (DENIED). Raises Unchangeable, StorageFailed."""
        self._changeable(who, by)
        if is_group(who) and role is Role.ADMINISTRATOR:
            raise Unchangeable(who, "group")
        grant = Grant(who, role, label, by, self._clock.time())
        await self._queries.save_grant(grant)
        self._grants[who] = grant
        log.info("access decided", role=role.name.lower(), who=who, by=by)
        return grant

    async def forget(self, who: str, by: str) -> bool:
        """Nothing is decided about that one any more; whether anything was. Raises Unchangeable, StorageFailed."""
        self._changeable(who, by)
        if who not in self._grants:
            return False
        await self._queries.drop_grant(who)
        del self._grants[who]
        log.info("access decided", role="none", who=who, by=by)
        return True

    def _changeable(self, who: str, by: str) -> None:
        """Nobody locks himself out, and what the setting says is said there."""
        if who in self._rules.admins:
            raise Unchangeable(who, "setting")
        if who == by:
            raise Unchangeable(who, "self")

    # ------------------------------------------------------------ the first administrator

    async def new_code(self) -> str:
        """A code for the first administrator; the one before no longer counts."""
        return await self._pairing.issue()

    async def pair(self, visitor: Visitor, code: str) -> None:
        """Whoever has the code is the first administrator. Raises CodeRefused.

        Instead of a code that has expired a new one is told to the operator.
        """
        if self.has_administrator:
            raise CodeRefused("none")
        if is_group(visitor.id):  # an administrator of a group who hides behind its name
            raise CodeRefused("group")
        grant = Grant(visitor.id, Role.ADMINISTRATOR, visitor.name, visitor.id, self._clock.time())
        try:
            await self._pairing.take(code, grant)
        except CodeRefused as refused:
            if refused.reason == "expired":
                await self.announce(await self.new_code())
            raise
        self._grants[grant.who] = grant
        log.info("first administrator", who=grant.who)

    # ------------------------------------------------------------ how much

    def allowance(self, role: Role) -> Allowance:
        """How much somebody in that role may use."""
        return self._rules.allowance(role)

    def pace(self, person: str, role: Role) -> None:
        """Count a message of that person. Raises TooManyMessages."""
        limit = self.allowance(role).messages
        wait = self._pace.admit(person, limit)
        if limit is not None and wait:
            raise TooManyMessages(limit, wait)

    async def afford(self, person: str, role: Role, *, external: bool) -> None:
        """Whether that person has tokens left today for such a model. Raises TokensSpent."""
        limit = self.allowance(role).tokens(external=external)
        if limit is not None and await self.spending.today(person, external=external) >= limit:
            raise TokensSpent(external, limit, self.spending.left_of_day())


def _by_setting(who: str) -> Grant:
    return Grant(who, Role.ADMINISTRATOR, "", BY_SETTING, 0.0)


def _gist(seen: Seen) -> tuple[str, float, bool]:
    """What is worth a write when it changes."""
    return seen.name, seen.told_at, seen.knocked_at > 0


async def _to_nobody(_: str) -> None:
    """Nobody is there to be told a code."""
