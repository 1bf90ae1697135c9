"""The terminal as a chat platform: a prompt for people, plain lines for pipes."""

from bot.platforms.console.opening import open_platform
from bot.platforms.console.platform import ConsolePlatform
from bot.platforms.console.wording import ConsoleTexts

__all__ = ["ConsolePlatform", "ConsoleTexts", "open_platform"]
