"""What a command is given: who asks, where, with which words, and the engine to do it with."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.clean import line
from bot.surface import Incoming, MenuItem
from bot.texts import Speech
from core.conversation import Conversation
from core.engine import Engine
from core.errors import StorageFailed
from core.model import Model
from core.people import Role, Visitor
from core.sight import Sight


@dataclass
class Ask:
    """One request. `argument` is what follows the command; `conversation` is replaced when it changes."""

    incoming: Incoming
    argument: str
    conversation: Conversation
    engine: Engine
    t: Speech
    menu: Callable[[str], Sequence[MenuItem]]
    stop: Callable[[], bool]
    expel: Callable[[str], None]  # end every answer that somebody gets
    memory: asyncio.Lock  # commands that overtake change the same conversation
    role: Role  # of who asks
    returning: bool = False  # the first word after a pause
    question: int | None = None  # the one that is being answered
    unremembered: StorageFailed | None = None  # why nothing of the question and its answer is kept
    _sight: Sight | None = None

    @property
    def person(self) -> str:
        """Who asks, on whichever platform: `telegram:42`."""
        return self.incoming.who

    @property
    def visitor(self) -> Visitor:
        """Who asks, as access is decided."""
        return visitor(self.incoming)

    async def sight(self, *, anew: bool = False) -> Sight:
        """Which models the person sees, by whose keys there are."""
        if self._sight is None or anew:
            await self.engine.catalog.meet(self.person, anew=False)
            self._sight = await self.engine.catalog.sight(self.person)
        return self._sight

    async def meet(self) -> None:
        """Find also the models that only this person has a key for."""
        await self.engine.catalog.meet(self.person)
        await self.sight(anew=True)

    async def afford(self, model: Model) -> None:
        """Raises TokensSpent if the person has used up the day; with a key of one's own one pays oneself."""
        if model.local or model.provider not in (await self.sight()).own:
            await self.engine.access.afford(self.person, self.role, external=not model.local)

    async def remember(self, **changes: object) -> None:
        """Change what is remembered of the conversation."""
        async with self.memory:
            now = await self.engine.store.conversation(self.incoming.chat)
            self.conversation = replace(now, **changes)  # type: ignore[arg-type]  # fields of Conversation by name
            await self.engine.store.save_conversation(self.conversation)


def visitor(incoming: Incoming) -> Visitor:
    """Who sent it, as access is decided. Whoever sits at the console sits at the machine."""
    local = incoming.local or incoming.chat.platform == "console"
    return Visitor(incoming.who, line(incoming.name), incoming.groups, local)
