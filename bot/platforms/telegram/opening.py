"""The platform as the program opens it: its token, its server, and its sentences in each language."""

from bot.opening import Opening, Say
from bot.platforms.telegram.platform import TelegramPlatform
from bot.platforms.telegram.wording import TelegramTexts
from core.errors import SettingWrong


def open_platform(opening: Opening) -> TelegramPlatform:
    """The bot of the settings. Raises SettingWrong without a token."""
    token = opening.setting("telegram_bot_token")
    if token is None:
        raise SettingWrong("TELEGRAM_BOT_TOKEN", opening.speak(None)("telegram.no_token"))
    return TelegramPlatform(
        token.get_secret_value(),
        opening.setting("telegram_api_root"),
        speak=lambda language: _texts(opening.speak(language)),
    )


def _texts(t: Say) -> TelegramTexts:
    return TelegramTexts(
        stopped=t("stop.done"),
        nothing=t("telegram.nothing"),
        stale=t("telegram.stale"),
        not_yours=t("telegram.not_yours"),
        unreadable=t("telegram.unreadable"),
        unreadable_body=t("telegram.unreadable_body"),
        too_large=t("telegram.too_large"),
        too_large_body=t("telegram.too_large_body"),
        not_text=t("telegram.not_text"),
        not_fetched=t("telegram.not_fetched"),
        not_fetched_body=t("telegram.not_fetched_body"),
        photo=t("telegram.photo"),
        rejected=t("telegram.rejected"),
    )
