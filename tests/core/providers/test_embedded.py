"""The embedded engine as a provider: what it adds to the LM Studio client in front of it."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from core.conversation import Done, ReplyOptions
from core.embedded import DEMO_BYTES, DEMO_KEY, DEMO_LICENCE, SCRIPTED_KEY, FetchError
from core.embedded.fetch import FetchKind
from core.errors import LoadFailed
from core.model import FailureKind, Fetching, LoadEvent, Model, ModelState, Ready
from core.providers import embedded as module
from core.providers.base import Loader
from core.providers.embedded import Embedded
from tests.core.providers.lmstudio.lab import HELLO, TOKEN
from tests.fakes.clock import FakeClock
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

OWN = "own/model"


class FakeEngine:
    """Stands in for the engine: a fake LM Studio with a token, and a scripted download."""

    server: FakeLMStudio
    missing: str | None = None
    present = True
    broken: FetchKind | None = None

    def __init__(self, data_dir: Path, folders: object) -> None:
        self.given = (data_dir, folders)
        self.url, self.token = "", ""
        self.closed = False

    async def start(self) -> None:
        self.url, self.token = self.server.url, TOKEN

    async def aclose(self) -> None:
        self.closed = True

    def why_not(self) -> str | None:
        return self.missing

    def demo_present(self) -> bool:
        return self.present

    async def fetch(self) -> AsyncGenerator[tuple[int, int]]:
        yield 0, 100
        if self.broken is not None:
            raise FetchError(self.broken, "detail")
        yield 100, 100


@asynccontextmanager
async def engine(monkeypatch: pytest.MonkeyPatch, *models: FakeModel) -> AsyncIterator[Embedded]:
    known = models or tuple(FakeModel(key) for key in (DEMO_KEY, SCRIPTED_KEY, OWN))
    async with FakeLMStudio(known, switches=Switches(token=TOKEN)) as server:
        monkeypatch.setattr(FakeEngine, "server", server, raising=False)
        monkeypatch.setattr(module, "EmbeddedEngine", FakeEngine)
        loader: Loader = Embedded(Path("data"), [Path("folder")], FakeClock())
        assert isinstance(loader, Embedded)
        try:
            await loader.start()
            yield loader
        finally:
            await loader.aclose()
            assert isinstance(loader._engine, FakeEngine)
            assert loader._engine.closed


async def named(provider: Embedded, key: str) -> Model:
    return next(m for m in await provider.models() if m.key == key)


async def load(provider: Embedded, key: str) -> list[LoadEvent]:
    async with aclosing(provider.load(await named(provider, key))) as events:
        return [event async for event in events]


async def test_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demonstration says what it is, the scripted engine is hidden, own models are plain."""
    async with engine(monkeypatch) as provider:
        assert (provider.name, provider.host) == ("embedded", "embedded")
        demo, scripted, own = [await named(provider, key) for key in (DEMO_KEY, SCRIPTED_KEY, OWN)]
        monkeypatch.setattr(FakeEngine, "present", False)
        unfetched = await named(provider, DEMO_KEY)
    assert (demo.demo, demo.licence, demo.fetch_bytes, demo.by_name_only) == (True, DEMO_LICENCE, None, False)
    assert unfetched.fetch_bytes == DEMO_BYTES
    assert (scripted.demo, scripted.by_name_only) == (True, True)
    assert (own.demo, own.by_name_only, own.provider, own.host) == (False, False, "embedded", "embedded")


async def test_no_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the runtime cannot work every model says why, but for the scripted one."""
    monkeypatch.setattr(FakeEngine, "missing", "no wheel for Plan 9")
    async with engine(monkeypatch) as provider:
        own, scripted = await named(provider, OWN), await named(provider, SCRIPTED_KEY)
    assert own.state is ModelState.INACTIVE
    assert own.failure is not None
    assert (own.failure.kind, own.failure.text) == (FailureKind.ENGINE_MISSING, "no wheel for Plan 9")
    assert scripted.state is ModelState.ON_DISK


async def test_load_and_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is there is loaded, answers, and is unloaded, with the engine's own token."""
    async with engine(monkeypatch) as provider:
        events = await load(provider, DEMO_KEY)
        assert not any(isinstance(e, Fetching) for e in events)
        assert isinstance(events[-1], Ready)
        assert events[-1].model.demo
        async with aclosing(provider.reply(events[-1].model, HELLO, ReplyOptions())) as answer:
            assert isinstance([e async for e in answer][-1], Done)
        await provider.check()
        assert (await provider.health()).reachable
        assert await provider.estimate(events[-1].model) is not None
        await provider.unload(events[-1].model)
        assert (await named(provider, DEMO_KEY)).state is ModelState.ON_DISK


async def test_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demonstration is fetched before its first load, and nothing else ever is."""
    monkeypatch.setattr(FakeEngine, "present", False)
    async with engine(monkeypatch) as provider:
        events = await load(provider, DEMO_KEY)
        assert [(e.done, e.total, e.licence) for e in events if isinstance(e, Fetching)] == [
            (0, 100, DEMO_LICENCE),
            (100, 100, DEMO_LICENCE),
        ]
        assert isinstance(events[-1], Ready)
        assert not any(isinstance(e, Fetching) for e in await load(provider, OWN))


@pytest.mark.parametrize("kind", list(FetchKind))
async def test_fetch_fails(monkeypatch: pytest.MonkeyPatch, kind: FetchKind) -> None:
    """A fetch that fails names its kind."""
    monkeypatch.setattr(FakeEngine, "present", False)
    monkeypatch.setattr(FakeEngine, "broken", kind)
    async with engine(monkeypatch) as provider:
        with pytest.raises(LoadFailed) as caught:
            await load(provider, DEMO_KEY)
    assert (caught.value.kind, caught.value.text) == (FailureKind.FETCH_FAILED, kind.value)


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("No LM Runtime found for model format 'gguf'! xllamacpp is not installed",
         FailureKind.ENGINE_MISSING, "xllamacpp is not installed"),
        ("The model has crashed", FailureKind.CRASHED, "The model has crashed"),
    ],
)  # fmt: skip
async def test_load_fails(monkeypatch: pytest.MonkeyPatch, text: str, kind: FailureKind, shown: str) -> None:
    """A missing runtime is ours here, not LM Studio's; other failures are as they are."""
    async with engine(monkeypatch, FakeModel(OWN, load_error=text)) as provider:
        with pytest.raises(LoadFailed) as caught:
            await load(provider, OWN)
    assert caught.value.kind is kind
    assert shown in caught.value.text
    assert "LM Runtime" not in caught.value.text


async def test_closed_before_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider whose start was cut short can be closed."""
    monkeypatch.setattr(module, "EmbeddedEngine", FakeEngine)
    await Embedded(Path("data"), [], FakeClock()).aclose()
