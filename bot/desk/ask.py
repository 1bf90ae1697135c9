"""What a command is given: who asks, where, with which words, and the engine to do it with."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.surface import Incoming, MenuItem
from bot.texts import Speech
from core.conversation import Conversation
from core.engine import Engine
from core.errors import StorageFailed


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
    memory: asyncio.Lock  # commands that overtake change the same conversation
    returning: bool = False  # the first word after a pause
    question: int | None = None  # the one that is being answered
    unremembered: StorageFailed | None = None  # why nothing of the question and its answer is kept

    @property
    def person(self) -> str:
        """Who asks, on whichever platform: `telegram:42`."""
        return f"{self.incoming.chat.platform}:{self.incoming.person}"

    async def remember(self, **changes: object) -> None:
        """Change what is remembered of the conversation."""
        async with self.memory:
            now = await self.engine.store.conversation(self.incoming.chat)
            self.conversation = replace(now, **changes)  # type: ignore[arg-type]  # fields of Conversation by name
            await self.engine.store.save_conversation(self.conversation)
