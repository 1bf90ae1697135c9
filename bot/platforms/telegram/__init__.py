"""Telegram as a chat platform."""

import os

# Without it the library warns whenever Telegram asks for a pause.
os.environ.setdefault("PTB_TIMEDELTA", "true")

from bot.platforms.telegram.opening import open_platform
from bot.platforms.telegram.platform import TelegramPlatform
from bot.platforms.telegram.wording import TelegramTexts

__all__ = ["TelegramPlatform", "TelegramTexts", "open_platform"]
