"""Commands, buttons, menus and forms of discord.py's own client at the fake Discord."""

from typing import Any

import discord
import pytest
from discord import app_commands

from tests.fakes.discord.server import Channel, FakeDiscord, Person
from tests.fakes.discord_client import Bot, connected


class Form(discord.ui.Modal, title="Chave"):
    key: Any = discord.ui.Label(text="Chave", component=discord.ui.TextInput(custom_id="key"))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"tem {len(self.key.component.value)}", ephemeral=True)


class Card(discord.ui.LayoutView):
    def __init__(self) -> None:
        super().__init__(timeout=None)
        box: discord.ui.Container[Any] = discord.ui.Container(accent_colour=0x3366FF)
        box.add_item(discord.ui.TextDisplay("Escolha"))
        row: discord.ui.ActionRow[Any] = discord.ui.ActionRow()
        row.add_item(discord.ui.Button(label="Chave", custom_id="form"))
        row.add_item(discord.ui.Button(label="Já", custom_id="now"))
        menu: discord.ui.ActionRow[Any] = discord.ui.ActionRow()
        menu.add_item(
            discord.ui.Select(custom_id="menu", options=[discord.SelectOption(label=x) for x in "AB"])
        )
        box.add_item(row)
        box.add_item(menu)
        self.add_item(box)


class Talker(Bot):
    """/load with completion, /card with components, /late that is deferred, /slow that comes too late."""

    def __init__(self) -> None:
        super().__init__()

        @self.tree.command(name="load", description="Load a model")
        async def load(interaction: discord.Interaction, model: str) -> None:
            await interaction.response.send_message(f"{model} {interaction.locale}")

        @load.autocomplete("model")
        async def complete(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=f"{typed}-{n}", value=str(n)) for n in range(3)]

        @self.tree.command(name="card", description="Show a card")
        async def card(interaction: discord.Interaction) -> None:
            await interaction.response.send_message(view=Card())

        @self.tree.command(name="late", description="Answer late")
        @app_commands.allowed_installs(guilds=True, users=True)
        @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
        async def late(interaction: discord.Interaction) -> None:
            await interaction.response.defer(thinking=True)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        await super().on_interaction(interaction)
        if interaction.type is not discord.InteractionType.component or interaction.data is None:
            return
        if interaction.data["custom_id"] == "form":  # type: ignore[typeddict-item]  # a component has one
            await interaction.response.send_modal(Form())
        elif interaction.data["custom_id"] == "menu":  # type: ignore[typeddict-item]  # same
            await interaction.response.send_message(str(interaction.data["values"]))  # type: ignore[typeddict-item]
        else:
            await interaction.response.defer()
            view = discord.ui.LayoutView()
            view.add_item(discord.ui.TextDisplay("Feito"))
            await interaction.edit_original_response(view=view)


async def talk(server: FakeDiscord, bot: Bot) -> tuple[Person, Channel]:
    await bot.tree.sync()
    ana = server.person("Ana")
    return ana, server.private(ana)


async def test_a_command_with_completion() -> None:
    """What is typed is completed; the command arrives with the person's language and is answered."""
    async with FakeDiscord() as server, connected(server, Talker()) as bot:
        ana, chat = await talk(server, bot)
        assert set(server.commands()) == {"load", "card", "late"}
        typing = await chat.autocomplete(ana, "load", "model", "qw")
        assert [c["name"] for c in await typing.choices()] == ["qw-0", "qw-1", "qw-2"]
        press = await chat.slash(ana, "load", model="1")
        assert (await press.says("1")).text == "1 pt-BR"
        assert server.violations == []


async def test_a_deferred_answer_is_edited_and_followed_up() -> None:
    """It thinks until it is edited; what follows stands after it; after 15 minutes the token is worth nothing."""
    async with FakeDiscord() as server, connected(server, Talker()) as bot:
        ana, chat = await talk(server, bot)
        press = await chat.slash(ana, "late")
        assert await press.answered() == "deferred"
        assert press.message is None
        await bot.until(lambda: bot.presses)
        await bot.presses[0].edit_original_response(content="pronto")
        await press.says("pronto")
        await bot.presses[0].followup.send("mais", ephemeral=True)
        assert [(m.text, m.ephemeral) for m in press.follow_ups] == [("mais", True)]
        server.advance(901)
        with pytest.raises(discord.NotFound, match="10015"):
            await bot.presses[0].followup.send("tarde")
        assert server.violations == []


async def test_an_answer_after_three_seconds_is_too_late() -> None:
    """Unknown interaction, as Discord says it."""
    async with FakeDiscord() as server, connected(server, Bot()) as bot:
        ana = server.person("Ana")
        bot.tree.add_command(app_commands.Command(name="x", description="x", callback=_nothing))
        await bot.tree.sync()
        await server.private(ana).slash(ana, "x")
        await bot.until(lambda: bot.presses)
        server.advance(3)
        with pytest.raises(discord.NotFound, match="10062"):
            await bot.presses[0].response.send_message("tarde")


async def _nothing(interaction: discord.Interaction) -> None:
    """A command that leaves its answer to others."""


async def test_buttons_menus_and_forms() -> None:
    """A press opens a form that is filled, a choice arrives, and a card turns into another."""
    async with FakeDiscord() as server, connected(server, Talker()) as bot:
        ana, chat = await talk(server, bot)
        card = await (await chat.slash(ana, "card")).says("Escolha")
        assert (card.labels, card.options, card.colour) == (["Chave", "Já"], ["A", "B"], 0x3366FF)
        form = await card.press(ana, "Chave")
        assert (await form.modal())["title"] == "Chave"
        told = await (await form.fill("abc")).says("tem 3")
        assert told.ephemeral
        await (await card.choose(ana, "B")).says("['B']")
        await (await card.press(ana, "Já")).says("Feito")
        assert (card.text, card.labels) == ("Feito", [])
        assert server.violations == []


async def test_an_app_that_only_a_person_has_installed() -> None:
    """In others' private chats it may follow up five times, and cannot write by itself."""
    async with FakeDiscord() as server, connected(server, Talker()) as bot:
        await bot.tree.sync()
        ana, bia = server.person("Ana"), server.person("Bia", locale="en-US")
        chat = server.foreign(ana, bia)
        press = await chat.slash(bia, "late")
        assert await press.answered() == "deferred"
        await bot.until(lambda: bot.presses)
        told = bot.presses[0]
        assert (told.is_user_integration(), told.context.private_channel, str(told.locale)) == (
            True,
            True,
            "en-US",
        )
        await told.edit_original_response(content="1")
        for number in range(5):
            await told.followup.send(str(number))
        with pytest.raises(discord.HTTPException, match="40094"):
            await told.followup.send("6")
        with pytest.raises(discord.Forbidden, match="50001"):
            await bot.get_partial_messageable(chat.id).send("eu")
        with pytest.raises(LookupError, match="private chat"):
            await chat.slash(ana, "card")
