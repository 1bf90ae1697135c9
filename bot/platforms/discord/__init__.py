"""Discord as a chat platform."""

from bot.platforms.discord.opening import open_platform
from bot.platforms.discord.platform import DiscordPlatform
from bot.platforms.discord.wording import DiscordTexts

__all__ = ["DiscordPlatform", "DiscordTexts", "open_platform"]
