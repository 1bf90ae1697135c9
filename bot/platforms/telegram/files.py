"""What comes with a message: photos for models that see, text files for the prompt."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from telegram import Bot, Document, PhotoSize
from telegram.error import BadRequest, NetworkError, TelegramError

from bot.cards import Notice, Tone
from bot.clean import file_name
from bot.platforms.telegram.hearing import Heard
from bot.platforms.telegram.wording import TelegramTexts
from core.clock import Clock
from core.conversation import Picture

PICTURE_BYTES = 5_000_000
TEXT_BYTES = 256_000
TRIES = 4
_MEGA = 1_000_000
_SEEN = {"image/jpeg", "image/png", "image/webp"}
_TEXT_TYPES = {
    "application/json",
    "application/xml",
    "application/toml",
    "application/yaml",
    "application/x-yaml",
}
_TEXT_TYPES |= {"application/javascript", "application/x-sh", "application/sql", "application/x-python"}
_TEXT_ENDS = frozenset(
    (  # noqa: SIM905  # easier to read than a list
        "txt md markdown rst log csv tsv json jsonl ndjson yaml yml toml ini cfg conf env xml html htm css scss svg "
        "js mjs ts tsx jsx py pyi ipynb java kt kts scala c h cc cpp cxx hpp cs go rs rb php pl pm lua r jl swift m mm "
        "sh bash zsh fish ps1 bat sql graphql proto tex bib diff patch vue svelte dart ex exs erl hs clj nim zig tf "
        "dockerfile makefile gradle cmake properties gitignore srt vtt"
    ).split()
)
_FENCE = re.compile(r"^\s*(`{3,})", re.MULTILINE)


class Unfit(Exception):
    """What was sent cannot go to a model; `card` says why."""

    def __init__(self, card: Notice) -> None:
        super().__init__(card.title)
        self.card = card


@dataclass(frozen=True, slots=True)
class Brought:
    """What came with a message, ready for the prompt."""

    text: str = ""
    pictures: tuple[Picture, ...] = ()


async def bring(bot: Bot, heard: Heard, texts: TelegramTexts, clock: Clock) -> Brought:
    """Fetch what belongs to a message. Raises Unfit."""
    if heard.unreadable:
        raise Unfit(Notice(Tone.WARNING, texts.unreadable, texts.unreadable_body))
    if heard.photos:
        photo = best(heard.photos)
        if photo is None:
            raise _too_large(texts.photo, PICTURE_BYTES, texts)
        data = await _fetch(bot, photo.file_id, texts, clock)
        return Brought(pictures=(Picture("image/jpeg", data),))
    if heard.document is not None:
        return await _document(bot, heard.document, texts, clock)
    return Brought()


def best(sizes: tuple[PhotoSize, ...]) -> PhotoSize | None:
    """The largest size that fits."""
    fitting = [s for s in sizes if (s.file_size or 0) <= PICTURE_BYTES]
    return max(fitting, key=lambda s: s.width * s.height, default=None)


async def _document(bot: Bot, document: Document, texts: TelegramTexts, clock: Clock) -> Brought:
    name = file_name(document.file_name or "")
    picture = document.mime_type in _SEEN
    if not picture and not is_text(name, document.mime_type):
        raise Unfit(Notice(Tone.WARNING, texts.unreadable, texts.unreadable_body))
    limit = PICTURE_BYTES if picture else TEXT_BYTES
    if (document.file_size or 0) > limit:
        raise _too_large(name, limit, texts)
    data = await _fetch(bot, document.file_id, texts, clock)
    if len(data) > limit:
        raise _too_large(name, limit, texts)
    if picture:
        return Brought(pictures=(Picture(document.mime_type or "", data),))
    content = decoded(data)
    if content is None:
        raise Unfit(Notice(Tone.WARNING, texts.not_text.format(name=name), texts.unreadable_body))
    return Brought(text=quoted(name, content))


def is_text(name: str, mime: str | None) -> bool:
    """Whether a file is likely to hold text that a model can read."""
    end = PurePath(name.lower()).suffix.removeprefix(".") or name.lower()
    mime = (mime or "").lower()
    return end in _TEXT_ENDS or mime.startswith("text/") or mime in _TEXT_TYPES


def decoded(data: bytes) -> str | None:
    """The text of a file; `None` if it is none. What is no UTF-8 is read as Windows writes it."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def quoted(name: str, content: str) -> str:
    """A file as a fenced block under its name; no fence inside closes it."""
    longest = max((len(fence) for fence in _FENCE.findall(content)), default=2)
    fence = "`" * max(3, longest + 1)
    end = PurePath(name).suffix.removeprefix(".")
    language = end if end.isascii() and end.isalnum() else ""
    return f"{name}:\n{fence}{language}\n{content.rstrip()}\n{fence}"


async def _fetch(bot: Bot, file_id: str, texts: TelegramTexts, clock: Clock) -> bytes:
    for attempt in range(1, TRIES + 1):
        try:
            file = await bot.get_file(file_id)
            return bytes(await file.download_as_bytearray())
        except BadRequest as error:
            if "too big" in error.message.lower():
                raise _too_large(texts.photo, 20_000_000, texts) from None
            break
        except NetworkError:
            if attempt < TRIES:
                await clock.sleep(2.0**attempt / 2)
        except TelegramError:
            break
    raise Unfit(Notice(Tone.ERROR, texts.not_fetched, texts.not_fetched_body))


def _too_large(name: str, limit: int, texts: TelegramTexts) -> Unfit:
    size = f"{limit // _MEGA} MB" if limit >= _MEGA else f"{limit // 1000} KB"
    return Unfit(
        Notice(Tone.WARNING, texts.too_large.format(name=name), texts.too_large_body.format(limit=size))
    )
