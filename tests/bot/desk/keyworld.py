"""People of Telegram who deal with keys, in private and in a group."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.cards import Card, Notice, Secret, plain
from bot.surface import Incoming
from core.conversation import ChatRef
from core.keys import Origin
from tests.bot.talk import Saying, Talk, talking
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeProvider, external

GOOD = "sk-canary-Good0123456789abcdWXYZ"
BAD = "sk-canary-Bad00123456789abcdWXYZ"
SEEN = "sk-…WXYZ"
ADMIN, ANA, BIA = "1", "42", "43"


@dataclass
class Desk:
    """People of Telegram who talk to the assistant, each in private or in a group."""

    talk: Talk
    clock: FakeClock
    vendor: FakeProvider
    path: Path
    erasing: bool | None = True  # what comes of deleting a message; `None`: it cannot be asked for
    erased: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def incoming(self, text: str, person: str = ANA, *, group: bool = False) -> Incoming:
        chat = ChatRef("telegram", "-100" if group else person)

        async def erase() -> bool:
            self.erased.append(text)
            assert self.erasing is not None
            return self.erasing

        return Incoming(
            chat,
            f"telegram:{person}",
            text,
            language="en",
            message="7",
            private=not group,
            groups=("telegram:-100",) if group else (),
            erase=None if self.erasing is None else erase,
            door="https://t.me/nova_bot?start={}",
        )

    async def says(self, incoming: Incoming) -> Card:
        saying = Saying(self.talk.assistant.respond(incoming))
        card = await saying.last()
        self.texts += [repr(card) for card in saying.cards]
        return card

    async def say(self, text: str, person: str = ANA, *, group: bool = False) -> Card:
        return await self.says(self.incoming(text, person, group=group))

    async def notice(self, text: str, person: str = ANA, *, group: bool = False) -> Notice:
        card = await self.say(text, person, group=group)
        assert isinstance(card, Notice), plain(card)
        return card

    async def secret(self, text: str, person: str = ANA) -> Secret:
        card = await self.say(text, person)
        assert isinstance(card, Secret), plain(card)
        return card

    def leaks(self) -> list[str]:
        """Where a canary is in clear: in a card, or in a file of the data folder."""
        found = ["a card" for text in self.texts if re.search(r"canary-\w", text)]
        files = [one for one in self.path.rglob("*") if one.is_file()]
        return found + [str(one) for one in files if b"canary" in one.read_bytes()]

    async def serving(self, person: str, vendor: str = "openai") -> tuple[str, Origin] | None:
        found = await self.talk.engine.keys.find(f"telegram:{person}", vendor)
        return None if found is None else (found.secret.get_secret_value(), found.origin)


@asynccontextmanager
async def desk_of(path: Path, **settings: object) -> AsyncIterator[Desk]:
    vendor = FakeProvider([external(provider="openai")], name="openai")
    vendor.accepts = frozenset({GOOD})
    other = FakeProvider([], name="mistral")
    clock = FakeClock()
    given: dict[str, Any] = {
        "access": "open",
        "admins": ("telegram:1",),
        "guest_messages_per_minute": 1000,
        **settings,
    }
    async with talking(path, vendor, other, clock=clock, **given) as talk:
        yield Desk(talk, clock, vendor, path)
