"""What stands between the bot and Telegram."""

from collections.abc import AsyncIterator
from typing import Any

from bot.doctor.finding import Finding, Level
from bot.texts import Speech
from core.probe import Probe
from core.settings import Settings

TITLE = "Telegram"
_REFUSED = frozenset({401, 404})  # Telegram says "Not Found" to a token that is none


async def examine(settings: Settings, t: Speech, probe: Probe) -> AsyncIterator[Finding]:
    """Ask for the bot itself, and for who else takes its messages."""
    if settings.telegram_bot_token is None:
        if "telegram" in settings.platforms:
            missing = t("doctor.no_token", name="TELEGRAM_BOT_TOKEN")
            yield Finding(Level.ERROR, TITLE, missing, t("doctor.telegram_make"))
        return
    base = f"{settings.telegram_api_root}/bot{settings.telegram_bot_token.get_secret_value()}"
    me = await probe.get(f"{base}/getMe")
    match me.body:
        case {"ok": True, "result": dict(bot)}:
            groups = "all" if bot.get("can_read_all_group_messages") else "mentions"
            text = t("doctor.logged_in", name=f"@{bot.get('username')}")
            yield Finding(Level.OK, TITLE, f"{text} {t(f'doctor.telegram_{groups}')}")
        case _ if me.status in _REFUSED:
            refused = t("doctor.token_refused", name="TELEGRAM_BOT_TOKEN")
            yield Finding(Level.ERROR, TITLE, refused, t("doctor.telegram_make"))
            return
        case _:
            silent = t("doctor.silent", reason=me.detail or f"HTTP {me.status}")
            yield Finding(Level.ERROR, TITLE, silent, t("doctor.silent_remedy", name="TELEGRAM_API_ROOT"))
            return
    seen = await probe.get(f"{base}/getWebhookInfo")
    info = seen.body.get("result") if isinstance(seen.body, dict) else None
    for finding in _hook(info if isinstance(info, dict) else {}, settings, t):
        yield finding


def _hook(info: dict[str, Any], settings: Settings, t: Speech) -> list[Finding]:
    """Whether messages come the way that the settings say."""
    wanted = settings.telegram_webhook_url
    found = []
    if wanted and settings.http_port is None:
        found.append(Finding(Level.ERROR, TITLE, t("doctor.hook_no_port"), t("doctor.hook_no_port_remedy")))
    if info.get("url") and not wanted:
        found.append(Finding(Level.WARNING, TITLE, t("doctor.hook_other"), t("doctor.hook_other_remedy")))
    if wanted and (error := info.get("last_error_message")):
        text = t("doctor.hook_error", error=error)
        found.append(Finding(Level.WARNING, TITLE, text, t("doctor.hook_error_remedy")))
    return found
