"""Who is there: people and the bot itself."""

from dataclasses import dataclass

from tests.fakes.telegram.wire import Json


@dataclass(eq=False)
class Person:
    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = ""
    is_bot: bool = False
    is_premium: bool = False

    def user(self) -> Json:
        """As the Bot API shows a user."""
        told: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        told |= {
            name: value
            for name in ("last_name", "username", "language_code")
            if (value := getattr(self, name))
        }
        if self.is_premium:
            told["is_premium"] = True
        return told
