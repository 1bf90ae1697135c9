"""Loading a model, by the best way the host offers.

1. WebSocket `getOrLoad` (or `loadModel`): progress, cancel, reuse.
2. REST v1 `load`: blocks without a sign of life, makes a second copy if one is loaded; watched through v0.
3. Just in time: the smallest possible chat request makes an older build load the model.

Whatever way: look first, load only what is neither loaded nor loading, look again afterwards, and after a
broken connection look before anything else: the load may well go on without us.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from core.clock import Clock
from core.errors import LoadFailed, Unreachable
from core.model import FailureKind, LoadEvent, Loading, LoadPath, LoadRules, Model, ModelState, Ready
from core.providers.lmstudio import failures, wire
from core.providers.lmstudio.rest import Answer, Rest
from core.providers.lmstudio.socket import (
    Channel,
    ChannelFailed,
    Namespace,
    SocketError,
    SocketLost,
    SocketUnsupported,
)
from core.providers.lmstudio.ticking import TICK, briefly, tick, ticking
from core.providers.lmstudio.vigil import Vigil

LOAD = "/api/v1/models/load"
FIRST_PACKET = 15.0  # seconds in which a channel says anything at all
CONFIRM = 5.0  # seconds in which the list must show what was loaded

Look = Callable[[Model], Coroutine[Any, Any, Model]]
Unload = Callable[[Model, str], Coroutine[Any, Any, None]]


class NoWay(Exception):
    """The host does not offer this way of loading."""


class Loads:
    """The loads of one host.

    `look` reads a model's state afresh, `unload` takes one instance out; `patience` seconds for a whole load.
    """

    def __init__(
        self,
        rest: Rest,
        token: str | None,
        *,
        look: Look,
        unload: Unload,
        others_answer: Callable[..., Coroutine[Any, Any, bool]],
        clock: Clock,
        patience: float,
        rules: LoadRules,
    ) -> None:
        self._rest = rest
        self._token = token
        self._look = look
        self._unload = unload
        self._others_answer = others_answer
        self._clock = clock
        self._patience = patience
        self._rules = rules
        self.socket: bool | None = None  # whether the host speaks WebSocket; None = not tried
        self.via: LoadPath | None = None
        self.just_in_time: set[str] = set()  # keys known to answer on a host that shows no states

    async def load(self, model: Model) -> AsyncGenerator[LoadEvent]:
        """See `core.providers.base.Loader.load`."""
        for attempt in (1, 2):
            try:
                async with aclosing(self._once(model)) as events:
                    async for event in events:
                        yield event
            except LoadFailed as failed:
                if attempt == 1 and failures.retry_once(failed.text):
                    continue
                raise
            else:
                return

    async def _once(self, model: Model) -> AsyncGenerator[LoadEvent]:
        fresh = await self._look(model)
        if fresh.state is ModelState.LOADED:
            yield Ready(fresh, 0.0, LoadPath.ALREADY)
            return
        started = self._clock.monotonic()
        for way in (self._wait,) if fresh.state is ModelState.LOADING else self._ways():
            try:
                async with aclosing(way(fresh, started)) as events:
                    async for event in events:
                        yield self._noted(event)
            except NoWay:
                continue
            else:
                return
        raise LoadFailed(model, FailureKind.NO_WAY)

    def _ways(self) -> tuple[Callable[[Model, float], AsyncGenerator[LoadEvent]], ...]:
        match self._rules.mode:
            case "jit":  # the others where the host does not load by itself
                return (self._jit, self._socket, self._rest_v1)
            case "explicit":
                return (self._socket, self._rest_v1)
            case _:
                return (self._socket, self._rest_v1, self._jit)

    def _noted(self, event: LoadEvent) -> LoadEvent:
        if isinstance(event, Ready):
            self.via = event.via
        return event

    def _elapsed(self, started: float, model: Model) -> float:
        elapsed = self._clock.monotonic() - started
        if elapsed > self._patience:
            raise LoadFailed(model, FailureKind.TIMED_OUT, f"{elapsed:.0f} s")
        return elapsed

    # ------------------------------------------------------------ 1. WebSocket

    async def _socket(self, model: Model, started: float) -> AsyncGenerator[LoadEvent]:
        if self.socket is False:
            raise NoWay
        opened = False
        try:
            async with Namespace(self._rest.http, "llm", self._token) as llm:
                self.socket = opened = True
                async with aclosing(self._by_channel(llm, model, started)) as events:
                    async for event in events:
                        yield event
                return
        except SocketLost:
            if not opened:  # the host may be down, or a proxy stands before it
                raise NoWay from None
        except SocketError:
            self.socket = False
            raise NoWay from None
        async with aclosing(self._after_loss(model, started)) as events:
            async for event in events:
                yield event

    async def _by_channel(self, llm: Namespace, model: Model, started: float) -> AsyncGenerator[LoadEvent]:
        # What `getOrLoad` loads counts as just-in-time: with a time to live, evicted like it, and evicting
        # others, be it in mid-answer.
        by_name = self._rules.mode != "auto" or await self._others_answer(model, llm)
        for endpoint in ("loadModel",) if by_name else ("getOrLoad", "loadModel"):
            try:
                async with aclosing(self._on_channel(llm, endpoint, model, started)) as events:
                    async for event in events:
                        yield event
            except SocketUnsupported:
                if (await self._look(model)).state is not ModelState.ON_DISK:
                    raise SocketLost("it says nothing, but it loads") from None
            else:
                return
        raise NoWay

    async def _on_channel(
        self, llm: Namespace, endpoint: str, model: Model, started: float
    ) -> AsyncGenerator[LoadEvent]:
        parameter: dict[str, Any] = {"loadConfigStack": config_stack(self._rules)}
        parameter["identifier" if endpoint == "getOrLoad" else "modelKey"] = model.key
        try:
            async with llm.channel(endpoint, parameter) as channel:
                yield Loading(model, 0.0, self._elapsed(started, model))
                async with aclosing(self._packets(channel, model, started)) as events:
                    async for event in events:
                        yield event
        except ChannelFailed as failed:
            raise failures.load_failed(model, failed.text) from failed
        finally:
            if llm.alive:
                await briefly(llm.flush())  # a cancel must leave before we hang up

    async def _packets(self, channel: Channel, model: Model, started: float) -> AsyncGenerator[LoadEvent]:
        best, silent_since = 0.0, self._clock.monotonic()
        heard = False
        async with aclosing(ticking(channel, self._clock)) as messages:
            async for message in messages:
                elapsed = self._elapsed(started, model)
                if message is None:
                    if not heard and self._clock.monotonic() - silent_since > FIRST_PACKET:
                        raise SocketUnsupported("no answer")  # bad parameters are not always warned of
                    yield Loading(model, best, elapsed)
                    continue
                heard = True
                match wire.load_packet(message):
                    case wire.LoadProgress(fraction):
                        if fraction > best:
                            best = min(fraction, 1.0)
                            yield Loading(model, best, elapsed)
                    case wire.LoadDone(identifier, context, already):
                        channel.ended = True  # nothing is left to cancel
                        via = LoadPath.ALREADY if already else LoadPath.SOCKET
                        loaded = replace(
                            model,
                            state=ModelState.LOADED,
                            instance=identifier or model.key,
                            loaded_context=context,
                        )
                        yield Ready(await self._confirmed(loaded), elapsed, via)
                        return
                    case wire.LoadNote():
                        continue
        raise LoadFailed(model, FailureKind.UNKNOWN, failures.NO_RESULT)

    # ------------------------------------------------------------ 2. REST

    async def _rest_v1(self, model: Model, started: float) -> AsyncGenerator[LoadEvent]:
        key = model.key.partition("@")[0]  # `key@quant` answers chats, but load says 404
        sent = self._post_load({"model": key})
        async with aclosing(self._watched(sent, model, started)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    yield await self._rest_result(event, model, started)
                else:
                    yield event

    async def _post_load(self, body: dict[str, Any]) -> Answer:
        """Bodies are strict: a build that does not know `context_length` refuses it, and gets none."""
        if self._rules.context is None:
            return await self._rest.post(LOAD, body, patience=None)
        answer = await self._rest.post(LOAD, {**body, "context_length": self._rules.context}, patience=None)
        if answer.error is not None and answer.error.code == "unrecognized_keys":
            return await self._rest.post(LOAD, body, patience=None)
        return answer

    async def _rest_result(self, answer: Answer, model: Model, started: float) -> LoadEvent:
        match answer.body:
            case {"status": "loaded", "instance_id": str(instance)}:
                loaded = replace(model, state=ModelState.LOADED, instance=instance)
                return Ready(await self._confirmed(loaded), self._elapsed(started, model), LoadPath.REST)
            case _:
                error = answer.error or wire.ServerError(f"HTTP {answer.status}")
                if error.route_missing:
                    raise NoWay
                raise failures.load_failed(model, error.text)

    # ------------------------------------------------------------ 3. just in time

    async def _jit(self, model: Model, started: float) -> AsyncGenerator[LoadEvent]:
        while await self._others_answer(model):  # loading this one would evict the other in mid-answer
            yield Loading(model, None, self._elapsed(started, model))
            await self._clock.sleep(TICK)
        body = {"model": model.key, "messages": [{"role": "user", "content": "."}], "max_tokens": 1}
        sent = self._rest.post("/v1/chat/completions", body, patience=None)
        async with aclosing(self._watched(sent, model, started)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    if event.error is not None:
                        if self._rules.mode == "jit" and failures.model_gone(event.error.text):
                            raise NoWay  # just-in-time loading is off, or does not know this model
                        raise failures.load_failed(model, event.error.text)
                    if not wire.names(model, wire.served_by(event.body)):
                        raise NoWay  # with just-in-time loading off whoever is loaded answers for everybody
                    self.just_in_time.add(model.key)
                    loaded = replace(model, state=ModelState.LOADED, instance=model.key)
                    yield Ready(await self._confirmed(loaded), self._elapsed(started, model), LoadPath.JIT)
                else:
                    yield event

    # ------------------------------------------------------------ common

    async def _watched(
        self, sent: Coroutine[Any, Any, Answer], model: Model, started: float
    ) -> AsyncGenerator[Any]:
        """A request without a sign of life, with a tick a second beside it; ends with its Answer."""
        request = asyncio.ensure_future(sent)
        try:
            yield Loading(model, None, self._elapsed(started, model))
            vigil = Vigil(self._rest, model, self._clock)
            while not request.done():
                await tick(request, self._clock)
                if request.done():
                    break
                yield Loading(model, None, self._elapsed(started, model))
                if await vigil.unheard() and not request.done():
                    yield Ready(await self._look(model), self._elapsed(started, model), LoadPath.WAITED)
                    return
            try:
                answer = request.result()
            except Unreachable:
                async with aclosing(self._after_loss(model, started)) as events:
                    async for event in events:
                        yield event
                return
            yield answer
        finally:
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)

    async def _wait(self, model: Model, started: float) -> AsyncGenerator[LoadEvent]:
        """Somebody else is loading it: wait and look."""
        while True:
            fresh = await self._look(model)
            if fresh.state is ModelState.LOADED:
                yield Ready(fresh, self._elapsed(started, model), LoadPath.WAITED)
                return
            if fresh.state is not ModelState.LOADING:
                raise LoadFailed(model, FailureKind.CANCELLED, failures.NO_RESULT)
            yield Loading(model, None, self._elapsed(started, model))
            await self._clock.sleep(TICK)

    async def _after_loss(self, model: Model, started: float) -> AsyncGenerator[LoadEvent]:
        """The connection broke. Never ask again blindly: look whether the load goes on."""
        await self._clock.sleep(TICK)
        async with aclosing(self._wait(model, started)) as events:
            async for event in events:
                yield event

    async def _confirmed(self, loaded: Model) -> Model:
        """What was really loaded, by the list; the load's own word where the list lags behind."""
        deadline = self._clock.monotonic() + CONFIRM
        while True:
            fresh = await self._look(loaded)
            if fresh.state is ModelState.LOADED:
                await self._tidy(loaded, fresh)
                return fresh
            if self._clock.monotonic() >= deadline:
                return loaded
            await self._clock.sleep(0.2)

    async def _tidy(self, loaded: Model, fresh: Model) -> None:
        """REST never reuses: when another program loaded the model meanwhile, ours is a second copy (`key:2`).

        Ours leaves; an instance that somebody else made is never touched.
        """
        ours = loaded.instance or ""
        if fresh.instance != ours and ours.startswith(f"{loaded.key}:"):
            await self._unload(loaded, ours)


def config_stack(rules: LoadRules) -> dict[str, Any]:
    """`loadConfigStack` of the WebSocket API; empty = as LM Studio is set."""
    if rules.context is None:
        return {"layers": []}
    fields = [{"key": "llm.load.contextLength", "value": rules.context}]
    return {"layers": [{"layerName": "apiOverride", "config": {"fields": fields}}]}
