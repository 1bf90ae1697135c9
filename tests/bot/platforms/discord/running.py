"""The platform with a scripted responder, against a Discord on real sockets."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from bot.platforms.discord.platform import DiscordPlatform, Place
from bot.platforms.discord.wording import DiscordTexts
from bot.surface import MenuItem
from core.clock import Clock
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord_client import pointed_at
from tests.fakes.responder import FakeResponder

ENGLISH = (
    MenuItem("ask", ("perguntar",), "Ask the model something", "QUESTION"),
    MenuItem("models", ("modelos",), "Show the models", "[FILTER]"),
    MenuItem("load", ("carregar",), "Load a model", "[MODEL]"),
    MenuItem("help", ("ajuda",), "Show the commands", personal=True),
    MenuItem("stop", ("parar",), "Stop the answer"),
    MenuItem("thread", ("topico",), "Open a thread", "[NAME]"),
    MenuItem("key", ("chave",), "Keep a key", "[set | test] [VENDOR]", secret=True, personal=True),
)
_PORTUGUESE = {
    "ask": ("Perguntar algo ao modelo", "PERGUNTA"),
    "models": ("Mostrar os modelos", "[FILTRO]"),
    "load": ("Carregar um modelo", "[MODELO]"),
    "help": ("Mostrar os comandos", ""),
    "stop": ("Parar a resposta", ""),
    "thread": ("Abrir uma linha", "[NOME]"),
    "key": ("Guardar uma chave", "[set | test] [FORNECEDOR]"),
}
PORTUGUESE = tuple(
    replace(item, summary=_PORTUGUESE[item.name][0], arguments=_PORTUGUESE[item.name][1]) for item in ENGLISH
)


class Bilingual(FakeResponder):
    """With a table of commands in both languages."""

    def menu(self, language: str | None) -> Sequence[MenuItem]:
        super().menu(language)
        return ENGLISH if language == "en" else PORTUGUESE


def speak(language: str | None) -> DiscordTexts:
    """What the platform says, in Portuguese but for what is told to Discord in English."""
    return DiscordTexts(option="argument", file="A file") if language == "en" else DiscordTexts()


@asynccontextmanager
async def running(
    server: FakeDiscord,
    responder: FakeResponder,
    *,
    shards: int | None = 1,
    folder: Path | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[DiscordPlatform]:
    """Runs until the test is over; nothing that it called was unknown or wrong."""
    place = Place(server.url, server.gateway_url)
    platform = DiscordPlatform(server.token, place, shards=shards, speak=speak, folder=folder, clock=clock)
    with pointed_at(server):
        task = asyncio.create_task(platform.run(responder))
        try:
            await server.wait_for("PUT /applications/*/commands")
            await server.world.bell.until(
                lambda: True if len(server.gateway.live()) >= (shards or 1) else None, 5, lambda: f"{task}"
            )
            yield platform
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert server.violations == []
