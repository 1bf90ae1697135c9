"""The platform as the program opens it: its token, its server, and its sentences in each language."""

from dataclasses import fields

from bot.documents import document_texts
from bot.opening import Opening, Say
from bot.platforms.discord.platform import DiscordPlatform, Place
from bot.platforms.discord.wording import DiscordTexts
from core.errors import SettingWrong

AUTO = "auto"


def open_platform(opening: Opening) -> DiscordPlatform:
    """The bot of the settings. Raises SettingWrong without a token."""
    token = opening.setting("discord_bot_token")
    if token is None:
        raise SettingWrong("DISCORD_BOT_TOKEN", opening.speak(None)("discord.no_token"))
    return DiscordPlatform(
        token.get_secret_value(),
        Place(opening.setting("discord_api_root"), opening.setting("discord_gateway_url")),
        shards=_shards(opening.setting("shards"), opening.speak(None)),
        speak=lambda language: _texts(opening.speak(language)),
        folder=opening.data_dir,
    )


def _shards(setting: str, t: Say) -> int | None:
    """How many connections; `None` = as many as Discord advises."""
    if setting.strip().lower() == AUTO:
        return None
    if not setting.isdecimal() or int(setting) < 1:
        raise SettingWrong("SHARDS", t("discord.shards"))
    return int(setting)


def _texts(t: Say) -> DiscordTexts:
    own = [field.name for field in fields(DiscordTexts) if field.name != "documents"]
    return DiscordTexts(**{name: t(f"discord.{name}") for name in own}, documents=document_texts(t))
