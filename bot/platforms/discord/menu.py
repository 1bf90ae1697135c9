"""The commands as Discord shows them, in both languages, built from the one table and told only when they change."""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands
from discord.app_commands import locale_str

from bot.platforms.discord.buttons import clipped
from bot.platforms.discord.hearing import Interaction, data_of
from bot.platforms.discord.memory import COMMANDS, Memory
from bot.platforms.discord.wording import Speak
from bot.surface import Completion, MenuItem, Responder
from bot.trace import where
from core.clock import Clock

log = structlog.get_logger(__name__)

ASK = "ask"  # what comes with a question can be put beside it
PORTUGUESE, ENGLISH = "pt-BR", "en"
LONGEST = 100  # characters of a description, and of a choice
CHOICES = 25
TRIES = 6
_ONE_WORD = re.compile(r"\[?([^\W\d_]{2,32})(?: \| -)?\]?(?= \[|$)")

Run = Callable[[Interaction, str, str, Any], Awaitable[None]]
Complete = Callable[[Interaction, str, str], Awaitable[Sequence[Completion]]]


class Translator(app_commands.Translator):
    """Both languages come with each text."""

    async def translate(self, string: locale_str, locale: discord.Locale, _: Any) -> str | None:
        """See the library."""
        found = string.extras.get(PORTUGUESE) if locale is discord.Locale.brazil_portuguese else None
        return found if isinstance(found, str) else None


class Tree(app_commands.CommandTree[Any]):
    """The library's own, but that it never quotes anybody."""

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """A command that Discord still shows and that is none any more; or a bug."""
        log.error("command failed", command=data_of(interaction).get("name"), bug=where(error))


def fill(tree: Tree, responder: Responder, speak: Speak, run: Run, complete: Complete) -> None:
    """Every command of the table; English where Discord speaks another language than ours."""
    portuguese = {item.name: item for item in responder.menu(PORTUGUESE)}
    for item in responder.menu(ENGLISH):
        tree.add_command(_command(item, portuguese[item.name], speak, run, complete))


async def tell(tree: Tree, memory: Memory, clock: Clock) -> None:
    """Tell Discord the commands, if they are not what it was told last. What it refuses is logged."""
    assert tree.translator is not None
    payload = [await command.get_translated_payload(tree, tree.translator) for command in tree.get_commands()]
    told = hashlib.sha256(
        json.dumps([str(tree.client.application_id), payload], sort_keys=True).encode()
    ).hexdigest()
    if memory.get(COMMANDS) == told:
        return
    for attempt in range(1, TRIES + 1):
        try:
            await tree.sync()
        except (discord.DiscordServerError, aiohttp.ClientError, OSError, TimeoutError):
            await clock.sleep(2.0**attempt)
        except (discord.HTTPException, app_commands.AppCommandError) as refused:
            log.warning("commands refused", why=type(refused).__name__, code=getattr(refused, "code", None))
            return
        else:
            memory.put(COMMANDS, told)
            log.info("commands told", commands=len(payload))
            return


def option_name(arguments: str, otherwise: str) -> str:
    """What the argument is called: the one word that the pattern consists of or begins with."""
    found = _ONE_WORD.match(arguments)
    return found[1].lower() if found and found[1].isupper() else otherwise


def _command(
    item: MenuItem, portuguese: MenuItem, speak: Speak, run: Run, complete: Complete
) -> app_commands.Command[Any, ..., None]:
    own = (portuguese.aliases or item.aliases or (item.name,))[0]
    texts = {language: speak(language) for language in (ENGLISH, PORTUGUESE)}

    async def bare(interaction: Interaction) -> None:
        await run(interaction, item.name, "", None)

    async def with_words(interaction: Interaction, words: str = "") -> None:
        await run(interaction, item.name, words, None)

    async def with_file(interaction: Interaction, words: str, file: discord.Attachment | None = None) -> None:
        await run(interaction, item.name, words, file)

    async def choices(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        found = await complete(interaction, item.name, typed)
        return [_choice(one) for one in found if len(one.value) <= LONGEST][:CHOICES]

    callback: Any = with_file if item.name == ASK else with_words if item.arguments else bare
    if item.arguments:
        names = (
            option_name(item.arguments, texts[ENGLISH].option),
            option_name(portuguese.arguments, texts[PORTUGUESE].option),
        )
        app_commands.rename(words=_text(*names))(callback)
        app_commands.describe(words=_text(_help(item), _help(portuguese)))(callback)
        if item.name != ASK:
            app_commands.autocomplete(words=choices)(callback)
    if item.name == ASK:
        app_commands.rename(file=_text("file", "arquivo"))(callback)
        app_commands.describe(file=_text(texts[ENGLISH].file, texts[PORTUGUESE].file))(callback)
    return app_commands.Command(
        name=_text(item.name, own), description=_text(item.summary, portuguese.summary), callback=callback
    )


def _text(english: str, portuguese: str) -> locale_str:
    return locale_str(clipped(english, LONGEST), **{PORTUGUESE: clipped(portuguese, LONGEST)})


def _help(item: MenuItem) -> str:
    return f"{item.arguments} — {item.summary}"


def _choice(one: Completion) -> app_commands.Choice[str]:
    label = " — ".join(filter(None, (one.label, one.detail)))
    return app_commands.Choice(name=clipped(label, LONGEST), value=one.value)
