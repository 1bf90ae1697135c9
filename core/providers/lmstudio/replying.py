"""A streamed answer from LM Studio's `/v1/chat/completions` (native chat takes no assistant turns)."""

import json
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import httpx2

from core.conversation import Delta, Done, ReplyEvent, ReplyOptions, Thinking, Turn, Usage
from core.errors import EmptyAnswer, Interrupted, ModelGone, Problem, Unreachable
from core.model import Model
from core.providers import openai_wire
from core.providers.lmstudio import failures, wire
from core.providers.lmstudio.rest import Rest
from core.thinking import ThinkingFilter

PATH = "/v1/chat/completions"


async def stream(
    rest: Rest, model: Model, turns: Sequence[Turn], options: ReplyOptions
) -> AsyncGenerator[ReplyEvent]:
    """Stream the answer; raise a Problem where LM Studio fails, whichever way it says so."""
    answer = _Answer(model)
    body = openai_wire.request(model.instance or model.key, turns, options)
    try:
        async with rest.stream(PATH, body) as response, aclosing(_frames(response)) as frames:
            async for name, data in frames:
                for event in answer.take(name, data):
                    yield event
                if answer.over:
                    break
    except httpx2.ConnectError as error:
        raise Unreachable(rest.label, type(error).__name__) from error
    except httpx2.RequestError as error:
        if answer.spoke:
            raise Interrupted(model, type(error).__name__) from error
        raise Unreachable(rest.label, type(error).__name__) from error
    for event in answer.end():
        yield event


async def _frames(response: httpx2.Response) -> AsyncGenerator[tuple[str, Any]]:
    """Event name and decoded data. A body that is no event stream is one frame: an error, or a whole answer."""
    if "text/event-stream" not in response.headers.get("content-type", ""):
        await response.aread()
        try:
            yield "message", response.json()
        except ValueError:
            yield "error", {"error": f"HTTP {response.status_code}"}
        return
    async for event in httpx2.EventSource(response):
        if event.data.strip() == "[DONE]":
            yield "done", None
            return
        try:
            yield event.event, json.loads(event.data)
        except ValueError:
            if event.event == "error":
                yield "error", event.data
            # any other torn or foreign frame says nothing


class _Answer:
    """What has come so far, and whether it is whole."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._filter = ThinkingFilter()
        self._usage = Usage()
        self._reason = ""
        self.spoke = False
        self.over = False

    def take(self, name: str, data: Any) -> Iterator[ReplyEvent]:
        if name == "done":
            self.over = True
            return
        # `event: error` comes with status 200, and so do bodies with `error`.
        if (error := wire.error_of(data)) is not None or name == "error":
            raise self._problem(error.text if error else str(data)[: failures.LONGEST])
        for piece in openai_wire.pieces(data):
            yield from self._piece(piece)

    def _piece(self, piece: openai_wire.Piece) -> Iterator[ReplyEvent]:
        match piece:
            case Thinking():
                self.spoke = True
                yield piece
            case Delta(text):
                self.spoke = True
                yield from self._filter.feed(text)
            case Usage():
                self._usage = piece
            case openai_wire.Finish(reason):
                self._reason = reason
            case openai_wire.Served(name):
                self._check_served(name)

    def _check_served(self, name: str) -> None:
        """With exactly one model loaded LM Studio lets it answer for any unknown name."""
        served = _bare(name)
        if served not in {_bare(self._model.key), _bare(self._model.instance or "")}:
            raise ModelGone(self._model, f"{name[:80]}")

    def end(self) -> Iterator[ReplyEvent]:
        yield from self._filter.end()
        if not self.spoke and not self._reason:
            raise EmptyAnswer(self._model)
        if not self._reason and not self.over:
            raise Interrupted(self._model, "")
        yield Done(self._reason or "stop", self._usage)

    def _problem(self, text: str) -> Problem:
        if self.spoke:  # asking again, or a shorter prompt, would begin the answer anew
            return Interrupted(self._model, failures.short(text))
        if failures.model_gone(text):
            return ModelGone(self._model, failures.short(text))
        return failures.reply_failed(self._model, text)


def _bare(name: str) -> str:
    """In lower case, without `@quant` and the number of a copy: some routes add them, keys match without case."""
    return re.sub(r":\d+$", "", name.partition("@")[0].lower())
