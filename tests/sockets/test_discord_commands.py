"""The shipped program's commands on Discord: the menu in two languages, completion, and that it is sent once."""

import asyncio
from pathlib import Path

from bot.commands import COMMANDS as TABLE
from tests.fakes.discord.server import FIRST_PERSON, Channel, FakeDiscord
from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import ANA, SYNC, World, world
from tests.sockets.program import PATIENCE

NOVA, MINI = "acme/nova-8b", "acme/mini-1b"
MODELS = {
    "pt-BR": "Mostrar os modelos e a situação de cada um",
    "en": "Show the models and the state of each",
}
COMMANDS = (  # in Portuguese, but for the answer of /lang
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
    ("lang", "en", "From now on I speak English"),
    ("ask", "e agora?", "You said: e agora?"),
    ("stats", "", "📊 Esta conversa"),
    ("bench", "mini", "🏁 Medição de"),
    ("key", "", "🔑 Chaves de APIs externas"),
    ("reload", "", "🔧 Configuração lida de novo"),
    ("here", "", "Aqui já ouço tudo"),
    ("thread", "", "Aqui não dá para abrir"),
    ("pair", "", "Você já é administrador"),
    ("people", "", "👥 Pessoas"),
    ("allow", "discord:777", "✅ discord:777: agora membro"),
    ("deny", "discord:779", "⛔ discord:779: sem acesso"),
)
LIFE = (
    ("load", "nova", 'Modelo "Nova 8B" carregado com sucesso'),
    ("unload", "nova", 'Modelo "Nova 8B" descarregado'),
)


def models() -> list[FakeModel]:
    return [FakeModel(NOVA, "Nova 8B"), FakeModel(MINI, "Mini 1B", size_bytes=1_000_000_000, params="1B")]


async def test_every_command(tmp_path: Path) -> None:
    """Each of the table is in the menu and tried here, so that a new one must be; each is answered in time."""

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
        [option] = told["options"]
        assert (option["name"], option["name_localizations"]["pt-BR"]) == ("filter", "filtro")
        assert option["description"] == f"[FILTER] [PAGE] — {MODELS['en']}"
        assert option["description_localizations"]["pt-BR"] == f"[FILTRO] [PÁGINA] — {MODELS['pt-BR']}"
        assert {0, 1, 2} <= set(told["contexts"])
        assert {0, 1} <= set(told["integration_types"])
        await w.bot.says("commands told")
        await w.restart()
        await w.bot.says("discord is ready")
        await (await w.run("help")).says("❓ Comandos", PATIENCE)
        assert w.discord.count(SYNC) == 1
        await w.restart(dead=lambda: _another(w.discord))
        await w.discord.wait_for(SYNC, 2, timeout=PATIENCE)
        assert w.discord.count(SYNC) == 2
        assert w.discord.commands().keys() == {command.name for command in TABLE}


async def _another(discord: FakeDiscord) -> None:
    """The token is that of another application, which has no menu yet."""
    discord.world.backend.application_id = discord.world.backend.snowflake()
    discord.world.backend.commands.clear()


async def offered(w: World, command: str, typed: str, chat: Channel | None = None) -> list[str]:
    """What the owner of a private chat may choose from."""
    place = chat or w.chat
    option = w.discord.commands()[command]["options"][0]["name"]
    press = await place.autocomplete(w.owner(place), command, option, typed)
    return [choice["name"] for choice in await press.choices(PATIENCE)]


async def test_models_are_completed(tmp_path: Path) -> None:
    """With their state, the best first, at most 25."""
    many = [*models(), *(FakeModel(f"zeta/model-{n:03}", f"Model {n:03}") for n in range(60))]
    async with world(tmp_path, many, MINI) as w:
        await w.synced()
        for command in ("models", "use", "load", "unload", "bench", "stats"):
            assert len(await offered(w, command, "")) == 25
            first, *_ = await offered(w, command, "mini")
            assert first.startswith("✓ Mini 1B — 127.0.0.1")


CHOICES = (
    ("lang", "p", "Português (Brasil)", "Português (Brasil)"),
    ("lang", "eng", "English", "English"),
    ("system", "", "🧹 Apagar a instrução", "🧹 Clear the instruction"),
    ("stats", "", "📊 O bot inteiro", "📊 The whole bot"),
    ("key", "", "definir openai — OpenAI", "set openai — OpenAI"),
    ("key", "set o", "set openai — OpenAI", "set openai — OpenAI"),
    ("key", "definir openai ", "definir openai compartilhada — OpenAI", "definir openai shared — OpenAI"),
    ("people", "", "👋 Zoe — convidado", "👋 Zoe — guest"),
    ("people", "", "esquecer: Zoe — discord:777", "forget: Zoe — discord:777"),
    ("allow", "discord:777 ", "👤 Zoe — membro", "👤 Zoe — member"),
    ("people", "esq", "esquecer: Zoe — discord:777", "esquecer: Zoe — discord:777"),
    ("allow", "discord:777 a", "👑 Zoe — administrador", "👑 Zoe — administrator"),
    ("deny", "zo", "👋 Zoe — convidado", "👋 Zoe — guest"),
)
FREE = frozenset({"ask", "thread", "pair"})  # a question, a name, a code: nothing to choose from


async def test_choices_are_completed(tmp_path: Path) -> None:
    """Whatever a command may be followed by, each time in the reader's language; keys and codes never."""
    two = f"{ANA},discord:{FIRST_PERSON + 1}"
    async with world(tmp_path, models(), MINI, ADMINS=two) as w:
        await w.synced()
        with_words = {name for name, told in w.discord.commands().items() if told.get("options")}
        assert with_words - {command.name for command in TABLE if command.completes} == FREE
        english = w.someone("Bob", "en-GB")
        await (await w.run("allow", "discord:777 convidado Zoe")).says("Zoe", PATIENCE)
        for command, typed, in_portuguese, in_english in CHOICES:
            assert in_portuguese in await offered(w, command, typed)
            assert in_english in await offered(w, command, typed, english)
        assert await offered(w, "key", "definir openai sk-") == []


async def test_figures(tmp_path: Path) -> None:
    """/stats is a PNG and its words, in one message, which is the answer to the interaction."""
    async with world(tmp_path, models(), MINI) as w:
        await w.ask("oi", "You said: oi")
        press = await w.run("stats")
        shown = await w.chat.wait_for(lambda m: m.by_bot and bool(m.files), timeout=PATIENCE)
        assert "📊 Esta conversa" in shown.text
        assert "Respostas: 1 (1 completas" in shown.text
        [picture] = shown.files.values()
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")
        assert shown is press.message
        assert len([m for m in w.chat.answers if "📊" in m.text]) == 1


async def test_others_private_chats(tmp_path: Path) -> None:
    """Whoever has installed the bot uses its commands there, in their own language."""
    async with world(tmp_path, models(), MINI) as w:
        bia = w.discord.person("Bia", locale="en-US")
        chat = w.discord.foreign(w.ana, bia)
        press = await w.run("help", chat=chat, person=bia)
        await press.says("❓ Commands", PATIENCE)


async def test_choices_and_pages_turn_in_place(tmp_path: Path) -> None:
    """The next page replaces the page; an option of a question becomes what it did; both also after a kill -9."""
    many = [FakeModel(f"acme/model-{n:02}", f"Model {n:02}") for n in range(45)]
    async with world(tmp_path, many) as w:
        listing = await (await w.run("models")).says("página 1 de", PATIENCE)
        question = await (await w.run("lang")).says("Em que língua devo falar?", PATIENCE)
        for page in (2, 3):
            following = next(label for label in listing.labels if "Próxima" in label)
            assert await (await listing.press(w.ana, following)).answered(PATIENCE) == "deferred_update"
            await w.says(f"página {page} de 3")
            assert f"página {page} de 3" in listing.text
            if page == 2:
                await w.restart()
        await question.press(w.ana, "English")
        await w.says("From now on I speak English")
        assert "From now on I speak English" in question.text
        assert len(w.chat.answers) == 2
