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
from core.model import FailureKind, LoadEvent, Loading, LoadPath, Model, ModelState, Ready
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

TICK = 1.0  # seconds between two looks where the host reports no progress
CONFIRM = 5.0  # seconds in which the list must show what was loaded

Look = Callable[[Model], Coroutine[Any, Any, Model]]


class NoWay(Exception):
    """The host does not offer this way of loading."""


class Loads:
    """The loads of one host. `look` reads a model's state afresh; `patience` seconds for a whole load."""

    def __init__(self, rest: Rest, token: str | None, look: Look, clock: Clock, patience: float) -> None:
        self._rest = rest
        self._token = token
        self._look = look
        self._clock = clock
        self._patience = patience
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
        ways = (
            (self._wait,) if fresh.state is ModelState.LOADING else (self._socket, self._rest_v1, self._jit)
        )
        for way in ways:
            try:
                async with aclosing(way(fresh, started)) as events:
                    async for event in events:
                        yield self._noted(event)
            except NoWay:
                continue
            else:
                return
        raise LoadFailed(model, FailureKind.UNKNOWN, "no way to load a model on this host")

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
                for endpoint in ("getOrLoad", "loadModel"):
                    try:
                        async with aclosing(self._on_channel(llm, endpoint, model, started)) as events:
                            async for event in events:
                                yield event
                    except SocketUnsupported:
                        continue
                    else:
                        return
                raise NoWay
        except SocketLost:
            if not opened:  # the host may be down, or a proxy stands before it
                raise NoWay from None
        except SocketError:
            self.socket = False
            raise NoWay from None
        async with aclosing(self._after_loss(model, started)) as events:
            async for event in events:
                yield event

    async def _on_channel(
        self, llm: Namespace, endpoint: str, model: Model, started: float
    ) -> AsyncGenerator[LoadEvent]:
        parameter: dict[str, Any] = {"loadConfigStack": {"layers": []}}
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
                await _briefly(llm.flush())  # a cancel must leave before we hang up

    async def _packets(self, channel: Channel, model: Model, started: float) -> AsyncGenerator[LoadEvent]:
        best = 0.0
        async with aclosing(_ticking(channel, self._clock)) as messages:
            async for message in messages:
                elapsed = self._elapsed(started, model)
                if message is None:
                    yield Loading(model, best, elapsed)
                    continue
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
        sent = self._rest.post("/api/v1/models/load", {"model": key}, patience=None)
        async with aclosing(self._watched(sent, model, started)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    yield await self._rest_result(event, model, started)
                else:
                    yield event

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
        body = {"model": model.key, "messages": [{"role": "user", "content": "."}], "max_tokens": 1}
        sent = self._rest.post("/v1/chat/completions", body, patience=None)
        async with aclosing(self._watched(sent, model, started)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    if event.error is not None:
                        raise failures.load_failed(model, event.error.text)
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
            while not request.done():
                await _tick(request, self._clock)
                if not request.done():
                    yield Loading(model, None, self._elapsed(started, model))
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
                return fresh
            if self._clock.monotonic() >= deadline:
                return loaded
            await self._clock.sleep(0.2)


async def _briefly(waiting: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.timeout(1):
            await waiting
    except TimeoutError:
        return


async def _tick(waited: asyncio.Future[Any], clock: Clock) -> None:
    """Return when it is done, or after a second of waiting for it."""
    tick = asyncio.ensure_future(clock.sleep(TICK))
    try:
        await asyncio.wait({waited, tick}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        tick.cancel()


async def _ticking(channel: Channel, clock: Clock) -> AsyncGenerator[Any]:
    """The channel's messages, and `None` after each second of silence."""
    following: asyncio.Future[Any] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(anext(channel))
            await _tick(following, clock)
            if not following.done():
                yield None
                continue
            try:
                message = following.result()
            except StopAsyncIteration:
                return
            finally:
                following = None
            yield message
    finally:
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
