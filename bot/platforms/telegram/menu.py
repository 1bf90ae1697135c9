"""The menu of commands that Telegram shows, in each language, for private chats and for groups."""

from collections.abc import Sequence

import structlog
from telegram import Bot, BotCommand, BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats
from telegram.error import NetworkError, RetryAfter, TelegramError

from bot.surface import MenuItem, Responder
from core.clock import Clock

log = structlog.get_logger(__name__)

LANGUAGES = ("", "pt", "en")  # empty: for everybody else, in the language of the settings
SCOPES = (BotCommandScopeAllPrivateChats, BotCommandScopeAllGroupChats)
LONGEST_DESCRIPTION = 256
TRIES = 5


async def set_menus(bot: Bot, responder: Responder, clock: Clock) -> None:
    """Tell Telegram every command. What it refuses is logged: the commands work without a menu."""
    for language in LANGUAGES:
        commands = [_command(item) for item in responder.menu(language or None)]
        for scope in SCOPES:
            for attempt in range(1, TRIES + 1):
                try:
                    await bot.set_my_commands(commands, scope(), language or None)
                except RetryAfter as asked:
                    await clock.sleep(asked._retry_after.total_seconds())  # noqa: SLF001  # the public one has two types by a setting
                except NetworkError:
                    await clock.sleep(2.0**attempt)
                except TelegramError as refused:
                    log.warning("menu refused", language=language, why=type(refused).__name__)
                    break
                else:
                    break


def names(items: Sequence[MenuItem]) -> frozenset[str]:
    """Every word that is a command."""
    return frozenset(name for item in items for name in (item.name, *item.aliases))


def _command(item: MenuItem) -> BotCommand:
    words = " ".join(filter(None, (item.summary, item.arguments)))
    return BotCommand(item.name, words[:LONGEST_DESCRIPTION])
