"""One LM Studio host as a Provider and a Loader."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import httpx2
from pydantic import SecretStr

from core.clock import Clock, SystemClock
from core.conversation import ReplyEvent, ReplyOptions, Turn
from core.errors import BadRequest, CannotUnload, ModelUnknown, Unauthorized, Unreachable
from core.model import Estimate, HostHealth, LoadEvent, LoadRules, Model, ModelState, Resident
from core.providers.lmstudio import failures, replying, wire
from core.providers.lmstudio.loading import Loads, config_stack
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
        rules: LoadRules | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._rest = Rest(url, token=token, label=label, transport=transport)
        self._token = token
        self._name = name
        self._clock = clock or SystemClock()
        self._rules = rules or LoadRules()
        self._loads = Loads(
            self._rest,
            token,
            look=self._look,
            unload=self._unload_instance,
            others_answer=self._others_answer,
            clock=self._clock,
            patience=load_patience,
            rules=self._rules,
        )
        self._api: str | None = None
        self._seen: dict[str, Model] = {}  # models of a host that lists no catalogue
        self._version: str | None = None
        self._answering: Counter[str] = Counter()

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
        found = [self._with_memory(m) for m in wire.with_states(*await self._listing())]
        return found if self._api == "v1" else self._with_absent(found)

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
        self._rest.forget()
        self._version = None
        self._loads.socket = None
        self._loads.just_in_time.clear()

    def _with_memory(self, model: Model) -> Model:
        if self._api == "openai" and model.key in self._loads.just_in_time:
            return replace(model, state=ModelState.LOADED, instance=model.key)
        return model

    def _with_absent(self, found: Sequence[Model]) -> Sequence[Model]:
        """With just-in-time loading off, v0 and `/v1/models` list only what is loaded: the rest is still there."""
        here = {model.key: model for model in found}
        absent = [model for key, model in self._seen.items() if key not in here]
        self._seen |= {
            key: replace(model, state=ModelState.ON_DISK, instance=None, loaded_context=None, parallel=None)
            for key, model in here.items()
        }
        return [*found, *absent]

    async def _look(self, model: Model) -> Model:
        """The model as the host lists it now; keys match without case."""
        wanted = model.key.lower()
        for found in await self.models():
            if found.key.lower() == wanted:
                return found
        raise failures.load_failed(model, f"Model {model.key} not found in downloaded models")

    async def check(self, key: SecretStr | None = None) -> None:
        """See `Provider.check`."""
        probe = (
            self._rest
            if key is None
            else Rest(self._rest.url, token=key.get_secret_value(), label=self._rest.label)
        )
        try:
            await probe.get("/api/v1/models")
        finally:
            if probe is not self._rest:
                await probe.aclose()

    async def reply(
        self, model: Model, turns: Sequence[Turn], options: ReplyOptions
    ) -> AsyncGenerator[ReplyEvent]:
        """See `Provider.reply`."""
        self._answering[model.key] += 1
        try:
            async with aclosing(replying.stream(self._rest, model, turns, options, self._clock)) as events:
                async for event in events:
                    yield event
        finally:
            self._answering[model.key] -= 1

    async def _others_answer(self, model: Model, llm: Namespace | None = None) -> bool:
        """Whether another model works on the host, as far as it tells; what we asked it always counts."""
        if any(n for key, n in self._answering.items() if key != model.key):
            return True
        try:
            residents = await (self.residents() if llm is None else self._told(llm))
        except SocketError:
            return False
        return any(r.busy and r.key != model.key for r in residents)

    def load(self, model: Model) -> AsyncGenerator[LoadEvent]:
        """See `Loader.load`."""
        return self._loads.load(model)

    async def unload(self, model: Model) -> None:
        """Unload every instance: unloading `key` leaves `key:2` in memory."""
        listed, states = await self._listing()
        found = next((one for one in listed if one.model.key.lower() == model.key.lower()), None)
        if found is None:
            raise ModelUnknown(model.key)
        remembered = (model.key,) if model.key in self._loads.just_in_time else ()
        for instance in wire.instances_of(found, states) or remembered:
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
            raise CannotUnload(model) from error

    async def estimate(self, model: Model) -> Estimate | None:
        """See `Loader.estimate`; by the RPC `estimateModelUsage`, which only WebSocket has."""
        parameter = {"modelKey": model.key, "loadConfigStack": config_stack(self._rules)}
        try:
            async with Namespace(self._rest.http, "llm", self._token) as llm:
                answer = await llm.call("estimateModelUsage", parameter)
        except SocketError:
            return None
        return wire.estimate(answer)

    async def residents(self) -> Sequence[Resident]:
        """See `Loader.residents`; idle times and who is busy are told over WebSocket only."""
        try:
            async with Namespace(self._rest.http, "llm", self._token) as llm:
                return await self._told(llm)
        except SocketError:
            listed, _ = await self._listing()
            return [
                Resident(instance.id, one.model.key, one.model.name, one.model.size_bytes, busy=None)
                for one in listed
                for instance in one.instances
            ]

    async def _told(self, llm: Namespace) -> list[Resident]:
        rows = wire.listed_loaded(await llm.call("listLoaded"))
        return [await self._resident(llm, row) for row in rows]

    async def _resident(self, llm: Namespace, row: wire.LoadedInfo) -> Resident:
        specifier = {"type": "query", "query": {"identifier": row.identifier}}
        try:
            state = await llm.call(
                "getInstanceProcessingState", {"specifier": specifier, "throwIfNotFound": False}
            )
        except SocketError:  # an older build: nothing is known of it
            state = None
        idle = None if row.last_used is None else max(0.0, self._clock.time() - row.last_used)
        return Resident(
            row.identifier, row.key, row.name or row.key, row.size_bytes, idle, wire.is_processing(state)
        )

    async def evict(self, resident: Resident) -> None:
        """See `Loader.evict`."""
        model = Model(
            provider=self.name,
            host=self.host,
            key=resident.key,
            name=resident.name,
            state=ModelState.LOADED,
            instance=resident.instance,
        )
        await self._unload_instance(model, resident.instance)

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
