"""The core put together: what starts, when the embedded engine is wanted, and that nothing stays behind."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

import core.providers.embedded
from core.catalog import Catalog
from core.clock import Clock
from core.engine import Engine, lmstudio_hosts, open_engine
from core.errors import StorageFailed, Unauthorized, Unreachable
from core.jobs import Job, Jobs
from core.model import ModelState
from core.providers.base import Keyed
from core.providers.vendors import VENDORS
from core.settings import Settings
from core.storage import Store
from tests.fakes.clock import FakeClock, settle
from tests.fakes.provider import FakeLoader, FakeProvider, a_model


class FakeEmbedded(FakeLoader):
    """Stands in for the embedded engine."""

    def __init__(self, on_start: Callable[[], Awaitable[None]] | None) -> None:
        demo = a_model("demo", provider="embedded", host="embedded")
        super().__init__([demo], name="embedded", host="embedded")
        self._on_start = on_start

    async def start(self) -> None:
        self.calls["start"] += 1
        if self._on_start is not None:
            await self._on_start()


class Maker:
    """Makes them; their start may fail or wait."""

    def __init__(self) -> None:
        self.on_start: Callable[[], Awaitable[None]] | None = None
        self.made: list[FakeEmbedded] = []
        self.given: list[tuple[Path, tuple[Path, ...], Clock, float]] = []

    def __call__(
        self, data_dir: Path, folders: tuple[Path, ...], clock: Clock, *, load_patience: float
    ) -> FakeEmbedded:
        self.given.append((data_dir, folders, clock, load_patience))
        self.made.append(FakeEmbedded(self.on_start))
        return self.made[-1]


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> Maker:
    maker = Maker()
    monkeypatch.setattr(core.providers.embedded, "Embedded", maker)
    return maker


def settings(folder: Path, **given: Any) -> Settings:
    return Settings(**{"_env_file": None, "data_dir": folder, "embedded": "off", **given})


async def started(engine: Engine) -> None:
    """Start it and wait until the start is over."""
    engine.start()
    await asyncio.gather(*engine._background)
    assert engine.catalog.settled.is_set()


def down() -> FakeLoader:
    host = FakeLoader()
    host.problem = Unreachable("fake:1", "refused")
    return host


def closed() -> FakeLoader:
    host = FakeLoader()
    host.problem = Unauthorized("fake:1", token_set=False)
    return host


# ---------------------------------------------------------------- start

WANTED: list[tuple[str, list[Callable[[], FakeProvider]], bool]] = [
    ("off", [down], False),
    ("auto", [down], True),
    ("auto", [], True),
    ("auto", [FakeLoader], False),
    ("auto", [closed], False),
    ("auto", [down, FakeProvider], False),
    ("on", [FakeLoader], True),
    ("on", [down], True),
]


@pytest.mark.parametrize(("setting", "hosts", "wanted"), WANTED)
async def test_embedded(
    tmp_path: Path,
    embedded: Maker,
    setting: str,
    hosts: list[Callable[[], FakeProvider]],
    *,
    wanted: bool,
) -> None:
    """`auto` means: only when nothing else answers; a host that wants a token does answer."""
    clock = FakeClock()
    given = settings(tmp_path, embedded=setting, embedded_models="/a", load_timeout=9)
    async with open_engine(given, clock=clock, providers=[make() for make in hosts]) as engine:
        await started(engine)
        keys = [m.key for m in engine.catalog.models() if m.usable]
        assert ("demo" in keys) is wanted
        assert len(embedded.made) == wanted
    assert embedded.given == [(tmp_path, (Path("/a"),), clock, 9)] * wanted
    assert all(one.closed for one in embedded.made)


async def test_embedded_stands_in_when_the_last_host_goes_away(tmp_path: Path, embedded: Maker) -> None:
    """Also after the start: once, and the host is used again when it is back."""
    host = FakeLoader()
    async with open_engine(settings(tmp_path, embedded="auto"), providers=[host]) as engine:
        await started(engine)
        assert embedded.made == []
        host.problem = Unreachable("fake:1", "refused")
        await asyncio.gather(engine.look_again(), engine.look_again())
        await engine.look_again()
        assert [m.key for m in engine.catalog.models() if m.usable] == ["demo"]
        assert len(embedded.made) == 1
        host.problem = None
        await engine.look_again()
        assert [m.key for m in engine.catalog.models() if m.usable] == ["acme/nova-8b", "demo"]


@pytest.mark.parametrize("error", [ImportError("no aiohttp"), OSError("no port")])
async def test_embedded_cannot_start(tmp_path: Path, embedded: Maker, error: Exception) -> None:
    """An engine that cannot start is told, and everything else goes on."""

    async def fail() -> None:
        raise error

    embedded.on_start = fail
    async with open_engine(settings(tmp_path, embedded="on"), providers=[FakeLoader()]) as engine:
        await started(engine)
        assert engine.why_no_engine == str(error)
        assert [m.key for m in engine.catalog.models()] == ["acme/nova-8b"]


async def test_a_bug_at_the_start(tmp_path: Path, embedded: Maker) -> None:
    """Whatever breaks at the start, nobody waits for ever to hear of the models."""

    async def fail() -> None:
        raise RuntimeError("bug")

    embedded.on_start = fail
    async with open_engine(settings(tmp_path, embedded="on"), providers=[FakeLoader()]) as engine:
        await started(engine)


async def test_a_bug_at_the_start_does_not_cost_the_jobs(tmp_path: Path, embedded: Maker) -> None:
    """The list is kept true by the clock even if the first look at it had a bug."""

    async def fail() -> None:
        raise RuntimeError("bug")

    embedded.on_start = fail
    host = Asked()
    given = settings(tmp_path, embedded="on", sync_every=1)
    async with open_engine(given, providers=[host]) as engine:
        await started(engine)
        async with asyncio.timeout(10):
            await host.often.wait()


async def test_nothing_is_asked_before_the_start(tmp_path: Path) -> None:
    """Opening touches the disk and no host."""
    host = FakeLoader()
    async with open_engine(settings(tmp_path), providers=[host]) as engine:
        await settle()
        assert host.calls.total() == 0
        assert engine.catalog.models() == ()
        assert (tmp_path / "orquestrador.db").exists()


async def test_hosts_of_the_settings(tmp_path: Path) -> None:
    """Each address once, with the token."""
    urls = "http://a:1/v1,b:2,http://a:1/v1"
    given = settings(tmp_path, lmstudio_urls=urls, lmstudio_token="sk")
    hosts = lmstudio_hosts(given, FakeClock())
    assert [(h.name, h.host) for h in hosts] == [("lmstudio", "a:1"), ("lmstudio", "b:2")]
    for host in hosts:
        await host.aclose()
    async with open_engine(settings(tmp_path)) as engine:
        assert [p.host for p in engine.catalog.providers if p.host] == ["127.0.0.1:1234"]


async def test_external_apis_of_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every vendor of the table and each server of one's own, at its address, with its key and favourites."""
    monkeypatch.setenv("GROQ_API_KEY", "gsk_of_groq")
    given = settings(
        tmp_path,
        openai_api_key="sk-of-openai",
        openai_base_url="http://127.0.0.1:9/v1",
        ai21_api_key="of-ai21",
        ai21_models="jamba-9",
        openai_compatible="groq=https://g.example/v1,box=http://box:1/v1",
    )
    async with open_engine(given) as engine:
        apis = {api.name: api for api in engine.catalog.providers if isinstance(api, Keyed)}
        assert list(apis) == [*(vendor.name for vendor in VENDORS), "groq", "box"]
        serving = [name for name, api in apis.items() if await api.serves(None)]
        assert serving == ["openai", "ai21", "groq", "box"]
        assert [model.key for model in await apis["ai21"].models()] == ["jamba-9"]
        paid = {name: await engine.keys.source(name)(None) for name in ("openai", "groq", "box")}
        told = {name: key.get_secret_value() if key else None for name, key in paid.items()}
        assert told == {"openai": "sk-of-openai", "groq": "gsk_of_groq", "box": None}


async def test_a_vendor_without_a_key_is_no_host(tmp_path: Path) -> None:
    """The embedded engine stands in though every vendor is in the table: none of them has a key."""
    async with open_engine(settings(tmp_path)) as engine:
        await engine.catalog.sync()
        assert [host.host for host in engine.catalog.health()] == ["127.0.0.1:1234"]
        assert not any(host.reachable for host in engine.catalog.health())
        assert engine.catalog.models() == ()


async def test_storage_failed(tmp_path: Path) -> None:
    """Without a usable data folder the engine does not open, and says why."""
    (tmp_path / "file").write_text("")
    host = FakeLoader()
    with pytest.raises(StorageFailed):
        async with open_engine(settings(tmp_path / "file"), providers=[host]):
            raise AssertionError


# ---------------------------------------------------------------- the end


async def test_clean_shutdown(tmp_path: Path) -> None:
    """A load, an answer's reading and the jobs under way all end; every provider is closed."""
    host, vendor = FakeLoader(), FakeProvider()
    host.loads["acme/nova-8b"] = [(0.0, asyncio.Event())]
    async with open_engine(settings(tmp_path), providers=[host, vendor]) as engine:
        await started(engine)
        model = engine.catalog.find("nova")

        async def wait() -> None:
            async with aclosing(engine.lifecycle.ensure(model)) as events:
                async for _ in events:
                    pass

        waiting = asyncio.create_task(wait())
        await host.begun()
        host.hold = asyncio.Event()
        reading = asyncio.create_task(engine.catalog.sync())
        await settle()
    results = await asyncio.gather(waiting, reading, return_exceptions=True)
    assert "CANCELLED" in str(results[0])
    assert host.cancelled == ["acme/nova-8b"]
    assert host.closed
    assert vendor.closed
    await settle()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_shutdown_during_the_start(tmp_path: Path) -> None:
    """A program that is ended while it still looks at its hosts leaves nothing behind."""
    host = FakeLoader()
    host.hold = asyncio.Event()
    async with open_engine(settings(tmp_path), providers=[host]) as engine:
        engine.start()
        await settle()
        assert host.calls["models"] == 1
    await settle()
    assert engine.catalog.settled.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_shutdown_while_the_embedded_engine_starts(tmp_path: Path, embedded: Maker) -> None:
    """What the embedded engine has opened by then is closed."""

    async def wait() -> None:
        await asyncio.Event().wait()

    embedded.on_start = wait
    async with open_engine(settings(tmp_path, embedded="on"), providers=[]) as engine:
        engine.start()
        await settle()
    assert [one.closed for one in embedded.made] == [True]


# ---------------------------------------------------------------- jobs


class Asked(FakeLoader):
    """Tells when it was asked for its models the third time."""

    def __init__(self) -> None:
        super().__init__()
        self.often = asyncio.Event()

    def called(self, what: str) -> None:
        if self.calls[what] == 2:
            self.often.set()
        super().called(what)


async def test_jobs(tmp_path: Path) -> None:
    """The list is read again and again without anybody asking, and no more after the end."""
    host = Asked()
    async with Store.open(tmp_path / "db") as store:
        catalog = Catalog(store, FakeClock())
        catalog.add(host)
        jobs = Jobs([Job("sync", 0.01, catalog.sync)])
        jobs.stop()  # before the start: nothing to end
        jobs.start()
        async with asyncio.timeout(5):
            await host.often.wait()
        assert catalog.find("nova").state is ModelState.ON_DISK
        jobs.stop()
        await catalog.aclose()


class Broken(Catalog):
    """A catalogue whose sync has a bug."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, FakeClock())
        self.tries = 0
        self.often = asyncio.Event()

    async def sync(self) -> None:
        self.tries += 1
        if self.tries == 2:
            self.often.set()
        raise RuntimeError("bug")


async def test_a_job_that_fails_is_run_again(tmp_path: Path) -> None:
    """A bug in a job is logged and costs only that run."""
    async with Store.open(tmp_path / "db") as store:
        catalog = Broken(store)
        jobs = Jobs([Job("sync", 0.01, catalog.sync)])
        jobs.start()
        async with asyncio.timeout(5):
            await catalog.often.wait()
        jobs.stop()
