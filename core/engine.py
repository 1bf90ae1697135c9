"""The core, opened once: one of the two places where everything is put together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from core.access import Access, Rules
from core.admission import Admission
from core.asked import Asked
from core.catalog import Catalog
from core.chat import Chat
from core.clock import Clock, SystemClock
from core.conversation import ChatRef
from core.keys import Keys, ring_of
from core.lifecycle import Lifecycle
from core.masks import Masks
from core.measures import Measures
from core.model import LoadRules
from core.providers.api import Api
from core.providers.base import KeySource, Provider
from core.providers.lmstudio import LMStudio
from core.providers.vendors import VENDORS, at, compatible
from core.reload import Reloaded, compared
from core.room import MakeRoom
from core.schedule import Schedule
from core.settings import Settings, master_keys, read, servers
from core.storage import DATABASE, Store, set_aside_if_damaged, sole
from core.storage.access import AccessQueries
from core.storage.asked import AskedTable
from core.storage.jobs import JobTable
from core.storage.keys import KeyTable
from core.storage.measures import MeasureQueries
from core.storage.moves import Moves
from core.storage.places import Places
from core.timetable import parse

if TYPE_CHECKING:
    from core.jobs import Jobs  # the scheduler is not needed for the first prompt

log = structlog.get_logger(__name__)

SCHEDULE_EVERY = 60.0  # seconds between two looks at what is to be loaded or unloaded
ROLL_UP_HOUR = 4  # of the night
LOOK_EVERY = 600.0  # seconds between two looks whether a daily job is due


@dataclass
class Engine:
    """What the conversation side works with. `why_no_engine`: the embedded engine was wanted and cannot start."""

    settings: Settings
    clock: Clock
    store: Store
    catalog: Catalog
    lifecycle: Lifecycle
    chat: Chat
    admission: Admission
    access: Access
    keys: Keys
    places: Places
    asked: Asked
    measures: Measures
    schedule: Schedule
    stack: AsyncExitStack
    why_no_engine: str = ""
    set_aside: Path | None = None  # where the database lies that was found damaged at the start
    # Who has built something out of settings that count at once.
    on_reload: list[Callable[[Settings], None]] = field(default_factory=list)
    jobs: "Jobs | None" = None  # once they are started
    # What happens once a day, added before `start()`: its name, what to do, and the hour of local time.
    daily: list[tuple[str, Callable[[], Awaitable[object]], int]] = field(default_factory=list)
    _background: set[asyncio.Task[None]] = field(default_factory=set)
    _embedding: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tried: bool = False  # the embedded engine is there, or cannot be
    _ending: bool = False

    def start(self) -> None:
        """Look at the hosts, start the embedded engine where it is wanted, and the jobs; all in the background."""
        task = asyncio.create_task(self._start(), name="engine start")
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def move_chat(self, old: ChatRef, new: ChatRef) -> None:
        """A chat goes on under another id. Raises StorageFailed."""
        await Moves.over(self.store).move(old, new)
        await self.access.open()
        await self.places.load()

    async def _start(self) -> None:
        try:
            if self.settings.embedded == "on":
                await self._embed()
            await self.look_again()
        except Exception:  # a bug here must not cost the jobs: they look again
            log.exception("start failed")
        finally:
            self.catalog.settled.set()
        await self._start_jobs()

    async def look_again(self) -> None:
        """Ask every host how its models stand; if none answers, the embedded engine stands in where it may."""
        await self.catalog.sync()
        if self.settings.embedded != "auto" or any(host.reachable for host in self.catalog.health()):
            return
        async with self._embedding:
            await self._embed()
            await self.catalog.sync()

    async def _embed(self) -> None:
        """Import and start the embedded engine, once: only here, since most machines have LM Studio."""
        if self._tried or self._ending:
            return
        self._tried = True
        try:
            from core.providers.embedded import Embedded  # noqa: PLC0415  # imported only where it is used

            embedded = Embedded(
                self.settings.data_dir,
                self.settings.embedded_models,
                self.clock,
                load_patience=self.settings.load_timeout,
            )
            self.stack.push_async_callback(embedded.aclose)  # also of a start that is cut short
            await embedded.start()
        except (ImportError, OSError) as error:
            self.why_no_engine = str(error)
            log.warning("embedded engine cannot start", error=str(error))
            return
        self.catalog.add(embedded)

    async def _start_jobs(self) -> None:
        from core.jobs import Job, Jobs  # noqa: PLC0415  # the scheduler is not needed for the first prompt

        table = JobTable.over(self.store)
        self.daily.append(("rollup", self._roll_up, ROLL_UP_HOUR))
        every_day = [Job(name, LOOK_EVERY, run, hour) for name, run, hour in self.daily]
        jobs = Jobs(
            [
                Job("sync", self.settings.sync_every, self.look_again),
                Job("preload", SCHEDULE_EVERY, self.schedule.preload),
                Job("retire", SCHEDULE_EVERY, self.schedule.retire),
                *every_day,
            ],
            table,
            self.clock,
        )
        await jobs.open()
        jobs.start()
        self.stack.callback(jobs.stop)
        self.jobs = jobs

    async def _roll_up(self) -> None:
        await self.measures.roll_up(self.settings.keep_measures)

    def reload(self) -> Reloaded:
        """Read the environment and `.env` again; what can count at once does. Raises SettingWrong, and nothing changes.

        Nothing under way is disturbed, and no conversation is touched.
        """
        found = compared(self.settings, read())
        self.settings = found.settings
        self.access.follow(Rules.of(found.settings))
        self.follow(found.settings)
        for listener in self.on_reload:
            listener(found.settings)
        log.info("settings read again", taken=found.taken, restart=found.restart)
        return found

    def follow(self, settings: Settings) -> None:
        """What the clock does, as the settings say."""
        self.schedule.preloads = parse(settings.preload)
        self.schedule.idle_unload = settings.idle_unload

    async def stop(self) -> None:
        """End what runs in the background: the start, if it is not over, every load, and what is being read."""
        self._ending = True
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.lifecycle.aclose()
        await self.chat.aclose()
        await self.measures.flush()
        await self.catalog.aclose()


def lmstudio_hosts(settings: Settings, clock: Clock) -> list[Provider]:
    """One provider for each address in LMSTUDIO_URLS."""
    token = settings.lmstudio_token.get_secret_value() if settings.lmstudio_token else None
    rules = LoadRules(settings.load_mode, settings.context_length)
    return [
        LMStudio(url, token=token, clock=clock, load_patience=settings.load_timeout, rules=rules)
        for url in dict.fromkeys(settings.lmstudio_urls)
    ]


def vault(settings: Settings, table: KeyTable, clock: Clock, masks: Masks) -> Keys:
    """The vault over these stored keys, with those of the settings behind them."""
    named = {vendor.name: getattr(settings, vendor.setting.lower()) for vendor in VENDORS}
    of_settings = {**named, **{server.name: server.key for server in servers(settings)}}
    rings = ring_of(settings.data_dir, lambda: settings.master_keys and master_keys(settings))
    return Keys(table, rings, clock, of_settings=of_settings.get, seen=masks.add)


def external_apis(settings: Settings, clock: Clock, keys: Callable[[str], KeySource]) -> list[Provider]:
    """Every vendor of the table, and the servers of OPENAI_COMPATIBLE; none is asked anything without a key."""
    table = [
        at(
            vendor,
            getattr(settings, f"{vendor.name}_base_url") or "",
            getattr(settings, f"{vendor.name}_models"),
        )
        for vendor in VENDORS
    ]
    own = [compatible(one.name, one.url, keyed=one.key is not None) for one in servers(settings)]
    return [Api(vendor, keys(vendor.name), clock=clock) for vendor in (*table, *own)]


@asynccontextmanager
async def open_engine(
    settings: Settings,
    *,
    clock: Clock | None = None,
    providers: Sequence[Provider] | None = None,
    masks: Masks | None = None,
) -> AsyncIterator[Engine]:
    """Open the store and the providers; nothing is asked of any host before `Engine.start()`.

    Raises StorageFailed, KeyRingWrong or SettingWrong; a damaged database is set aside and a new one begun.
    `providers` replaces the hosts of the settings, in tests. `masks` is told every key that is opened, so that
    no log shows it.
    """
    time = clock or SystemClock()
    async with AsyncExitStack() as stack:
        stack.enter_context(sole(settings.data_dir))
        database = settings.data_dir / DATABASE
        aside = await asyncio.to_thread(set_aside_if_damaged, database, time.time())
        store = await stack.enter_async_context(Store.open(database))
        keys = vault(settings, KeyTable.over(store), time, masks or Masks())
        keys.open()
        catalog = Catalog(store, time)
        if providers is None:
            apis = external_apis(settings, time, keys.source)
            providers = [*lmstudio_hosts(settings, time), *apis]
        for provider in providers:
            stack.push_async_callback(provider.aclose)
            catalog.add(provider)
        await catalog.open()
        admission = Admission(time)
        measures = Measures(store, time)
        lifecycle = Lifecycle(
            catalog, store, measures, time, admission=admission, make_room=MakeRoom(settings.make_room)
        )
        access = Access(AccessQueries.over(store), time, Rules.of(settings))
        await access.open()
        chat = Chat(
            store,
            catalog,
            time,
            admission=admission,
            mlx_parallel=settings.mlx_parallel,
            spend=access.spending.add,
            measures=measures,
        )
        places = Places.over(store)
        await places.load()
        schedule = Schedule(catalog, lifecycle, store, time, uses=MeasureQueries.over(store).at_hour)
        measures.listen(schedule.heard)
        asked = Asked(AskedTable.over(store), time)
        await asked.open()
        engine = Engine(
            settings,
            time,
            store,
            catalog,
            lifecycle,
            chat,
            admission,
            access,
            keys,
            places,
            asked,
            measures,
            schedule,
            stack,
        )
        engine.follow(settings)
        engine.set_aside = aside
        try:
            yield engine
        finally:  # what works in the background ends before what it works with
            await engine.stop()
