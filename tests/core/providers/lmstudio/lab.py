"""A fake LM Studio with our client in front of it, over real sockets; or a plain function instead of a host."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx2

from core.clock import Clock
from core.conversation import Delta, ReplyEvent, ReplyOptions, Role, Thinking, Turn
from core.model import LoadEvent, Loading, Model, Ready
from core.providers.lmstudio import LMStudio
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

TOKEN = "sk-lm-abcdefgh:ABCDEFGHIJ0123456789"
NOVA, MINI = "acme/nova-8b", "acme/mini-1b"
OPENAI_ONLY: dict[str, Any] = {"rest_v1": False, "rest_v0": False, "sockets": False}
V0_ONLY: dict[str, Any] = {"rest_v1": False, "sockets": False}
HELLO = (Turn(Role.USER, "hello"),)


@asynccontextmanager
async def lab(
    *models: FakeModel,
    loaded: Sequence[str] = (),
    clock: Clock | None = None,
    token: str | None = None,
    patience: float = 1800.0,
    **switches: Any,
) -> AsyncIterator[tuple[FakeLMStudio, LMStudio]]:
    """A running fake and the client."""
    server = FakeLMStudio(models or None, switches=Switches(**switches), loaded=loaded)
    async with server:
        client = LMStudio(server.url, token=token, clock=clock, load_patience=patience)
        try:
            yield server, client
        finally:
            await client.aclose()


Handler = Callable[[httpx2.Request], httpx2.Response]


@asynccontextmanager
async def played(handler: Handler) -> AsyncIterator[LMStudio]:
    """The client with a plain function in place of a host."""
    client = LMStudio("http://host:1234", transport=httpx2.MockTransport(handler))
    try:
        yield client
    finally:
        await client.aclose()


def by_path(**answers: Any) -> Handler:
    """Answer by the last word of the path (`v1`, `v0` or `openai` for the three lists); else an unknown route."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        name = {"/api/v1/models": "v1", "/api/v0/models": "v0", "/v1/models": "openai"}.get(path, "")
        said = answers.get(name or path.rsplit("/", 1)[-1])
        if isinstance(said, httpx2.Response):
            return said
        if said is None:
            return unknown_route(request)
        return httpx2.Response(200, json=said)

    return answer


def unknown_route(request: httpx2.Request, status: int = 200) -> httpx2.Response:
    text = f"Unexpected endpoint or method. ({request.method} {request.url.path})"
    return httpx2.Response(status, json={"error": text})


async def one(client: LMStudio, key: str = NOVA) -> Model:
    """The model as the host lists it."""
    return next(m for m in await client.models() if m.key == key)


async def loading(client: LMStudio, model: Model) -> list[LoadEvent]:
    """Every event of a load."""
    async with aclosing(client.load(model)) as events:
        return [event async for event in events]


def fractions(events: Sequence[LoadEvent]) -> list[float | None]:
    return [event.fraction for event in events if isinstance(event, Loading)]


def ready(events: Sequence[LoadEvent]) -> Ready:
    assert isinstance(events[-1], Ready)
    return events[-1]


async def answer(
    client: LMStudio, model: Model, turns: Sequence[Turn] = HELLO, options: ReplyOptions | None = None
) -> list[ReplyEvent]:
    """Every event of an answer."""
    async with aclosing(client.reply(model, turns, options or ReplyOptions())) as events:
        return [event async for event in events]


def text_of(events: Sequence[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def thought_of(events: Sequence[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Thinking))
