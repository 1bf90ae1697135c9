"""A chat as a place: who is in it, what stands in it, and waiting for what appears there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.fakes.telegram.drafts import Draft, Drafts
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.people import Person
from tests.fakes.telegram.wire import ApiError, Json, forbidden
from tests.fakes.telegram.world import World

_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
    "can_pin_messages",
    "can_manage_topics",
)
_ADMINISTRATORS = ("creator", "administrator")
_PRESENT = (*_ADMINISTRATORS, "member")


@dataclass(frozen=True, slots=True)
class Topic:
    id: int
    name: str
    icon_color: int = 7322096
    closed: bool = False


class Room:
    """State and views; what people do in it is in `chats`."""

    def __init__(
        self, world: World, chat_id: int, kind: str, *, title: str = "", forum: bool = False
    ) -> None:
        self.world = world
        self.id = chat_id
        self.kind = kind
        self.title = title
        self.is_forum = forum
        self.statuses: dict[int, str] = {}
        self.topics: dict[int, Topic] = {}
        self.messages: list[Message] = []
        self.actions: list[tuple[int | None, str]] = []
        self.draft_log = Drafts(world.switches.draft_seconds)

    # ------------------------------------------------------------ who

    @property
    def owner(self) -> Person:
        """The person of a private chat."""
        return self.world.people[self.id]

    def status(self, person: Person) -> str:
        return self.statuses.get(person.id, "left")

    def administrates(self, person: Person) -> bool:
        return self.status(person) in _ADMINISTRATORS

    def present(self, person: Person) -> bool:
        return self.status(person) in _PRESENT

    def administrators(self) -> list[Person]:
        return [
            self.world.people[each] for each, status in self.statuses.items() if status in _ADMINISTRATORS
        ]

    def member(self, person: Person, status: str | None = None) -> Json:
        """A ChatMember."""
        status = status or self.status(person)
        told: Json = {"status": status, "user": person.user()}
        if status == "creator":
            told["is_anonymous"] = False
        elif status == "administrator":
            told |= dict.fromkeys(_RIGHTS, True) | {"can_be_edited": False, "is_anonymous": False}
        elif status == "kicked":
            told["until_date"] = 0
        return told

    def short(self) -> Json:
        """A Chat."""
        if self.kind == "private":
            shown = {
                k: v for k, v in self.owner.user().items() if k in ("first_name", "last_name", "username")
            }
            return {"id": self.id, "type": "private", **shown}
        told: Json = {"id": self.id, "type": self.kind, "title": self.title}
        return told | {"is_forum": True} if self.is_forum else told

    def full(self) -> Json:
        """A ChatFullInfo."""
        gifts = (
            "unlimited_gifts",
            "limited_gifts",
            "unique_gifts",
            "premium_subscription",
            "gifts_from_channels",
        )
        return self.short() | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        }

    # ------------------------------------------------------------ may the bot

    def check_access(self, *, write: bool) -> None:
        status = self.status(self.world.bot)
        if self.kind == "private":
            if write and status == "kicked":
                raise forbidden("bot was blocked by the user")
            if write and status != "member":
                raise forbidden("bot can't initiate conversation with a user")
        elif status == "kicked" and (write or self.kind == "supergroup"):
            raise forbidden(f"bot was kicked from the {self.kind} chat")
        elif status == "left" and (write or self.kind == "supergroup"):
            raise forbidden(f"bot is not a member of the {self.kind} chat")

    def check_thread(self, thread: int | None) -> int | None:
        """The thread a message goes to; the general topic has none."""
        if thread is None or (self.is_forum and thread == 1):
            return None
        known = thread in self.topics if self.is_forum else self.find(thread) is not None
        if not known or self.kind == "group":
            raise ApiError(400, "Bad Request: message thread not found")
        if self.is_forum and self.topics[thread].closed and not self.administrates(self.world.bot):
            raise ApiError(400, "Bad Request: TOPIC_CLOSED")
        return thread

    # ------------------------------------------------------------ what stands there

    def find(self, message_id: int | None) -> Message | None:
        return next((message for message in self.messages if message.id == message_id), None)

    def put(self, message: Message) -> Message:
        self.messages.append(message)
        if message.by_bot and not message.service:
            self.draft_log.end(message.thread)
        self.world.bell.ring()
        return message

    def remove(self, message: Message) -> None:
        self.messages.remove(message)
        message.deleted = True
        self.world.bell.ring()

    @property
    def answers(self) -> list[Message]:
        """What the bot has said."""
        return [message for message in self.messages if message.by_bot and not message.service]

    @property
    def drafts(self) -> list[Draft]:
        """Every frame of every draft, oldest first."""
        return self.draft_log.frames

    @property
    def draft(self) -> Draft | None:
        """The draft a person sees now."""
        return self.draft_log.showing()

    # ------------------------------------------------------------ waiting

    def _seen(self) -> str:
        lines = [f"{m.author.first_name}: {m.text!r} {m.labels}" for m in self.messages[-8:]]
        return f"in chat {self.id} stands:\n" + "\n".join(lines)

    async def wait_for(self, wanted: Callable[[Message], bool], *, timeout: float = 5.0) -> Message:
        """The first message for which `wanted` is true, as soon as it is, by sending or by editing."""
        return await self.world.bell.until(
            lambda: next((message for message in self.messages if wanted(message)), None), timeout, self._seen
        )

    async def wait_gone(self, message: Message, *, timeout: float = 5.0) -> None:
        """Return once a message is deleted."""
        await self.world.bell.until(lambda: True if message.deleted else None, timeout, self._seen)

    async def wait_for_draft(self, wanted: Callable[[Draft], bool], *, timeout: float = 5.0) -> Draft:
        """The first frame of a draft for which `wanted` is true."""
        return await self.world.bell.until(
            lambda: next((frame for frame in self.drafts if wanted(frame)), None),
            timeout,
            lambda: f"drafts in chat {self.id}: {[frame.text[-60:] for frame in self.drafts[-5:]]}",
        )

    async def wait_for_action(self, action: str = "typing", *, timeout: float = 5.0) -> None:
        """Return once the bot has shown that it is busy."""
        await self.world.bell.until(
            lambda: True if any(shown == action for _, shown in self.actions) else None,
            timeout,
            lambda: f"actions in chat {self.id}: {self.actions}",
        )

    def topic(self, name: str) -> int:
        """The identifier of a topic by name."""
        return next(topic.id for topic in self.topics.values() if topic.name == name)


def people_of(people: Sequence[Person], status: str) -> dict[int, str]:
    return {person.id: status for person in people}
