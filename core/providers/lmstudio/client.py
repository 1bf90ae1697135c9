"""One LM Studio host as a Provider and a Loader."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import httpx2

from core.clock import Clock, SystemClock
from core.conversation import ReplyEvent, ReplyOptions, Turn
from core.errors import BadRequest, ModelUnknown, Unauthorized, Unreachable
from core.model import Estimate, HostHealth, LoadEvent, Model, ModelState
from core.providers.lmstudio import failures, replying, wire
from core.providers.lmstudio.loading import Loads
from core.providers.lmstudio.rest import Rest
from core.providers.lmstudio.socket import ChannelFailed, Namespace, SocketError

LOAD_PATIENCE = 1800.0  # seconds: 20 GB from a slow disk take many minutes


class LMStudio:
    """Talks to one host. `label` is the host's name for people and in storage, by default `host:port`."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        name: str = "lmstudio",
        label: str | None = None,
        clock: Clock | None = None,
        load_patience: float = LOAD_PATIENCE,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._rest = Rest(url, token=token, label=label, transport=transport)
        self._token = token
        self._name = name
        self._clock = clock or SystemClock()
        self._loads = Loads(self._rest, token, self._look, self._clock, load_patience)
        self._api: str | None = None
        self._version: str | None = None

    @property
    def name(self) -> str:
        """See `Provider.name`."""
        return self._name

    @property
    def host(self) -> str:
        """See `Provider.host`."""
        return self._rest.label

    async def models(self) -> Sequence[Model]:
        """See `Provider.models`. Two GETs; nothing is ever loaded by them."""
        return [self._with_memory(m) for m in wire.with_states(*await self._listing())]

    async def _listing(self) -> tuple[list[wire.Listed], dict[str, wire.StateV0] | None]:
        try:
            self._api, listed, states = await self._rest.listing(self._name)
        except* Unreachable as group:
            self._forget()
            raise group.exceptions[0] from None
        except* Unauthorized as group:
            raise group.exceptions[0] from None
        return listed, states

    def _forget(self) -> None:
        """After a lost connection the host may be another build: find out afresh."""
        self._version = None
        self._loads.socket = None
        self._loads.just_in_time.clear()

    def _with_memory(self, model: Model) -> Model:
        if self._api == "openai" and model.key in self._loads.just_in_time:
            return replace(model, state=ModelState.LOADED, instance=model.key)
        return model

    async def _look(self, model: Model) -> Model:
        """The model as the host lists it now; keys match without case."""
        wanted = model.key.lower()
        for found in await self.models():
            if found.key.lower() == wanted:
                return found
        raise failures.load_failed(model, f"Model {model.key} not found in downloaded models")

    async def check(self, key: str | None = None) -> None:
        """See `Provider.check`."""
        probe = self._rest if key is None else Rest(self._rest.url, token=key, label=self._rest.label)
        try:
            await probe.get("/api/v1/models")
        finally:
            if probe is not self._rest:
                await probe.aclose()

    def reply(self, model: Model, turns: Sequence[Turn], options: ReplyOptions) -> AsyncGenerator[ReplyEvent]:
        """See `Provider.reply`."""
        return replying.stream(self._rest, model, turns, options)

    def load(self, model: Model) -> AsyncGenerator[LoadEvent]:
        """See `Loader.load`."""
        return self._loads.load(model)

    async def unload(self, model: Model) -> None:
        """Unload every instance: unloading `key` leaves `key:2` in memory."""
        listed, _ = await self._listing()
        found = next((one for one in listed if one.model.key.lower() == model.key.lower()), None)
        if found is None:
            raise ModelUnknown(model.key)
        remembered = (model.key,) if model.key in self._loads.just_in_time else ()
        for instance in [one.id for one in found.instances] or remembered:
            await self._unload_instance(model, instance)
        self._loads.just_in_time.discard(model.key)

    async def _unload_instance(self, model: Model, instance: str) -> None:
        answer = await self._rest.post("/api/v1/models/unload", {"instance_id": instance}, patience=60.0)
        match answer.body:
            case {"instance_id": str()}:
                return
            case _:
                error = answer.error
        if error is not None and error.route_missing:
            await self._unload_by_socket(model, instance)
        elif error is not None and not failures.model_gone(error.text):
            raise BadRequest(model, failures.short(error.text))

    async def _unload_by_socket(self, model: Model, instance: str) -> None:
        """A build without native v1 unloads over WebSocket only."""
        try:
            async with Namespace(self._rest.http, "llm", self._token) as llm:
                await llm.call("unloadModel", {"identifier": instance})
        except ChannelFailed as failed:
            raise BadRequest(model, failures.short(failed.text)) from failed
        except SocketError as error:
            raise BadRequest(model, "this build of LM Studio cannot unload from outside") from error

    async def estimate(self, model: Model) -> Estimate | None:
        """See `Loader.estimate`; by the RPC `estimateModelUsage`, which only WebSocket has."""
        parameter = {"modelKey": model.key, "loadConfigStack": {"layers": []}}
        try:
            async with Namespace(self._rest.http, "llm", self._token) as llm:
                answer = await llm.call("estimateModelUsage", parameter)
        except SocketError:
            return None
        match answer:
            case {"memory": {"totalBytes": int(total) | float(total)}, "passesGuardrails": bool(fits)}:
                return Estimate(int(total), fits)
            case _:
                return None

    async def health(self) -> HostHealth:
        """See `Loader.health`."""
        known = HostHealth(self.name, self.host, reachable=False, checked_at=self._clock.time())
        try:
            await self._listing()
        except Unreachable as error:
            return replace(known, detail=error.detail)
        except Unauthorized:
            return replace(known, reachable=True, detail="401")
        if self._version is None:
            self._version = await self._ask_version()
        return replace(
            known,
            reachable=True,
            api=self._api,
            socket=self._loads.socket,
            version=self._version or None,
            via=self._loads.via,
        )

    async def _ask_version(self) -> str:
        """No HTTP route tells the version; the WebSocket RPC `system.version` does."""
        try:
            async with asyncio.timeout(5), Namespace(self._rest.http, "system", self._token) as system:
                answer = await system.call("version")
        except SocketError:
            self._loads.socket = False if self._loads.socket is None else self._loads.socket
            return ""
        except TimeoutError:
            return ""
        self._loads.socket = True
        match answer:
            case {"version": str(version)}:
                return version
            case _:
                return ""

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await self._rest.aclose()
