"""What comes with a message: photos for models that see, files with words for the prompt."""

from collections.abc import Sequence

from telegram import Bot, Document, PhotoSize
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError

from bot.cards import Notice, Tone
from bot.clean import file_name
from bot.documents import LIMITS, Documents, Kind, Reason, Unreadable, kind_of, refusal
from bot.platforms.telegram.hearing import Attached
from bot.platforms.telegram.wording import TelegramTexts
from bot.surface import Brought, Unfit
from core.clock import Clock
from core.conversation import Picture

TRIES = 4
LARGEST_FETCHED = 20_000_000  # bytes; a Bot API server gives no more


async def bring(
    bot: Bot, attached: Sequence[Attached], documents: Documents, texts: TelegramTexts, clock: Clock
) -> Brought:
    """Fetch what belongs to a question. Raises Unfit."""
    try:
        brought = [await _one(bot, one, documents, texts, clock) for one in attached]
    except Unreadable as why:
        raise Unfit(refusal(why, texts.documents)) from None
    words = "\n\n".join(one.text for one in brought if one.text)
    return Brought(words, tuple(picture for one in brought for picture in one.pictures))


async def _one(
    bot: Bot, attached: Attached, documents: Documents, texts: TelegramTexts, clock: Clock
) -> Brought:
    if attached.photos:
        return await _photo(bot, attached.photos, texts, clock)
    if attached.document is not None:
        return await _document(bot, attached.document, documents, texts, clock)
    raise _unknown(texts)


def best(sizes: tuple[PhotoSize, ...]) -> PhotoSize | None:
    """The largest size that a model takes."""
    fitting = [s for s in sizes if (s.file_size or 0) <= LIMITS[Kind.PICTURE]]
    return max(fitting, key=lambda s: s.width * s.height, default=None)


async def _photo(bot: Bot, sizes: tuple[PhotoSize, ...], texts: TelegramTexts, clock: Clock) -> Brought:
    photo = best(sizes)
    if photo is None:
        raise Unreadable(Reason.TOO_LARGE, texts.photo, LIMITS[Kind.PICTURE])
    data = await _fetch(bot, photo.file_id, texts, clock)
    return Brought(pictures=(Picture("image/jpeg", data),))


async def _document(
    bot: Bot, document: Document, documents: Documents, texts: TelegramTexts, clock: Clock
) -> Brought:
    name = file_name(document.file_name or "")
    kind = kind_of(name, document.mime_type)
    if kind is None:
        raise _unknown(texts)
    if (document.file_size or 0) > LIMITS[kind]:
        raise Unreadable(Reason.TOO_LARGE, name, LIMITS[kind])
    data = await _fetch(bot, document.file_id, texts, clock, name)
    if kind is not Kind.PICTURE:
        return Brought(text=await documents.words(name, kind, data))
    if len(data) > LIMITS[kind]:
        raise Unreadable(Reason.TOO_LARGE, name, LIMITS[kind])
    return Brought(pictures=(Picture(document.mime_type or "", data),))


def _unknown(texts: TelegramTexts) -> Unfit:
    return Unfit(Notice(Tone.WARNING, texts.documents.unreadable, texts.documents.unreadable_body))


async def _fetch(bot: Bot, file_id: str, texts: TelegramTexts, clock: Clock, name: str = "") -> bytes:
    for attempt in range(1, TRIES + 1):
        try:
            file = await bot.get_file(file_id)
            return bytes(await file.download_as_bytearray())
        except BadRequest as error:
            if "too big" in error.message.lower():
                raise Unreadable(Reason.TOO_LARGE, name or texts.photo, LARGEST_FETCHED) from None
            break
        except RetryAfter as asked:
            await clock.sleep(asked._retry_after.total_seconds())  # noqa: SLF001  # the public one has two types by a setting
        except NetworkError:
            if attempt < TRIES:
                await clock.sleep(2.0**attempt / 2)
        except TelegramError:
            break
    raise Unfit(Notice(Tone.ERROR, texts.not_fetched, texts.not_fetched_body))
