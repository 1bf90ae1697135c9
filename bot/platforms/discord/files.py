"""What comes with a message: pictures for models that see, files with words for the prompt."""

from collections.abc import Sequence

import aiohttp
import discord

from bot.cards import Notice, Tone
from bot.clean import file_name
from bot.documents import LIMITS, Documents, Kind, Reason, Unreadable, kind_of, refusal
from bot.platforms.discord.wording import DiscordTexts
from bot.surface import Brought, Unfit
from core.clock import Clock
from core.conversation import Picture

TRIES = 4


async def bring(
    attachments: Sequence[discord.Attachment], documents: Documents, texts: DiscordTexts, clock: Clock
) -> Brought:
    """Fetch what belongs to a message. Raises Unfit."""
    words: list[str] = []
    pictures: list[Picture] = []
    for one in attachments:
        try:
            made = await _made(one, documents, texts, clock)
        except Unreadable as why:
            raise Unfit(refusal(why, texts.documents)) from None
        if isinstance(made, Picture):
            pictures.append(made)
        else:
            words.append(made)
    return Brought("\n\n".join(words), tuple(pictures))


async def _made(
    one: discord.Attachment, documents: Documents, texts: DiscordTexts, clock: Clock
) -> Picture | str:
    """A picture, or a file's words. Raises Unreadable."""
    mime = (one.content_type or "").partition(";")[0].strip().lower()
    name = file_name(one.filename)
    kind = kind_of(name, mime)
    if kind is None:
        if mime.partition("/")[0] in {"image", "audio", "video"}:
            raise Unfit(Notice(Tone.WARNING, texts.documents.unreadable, texts.documents.unreadable_body))
        kind = Kind.TEXT  # whether it is, its bytes say
    if one.size > LIMITS[kind]:
        raise Unreadable(Reason.TOO_LARGE, name, LIMITS[kind])
    data = await _fetch(one, texts, clock)
    if kind is not Kind.PICTURE:
        return await documents.words(name, kind, data)
    if len(data) > LIMITS[kind]:
        raise Unreadable(Reason.TOO_LARGE, name, LIMITS[kind])
    return Picture(mime, data)


async def _fetch(one: discord.Attachment, texts: DiscordTexts, clock: Clock) -> bytes:
    for attempt in range(1, TRIES + 1):
        try:
            return await one.read()
        except (discord.NotFound, discord.Forbidden):
            break
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError):
            if attempt < TRIES:
                await clock.sleep(2.0**attempt / 2)
    raise Unfit(Notice(Tone.ERROR, texts.not_fetched, texts.not_fetched_body))
