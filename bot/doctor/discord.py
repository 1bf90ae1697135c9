"""What stands between the bot and Discord."""

from collections.abc import AsyncIterator
from typing import Any

from bot.doctor.finding import Finding, Level
from bot.texts import Speech
from core.probe import Probe
from core.settings import Settings

TITLE = "Discord"
# Flags of an application, by Discord's reference: the privileged intent, and its form for bots in few servers.
_MESSAGE_CONTENT = 1 << 18 | 1 << 19
_FEW_STARTS = 50


async def examine(settings: Settings, t: Speech, probe: Probe) -> AsyncIterator[Finding]:
    """Ask for the bot itself, its intents, and how often it may still connect today."""
    if settings.discord_bot_token is None:
        if "discord" in settings.platforms:
            missing = t("doctor.no_token", name="DISCORD_BOT_TOKEN")
            yield Finding(Level.ERROR, TITLE, missing, t("doctor.discord_make"))
        return
    root = settings.discord_api_root
    headers = {"Authorization": f"Bot {settings.discord_bot_token.get_secret_value()}"}
    me = await probe.get(f"{root}/users/@me", headers)
    match me.body:
        case {"id": _, "username": str(name)}:
            yield Finding(Level.OK, TITLE, t("doctor.logged_in", name=name))
        case _ if me.status == 401:  # noqa: PLR2004  # HTTP's number for it
            refused = t("doctor.token_refused", name="DISCORD_BOT_TOKEN")
            yield Finding(Level.ERROR, TITLE, refused, t("doctor.discord_make"))
            return
        case _:
            silent = t("doctor.silent", reason=me.detail or f"HTTP {me.status}")
            yield Finding(Level.ERROR, TITLE, silent, t("doctor.silent_remedy", name="DISCORD_API_ROOT"))
            return
    application = await probe.get(f"{root}/oauth2/applications/@me", headers)
    yield _intents(application.body, t)
    gateway = await probe.get(f"{root}/gateway/bot", headers)
    match gateway.body:
        case {"session_start_limit": {"remaining": int(left)}} if left < _FEW_STARTS:
            yield Finding(
                Level.WARNING, TITLE, t("doctor.discord_starts", n=left), t("doctor.discord_starts_remedy")
            )
        case _:
            return


def _intents(application: Any, t: Speech) -> Finding:
    flags = application.get("flags") if isinstance(application, dict) else None
    if isinstance(flags, int) and flags & _MESSAGE_CONTENT:
        return Finding(Level.OK, TITLE, t("doctor.discord_reads"))
    return Finding(Level.WARNING, TITLE, t("doctor.discord_blind"), t("doctor.discord_blind_remedy"))
