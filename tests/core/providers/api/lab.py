"""A client of each vendor beside its fake server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from core.clock import SystemClock
from core.conversation import Delta, Done, ReplyEvent, ReplyOptions, Role, Turn
from core.model import Model, ModelState
from core.providers import vendors
from core.providers.api import Api
from core.providers.patience import TICK
from core.providers.vendors import Vendor
from tests.fakes.vendors import rows
from tests.fakes.vendors.alike import (
    FakeAI21,
    FakeCohere,
    FakeGenspark,
    FakeHuggingFace,
    FakeMistral,
    FakeServer,
)
from tests.fakes.vendors.anthropic import FakeAnthropic
from tests.fakes.vendors.gemini import FakeGemini
from tests.fakes.vendors.openai import FakeOpenAI
from tests.fakes.vendors.server import FakeVendor

FAKES: dict[str, type[FakeVendor]] = {
    "openai": FakeOpenAI,
    "anthropic": FakeAnthropic,
    "google": FakeGemini,
    "genspark": FakeGenspark,
    "mistral": FakeMistral,
    "huggingface": FakeHuggingFace,
    "cohere": FakeCohere,
    "ai21": FakeAI21,
    "own": FakeServer,
}
ROWS: dict[str, tuple[rows.Refused, ...]] = {
    "openai": rows.OPENAI,
    "anthropic": rows.ANTHROPIC,
    "google": rows.GEMINI,
    "genspark": rows.GENSPARK,
    "mistral": rows.MISTRAL,
    "huggingface": rows.HUGGINGFACE,
    "cohere": rows.COHERE,
    "ai21": rows.AI21,
    "own": rows.COMPATIBLE,
}
ASK = (Turn(Role.USER, "olá"),)


class BriskClock(SystemClock):
    """A real clock whose pauses are over at once; the ticks of those who watch silence pass as always."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        if seconds == TICK:
            await super().sleep(seconds)
            return
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Lab:
    """A vendor's client, its server, and what pays. Nobody has a key of their own unless a test gives one."""

    server: FakeVendor
    vendor: Vendor
    clock: BriskClock
    keys: dict[str | None, SecretStr | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.api = Api(self.vendor, self.pay, clock=self.clock)

    async def pay(self, person: str | None) -> SecretStr | None:
        return self.keys.get(person) or self.keys.get(None)

    @property
    def model(self) -> Model:
        listed = self.server.models[1] if len(self.server.models) > 1 else {"id": "jamba-mini"}
        name = str(listed.get("id") or listed["name"]).removeprefix("models/")
        return Model(self.vendor.name, "", name, name, ModelState.EXTERNAL, max_context=100_000)

    async def ask(self, *turns: Turn, **options: Any) -> list[ReplyEvent]:
        replying = self.api.reply(self.model, turns or ASK, ReplyOptions(**options))
        async with aclosing(replying) as events:
            return [event async for event in events]

    async def text(self, *turns: Turn, **options: Any) -> str:
        return said(await self.ask(*turns, **options))


def said(events: list[ReplyEvent]) -> str:
    assert isinstance(events[-1], Done), events
    return "".join(event.text for event in events if isinstance(event, Delta))


def entry(name: str, server: FakeVendor) -> Vendor:
    """The vendor's entry, with its addresses on the fake server."""
    if name == "own":
        return vendors.compatible("own", server.base, keyed=False)
    return vendors.at(vendors.BY_NAME[name], server.base)


@asynccontextmanager
async def a_lab(name: str, **changes: Any) -> AsyncIterator[Lab]:
    async with FAKES[name]() as server:
        vendor = replace(entry(name, server), **changes)
        assert urlsplit(vendor.url).hostname == "127.0.0.1"
        keys: dict[str | None, SecretStr | None] = {None: None if name == "own" else SecretStr(server.key)}
        lab = Lab(server, vendor, BriskClock(), keys)
        yield lab
        await lab.api.aclose()
