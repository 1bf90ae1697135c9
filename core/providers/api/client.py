"""A vendor as a Provider: its models, its key check, its answers."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import httpx2
from pydantic import SecretStr

from core.clock import Clock, SystemClock
from core.conversation import ReplyEvent, ReplyOptions, Role, Turn
from core.errors import (
    ApiProblem,
    ApiUnreachable,
    EmptyAnswer,
    KeyMissing,
    KeyRejected,
    NoMoney,
    Problem,
    RateLimited,
)
from core.model import Model
from core.providers import refusals
from core.providers.api.asking import Asking, Payer
from core.providers.api.calls import Calls
from core.providers.api.models import Shelf
from core.providers.api.wires import WIRES
from core.providers.base import KeySource
from core.providers.pieces import objects
from core.providers.vendors import Probe, Vendor

_PROBE = [Turn(Role.USER, "ping")]
_ASKED = 3  # models, until one answers


class Api:
    """Talks to one vendor. Implements `Provider` and `Keyed`; every call is paid for by the KeySource's key."""

    def __init__(
        self,
        vendor: Vendor,
        keys: KeySource,
        *,
        clock: Clock | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._vendor = vendor
        self._keys = keys
        self._clock = clock or SystemClock()
        self._wire = WIRES[vendor.wire]
        self._calls = Calls(vendor, transport)
        self._shelf = Shelf(vendor, self._clock)

    @property
    def name(self) -> str:
        """See `Provider.name`."""
        return self._vendor.name

    @property
    def host(self) -> str:
        """See `Provider.host`: a vendor has none."""
        return ""

    # ------------------------------------------------------------ keys

    async def serves(self, person: str | None) -> bool:
        """See `Keyed.serves`."""
        try:
            return not self._vendor.needs_key or await self._keys(person) is not None
        except Problem:  # a stored key that cannot be read pays for nothing; who asks with it is told
            return False

    async def own(self, person: str) -> bool:
        """See `Keyed.own`."""
        try:
            return (await self._key(person))[1]
        except Problem:
            return False

    async def _key(self, person: str | None) -> tuple[str, bool]:
        """The key, and whether it is the person's own; empty where none is needed."""
        key = await self._keys(person)
        if key is None:
            if self._vendor.needs_key:
                raise KeyMissing(self.name)
            return "", False
        shared = key if person is None else await self._keys(None)
        return _sendable(key, self.name, own=key != shared), key != shared

    async def check(self, key: SecretStr | None = None) -> None:
        """See `Provider.check`, by whatever way proves the key at this vendor; it costs a few tokens at most."""
        secret, own = (
            (_sendable(key, self.name, own=True), True) if key is not None else await self._key(None)
        )
        match self._vendor.probe:
            case None:
                await self._send("GET", self._wire.listing(self._vendor, ""), secret, own=own)
            case "chat":
                await self._check_by_chat(secret, own=own)
            case "open":
                await self._send("GET", self._wire.listing(self._vendor, ""), secret, own=own)
                if secret and await self._lists(""):  # whoever comes is shown the models
                    await self._check_by_chat(secret, own=own)
            case Probe() as probe:
                body = await self._send(probe.method, probe.path, secret, own=own)
                if probe.field and not objects(body).get(probe.field):
                    raise KeyRejected(self.name, own)
                if probe.permission and not _may(body, probe.permission):
                    raise KeyRejected(self.name, own, probe.permission)

    async def _check_by_chat(self, secret: str, *, own: bool) -> None:
        """Ask for a word or two and read them: a blocked account lists models and answers with a refusal."""
        models = await self._shelf.read(lambda path: self._send("GET", path, secret, own=own))
        broken: Problem = ApiProblem(self.name, own)
        for model in models[:_ASKED]:
            try:
                await self._ping(model, secret, own=own)
            except (KeyRejected, NoMoney, RateLimited, ApiUnreachable):
                raise
            except Problem as problem:  # of that model: another one may answer
                broken = problem
            else:
                return
        if isinstance(broken, ApiProblem):
            raise broken
        raise ApiProblem(self.name, own, getattr(broken, "text", "")) from broken

    async def _ping(self, model: Model, secret: str, *, own: bool) -> None:
        options = ReplyOptions(max_tokens=16)
        try:
            async with aclosing(self._ask(model, _PROBE, options, secret, own=own)) as events:
                async for _ in events:
                    pass
        except EmptyAnswer:  # nobody said that the key is bad
            return

    # ------------------------------------------------------------ models

    async def models(self, person: str | None = None) -> Sequence[Model]:
        """See `Provider.models`. What the vendor lists is remembered for a while; raises KeyMissing."""
        secret, own = await self._key(person)
        return await self._shelf.models(secret, lambda path: self._send("GET", path, secret, own=own))

    def forget(self) -> None:
        """See `Keyed.forget`."""
        self._shelf.forget()

    async def _send(self, method: str, path: str, secret: str, *, own: bool) -> Any:
        headers = self._wire.headers(secret)
        try:
            answer = await self._calls.send(method, path, headers, secret)
        except httpx2.RequestError as error:
            raise ApiUnreachable(self.name, own, type(error).__name__) from error
        if answer.refusal is not None:
            raise refusals.problem(answer.refusal, self._vendor, None, own=own)
        return answer.body

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await self._calls.aclose()

    # ------------------------------------------------------------ answers

    async def reply(
        self, model: Model, turns: Sequence[Turn], options: ReplyOptions
    ) -> AsyncGenerator[ReplyEvent]:
        """See `Provider.reply`."""
        secret, own = await self._key(options.person)
        async with aclosing(self._ask(model, turns, options, secret, own=own)) as events:
            async for event in events:
                yield event

    def _ask(
        self, model: Model, turns: Sequence[Turn], options: ReplyOptions, secret: str, *, own: bool
    ) -> AsyncGenerator[ReplyEvent]:
        question = self._wire.question(
            self._vendor, model.key, turns, options, self._shelf.longest_answer(model.key)
        )
        payer = Payer(secret, own, lambda: self._lists(secret))
        return Asking(self._vendor, self._calls, self._clock, model, turns, question, payer).events()

    async def _lists(self, secret: str) -> bool:
        """Whether the vendor accepts the key for a listing."""
        try:
            await self._send("GET", self._wire.listing(self._vendor, ""), secret, own=False)
        except ApiProblem:
            return False
        return True


def _sendable(key: SecretStr, vendor: str, *, own: bool) -> str:
    """A header bears printable ASCII alone; anything else is no key, and its sender would only raise."""
    secret = key.get_secret_value()
    if not secret.isascii() or not secret.isprintable() or not secret.strip():
        raise KeyRejected(vendor, own)
    return secret.strip()


def _may(body: Any, permission: str) -> bool:
    """Whether a token may do that, by what `whoami` tells; only fine-grained tokens list what they may."""
    token = objects(objects(objects(body).get("auth")).get("accessToken"))
    return token.get("role") != "fineGrained" or permission in str(token.get("fineGrained"))
