"""A conversation: who speaks where, what was said, and a reply as it comes. Frozen values, no I/O."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Self


@dataclass(frozen=True, slots=True)
class ChatRef:
    """A chat on a platform; written `telegram:42:0`."""

    platform: str
    chat: str
    thread: str = "0"

    def __str__(self) -> str:
        return f"{self.platform}:{self.chat}:{self.thread}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read back what `str()` wrote."""
        platform, chat, thread = text.split(":", 2)
        return cls(platform, chat, thread)


class Role(Enum):
    """Who said it, in the words of every chat API."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Outcome(Enum):
    """What became of a turn."""

    OPEN = "open"  # asked, not answered yet (or the program died before it was)
    DONE = "done"
    STOPPED = "stopped"  # by the person; the text is what had come
    BROKEN = "broken"  # the stream ended early; the text is what had come
    FAILED = "failed"  # no text at all


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that belongs to a question; `mime` such as `image/jpeg`."""

    mime: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said. `id` is 0 before it is stored.

    `parent` of a question = the question it continues, 0 = it begins anew; of an answer = its question.
    """

    role: Role
    text: str
    id: int = 0
    thinking: str = ""
    outcome: Outcome = Outcome.DONE
    model_id: str = ""
    at: float = 0.0
    pictures: tuple[Picture, ...] = ()
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is remembered of a chat besides its turns.

    `began` is the id of the last turn before the conversation: /new moves it.
    `trimmed_told` says that the reader knows old turns are left out.
    """

    chat: ChatRef
    model_id: str | None = None
    language: str | None = None
    system: str = ""
    began: int = 0
    trimmed_told: bool = False
    seen_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ReplyOptions:
    """How to answer; `None` leaves the server's own setting.

    `person` asks (`telegram:42`): whose key pays for an external API.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them."""

    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """A piece of the model's reasoning: never part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Rethought:
    """Everything sent as answer so far was reasoning after all (a lone `</think>` came)."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Others are answered first; `position` from 1, `expected` seconds until one's turn if it can be told."""

    position: int
    expected: float | None


@dataclass(frozen=True, slots=True)
class Reading:
    """The model works on the prompt and has said nothing yet, for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Restarted:
    """What came so far is void: the answer begins again (a neighbour's overflow had cut it)."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Old turns did not fit the loaded context and were left out; `turns` of them."""

    turns: int


@dataclass(frozen=True, slots=True)
class Done:
    """The end. `reason` in the words of the wire (`stop`, `length`, …); `seconds` since the first piece."""

    reason: str
    usage: Usage = Usage()


ReplyEvent = Waiting | Reading | Thinking | Delta | Rethought | Restarted | Trimmed | Done
