"""`/thread`: a conversation of its own, in a thread that the bot opens and where it hears everything."""

from typing import Any

import discord
import structlog

from bot.cards import Notice, Tone
from bot.clean import line
from bot.platforms.discord.answers import Answers
from bot.platforms.discord.hearing import Asker, Spot
from bot.platforms.discord.line import DOWN
from bot.platforms.discord.wording import DiscordTexts
from bot.surface import Responder

log = structlog.get_logger(__name__)

THREAD = "thread"
LONGEST_NAME = 100  # characters that Discord takes


class Threads:
    """Opens threads. `names` = the words for it, in every language."""

    def __init__(self, answers: Answers, responder: Responder) -> None:
        self._answers = answers
        items = [item for item in responder.menu(None) if item.name == THREAD]
        self.names = frozenset(name for item in items for name in (item.name, *item.aliases))

    async def open(
        self,
        channel: Any,
        asker: Asker,
        name: str,
        texts: DiscordTexts,
        message: discord.Message | None = None,
    ) -> Notice:
        """A thread under the message, or of its own; what to say of it where it was asked for."""
        name = line(name or texts.thread_name.format(name=asker.name), LONGEST_NAME) or THREAD
        try:
            thread = await _made(channel, name, message)
        except DOWN as down:
            log.info("no thread", why=type(down).__name__)
            return Notice(Tone.ERROR, texts.thread_away, texts.thread_away_body)
        except discord.HTTPException as refused:
            log.info("no thread", why=f"{refused.status} {refused.code}")
            thread = None
        if thread is None:
            return Notice(Tone.WARNING, texts.thread_nowhere, texts.thread_nowhere_body)
        hello = Notice(
            Tone.INFO, texts.thread_hello, texts.thread_hello_body.format(name=line(asker.name, LONGEST_NAME))
        )
        spot = Spot(thread.id, thread.parent_id, thread.guild.id, asker.id)
        await self._answers.tell(hello, self._answers.surface(spot, texts))
        return Notice(Tone.SUCCESS, texts.thread.format(thread=thread.mention))


async def _made(channel: Any, name: str, message: discord.Message | None) -> discord.Thread | None:
    if not isinstance(channel, discord.TextChannel):
        return None
    if message is not None:
        return await message.create_thread(name=name)
    kind = discord.ChannelType.news_thread if channel.is_news() else discord.ChannelType.public_thread
    return await channel.create_thread(name=name, type=kind)
