"""One request to a model: what is sent, and what becomes of it. No I/O."""

from dataclasses import dataclass

from core.conversation import (
    Conversation,
    Delta,
    ReplyEvent,
    ReplyOptions,
    Rethought,
    Role,
    Thinking,
    Turn,
)
from core.fitting import Prompt
from core.model import Model


@dataclass
class Attempt:
    """One request: what is sent, and what becomes of it."""

    conversation: Conversation
    model: Model
    question: Turn
    prompt: Prompt
    options: ReplyOptions
    company: int = 1  # the most requests that shared the instance meanwhile
    alone: bool = False  # nobody may share the context with it
    asked: bool = False
    over: bool = False  # the host has ended it, one way or the other

    def __post_init__(self) -> None:
        self.answer = Answer(self.model)


class Answer:
    """What has come so far."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._text: list[str] = []
        self._thinking: list[str] = []
        self.began = False

    @property
    def spoke(self) -> bool:
        """Whether the model has said anything, or thought aloud."""
        return bool(self._text or self._thinking)

    def take(self, event: ReplyEvent) -> None:
        """One more piece."""
        self.began = True
        match event:
            case Delta(text):
                self._text.append(text)
            case Thinking(text):
                self._thinking.append(text)
            case Rethought():
                self._thinking += self._text
                self._text.clear()
            case _:
                return

    def turn(self) -> Turn:
        """What has come, as it is remembered."""
        return Turn(
            Role.ASSISTANT, "".join(self._text), thinking="".join(self._thinking), model_id=self._model.id
        )
