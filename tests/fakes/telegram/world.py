"""Everything the server knows: the bot, people, chats, files, pressed buttons and waiting updates."""

import time
from typing import TYPE_CHECKING

from tests.fakes.telegram.bell import Bell
from tests.fakes.telegram.files import Files
from tests.fakes.telegram.people import Person
from tests.fakes.telegram.presses import Press
from tests.fakes.telegram.profile import Profile
from tests.fakes.telegram.switches import Switches
from tests.fakes.telegram.updates import Updates
from tests.fakes.telegram.webhook import Webhook
from tests.fakes.telegram.wire import Json

if TYPE_CHECKING:
    from tests.fakes.telegram.chats import Chat

BOT_USERNAME = "nobody_test_bot"


class World:
    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.bell = Bell()
        self.updates = Updates()
        self.webhook = Webhook(self.updates, switches, self.bell)
        self.files = Files()
        self.profile = Profile()
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        self.presses: dict[str, Press] = {}
        self.logged_out = False
        bot_id = int(switches.token.partition(":")[0])
        self.bot = Person(bot_id, "Test Bot", username=BOT_USERNAME, is_bot=True)
        self.people[bot_id] = self.bot
        self._message_ids: dict[int, int] = {}

    def next_message_id(self, chat: "Chat") -> int:
        """Supergroups count their own messages, after their creation; other chats share the bot's counter."""
        counter, begin = (chat.id, 1) if chat.kind == "supergroup" else (0, 0)
        self._message_ids[counter] = self._message_ids.get(counter, begin) + 1
        return self._message_ids[counter]

    def user(self, user_id: int) -> Json | None:
        person = self.people.get(user_id)
        return None if person is None else person.user()

    def new_press(self, press: Press) -> None:
        self.presses[press.id] = press

    def press_in_time(self, press_id: str) -> Press | None:
        press = self.presses.get(press_id)
        late = press is None or time.monotonic() > press.at + self.switches.callback_seconds
        return None if late else press

    def tell(self, kind: str, body: Json, lane: int) -> None:
        """Queue an update for the bot."""
        self.updates.add(kind, body, lane)
        self.bell.ring()
