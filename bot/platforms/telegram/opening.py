"""The platform as the program opens it: its token, its server, and its sentences in each language."""

from bot.documents import document_texts
from bot.opening import Opening, Say
from bot.platforms.telegram.hook import HookPlace, checked
from bot.platforms.telegram.platform import TelegramPlatform
from bot.platforms.telegram.wording import TelegramTexts
from core.errors import SettingWrong


def open_platform(opening: Opening) -> TelegramPlatform:
    """The bot of the settings. Raises SettingWrong without a token, or with a web hook that cannot be."""
    token = opening.setting("telegram_bot_token")
    if token is None:
        raise SettingWrong("TELEGRAM_BOT_TOKEN", opening.speak(None)("telegram.no_token"))
    return TelegramPlatform(
        token.get_secret_value(),
        opening.setting("telegram_api_root"),
        speak=lambda language: _texts(opening.speak(language)),
        hook=_hook(opening),
        rich=opening.setting("telegram_rich"),
    )


def _hook(opening: Opening) -> HookPlace | None:
    """Where Telegram posts, if it is to. Raises SettingWrong if nothing would listen there."""
    wanted = opening.setting("telegram_webhook_url")
    if not wanted:
        return None
    if opening.web is None:
        raise SettingWrong("HTTP_PORT", opening.speak(None)("telegram.hook_no_port"))
    url, secret = checked(wanted, opening.setting("telegram_webhook_secret"))
    return HookPlace(url, opening.web, secret)


def _texts(t: Say) -> TelegramTexts:
    return TelegramTexts(
        stopped=t("stop.done"),
        nothing=t("telegram.nothing"),
        stale=t("telegram.stale"),
        not_yours=t("telegram.not_yours"),
        not_fetched=t("telegram.not_fetched"),
        not_fetched_body=t("telegram.not_fetched_body"),
        photo=t("telegram.photo"),
        documents=document_texts(t),
        rejected=t("telegram.rejected"),
    )
