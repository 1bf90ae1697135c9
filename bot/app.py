"""Puts everything together and runs it: the other composition root."""

import asyncio
import contextlib
import importlib
import pkgutil
import sys
from collections.abc import AsyncIterator, Sequence
from functools import partial

import structlog

from bot import digest, logs, pairing, platforms, present
from bot.announce import announce
from bot.assistant import Assistant
from bot.begin import complain, with_settings
from bot.opening import Opening, OpenPlatform, Web
from bot.panels import Panels
from bot.reception import Reception
from bot.signals import Terminated, heeded
from bot.standing import Standing, first
from bot.surface import Platform
from bot.texts import Speech, match
from core.engine import Engine, open_engine
from core.errors import Problem, SettingWrong, StorageFailed
from core.masks import Masks
from core.settings import Settings, secrets_of

log = structlog.get_logger(__name__)

# Seconds from SIGTERM on; with what the platforms need to log out it must be over before 10 have passed.
FINISH_WITHIN = 3.0
LAND_WITHIN = 1.5
KNOWN = tuple(sorted(module.name for module in pkgutil.iter_modules(platforms.__path__)))


def run() -> int:
    """Run every configured platform until it ends; the exit code."""
    return with_settings(lambda settings: asyncio.run(_run(settings)))


async def _run(settings: Settings) -> int:
    try:
        return await _serve(settings)
    except Problem as problem:
        return complain(problem, Speech(settings.language))
    except BaseExceptionGroup as group:
        problems, others = group.split(Problem)
        if others is not None or problems is None:
            raise
        return complain(first(problems), Speech(settings.language))
    except Terminated:
        return 0


async def _serve(settings: Settings) -> int:
    names = _names(settings)
    masks = _prepare(settings, names)
    async with open_engine(settings, masks=masks) as engine, heeded() as signals:
        t = Speech(settings.language)
        standing = Standing(complain=partial(complain, t=t))
        async with _web(settings, engine, standing) as web, contextlib.AsyncExitStack() as stack:
            opening = _opening(settings, web)
            opened = [_open(name, opening, t) for name in names]
            await pairing.offer(engine, opened)
            engine.daily.append((digest.NAME, partial(digest.digest, engine, opened), digest.HOUR))
            engine.start()
            if engine.set_aside is not None:
                damaged = StorageFailed("set-aside", str(engine.set_aside))
                complain(damaged, t)
                signals.spawn(partial(announce, present.trouble(damaged, t), engine, opened))
            panels = await stack.enter_async_context(contextlib.aclosing(_panels(engine, opened)))
            reception = Reception(Assistant(engine, panels), settings.language)
            engine.on_reload.append(lambda new: logs.set_level(new.log_level))
            if not sys.stdin.isatty():  # else a hang-up means that the terminal is gone
                signals.hangup = partial(_reload, engine)
            signals.farewell = partial(_farewell, reception, standing)
            async with asyncio.TaskGroup() as group:
                runs = [group.create_task(standing.run(p, reception), name=p.name) for p in opened]
            return max(run.result() for run in runs)


def _panels(engine: Engine, platforms: Sequence[Platform]) -> Panels:
    """Lists of models that follow their states."""
    by_name = {platform.name: platform for platform in platforms}
    panels = Panels(lambda chat, *where: by_name[chat.platform].surface(chat, *where), engine.clock)
    engine.catalog.listeners.append(panels.changed)
    return panels


async def _farewell(reception: Reception, standing: Standing) -> None:
    """Let what is under way end or be marked, and its last cards land."""
    await reception.leave(FINISH_WITHIN)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAND_WITHIN):
            await standing.until_quiet()


async def _reload(engine: Engine) -> None:
    """As /reload, for whoever runs the program; a wrong setting changes nothing."""
    try:
        engine.reload()
    except SettingWrong as wrong:
        log.error("settings not taken", setting=wrong.name, why=wrong.detail)  # noqa: TRY400  # the Problem says all


@contextlib.asynccontextmanager
async def _web(settings: Settings, engine: Engine, standing: Standing) -> AsyncIterator[Web | None]:
    """The small HTTP server, if a port is set for it. Its libraries are imported only then."""
    if settings.http_port is None:
        yield None
        return
    from bot.health import Health  # noqa: PLC0415  # see above
    from bot.metrics import Metrics  # noqa: PLC0415  # same
    from bot.web import WebServer  # noqa: PLC0415  # same

    metrics = Metrics(engine, standing)
    standing.counts = metrics
    engine.measures.listen(metrics.heard)
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    server = WebServer(health=Health(engine, standing).tell, metrics=metrics.page, token=token)
    async with server.serving(settings.http_host, settings.http_port):
        yield server


def _names(settings: Settings) -> tuple[str, ...]:
    """The platforms of the settings; without any, those whose token is set, else the console."""
    unknown = [name for name in settings.platforms if name not in KNOWN]
    if unknown:
        raise SettingWrong("PLATFORMS", f"{', '.join(unknown)} ≠ {', '.join(KNOWN)}")
    if settings.platforms:
        return tuple(dict.fromkeys(settings.platforms))
    with_token = tuple(name for name in KNOWN if getattr(settings, f"{name}_bot_token", None) is not None)
    return with_token or ("console",)


def _opening(settings: Settings, web: Web | None) -> Opening:
    """What a platform may know of the program."""
    return Opening(
        setting=partial(getattr, settings),
        speak=lambda language: Speech(match(language, settings.language)),
        data_dir=settings.data_dir,
        web=web,
    )


def _prepare(settings: Settings, names: tuple[str, ...]) -> Masks:
    """Make the data folder and begin to log; what the logs must not show."""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageFailed("read-only", str(folder), error.strerror or "") from error
    to_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    quiet = "console" in names and (to_terminal or not settings.platforms)
    masks = Masks(secrets_of(settings))
    file = folder / "orquestrador.log" if quiet else None
    logs.configure(settings.log_level, settings.log_format, file, masks)
    return masks


def _open(name: str, opening: Opening, t: Speech) -> Platform:
    """A platform by its name. Its libraries are imported here: only those of what is used."""
    try:
        package = importlib.import_module(f"bot.platforms.{name}")
    except ModuleNotFoundError as missing:
        if (missing.name or "bot").partition(".")[0] in {"bot", "core"}:
            raise
        raise SettingWrong("PLATFORMS", t("platform.not_installed", library=missing.name)) from None
    open_platform: OpenPlatform = package.open_platform
    return open_platform(opening)
