"""People on a platform that others reach too, each in some role, who talk to the assistant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from bot.assistant import Assistant
from bot.cards import Card
from bot.surface import Incoming
from core.conversation import ChatRef
from core.engine import Engine, open_engine
from core.people import Role
from core.providers.base import Provider
from tests.bot.checks import sound
from tests.bot.talk import settings
from tests.fakes.clock import FakeClock

CHIEF = "telegram:1"
IDS = {Role.STRANGER: 10, Role.GUEST: 11, Role.MEMBER: 12, Role.ADMINISTRATOR: 13, Role.DENIED: 14}
NAMES = {
    Role.STRANGER: "Zé",
    Role.GUEST: "Gil",
    Role.MEMBER: "Mia",
    Role.ADMINISTRATOR: "Ada",
    Role.DENIED: "Nero",
}


class Street:
    """Everybody writes in private, unless told otherwise."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.assistant = Assistant(engine)

    @staticmethod
    def incoming(text: str, who: Role | int, **more: object) -> Incoming:
        """A message of somebody in that role, or of the person with that number."""
        number = IDS[who] if isinstance(who, Role) else who
        name = NAMES[who] if isinstance(who, Role) else ""
        chat = ChatRef("telegram", str(number))
        said = Incoming(chat, f"telegram:{number}", text, name=name, language="en", private=True)
        return replace(said, **more)  # type: ignore[arg-type]  # fields of Incoming by name

    async def cards(self, text: str, who: Role | int, **more: object) -> list[Card]:
        """Everything that is shown for it."""
        said = self.incoming(text, who, **more)
        found = [card async for card in self.assistant.respond(said)]
        sound(found)
        return found

    async def say(self, text: str, who: Role | int, **more: object) -> Card:
        """The card that stays."""
        return (await self.cards(text, who, **more))[-1]


@asynccontextmanager
async def street(
    folder: Path,
    *providers: Provider,
    clock: FakeClock | None = None,
    nobody: bool = False,
    **changes: object,
) -> AsyncIterator[Street]:
    """An engine on that folder where everybody of IDS is what the name says; again on it is a restart.

    With `nobody` nothing is decided about anybody.
    """
    fields = {
        "language": "en",
        "admins": (CHIEF,),
        "messages_per_minute": 1000,
        "guest_messages_per_minute": 1000,
    }
    opened = settings(folder, **{**fields, **changes})
    async with open_engine(opened, clock=clock or FakeClock(), providers=providers) as engine:
        engine.start()
        await engine.catalog.settled.wait()
        for role in () if nobody else (Role.GUEST, Role.MEMBER, Role.ADMINISTRATOR, Role.DENIED):
            await engine.access.decide(f"telegram:{IDS[role]}", role, NAMES[role], CHIEF)
        yield Street(engine)
