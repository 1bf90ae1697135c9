"""The commands as Discord is told of them, and completion with the assistant that ships."""

from pathlib import Path
from typing import Any

import pytest

from bot.platforms.discord import menu
from bot.platforms.discord.memory import COMMANDS, Memory
from bot.platforms.discord.platform import DiscordPlatform
from tests.bot.platforms.discord.running import ENGLISH, Bilingual, running, speak
from tests.fakes.clock import FakeClock
from tests.fakes.discord.server import FakeDiscord


async def payload() -> dict[str, Any]:
    """What Discord is told, by the commands' names."""
    client = DiscordPlatform("TEST", speak=speak).client(Bilingual())
    translator = menu.Translator()
    told = [await one.get_translated_payload(client.tree, translator) for one in client.tree.get_commands()]
    await client.close()
    return {one["name"]: one for one in told}


async def test_every_command_in_both_languages() -> None:
    """Names, descriptions and what is to be given; everywhere people are, and installable by each of them."""
    told = await payload()
    assert told.keys() == {item.name for item in ENGLISH}
    load = told["load"]
    assert load["name_localizations"] == {"pt-BR": "carregar"}
    assert (load["description"], load["description_localizations"]) == (
        "Load a model",
        {"pt-BR": "Carregar um modelo"},
    )
    option = load["options"][0]
    assert (option["name"], option["name_localizations"], option["autocomplete"]) == (
        "model",
        {"pt-BR": "modelo"},
        True,
    )
    assert option["description_localizations"] == {"pt-BR": "[MODELO] — Carregar um modelo"}
    assert all(one["contexts"] == [0, 1, 2] and one["integration_types"] == [0, 1] for one in told.values())
    assert [option["name"] for option in told["ask"]["options"]] == ["question", "file"]
    assert told["stop"]["options"] == []


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("[MODEL]", "model"),
        ("MODEL", "model"),
        ("[FILTER] [PAGE]", "filter"),
        ("[TEXT | -]", "text"),
        ("[CÓDIGO]", "código"),
        ("[set | test] [VENDOR]", "argument"),
        ("[PAGE | WHO]", "argument"),
        ("[pt-BR | en]", "argument"),
    ],
)
def test_what_an_option_is_called(arguments: str, name: str) -> None:
    """By its one word, else by a general one."""
    assert menu.option_name(arguments, "argument") == name


async def test_told_only_when_they_changed(tmp_path: Path) -> None:
    """A restart tells nothing; another table does; a memory that is broken costs one call."""
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, Bilingual(), folder=tmp_path):
            await chat.send(ana, "oi")
            await chat.says("oi")
        assert Memory(tmp_path).get(COMMANDS)
        async with running(server, Bilingual(), folder=tmp_path):
            await chat.send(ana, "ainda aí?")
            await chat.says("ainda aí?")
        assert server.count("PUT /applications/*/commands") == 1
        (tmp_path / "discord_memory.json").write_text("{")
        assert Memory(tmp_path).get(COMMANDS) is None
        async with running(server, Bilingual(), folder=tmp_path):
            await server.wait_for("PUT /applications/*/commands", 2)


async def test_what_discord_refuses_costs_no_answer() -> None:
    """Commands that are refused are told in the log; trouble on the way is tried again."""
    async with FakeDiscord() as server:
        server.fault("PUT /applications/*/commands", "drop", times=2)
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, Bilingual(), clock=FakeClock(rushing=True)):
            await server.wait_for("PUT /applications/*/commands", 1, status=200)
            await chat.send(ana, "oi")
            await chat.says("oi")


async def test_completion_asks_for_whom_it_is() -> None:
    """At most 25, none longer than Discord takes, with its detail; only what can be typed is offered."""
    from bot.surface import Completion  # noqa: PLC0415  # only here

    many = [Completion(f"m{n}", f"✓ Modelo {n}", "7B · casa " + "x" * 200) for n in range(40)]
    responder = Bilingual(arguments={"load": [Completion("m" * 101, "longo"), *many]})
    async with FakeDiscord() as server:
        ana = server.person("Ana")
        chat = server.private(ana)
        async with running(server, responder):
            choices = await (await chat.autocomplete(ana, "load", "model", "m")).choices()
            assert len(choices) == 25
            assert choices[0]["value"] == "m0"
            assert choices[0]["name"].startswith("✓ Modelo 0 — 7B · casa")
            assert len(choices[0]["name"]) == 100
