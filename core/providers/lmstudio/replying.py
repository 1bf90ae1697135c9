"""A streamed answer from LM Studio's `/v1/chat/completions` (native chat takes no assistant turns)."""

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import httpx2

from core.clock import Clock
from core.conversation import Delta, Done, Reading, ReplyEvent, ReplyOptions, Thinking, Turn, Usage
from core.errors import EmptyAnswer, Interrupted, ModelGone, Problem, Unreachable
from core.model import Model
from core.providers import openai_wire, pieces
from core.providers.lmstudio import failures, wire
from core.providers.lmstudio.rest import Rest
from core.providers.patience import HostDied, OutOfPatience, Silence, patient
from core.thinking import ThinkingFilter

PATH = "/v1/chat/completions"


FIRST_WORD = 1800.0  # seconds a prompt may take: LM Studio sends nothing while it reads
BETWEEN = 600.0  # seconds between two pieces: a neighbour's prompt may be read meanwhile, which takes minutes


async def stream(
    rest: Rest, model: Model, turns: Sequence[Turn], options: ReplyOptions, clock: Clock
) -> AsyncGenerator[ReplyEvent]:
    """Stream the answer; raise a Problem where LM Studio fails, whichever way it says so.

    A stream that closes without a word hides a failure, or comes from a build whose streams are broken: the
    same request unstreamed tells the reason, or the answer.
    """
    body = openai_wire.request(model.instance or model.key, turns, options)
    try:
        async with aclosing(_asked(rest, model, body, clock)) as events:
            async for event in events:
                yield event
    except EmptyAnswer:
        whole = {key: value for key, value in body.items() if key != "stream_options"} | {"stream": False}
        async with aclosing(_asked(rest, model, whole, clock)) as events:
            async for event in events:
                yield event


async def _asked(rest: Rest, model: Model, body: dict[str, Any], clock: Clock) -> AsyncGenerator[ReplyEvent]:
    answer = _Answer(model)
    frames = _frames(rest, body)
    waiting = patient(frames, first=FIRST_WORD, between=BETWEEN, alive=rest.alive, clock=clock)
    try:
        async with aclosing(waiting) as came:
            async for frame in came:
                if isinstance(frame, Silence):
                    if not answer.spoke:
                        yield Reading(frame.seconds)
                    continue
                for event in answer.take(*frame):
                    yield event
    except (httpx2.RequestError, HostDied, OutOfPatience) as error:
        raise answer.cut(rest.label, error) from error
    for event in answer.end():
        yield event


async def _frames(rest: Rest, body: dict[str, Any]) -> AsyncGenerator[tuple[str, Any]]:
    """Event name and decoded data. A body that is no event stream is one frame: an error, or a whole answer."""
    async with rest.stream(PATH, body) as response:
        if "text/event-stream" not in response.headers.get("content-type", ""):
            said = await response.aread()
            if response.is_success and not said.strip():
                return
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

    def _piece(self, piece: pieces.Piece) -> Iterator[ReplyEvent]:
        match piece:
            case Thinking():
                self.spoke = True
                yield piece
            case Delta(text):
                self.spoke = True
                yield from self._filter.feed(text)
            case Usage():
                self._usage = piece
            case pieces.Finish(reason):
                self._reason = reason
            case pieces.Served(name):
                self._check_served(name)

    def _check_served(self, name: str) -> None:
        """With exactly one model loaded LM Studio lets it answer for any unknown name."""
        if not wire.names(self._model, name):
            raise ModelGone(self._model, f"{name[:80]}")

    def end(self) -> Iterator[ReplyEvent]:
        yield from self._filter.end()
        if not self.spoke and not self._reason:
            raise EmptyAnswer(self._model)
        if not self._reason and not self.over:
            raise Interrupted(self._model, "")
        yield Done(self._reason or "stop", self._usage)

    def cut(self, host: str, error: Exception) -> Problem:
        """The stream broke: what had come is kept; if nothing had, the host is what failed."""
        if self.spoke or isinstance(error, OutOfPatience):
            return Interrupted(
                self._model, str(error) if isinstance(error, OutOfPatience) else type(error).__name__
            )
        return Unreachable(host, type(error).__name__)

    def _problem(self, text: str) -> Problem:
        if self.spoke and not failures.overflow(text):
            return Interrupted(self._model, failures.short(text))
        if failures.model_gone(text):
            return ModelGone(self._model, failures.short(text))
        return failures.reply_failed(self._model, text)
