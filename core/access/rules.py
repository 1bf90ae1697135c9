"""What the settings say about access, and what follows from it and from the grants. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from core.access.limits import UNLIMITED, Allowance
from core.people import Grant, Role, Visitor
from core.settings import Settings

BY_SETTING = "ADMINS"  # who granted what the setting grants


@dataclass(frozen=True, slots=True)
class Rules:
    """`open` = whoever comes is a guest; `admins` are administrators whatever was granted."""

    open: bool = False
    admins: frozenset[str] = frozenset()
    member: Allowance = UNLIMITED
    guest: Allowance = UNLIMITED

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The rules in the settings."""
        return cls(
            open=settings.access == "open",
            admins=frozenset(settings.admins),
            member=Allowance(
                settings.messages_per_minute,
                settings.tokens_per_day_local,
                settings.tokens_per_day_external,
            ),
            guest=Allowance(
                settings.guest_messages_per_minute,
                settings.guest_tokens_per_day_local,
                settings.guest_tokens_per_day_external,
            ),
        )

    def allowance(self, role: Role) -> Allowance:
        """How much somebody in that role may use."""
        if role is Role.ADMINISTRATOR:
            return UNLIMITED
        return self.member if role is Role.MEMBER else self.guest


def role_of(visitor: Visitor, rules: Rules, grants: Mapping[str, Grant]) -> Role:
    """What somebody is: the nearer word counts, and a no counts before a yes.

    Whoever sits at the machine and the setting's administrators; what was decided about the person; a group
    that is sent away; the best of the groups that are let in; everybody, where the bot is open.
    """
    if visitor.local or visitor.id in rules.admins:
        return Role.ADMINISTRATOR
    own = grants.get(visitor.id)
    if own is not None:
        return own.role
    of_groups = [grants[group].role for group in visitor.groups if group in grants]
    if Role.DENIED in of_groups:
        return Role.DENIED
    everybody = Role.GUEST if rules.open else Role.STRANGER
    return max([everybody, *of_groups])
