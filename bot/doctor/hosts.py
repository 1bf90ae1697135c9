"""What stands between the bot and each LM Studio."""

from dataclasses import replace

from bot.doctor.finding import Finding, Level
from bot.doctor.vendors import with_keys
from bot.texts import Speech
from core.probe import Probe
from core.providers.lmstudio.inspecting import Inspection, inspect
from core.settings import Settings


async def examine(url: str, settings: Settings, t: Speech, probe: Probe) -> list[Finding]:
    """One host: does it answer, is it LM Studio, what can it do, and is something between us?"""
    token = settings.lmstudio_token.get_secret_value() if settings.lmstudio_token else None
    seen = await inspect(url, token, probe)
    found = _told(seen, t, token_set=token is not None)
    spared = settings.embedded != "off" or len(settings.lmstudio_urls) > 1 or bool(with_keys(settings))
    return [_milder(one) for one in found] if spared else found


def _milder(finding: Finding) -> Finding:
    """Somebody else can answer in its place."""
    return replace(finding, level=min(finding.level, Level.WARNING))


def _told(seen: Inspection, t: Speech, *, token_set: bool) -> list[Finding]:
    host = f"LM Studio {seen.health.host}"
    health = seen.health
    if not health.reachable:
        if seen.status:
            answered = t("doctor.host_other", server=seen.server or "?", status=seen.status)
            return [Finding(Level.ERROR, host, answered, t("doctor.host_other_remedy"))]
        silent = t("doctor.silent", reason=health.detail)
        return [Finding(Level.ERROR, host, silent, t("doctor.host_silent_remedy"))]
    if health.detail == "401":
        key = "doctor.host_token_wrong" if token_set else "doctor.host_token"
        return [Finding(Level.ERROR, host, t(key), t("doctor.host_token_remedy"))]
    words = [t("doctor.host_ok", api=health.api or "?", n=seen.models)]
    if health.version:
        words.append(t("status.version", version=health.version))
    found = [Finding(Level.OK, host, " · ".join(words))]
    found += _between(seen, host, t)
    if not seen.models:
        found.append(Finding(Level.WARNING, host, t("doctor.host_empty"), t("doctor.host_empty_remedy")))
    if health.api != "v1":
        found.append(
            Finding(Level.WARNING, host, t("doctor.host_old", api=health.api), t("doctor.host_old_remedy"))
        )
    if seen.just_in_time is not None:
        found.append(Finding(Level.OK, host, t(f"doctor.host_jit_{'on' if seen.just_in_time else 'off'}")))
    return found


def _between(seen: Inspection, host: str, t: Speech) -> list[Finding]:
    """A proxy that lets through one thing and not the other."""
    found = []
    if seen.page or (seen.status and not seen.greets):
        text = t("doctor.host_no_greeting", server=seen.server or "?", status=seen.status)
        found.append(Finding(Level.WARNING, host, text, t("doctor.host_no_greeting_remedy")))
    if seen.health.socket is False:
        found.append(
            Finding(Level.WARNING, host, t("doctor.host_no_socket"), t("doctor.host_no_socket_remedy"))
        )
    return found
