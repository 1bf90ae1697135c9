"""The shipped program's commands on Discord: the menu in two languages, completion, and that it is sent once."""

import asyncio
from pathlib import Path

from bot.commands import COMMANDS as TABLE
from tests.fakes.discord.server import Channel, FakeDiscord
from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import SYNC, World, world
from tests.sockets.program import PATIENCE

NOVA, MINI = "acme/nova-8b", "acme/mini-1b"
MODELS = {
    "pt-BR": "Mostrar os modelos e a situação de cada um",
    "en": "Show the models and the state of each",
}
COMMANDS = (
    ("start", "", "Aqui você conversa"),
    ("help", "", "❓ Comandos"),
    ("models", "", "📚 Modelos"),
    ("use", "nova", 'Agora uso "Nova 8B"'),
    ("status", "", "📋 Situação"),
    ("suggest", "", "💡 Sugestão"),
    ("reset", "", "♻️ Tudo verificado de novo"),
    ("new", "", "🆕 Conversa nova"),
    ("stop", "", "Não há nada em andamento"),
    ("retry", "", "Ainda não há pergunta"),
    ("system", "seja breve", "Instrução definida"),
    ("lang", "en", "English"),
    ("ask", "e agora?", "You said: e agora?"),
    ("stats", "", "📊 Esta conversa"),
    ("bench", "mini", "🏁 Medição de"),
    ("key", "", "🔑 Chaves de APIs externas"),
    ("reload", "", "🔧 Configuração lida de novo"),
    ("here", "", "Aqui já ouço tudo"),
    ("thread", "", "Aqui não dá para abrir"),
    ("pair", "", "Você já é administrador"),
    ("people", "", "👥 Pessoas"),
    ("allow", "discord:777", "discord:777"),
    ("deny", "discord:779", "discord:779"),
)
LIFE = (
    ("load", "nova", 'Modelo "Nova 8B" carregado com sucesso'),
    ("unload", "nova", 'Modelo "Nova 8B" descarregado'),
)


def models() -> list[FakeModel]:
    return [FakeModel(NOVA, "Nova 8B"), FakeModel(MINI, "Mini 1B", size_bytes=1_000_000_000, params="1B")]


async def test_every_command(tmp_path: Path) -> None:
    """Each of the table is in the menu, and answered in time and in Portuguese; each in a chat of its own."""

    async def runs(w: World, chat: Channel, commands: tuple[tuple[str, str, str], ...]) -> None:
        for name, argument, words in commands:
            press = await w.run(name, argument, chat)
            await press.answered(PATIENCE)
            await press.says(words, PATIENCE)

    async with world(tmp_path, models(), MINI) as w:
        await w.synced()
        tried = {name for name, _, _ in (*COMMANDS, *LIFE)}
        assert tried == set(w.discord.commands()) == {command.name for command in TABLE}
        async with asyncio.TaskGroup() as group:
            group.create_task(runs(w, w.chat, LIFE))
            for number, command in enumerate(COMMANDS):
                group.create_task(runs(w, w.someone(f"P{number}"), (command,)))


async def test_the_menu_is_in_two_languages_and_sent_only_when_it_changed(tmp_path: Path) -> None:
    """Names, descriptions and options carry pt-BR and English; a restart sends nothing, another bot gets it too."""
    async with world(tmp_path, models(), MINI) as w:
        await w.synced()
        told = w.discord.commands()["models"]
        assert told["description_localizations"]["pt-BR"] == MODELS["pt-BR"]
        assert told["description"] == MODELS["en"]
        assert told["name_localizations"]["pt-BR"] == "modelos"
        assert {0, 1, 2} <= set(told["contexts"])
        assert {0, 1} <= set(told["integration_types"])
        await w.bot.says("commands told")
        await w.restart()
        await (await w.run("help")).says("❓ Comandos", PATIENCE)
        assert w.discord.count(SYNC) == 1
        await w.restart(dead=lambda: _another(w.discord))
        await w.discord.wait_for(SYNC, 2, timeout=PATIENCE)


async def _another(discord: FakeDiscord) -> None:
    """The token is that of another application, which has no menu yet."""
    discord.world.backend.application_id = discord.world.backend.snowflake()
    discord.world.backend.commands.clear()


async def test_what_is_typed_is_completed(tmp_path: Path) -> None:
    """Models with their state, best first; at most 25; languages, vendors, people and a command's own choices."""
    many = [*models(), *(FakeModel(f"zeta/model-{n:03}", f"Model {n:03}") for n in range(60))]
    async with world(tmp_path, many, MINI) as w:
        await w.synced()

        async def offered(command: str, typed: str) -> list[str]:
            option = w.discord.commands()[command]["options"][0]["name"]
            press = await w.chat.autocomplete(w.ana, command, option, typed)
            return [choice["name"] for choice in await press.choices(PATIENCE)]

        assert len(await offered("use", "")) == 25
        first = (await offered("use", "mini"))[0]
        assert "mini" in first.lower()
        assert "✓" in first
        assert any("Portugu" in name for name in await offered("lang", "p"))
        assert await offered("system", "") == ["🧹 Apagar a instrução"]
        assert any("set openai" in name for name in await offered("key", "set o"))
        await (await w.run("allow", "discord:777 Zoe")).says("Zoe", PATIENCE)
        assert "👋 Zoe — convidado" in await offered("allow", "discord:777 ")
        assert "esquecer: Zoe — discord:777" in await offered("people", "esquecer")


async def test_figures(tmp_path: Path) -> None:
    """/stats is a picture under its words, in the place of what was shown while it was drawn."""
    async with world(tmp_path, models(), MINI) as w:
        await w.ask("oi", "You said: oi")
        press = await w.run("stats")
        shown = await w.chat.wait_for(lambda m: m.by_bot and bool(m.files), timeout=PATIENCE)
        assert "📊 Esta conversa" in shown.text
        assert "Respostas: 1 (1 completas" in shown.text
        [picture] = shown.files.values()
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")
        assert press.message is not None
        assert len([m for m in w.chat.answers if "📊" in m.text]) == 1


async def test_others_private_chats(tmp_path: Path) -> None:
    """Whoever has installed the bot uses its commands there, in their own language."""
    async with world(tmp_path, models(), MINI) as w:
        bia = w.discord.person("Bia", locale="en-US")
        chat = w.discord.foreign(w.ana, bia)
        press = await w.run("help", chat=chat, person=bia)
        await press.says("❓ Commands", PATIENCE)


async def _choose(w: World) -> None:
    card = await (await w.run("lang")).says("Em que língua devo falar?", PATIENCE)
    if card.options:
        await card.choose(w.ana, "English")
    else:
        await card.press(w.ana, "English")
    await w.says("From now on I speak English")


async def test_choices_and_pages_turn_in_place(tmp_path: Path) -> None:
    """The next page replaces the page; an option of a question becomes what it did; also after a kill -9."""
    many = [FakeModel(f"acme/model-{n:02}", f"Model {n:02}") for n in range(45)]
    async with world(tmp_path, many) as w:
        listing = await (await w.run("models")).says("página 1 de", PATIENCE)
        await w.restart()
        await listing.press(w.ana, next(label for label in listing.labels if "Próxima" in label))
        await w.says("página 2 de")
        assert "página 2 de" in listing.text
        await _choose(w)
