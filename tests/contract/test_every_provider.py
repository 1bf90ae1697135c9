"""What every provider promises by its port, over each one that ships: hosts of ours and every vendor."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.clock import SystemClock
from core.conversation import Delta, Done, ReplyEvent, ReplyOptions, Role, Turn
from core.errors import Problem
from core.model import Model, ModelState, Ready
from core.providers.base import Keyed, Loader, Provider
from core.providers.embedded import Embedded
from core.providers.lmstudio import LMStudio
from tests.core.providers.api.lab import FAKES, a_lab
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel

Shop = tuple[Provider, str]  # a provider, and the key of a model it has
Opening = Callable[[Path], AbstractAsyncContextManager[Shop]]


@asynccontextmanager
async def lm_studio(_: Path) -> AsyncIterator[Shop]:
    async with FakeLMStudio([FakeModel("acme/nova-8b", load_seconds=0.05)]) as server:
        client = LMStudio(server.url)
        yield client, "acme/nova-8b"
        await client.aclose()


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Shop]:
    engine = Embedded(folder, (), SystemClock())
    await engine.start()
    yield engine, "scripted-echo"
    await engine.aclose()


def vendor(name: str) -> Opening:
    @asynccontextmanager
    async def opening(_: Path) -> AsyncIterator[Shop]:
        async with a_lab(name) as lab:
            yield lab.api, (await lab.api.models())[0].key

    opening.__name__ = name
    return opening


OPENINGS: list[Opening] = [lm_studio, embedded, *(vendor(name) for name in FAKES)]


@pytest.fixture(params=OPENINGS, ids=lambda opening: opening.__name__)
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    opening: Opening = request.param
    async with opening(tmp_path) as opened:
        yield opened


async def ready(shop: Shop) -> Model:
    """The model, able to answer."""
    provider, key = shop
    model = next(m for m in await provider.models() if m.key == key)
    if model.state is ModelState.EXTERNAL:
        return model
    loader: Loader = provider  # type: ignore[assignment]  # what is not external is loaded
    async with aclosing(loader.load(model)) as events:
        last = [event async for event in events][-1]
    assert isinstance(last, Ready)
    return last.model


async def answer(shop: Shop, *turns: Turn, options: ReplyOptions | None = None) -> list[ReplyEvent]:
    provider, _ = shop
    asked = provider.reply(await ready(shop), turns, options or ReplyOptions())
    async with aclosing(asked) as events:
        return [event async for event in events]


async def test_its_models_say_where_they_are(shop: Shop) -> None:
    """Each model names its provider and place, has a key of its own, and is local or external, not both."""
    provider, key = shop
    models = await provider.models()
    assert key in {m.key for m in models}
    assert len({m.id for m in models}) == len(models)
    for model in models:
        assert (model.provider, model.host) == (provider.name, provider.host)
        assert model.local is not isinstance(provider, Keyed)
        assert (model.state is ModelState.EXTERNAL) is not model.local


async def test_its_key_is_accepted(shop: Shop) -> None:
    """The configured key, or none where none is needed."""
    await shop[0].check()


async def test_an_answer_is_pieces_and_one_end(shop: Shop) -> None:
    """Text comes in more than one piece, and Done with its reason and both counts comes last, once."""
    seen = await answer(shop, Turn(Role.USER, "olá"))
    assert "olá" in "".join(event.text for event in seen if isinstance(event, Delta))
    assert len([event for event in seen if isinstance(event, Delta)]) > 1
    assert [type(event) is Done for event in seen] == [False] * (len(seen) - 1) + [True]
    assert isinstance(seen[-1], Done)
    assert seen[-1].reason == "stop"
    assert seen[-1].usage.tokens_in
    assert seen[-1].usage.tokens_out


async def test_a_whole_conversation_with_options_is_taken(shop: Shop) -> None:
    """An instruction, earlier turns, a temperature, a limit and who asks: all of it at once."""
    turns = (
        Turn(Role.SYSTEM, "seja breve"),
        Turn(Role.USER, "oi"),
        Turn(Role.ASSISTANT, "Olá."),
        Turn(Role.USER, "e agora?"),
    )
    options = ReplyOptions(temperature=0.5, max_tokens=64, person="console:ana")
    seen = await answer(shop, *turns, options=options)
    assert "e agora?" in "".join(event.text for event in seen if isinstance(event, Delta))


async def test_many_at_once_do_not_mix(shop: Shop) -> None:
    """Answers that stream side by side keep their words."""
    provider, _ = shop
    model = await ready(shop)

    async def one(n: int) -> str:
        turns = [Turn(Role.USER, f"pergunta-{n}")]
        async with aclosing(provider.reply(model, turns, ReplyOptions())) as events:
            return "".join([event.text async for event in events if isinstance(event, Delta)])

    for n, text in enumerate(await asyncio.gather(*(one(n) for n in range(4)))):
        assert f"pergunta-{n}" in text


async def test_leaving_an_answer_leaves_it_usable(shop: Shop) -> None:
    """Whoever closes the stream early can ask again at once."""
    provider, _ = shop
    model = await ready(shop)
    async with aclosing(provider.reply(model, [Turn(Role.USER, "um")], ReplyOptions())) as events:
        await anext(events)
    async with aclosing(provider.reply(model, [Turn(Role.USER, "dois")], ReplyOptions())) as events:
        assert isinstance([event async for event in events][-1], Done)


async def test_nothing_but_a_problem_is_raised(shop: Shop) -> None:
    """A wrong key is a Problem, and no text of it carries the key."""
    provider, _ = shop
    canary = SecretStr("sk-canary-0123456789abcdef")
    if provider.name in {"lmstudio", "own"}:  # these want no key
        await provider.check(canary)
        return
    with pytest.raises(Problem) as caught:
        await provider.check(canary)
    assert "canary" not in f"{caught.value} {caught.value!r}"
