"""Arriving, help, language, and how things stand."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from bot import present
from bot.cards import Button, Card, Choice, Listing, Notice, Progress, Row, Tone
from bot.desk import keys
from bot.desk.ask import Ask
from bot.desk.picking import pick, settled, would_pick
from bot.texts import LANGUAGES, Speech, match
from bot.trouble import report
from core.errors import Problem
from core.model import FailureKind, HostHealth, Model, ModelState
from core.providers import vendors
from core.providers.base import Keyed, Loader, Provider


async def start(ask: Ask) -> AsyncGenerator[Card]:
    """Verify every model, pick one if none is chosen, and say how to go on.

    `/start key-VENDOR` is what a link from a group leads to: there a key is asked for.
    """
    if ask.argument.split("-")[0] == "key":
        ask.argument = " ".join(["set", ask.argument.partition("-")[2]]).strip()
        async with aclosing(keys.key(ask)) as cards:
            async for card in cards:
                yield card
        return
    yield Progress(ask.t("progress.verifying"), None)
    async with aclosing(settled(ask)) as steps:
        async for card in steps:
            yield card
    await ask.engine.lifecycle.verify_all()
    model = ask.engine.catalog.get(ask.conversation.model_id)
    try:
        model = model or await pick(ask)
    except Problem as problem:
        report(problem)
        yield present.trouble(problem, ask.t)
        return
    yield _welcome(ask, model)


def _welcome(ask: Ask, model: Model) -> Notice:
    t = ask.t
    lines = []
    if model.provider == "embedded":
        hosts = ", ".join(h.host for h in ask.engine.catalog.health() if h.provider == "lmstudio")
        lines.append(t("start.demo", hosts=hosts, model=model.name))
        if model.fetch_bytes:
            lines.append(t("start.demo_fetch", total=t.size(model.fetch_bytes), licence=model.licence))
    elif model.failure is not None:
        lines.append(t("failure.title", model=model.name) + " " + present.reason(model, model.failure, t))
    elif model.state is ModelState.EXTERNAL:
        lines.append(t("start.model_external", model=model.name))
    else:
        loaded = model.state is ModelState.LOADED
        lines.append(t("start.model_loaded" if loaded else "start.model_sleeping", model=model.name))
    lines.append(t("start.help"))
    buttons = (Button(t("button.models"), "models"), Button(t("button.help"), "help"))
    tone = Tone.WARNING if model.failure else Tone.INFO
    return Notice(tone, t("start.title"), "\n".join(lines), buttons)


async def help_(ask: Ask) -> AsyncGenerator[Card]:
    """List the commands in the reader's language."""
    rows = []
    for item in ask.menu(ask.t.language):
        names = " ".join(f"/{name}" for name in (item.name, *item.aliases))
        words = f"{names} {item.arguments}".strip()
        rows.append(Row("•", words, item.summary, button=Button(f"/{item.name}", item.name)))
    yield Listing(ask.t("help.title"), tuple(rows), ask.t("help.body"))


async def lang(ask: Ask) -> AsyncGenerator[Card]:
    """Change the language of this chat."""
    wanted = ask.argument.strip()
    if not wanted:
        options = tuple(Button(Speech(code)("language.name"), f"lang {code}") for code in LANGUAGES)
        yield Choice(ask.t("language.ask"), options)
        return
    language = match(wanted, "")
    if not language:
        options = tuple(Button(Speech(code)("language.name"), f"lang {code}") for code in LANGUAGES)
        yield Notice(Tone.ERROR, ask.t("language.unknown", name=wanted[:40]), buttons=options)
        return
    await ask.remember(language=language)
    yield Notice(Tone.SUCCESS, Speech(language)("language.set"))


async def reload(ask: Ask) -> AsyncGenerator[Card]:
    """Read the settings again: some count at once, the others are named."""
    found = ask.engine.reload()
    lines = []
    if found.taken:
        lines.append(ask.t("reload.taken", names=", ".join(found.taken)))
    if found.restart:
        lines.append(ask.t("reload.restart", names=", ".join(found.restart)))
    tone = Tone.WARNING if found.restart else Tone.SUCCESS
    yield Notice(tone, ask.t("reload.done" if lines else "reload.nothing"), "\n".join(lines))


async def status(ask: Ask) -> AsyncGenerator[Card]:
    """Show every host, the model in use and what is done by the clock."""
    yield Progress(ask.t("progress.verifying"), None)
    await ask.engine.catalog.sync()
    t, engine = ask.t, ask.engine
    rows = [await _model_row(ask)]
    for provider in engine.catalog.providers:
        if not isinstance(provider, Keyed):
            rows.append(_host_row(ask, await _health(ask, provider)))
        elif await provider.serves(ask.person):
            rows.append(await _vendor_row(ask, provider.name))
    if engine.set_aside is not None:
        aside = str(engine.set_aside)
        rows.append(Row("⚠️", t("status.database"), t("problem.storage_set-aside", path=aside)))
    if engine.why_no_engine:
        rows.append(Row("⚠️", t("status.embedded"), t("status.no_engine", reason=engine.why_no_engine)))
    if engine.jobs is not None:
        rows += [present.job(state, engine.clock.time(), t) for state in engine.jobs.states()]
    rules = engine.settings
    context = rules.context_length or t("status.rules_context")
    lines = [
        t("status.rules", mode=rules.load_mode, context=context, room=rules.make_room),
        t("status.sync", seconds=t.seconds(engine.settings.sync_every)),
        t("status.data", path=engine.settings.data_dir),
    ]
    yield Listing(
        t("status.title"), tuple(rows), "\n".join(lines), buttons=(Button(t("button.reset"), "reset"),)
    )


async def _vendor_row(ask: Ask, vendor: str) -> Row:
    """An external API: how many models, or why it does not serve."""
    name = vendors.title(vendor)
    seen = (await ask.sight()).of(ask.engine.catalog.models())
    here = [m for m in seen if m.provider == vendor]
    failed = [m for m in here if m.failure is not None]
    if here and len(failed) == len(here) and failed[0].failure is not None:
        return Row("❌", name, present.reason(failed[0], failed[0].failure, ask.t))
    own = ask.t("status.own_key") if vendor in (await ask.sight()).own else ""
    words = (
        ask.t("status.models", n=len(here)),
        own,
        ask.t("status.failed", n=len(failed)) if failed else "",
    )
    return Row("🌐", name, " · ".join(w for w in words if w))


async def _model_row(ask: Ask) -> Row:
    model = ask.engine.catalog.get(ask.conversation.model_id) or await would_pick(ask)
    if model is None:
        return Row("•", ask.t("status.model"), ask.t("status.no_model"))
    note = present.reason(model, model.failure, ask.t) if model.failure else ""
    detail = f"{model.key} · {present.model_detail(model, ask.t)}"
    return Row(present.mark(model, ask.t), ask.t("status.model"), detail, note)


async def _health(ask: Ask, provider: Provider) -> HostHealth:
    asked = getattr(provider, "health", None)  # external APIs have no loader's health
    if asked is None:
        place = (provider.name, provider.host)
        return next(h for h in ask.engine.catalog.health() if (h.provider, h.host) == place)
    loader: Loader = provider  # type: ignore[assignment]  # it has what a Loader has
    return await loader.health()


def _host_row(ask: Ask, health: HostHealth) -> Row:
    t = ask.t
    name = t("status.embedded") if health.provider == "embedded" else health.host or health.provider
    if not health.reachable:
        note = t(f"failure.{FailureKind.UNREACHABLE.value}", host=health.host) if health.host else ""
        return Row("❌", name, t("status.host_down", detail=health.detail), note)
    if health.detail == "401":
        return Row("🔒", name, t("status.host_auth"), t("failure.unauthorized", host=health.host))
    place = (health.provider, health.host)
    known = [m for m in ask.engine.catalog.models() if not m.by_name_only]
    here = [m for m in known if (m.provider, m.host) == place]
    loaded = sum(m.state is ModelState.LOADED for m in here)
    busy = sum(ask.engine.lifecycle.busy(m) for m in here)
    words = [
        t("status.host_ok"),
        t("status.api", api=health.api) if health.api else "",
        t("status.socket") if health.socket else (t("status.no_socket") if health.socket is False else ""),
        t("status.version", version=health.version) if health.version else "",
        t("status.via", via=t(f"status.via_{health.via.value}")) if health.via else "",
        t("status.loaded", n=loaded, total=len(here)),
        t("status.queue", n=busy) if busy else "",
    ]
    sick = max(h.sick_until for h in ask.engine.catalog.health() if (h.provider, h.host) == place)
    if sick > (now := ask.engine.clock.time()):
        left = t.seconds(sick - now)
        return Row("🤒", name, t("status.sick", time=left), t("failure.host-sick", host=health.host))
    return Row("✅", name, " · ".join(w for w in words if w))
