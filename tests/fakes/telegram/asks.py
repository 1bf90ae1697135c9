"""One call of a bot in progress, and the table of what the server can do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.people import Person
from tests.fakes.telegram.schema import Upload
from tests.fakes.telegram.wire import Json, bad
from tests.fakes.telegram.world import World


@dataclass(frozen=True, slots=True)
class Told:
    """A result with a description beside it."""

    result: Any
    description: str


@dataclass(frozen=True, slots=True)
class Ask:
    world: World
    method: str
    parameters: Json

    def get(self, name: str, otherwise: Any = None) -> Any:
        return self.parameters.get(name, otherwise)

    def chat(self, *, write: bool = True) -> Chat:
        """The chat the call is for, if the bot may go there."""
        chat = self.world.chats.get(self.get("chat_id"))
        if chat is None:
            raise bad("chat not found")
        chat.check_access(write=write)
        return chat

    def thread(self, chat: Chat) -> int | None:
        return chat.check_thread(self.get("message_thread_id"))

    def message(self, chat: Chat, what: str) -> Message:
        found = chat.find(self.get("message_id"))
        if found is None:
            raise bad(f"message to {what} not found")
        return found

    def person(self) -> Person:
        found = self.world.people.get(self.get("user_id"))
        if found is None:
            raise bad("PARTICIPANT_ID_INVALID")
        return found

    def upload_or_known(self, name: str) -> Upload | str:
        value = self.get(name)
        if isinstance(value, Upload):
            if not value.data:
                raise bad("file must be non-empty")
            return value
        return str(value)


Handler = Callable[[Ask], Awaitable[Any]]
HANDLERS: dict[str, Handler] = {}


def method(*names: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS.update((name.lower(), handler) for name in names)
        return handler

    return register
