"""The ports between a platform and the rest."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.cards import Card, Notice
from core.conversation import ChatRef, Picture


@dataclass(frozen=True, slots=True)
class Brought:
    """What came along with a message, ready for the prompt: words of files, pictures."""

    text: str = ""
    pictures: tuple[Picture, ...] = ()


class Unfit(Exception):
    """What came along cannot go to a model; `card` says why."""

    def __init__(self, card: Notice) -> None:
        super().__init__(card.title)
        self.card = card


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a person sent: a message, a typed command or a pressed button, all alike.

    `language` is the platform's word for the person's language, if it has one (`pt-br`, `en`).
    `local` = the person sits at the machine itself; `private` = nobody else reads there.
    `name` is what the person is called there, for people to read.
    `message` and `reply_to` are the platform's ids of the message that asks and of the one it replies to (of a
    pressed button: the one that it stands under).
    `reply_person` and `reply_name` = who wrote that one, where it was a person and the platform tells.
    `groups` = what the person is part of there (`telegram:-100123`, `discord:guild:1`, `discord:role:2`);
    `manages` = the platform says that the person may manage that group or server.
    `hears` = the platform can tell of everything that others write there too, so that `/here` has a meaning.
    `draws` = the platform shows pictures.
    `bring` fetches what came along, when its turn has come, so that a later message does not overtake it; it may
    raise Unfit. `None` where nothing did.
    `erase` takes the message that asks away, so that nobody reads it any more, and says whether it is gone;
    `None` where no message stays. `erased` = what came of it, once it was tried.
    `form` = a `Secret` is asked for in a form of the platform's own, which nobody else sees.
    `door` = the address where the person can write to the bot in private; `{}` in it stands for words to begin
    with (letters, digits, `_`, `-`), which come back as `/start WORDS`.
    """

    chat: ChatRef
    person: str
    text: str
    language: str | None = None
    local: bool = False
    pictures: tuple[Picture, ...] = ()
    message: str = ""
    reply_to: str | None = None
    name: str = ""
    private: bool = False
    groups: tuple[str, ...] = ()
    manages: bool = False
    hears: bool = False
    draws: bool = True
    bring: Callable[[], Awaitable[Brought]] | None = field(default=None, repr=False, compare=False)
    erase: Callable[[], Awaitable[bool]] | None = field(default=None, repr=False, compare=False)
    erased: bool | None = None
    form: bool = False
    door: str = ""
    reply_person: str = ""
    reply_name: str = ""

    @property
    def who(self) -> str:
        """The person, on whichever platform: `telegram:42`."""
        platform = self.chat.platform
        return self.person if self.person.startswith(f"{platform}:") else f"{platform}:{self.person}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a surface bears. `edit_every`: seconds between two calls at the least."""

    edit_every: float


@dataclass(frozen=True, slots=True)
class Post:
    """Something shown, by which it can be changed later."""

    ref: str


class SlowDown(Exception):
    """A pause of `seconds`. `asked` = the platform wants it; else it is our own pace, which keeps no last card."""

    def __init__(self, seconds: float, *, asked: bool = True) -> None:
        super().__init__(f"pause of {seconds:g} s")
        self.seconds = seconds
        self.asked = asked


class SurfaceDown(Exception):
    """The platform cannot be reached at the moment."""


class NotThere(Exception):
    """What was to be changed stands there no more, and nothing may be said in its place."""


class Surface(Protocol):
    """One chat on a platform, as a place where cards appear."""

    @property
    def limits(self) -> Limits:
        """What the surface bears."""
        ...

    async def busy(self) -> None:
        """Show that somebody is at work (typing), where the platform can."""
        ...

    async def post(self, card: Card) -> Post:
        """Show a card. May raise SlowDown or SurfaceDown."""
        ...

    async def edit(self, post: Post, card: Card) -> Post:
        """Turn what is shown into this card; the post may be another one afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A command as a platform shows it. `arguments` is a pattern for people, such as `[MODEL]`.

    `secret` = what follows it may be a key: a platform keeps such lines out of every history of its own.
    `personal` = the answer concerns whoever asks alone: among others a platform shows it to nobody else if it can.
    """

    name: str
    aliases: tuple[str, ...]
    summary: str
    arguments: str = ""
    secret: bool = False
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """A possible argument: `value` is typed, `label` and `detail` are read."""

    value: str
    label: str
    detail: str = ""


class Responder(Protocol):
    """Who answers. The platforms know nothing more of the program."""

    def respond(self, incoming: Incoming) -> AsyncIterator[Card]:
        """The answer as successive versions of one card; the last one stays. Never raises a Problem.

        No card at all: nothing is to be said (a stranger who was told already), nor shown as pending.
        """
        ...

    def menu(self, language: str | None) -> Sequence[MenuItem]:
        """Every command, in that language."""
        ...

    async def complete(self, command: str, prefix: str, asker: Incoming) -> Sequence[Completion]:
        """What the argument of a command may be; nothing for those who may not use it (`asker.text` is not read)."""
        ...

    def welcome(self, incoming: Incoming) -> bool:
        """Whether the person may talk here at all: of others nothing is fetched, and no platform answers by itself."""
        ...

    def administers(self, incoming: Incoming) -> bool:
        """Whether the person is an administrator of the bot: they may press what was meant for others."""
        ...

    def listens(self, chat: ChatRef) -> bool:
        """Whether everything that is written there is meant for the bot, as `/here` decides."""
        ...

    def cancel(self, chat: ChatRef, asker: str = "") -> bool:
        """Stop what is under way in that chat, or what `asker` (`telegram:42`) asked there; False if there was nothing."""
        ...

    def greet(self, incoming: Incoming) -> AsyncIterator[Card]:
        """What a person sees on arriving: the state of things, as `/start` would show it."""
        ...

    async def moved(self, old: ChatRef, new: ChatRef) -> None:
        """A chat goes on under another id, as the platform says: with all that was said and decided there."""
        ...

    async def landed(self, incoming: Incoming, card: Card, messages: Sequence[str]) -> None:
        """The last card of that answer stands in these messages now (the platform's ids, in their order)."""
        ...


class Platform(Protocol):
    """A place where people write."""

    @property
    def name(self) -> str:
        """`console`, `telegram`, `discord`."""
        ...

    async def run(self, responder: Responder) -> None:
        """Take what people send and show what the responder says, until cancelled or the platform ends."""
        ...

    def surface(self, chat: ChatRef, standing: Sequence[str] = (), person: str = "") -> Surface:
        """The place where that chat is shown; its first card turns the `standing` messages into itself.

        Where they are gone it raises NotThere: who deleted them, or read them alone, must not see them again.

        `person` (`telegram:42`) = whose buttons they are where others read too.
        """
        ...

    async def private(self, person: str) -> ChatRef | None:
        """Where that person of the platform reads alone; `None` if the bot cannot write there."""
        ...
