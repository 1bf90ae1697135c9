"""What is measured of a load and of an answer, and who hears of it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from core.clock import Clock
from core.conversation import Delta, Done, ReplyEvent, Thinking, Usage
from core.errors import ContextTooLong, Problem
from core.model import Model


@dataclass(frozen=True, slots=True)
class LoadFigure:
    """One load; `outcome` is `ok` or the kind of its failure. `seconds` counts only where it went well."""

    model: Model
    seconds: float
    outcome: str


@dataclass(frozen=True, slots=True)
class AnswerFigure:
    """One request to a model: `done`, `stopped` by a person, `broken`, or `too-long` (it is sent again, shorter).

    `first` = seconds to the first word, thought or said; `None` if there was none. No text, ever.
    """

    model: Model
    person: str | None
    seconds: float
    first: float | None
    usage: Usage
    outcome: str
    chat: str = ""


Figure = LoadFigure | AnswerFigure
Listener = Callable[[Figure], None]


async def timed(
    events: AsyncGenerator[ReplyEvent],
    model: Model,
    who: tuple[str | None, str],
    clock: Clock,
    tell: Listener,
) -> AsyncGenerator[ReplyEvent]:
    """The same events; when they end, however they do, `tell` hears how long it took. Nothing is done per word.

    `who` = the person who asks, and the chat.
    """
    began = clock.monotonic()
    first: float | None = None
    usage, outcome = Usage(), "stopped"
    try:
        async with aclosing(events) as source:
            async for event in source:
                if first is None and isinstance(event, Delta | Thinking):
                    first = clock.monotonic() - began
                elif isinstance(event, Done):
                    usage, outcome = event.usage, "done"
                yield event
    except ContextTooLong:
        outcome = "too-long"
        raise
    except Problem:
        outcome = "broken"
        raise
    finally:
        person, chat = who
        tell(AnswerFigure(model, person, clock.monotonic() - began, first, usage, outcome, chat))
