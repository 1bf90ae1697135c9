"""Problems that mean: not you, or not now.

Refusal (a Problem)
├── Outside          a stranger, who is told so once a day
├── NotAllowed       it takes another role
├── TooManyMessages  the minute's messages are used up
├── TokensSpent      the day's tokens are used up
├── NothingSaid      nothing that can be read was in the message
├── MessageTooLong   more than anybody may send at once
├── CodeRefused      the code for the first administrator is not that one, or no longer
├── NobodySuch       what was written names nobody
└── Unchangeable     what that one may is not decided in the chat
"""

from dataclasses import dataclass
from typing import ClassVar

from core.errors import Problem
from core.people import Role


@dataclass(eq=False)
class Refusal(Problem):
    """What was asked is not done for this person."""


@dataclass(eq=False)
class Outside(Refusal):
    """`who` is a stranger here. `unclaimed`: the bot has no administrator yet, who might be that one."""

    who: str
    unclaimed: bool
    key: ClassVar[str] = "refusal.outside"


@dataclass(eq=False)
class NotAllowed(Refusal):
    """The command takes at least that role."""

    command: str
    needs: Role
    key: ClassVar[str] = "refusal.not-allowed"


@dataclass(eq=False)
class TooManyMessages(Refusal):
    """`limit` messages a minute; the next one is taken in `renews_in` seconds."""

    limit: int
    renews_in: float
    key: ClassVar[str] = "refusal.messages"


@dataclass(eq=False)
class TokensSpent(Refusal):
    """`limit` tokens a day of external APIs or of local models; the day ends in `renews_in` seconds."""

    external: bool
    limit: int
    renews_in: float
    key: ClassVar[str] = "refusal.tokens"


@dataclass(eq=False)
class NothingSaid(Refusal):
    """The message holds neither words nor a picture, or only such as nobody can see."""

    key: ClassVar[str] = "refusal.nothing"


@dataclass(eq=False)
class MessageTooLong(Refusal):
    """Characters that came, and that are taken at most."""

    length: int
    limit: int
    key: ClassVar[str] = "refusal.length"


@dataclass(eq=False)
class CodeRefused(Refusal):
    """`reason`: `wrong`, `expired`, `none` (nobody waits for one), `wait` (for `seconds`: too many tries)."""

    reason: str
    seconds: float = 0.0
    key: ClassVar[str] = "refusal.code"


@dataclass(eq=False)
class NobodySuch(Refusal):
    """Neither a person nor a group is meant by what was written."""

    key: ClassVar[str] = "refusal.nobody"


@dataclass(eq=False)
class Unchangeable(Refusal):
    """`reason`: `self` (nobody changes what they may themselves), `setting` (ADMINS decides), `group`."""

    who: str
    reason: str
    key: ClassVar[str] = "refusal.unchangeable"
