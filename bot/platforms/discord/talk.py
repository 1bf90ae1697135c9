"""What people write on Discord: questions, and questions that they correct."""

from collections import OrderedDict
from dataclasses import replace
from functools import partial

import discord
import structlog

from bot.cards import Notice, Tone
from bot.documents import Documents
from bot.platforms.discord.answers import Answers
from bot.platforms.discord.files import bring
from bot.platforms.discord.hearing import Heard, Spot, hear
from bot.platforms.discord.memory import DEAF, Memory
from bot.platforms.discord.surface import Sent
from bot.platforms.discord.threads import Threads
from bot.platforms.discord.wording import DiscordTexts, Speak
from bot.surface import Incoming, Responder
from core.clock import Clock

log = structlog.get_logger(__name__)

CORRECTED_WITHIN = 60.0  # seconds after which an edit is no new question
LANGUAGES = 10_000  # people whose language is remembered


class Languages:
    """Discord tells a person's language with commands and presses, but not with messages."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, str] = OrderedDict()

    def note(self, person: int, language: str) -> None:
        """It was told."""
        self._known[person] = language
        self._known.move_to_end(person)
        while len(self._known) > LANGUAGES:
            self._known.popitem(last=False)

    def of(self, person: int, guild: discord.Guild | None) -> str | None:
        """As far as it is known; a community server has chosen one for everybody."""
        if (known := self._known.get(person)) is not None:
            return known
        return str(guild.preferred_locale) if guild is not None and "COMMUNITY" in guild.features else None


class Talk:
    """Takes messages."""

    def __init__(
        self,
        client: discord.Client,
        responder: Responder,
        answers: Answers,
        threads: Threads,
        *,
        speak: Speak,
        clock: Clock,
    ) -> None:
        self._client = client
        self._responder = responder
        self._answers = answers
        self._speak = speak
        self._clock = clock
        self._threads = threads
        self.languages = Languages()
        self.documents = Documents()
        self.deaf: Memory | None = None  # set where Discord shows no words that are not for the bot
        self._told_deaf = False

    async def written(self, message: discord.Message) -> None:
        """Somebody wrote something; Discord may tell of it twice."""
        heard = self._heard(message)
        if heard is not None and not self._answers.asked(message.id):
            await self._ask(heard, message)

    async def corrected(self, message: discord.Message) -> None:
        """A question that is edited within a minute is asked anew, in the same place."""
        heard = self._heard(message)
        edited = message.edited_at or message.created_at
        if heard is None or (edited - message.created_at).total_seconds() > CORRECTED_WITHIN:
            return
        turning = await self._answers.take_back(heard.message, heard.text)
        if turning is not None:
            await self._ask(heard, message, turning)

    def _heard(self, message: discord.Message) -> Heard | None:
        assert self._client.user is not None  # it has logged in
        heard = hear(message, self._client.user, self._responder.listens)
        if heard is None:
            return None
        language = self.languages.of(heard.asker.id, message.guild)
        return replace(heard, asker=replace(heard.asker, language=language))

    async def _ask(self, heard: Heard, message: discord.Message, turning: tuple[Sent, ...] = ()) -> None:
        incoming = replace(_incoming(heard, message), hears=self.hears(heard.spot.guild))
        texts = self._speak(heard.asker.language)
        surface = self._answers.surface(heard.spot, texts, turning)
        if self._responder.welcome(incoming):
            name, rest = _command(heard.text)
            if name in self._threads.names:
                card = await self._threads.open(message.channel, heard.asker, rest, texts, message)
                await self._answers.tell(card, surface)
                return
            if heard.attachments:
                fetch = partial(bring, heard.attachments, self.documents, texts, self._clock)
                incoming = replace(incoming, bring=fetch)
        await self._answers.answer(incoming, surface, (heard.message, heard.text))
        if heard.spot.guild is not None:
            await self.tell_if_deaf(heard.spot, texts)

    def hears(self, guild: int | None) -> bool:
        """Whether Discord tells of everything that is written in that server, of which the bot is a member."""
        return guild is not None and self.deaf is None

    async def tell_if_deaf(self, spot: Spot, texts: DiscordTexts) -> None:
        """Once: that other messages than those for the bot cannot be read."""
        if self.deaf is None or self._told_deaf or self.deaf.get(DEAF):
            return
        self._told_deaf = True  # while it is on its way
        surface = self._answers.surface(replace(spot, replies_to=None), texts)
        self._told_deaf = await self._answers.tell(Notice(Tone.WARNING, texts.deaf, texts.deaf_body), surface)
        if self._told_deaf:
            self.deaf.put(DEAF, value=True)


def _command(text: str) -> tuple[str, str]:
    """The command of a message and what follows it; empty if it is none."""
    name, _, rest = text.partition(" ")
    return (name[1:].lower(), rest.strip()) if name.startswith("/") else ("", "")


def _incoming(heard: Heard, message: discord.Message) -> Incoming:
    async def erase() -> bool:
        """Take the message away; whether it is gone. In a private chat Discord lets only the person do that."""
        if heard.spot.private:
            return False
        try:
            await message.delete()
        except discord.NotFound:
            return True
        except discord.DiscordException as refused:
            log.info("message stays", chat=str(heard.spot.ref), why=type(refused).__name__)
            return False
        return True

    return Incoming(
        heard.spot.ref,
        heard.asker.person,
        heard.text,
        language=heard.asker.language,
        message=str(heard.message),
        reply_to=heard.reply_to,
        name=heard.asker.name,
        private=heard.spot.private,
        groups=heard.asker.groups,
        manages=heard.asker.manages,
        erase=erase,
        form=True,
        reply_person=heard.reply_person,
        reply_name=heard.reply_name,
    )
