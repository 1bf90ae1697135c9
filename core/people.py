"""Who talks to the bot and what each may do. Frozen values, no I/O.

A person is written `telegram:42`; a group, server or role `telegram:-100123`, `discord:guild:1`, `discord:role:2`.
"""

import re
from dataclasses import dataclass
from enum import IntEnum

_WHO = re.compile(r"(?P<platform>[a-z][a-z0-9_]{1,19}):(?P<rest>(?:[a-z]{2,16}:)?-?[A-Za-z0-9_.]{1,40})")


class Role(IntEnum):
    """What somebody is to the bot; each may what those below may."""

    DENIED = -1  # sent away by an administrator, also where a group would let in
    STRANGER = 0
    GUEST = 1
    MEMBER = 2
    ADMINISTRATOR = 3


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks just now: `groups` is what the person is part of there; `local` = sits at the machine itself."""

    id: str
    name: str = ""
    groups: tuple[str, ...] = ()
    local: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """What an administrator decided about a person or a group. `by` = the administrator; `at` in seconds."""

    who: str
    role: Role
    label: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody who has written. Times in seconds since the epoch, 0 = never.

    `knocked_at` = last came as a stranger; `told_at` = last got the card for strangers.
    """

    who: str
    name: str
    seen_at: float
    knocked_at: float = 0.0
    told_at: float = 0.0


def is_who(text: str) -> bool:
    """Whether that names a person or a group."""
    return _WHO.fullmatch(text) is not None


def is_group(who: str) -> bool:
    """Whether that names a group, server or role. Groups of Telegram have negative numbers."""
    found = _WHO.fullmatch(who)
    return found is not None and (found["rest"].startswith("-") or ":" in found["rest"])
