"""A pressed button, from the press to the bot's answer."""

import time
from dataclasses import dataclass, field

from tests.fakes.telegram.bell import Bell
from tests.fakes.telegram.people import Person
from tests.fakes.telegram.wire import Json


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person sees after pressing: a short notice, or an alert to close."""

    text: str
    alert: bool
    url: str
    at: float


@dataclass(eq=False)
class Press:
    id: str
    person: Person
    data: str
    bell: Bell = field(repr=False)
    answers: list[Answer] = field(default_factory=list)
    at: float = field(default_factory=time.monotonic)

    def answer(self, parameters: Json) -> None:
        text, url = str(parameters.get("text", "")), str(parameters.get("url", ""))
        alert = bool(parameters.get("show_alert", False))
        self.answers.append(Answer(text, alert, url, time.monotonic()))
        self.bell.ring()

    async def answered(self, timeout: float = 5.0) -> Answer:
        """The bot's answer; until it comes the button shows a spinner."""
        return await self.bell.until(
            lambda: self.answers[0] if self.answers else None,
            timeout,
            lambda: f"the press of {self.data!r} was not answered",
        )
