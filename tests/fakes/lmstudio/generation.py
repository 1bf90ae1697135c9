"""One prediction: its wait for a slot, the prefill, the tokens, and the ways it can end early."""

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.lmstudio.catalog import UNLOADED, Messages, tokens_of
from tests.fakes.lmstudio.faults import Fault
from tests.fakes.lmstudio.instances import Instance
from tests.fakes.lmstudio.state import Host

OVERFLOW = (
    "The number of tokens to keep from the initial prompt is greater than the context length "
    "(n_keep: {tokens}>= n_ctx: {context}). Try to load the model with a larger context length, "
    "or provide a shorter input."
)
EXCEEDED = "Context size has been exceeded."
PREFILL_STEPS = 4

EventKind = Literal["prefill", "reasoning", "text", "end", "error", "drop"]


@dataclass(frozen=True, slots=True)
class Event:
    kind: EventKind
    text: str = ""
    progress: float = 0.0


@dataclass
class Ask:
    """What a request wants of the model."""

    messages: Messages
    max_tokens: int | None = None
    stop: list[str] = field(default_factory=list)
    think: bool = True
    crash_after: int | None = None
    crash_text: str | None = None
    drop_after: int | None = None
    hang_after: int | None = None

    def spoil(self, fault: Fault | None) -> None:
        """Take over a fault that strikes in mid-generation."""
        match fault:
            case Fault(kind="crash", tokens=tokens):
                self.crash_after = tokens
            case Fault(kind="drop-mid", tokens=tokens):
                self.drop_after = tokens
            case Fault(kind="hang-mid", tokens=tokens):
                self.hang_after = tokens


class _Ended(Exception):
    """The generation is over before its text is."""


class Generation:
    """Runs as a task of its own, so that a prefill outlives the client that left."""

    def __init__(self, host: Host, instance: Instance, ask: Ask) -> None:
        self.host = host
        self.instance = instance
        self.ask = ask
        self.phase: Literal["queued", "processingPrompt", "generating"] = "queued"
        self.input_tokens = tokens_of(ask.messages)
        self.output_tokens = 0
        self.reasoning_tokens = 0
        self.reason = ""
        self.text = ""
        self.reasoning = ""
        self.first_token_seconds = 0.0
        self.seconds = 0.0
        self._began = time.monotonic()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._halt = asyncio.Event()
        self._failure: tuple[str, str] | None = None
        self._left = False
        self._finished = False
        instance.work.append(self)
        self.task = asyncio.create_task(self._run())
        self.task.add_done_callback(self._over)

    # ------------------------------------------------------------ what others may do

    async def next(self) -> Event:
        """The next event; `end`, `error` or `drop` is the last."""
        return await self._events.get()

    def leave(self) -> None:
        """The client is gone: stop, though a prefill that has begun runs to its end."""
        if self._left or self._finished:
            return
        self._left = True
        if self.phase == "queued":
            self.task.cancel()
        elif self.phase == "generating":
            self._halt.set()

    def fail(self, text: str, reason: str) -> None:
        """The instance is gone, or the context is full: end at once with an error."""
        if self._failure is None and not self._finished:
            self._failure = (text, reason)
            self._halt.set()
            if self.phase == "queued":
                self.task.cancel()

    def context_used(self) -> int:
        return 0 if self.phase == "queued" else self.input_tokens + self.output_tokens

    @property
    def tokens_per_second(self) -> float:
        return round(self.output_tokens / self.seconds, 2) if self.seconds else 0.0

    # ------------------------------------------------------------ the work

    async def _run(self) -> None:
        instance = self.instance
        with self.host.using(instance):
            if instance.slots.locked():
                self._note("generation_queued")
            async with instance.slots:
                if instance.state == "gone" and self._failure is None:
                    self._failure = (UNLOADED, "modelUnloaded")
                if self._failure is None:
                    self._note("generation_started")
                    with suppress(_Ended):
                        await self._prefill()
                        await self._produce()
                self._finish()

    async def _prefill(self) -> None:
        self.phase = "processingPrompt"
        model, context = self.instance.model, self.instance.config.context_length
        if self.input_tokens > context:
            self._failure = (OVERFLOW.format(tokens=self.input_tokens, context=context), "failed")
            raise _Ended
        self._put(Event("prefill", progress=0.0))
        for step in range(PREFILL_STEPS):
            if model.hold_prefill is not None and step == PREFILL_STEPS // 2:
                await self._until(model.hold_prefill)
            await self._pause(model.prefill_seconds / PREFILL_STEPS)
            self._put(Event("prefill", progress=(step + 1) / PREFILL_STEPS))
        self.phase = "generating"
        self._check()

    async def _produce(self) -> None:
        model = self.instance.model
        for kind, token in self._plan():
            self._crash_if_due()
            if self.output_tokens == self.ask.drop_after:
                self._put(Event("drop"))
            if self.output_tokens == self.ask.hang_after:
                await self._until(asyncio.Event())
            if model.hold_reply is not None and self.output_tokens == model.hold_after:
                await self._until(model.hold_reply)
            await self._pause(model.token_delay)
            self._room()
            if not self.output_tokens:
                self.first_token_seconds = time.monotonic() - self._began
            self.output_tokens += 1
            self._emit(kind, token)
        self._crash_if_due(at_end=True)
        self.reason = "eosFound"

    def _plan(self) -> list[tuple[Literal["reasoning", "text"], str]]:
        model, ask = self.instance.model, self.ask
        thinking = model.thinking if ask.think else None
        answer = model.answer(ask.messages)
        plan: list[tuple[Literal["reasoning", "text"], str]] = []
        if thinking is not None:
            if model.thinking_style == "think-tags":
                answer = f"<think>\n{thinking}\n</think>\n\n{answer}"
            elif model.thinking_style == "lone-close":
                answer = f"{thinking}\n</think>\n\n{answer}"
            else:
                plan += [("reasoning", token) for token in _tokens(thinking)]
        return plan + [("text", token) for token in _tokens(answer)]

    def _emit(self, kind: Literal["reasoning", "text"], token: str) -> None:
        if kind == "reasoning":
            self.reasoning_tokens += 1
            self.reasoning += token
            self._put(Event("reasoning", token))
            return
        grown = self.text + token
        cuts = [at for word in self.ask.stop if word and (at := grown.find(word)) >= 0]
        if cuts:
            token = grown[len(self.text) : min(cuts)]
            grown = grown[: min(cuts)]
        if token:
            self.text = grown
            self._put(Event("text", token))
        if cuts:
            self.reason = "stopStringFound"
            raise _Ended

    def _room(self) -> None:
        """Before a token: is there room for it?"""
        context = self.instance.config.context_length
        if self.ask.max_tokens is not None and self.output_tokens >= self.ask.max_tokens >= 0:
            self.reason = "maxPredictedTokensReached"
            raise _Ended
        if self.host.switches.shared_context:
            together = [work for work in self.instance.work if work.context_used()]
            if sum(work.context_used() for work in together) >= context:
                for work in together:
                    work.fail(EXCEEDED, "failed")
                raise _Ended
        elif self.input_tokens + self.output_tokens >= context:
            self.reason = "contextLengthReached"
            raise _Ended

    def _crash_if_due(self, *, at_end: bool = False) -> None:
        model = self.instance.model
        asked = self.ask.crash_after
        scripted = model.crash_after if model.crash_times is None or model.crash_times > 0 else None
        due = scripted if asked is None else asked
        if due is None or not (self.output_tokens == due or (at_end and self.output_tokens < due)):
            return
        if asked is None and model.crash_times is not None:
            model.crash_times -= 1
        self.host.drop(self.instance, "crashed", self.ask.crash_text or model.crash_text, "failed")
        raise _Ended

    # ------------------------------------------------------------ waiting and ending

    def _put(self, event: Event) -> None:
        if not self._left:
            self._events.put_nowait(event)

    async def _pause(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._halt.wait()
        self._check()

    async def _until(self, opened: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(opened.wait()), asyncio.ensure_future(self._halt.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise _Ended
        if self._left and self.phase == "generating":
            self.reason = "userStopped"
            raise _Ended

    def _over(self, task: asyncio.Task[None]) -> None:
        """One that was cancelled in the queue, or broke, ends here."""
        if not task.cancelled() and (broken := task.exception()) is not None:
            self._failure = (f"The fake broke: {broken!r}", "failed")
        self._finish()

    def _finish(self) -> None:
        if self._finished:
            return
        self._finished = True
        self.instance.work.remove(self)
        self.seconds = time.monotonic() - self._began
        if self._failure is not None:
            text, self.reason = self._failure
            self._note("generation_failed", text)
            self._events.put_nowait(Event("error", text))
            return
        if self.reason in ("", "userStopped"):
            self.reason = "userStopped"
            self._note("generation_stopped", "client disconnected")
        else:
            self._note("generation_finished", self.reason)
        self._events.put_nowait(Event("end", self.reason))

    def _note(self, kind: str, detail: str = "") -> None:
        instance = self.instance
        self.host.journal.add(kind, model=instance.model.key, instance=instance.identifier, detail=detail)


def _tokens(text: str) -> list[str]:
    """What one step of the model says: a word with the space before it."""
    return re.findall(r"\s*\S+|\s+$", text)
