"""What comes with a message: pictures for models that see, text files for the prompt."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import aiohttp
import discord

from bot.cards import Notice, Tone
from bot.clean import file_name
from bot.platforms.discord.wording import DiscordTexts
from core.clock import Clock
from core.conversation import Picture

PICTURE_BYTES = 5_000_000
TEXT_BYTES = 256_000
TRIES = 4
_MEGA = 1_000_000
_SEEN = {"image/jpeg", "image/png", "image/webp"}
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


async def bring(attachments: Sequence[discord.Attachment], texts: DiscordTexts, clock: Clock) -> Brought:
    """Fetch what belongs to a message. Raises Unfit."""
    words: list[str] = []
    pictures: list[Picture] = []
    for one in attachments:
        kind = (one.content_type or "").partition(";")[0].strip().lower()
        name = file_name(one.filename)
        limit = PICTURE_BYTES if kind in _SEEN else TEXT_BYTES
        if kind not in _SEEN and kind.partition("/")[0] in {"image", "audio", "video"}:
            raise Unfit(Notice(Tone.WARNING, texts.unreadable, texts.unreadable_body))
        if one.size > limit:
            raise _too_large(name, limit, texts)
        data = await _fetch(one, texts, clock)
        if len(data) > limit:
            raise _too_large(name, limit, texts)
        if kind in _SEEN:
            pictures.append(Picture(kind, data))
            continue
        content = decoded(data)
        if content is None:
            raise Unfit(Notice(Tone.WARNING, texts.not_text.format(name=name), texts.unreadable_body))
        words.append(quoted(name, content))
    return Brought("\n\n".join(words), tuple(pictures))


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


def _too_large(name: str, limit: int, texts: DiscordTexts) -> Unfit:
    size = f"{limit // _MEGA} MB" if limit >= _MEGA else f"{limit // 1000} KB"
    return Unfit(
        Notice(Tone.WARNING, texts.too_large.format(name=name), texts.too_large_body.format(limit=size))
    )
