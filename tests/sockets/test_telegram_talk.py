"""The shipped program on Telegram, in a private chat: commands, loading, streaming, buttons."""

import asyncio
from itertools import pairwise
from pathlib import Path

from bot.commands import BY_NAME
from tests.fakes.lmstudio.catalog import Messages
from tests.fakes.lmstudio.server import FakeModel
from tests.fakes.telegram.server import Chat
from tests.sockets.program import PATIENCE
from tests.sockets.telegram_program import World, world

NOVA, MINI = "acme/nova-8b", "acme/mini-1b"
COMMANDS: list[dict[str, str]] = [
    {"/start": "Aqui você conversa"},
    {"/help": "❓ Comandos"},
    {"/ajuda": "❓ Comandos"},
    {"/ask e aí?": "You said: e aí?"},
    {"/perguntar e agora?": "You said: e agora?"},
    {"/models": "📚 Modelos"},
    {"/modelos nova": "com “nova”"},
    {"/use nova": 'Agora uso "Nova 8B"'},
    {"/usar mini": 'Agora uso "Mini 1B"'},
    {"/load nova": 'Modelo "Nova 8B" carregado com sucesso', "/unload nova": 'Modelo "Nova 8B" descarregado'},
    {
        "/carregar lua": 'Modelo "Lua 3B" carregado com sucesso',
        "/descarregar lua": 'Modelo "Lua 3B" descarregado',
    },
    {"/status": "📋 Situação"},
    {"/stats": "📊 Esta conversa"},
    {"/estatisticas": "📊 Esta conversa"},
    {"/bench mini": "🏁 Medição de"},
    {"/medir mini": "🏁 Medição de"},
    {"/suggest": "💡 Sugestão"},
    {"/sugerir": "💡 Sugestão"},
    {"/reset": "♻️ Tudo verificado de novo"},
    {"/new": "🆕 Conversa nova"},
    {"/novo": "🆕 Conversa nova"},
    {"/stop": "Não há nada em andamento"},
    {"/parar": "Não há nada em andamento"},
    {"/retry": "Ainda não há pergunta"},
    {"/refazer": "Ainda não há pergunta"},
    {"/system seja breve": "Instrução definida"},
    {"/sistema seja claro": "Instrução definida"},
    {"/lang en": "English", "/idioma pt-BR": "falo português"},
    {"/key": "🔑 Chaves de APIs externas"},
    {"/chave": "🔑 Chaves de APIs externas"},
    {"/reload": "🔧 Configuração lida de novo"},
    {"/recarregar": "🔧 Configuração lida de novo"},
    {"/here": "Aqui já ouço tudo"},
    {"/aqui": "Aqui já ouço tudo"},
    {"/thread": "são para servidores do Discord"},
    {"/topico": "são para servidores do Discord"},
    {"/pair": "Você já é administrador"},
    {"/parear 123": "Você já é administrador"},
    {"/people": "👥 Pessoas"},
    {"/pessoas": "👥 Pessoas"},
    {"/allow telegram:777": "telegram:777"},
    {"/permitir telegram:778": "telegram:778"},
    {"/deny telegram:779": "telegram:779"},
    {"/negar telegram:780": "telegram:780"},
]
"""Each dictionary in a chat of its own: a chat bears one message a second."""


def models() -> list[FakeModel]:
    return [
        FakeModel(NOVA, "Nova 8B"),
        FakeModel(MINI, "Mini 1B", size_bytes=1_000_000_000, params="1B"),
        FakeModel("acme/lua-3b", "Lua 3B", params="3B"),
    ]


async def test_every_command(tmp_path: Path) -> None:
    """Each, and each other name of it, is answered in Portuguese and stands in the menu; a near one is offered."""
    tried = {command.split()[0] for commands in COMMANDS for command in commands}
    assert tried == {f"/{name}" for name in BY_NAME}
    async with world(tmp_path, models(), MINI) as w:
        for number, commands in enumerate(COMMANDS):
            person = w.telegram.person(100 + number, language_code="pt")
            chat = w.telegram.private(person)
            for command, words in commands.items():
                await chat.send(person, command)
                if len(commands) > 1:
                    await w.says(words, chat)
        for number, commands in enumerate(COMMANDS):
            for words in commands.values():
                await w.says(words, w.telegram.world.chats[100 + number])
        card = await w.ask("/modls", "Não conheço o comando /modls")
        assert "/models" in card.labels
        await (await card.press(w.ana, "/models")).answered()
        await w.telegram.wait_for("setMyCommands", 6, timeout=PATIENCE)
        for language, words in (
            ("", "Mostrar os modelos"),
            ("pt", "Mostrar os modelos"),
            ("en", "Show the models"),
        ):
            for scope in ("all_private_chats", "all_group_chats"):
                shown = [c for c in w.telegram.calls if c.method == "setMyCommands"]
                menu = next(
                    c.parameters["commands"]
                    for c in shown
                    if c.parameters.get("language_code", "") == language
                    and c.parameters["scope"]["type"] == scope
                )
                assert any(words in one["description"] for one in menu)
                assert {one["command"] for one in menu} == {command.name for command in BY_NAME.values()}


TOLD = "Um **texto** com `código` e mais palavras. " * 20


def speak(messages: Messages) -> str:
    """The model tells a story, goes on for ever, or tells what it heard."""
    asked = messages[-1]["content"]
    return {"conte": TOLD, "sem fim": "palavra " * 3000}.get(asked, f"ouvi: {asked}")


async def person(w: World, number: int, use: str = "nova", language: str = "pt-br") -> Chat:
    """The private chat of somebody who uses that model."""
    who = w.telegram.person(number, language_code=language)
    chat = w.telegram.private(who)
    await chat.send(who, f"/use {use}")
    await chat.wait_for(lambda m: m.by_bot, timeout=PATIENCE)
    return chat


async def english(w: World) -> None:
    """Cards, and what the platform itself says, follow the person's language."""
    chat = await person(w, 51, language="en")
    await chat.send(chat.owner, "/help")
    await w.says("❓ Commands", chat)
    await chat.other(chat.owner, "voice")
    await w.says("I cannot read this kind of message", chat)


async def loading(w: World) -> None:
    """A bar and two buttons while it loads, typing above; the same message becomes the answer, without drafts."""
    chat = await person(w, 52, "lazy")
    await chat.send(chat.owner, "oi")
    card = await w.says('🔄 Carregando modelo "Lazy 4B"…', chat)
    assert card.buttons == (("✖ Cancelar", "↪ Usar outro"),)
    assert card.covered("bold") == ['🔄 Carregando modelo "Lazy 4B"… Isso pode levar alguns minutos']
    await chat.wait_for_action(timeout=PATIENCE)
    await w.says("You said: oi", chat)
    assert "You said: oi" in card.text
    assert card.text.startswith("✅ Modelo carregado com sucesso")
    assert card.labels == ["🔁 Refazer"]
    assert len(chat.answers) == 2
    assert chat.drafts == []
    assert [edit for edit in card.edits if "█" in edit.text]
    assert all(b - a > 1.4 for a, b in pairwise([card.at, *card.edited[:-1]]))


async def drafts(w: World) -> None:
    """It grows in drafts of one number, half a second apart or more; Markdown becomes entities; one message stays."""
    chat = await person(w, 53)
    await chat.send(chat.owner, "conte")
    answer = await w.says("mais palavras.", chat)
    assert len(chat.answers) == 2
    assert answer.edits == []
    assert answer.text == TOLD.replace("*", "").replace("`", "").strip()
    assert "texto" in answer.covered("bold")
    assert "código" in answer.covered("code")
    assert len(chat.drafts) >= 3
    assert len({d.id for d in chat.drafts}) == 1
    assert all(b.at - a.at > 0.5 for a, b in pairwise(chat.drafts))
    assert chat.draft_log.unfinished() == []


async def stop(w: World, number: int, way: str) -> None:
    """By the draft's own button or by /stop, which overtakes: what had come stays."""
    chat = await person(w, number)
    await chat.send(chat.owner, "sem fim")
    await chat.wait_for_draft(lambda d: "palavra" in d.text, timeout=PATIENCE)
    await (chat.stop_draft() if way == "button" else chat.send(chat.owner, way))
    answer = await w.says("resposta parada", chat)
    assert answer.text.startswith("palavra")
    assert answer.covered("italic") == ["⏹ resposta parada"]


async def suggestion(w: World) -> None:
    """A failed load offers a model; one press switches and answers; the failure stays readable."""
    chat = await person(w, 56, "broken")
    await chat.send(chat.owner, "qual é a capital?")
    card = await w.says('⚠️ Modelo "Broken 2B" não está disponível.', chat)
    label = next(label for label in card.labels if label.startswith("💡 Usar"))
    assert (await (await card.press(chat.owner, label)).answered()).text == ""
    answer = await chat.wait_for(lambda m: m.by_bot and m.labels == ["🔁 Refazer"], timeout=PATIENCE)
    assert "qual é a capital?" in answer.text
    assert answer is not card


async def order(w: World) -> None:
    """Two questions of one person are answered one after the other, as they came."""
    chat = await person(w, 57, "mini")
    await chat.send(chat.owner, "primeira")
    await chat.send(chat.owner, "segunda")
    await w.says("You said: segunda", chat)
    assert ["primeira" in chat.answers[1].text, "segunda" in chat.answers[2].text] == [True, True]


async def test_private_chats(tmp_path: Path) -> None:
    """All of the scenes above at once, each in a chat of its own."""
    there = [
        FakeModel(NOVA, "Nova 8B", reply=speak, token_delay=0.03, parallel=8),
        FakeModel(MINI, "Mini 1B", params="1B"),
        FakeModel("acme/lazy-4b", "Lazy 4B", load_seconds=3.5, progress_steps=20),
        FakeModel("acme/broken-2b", "Broken 2B", load_error="Received load-error"),
    ]
    async with world(tmp_path, there, NOVA, MINI) as w:
        async with asyncio.TaskGroup() as scenes:
            for scene in (english, loading, drafts, suggestion, order):
                scenes.create_task(scene(w), name=scene.__name__)
            for number, way in ((54, "button"), (55, "/stop")):
                scenes.create_task(stop(w, number, way), name=f"stop by {way}")
        await w.lmstudio.wait_for("generation_stopped", 2, timeout=PATIENCE)
        said = ("capital", "segunda", "texto", "palavra")
        assert not [line for line in w.bot.output if any(word in line for word in said)], (
            "no word of anybody's is logged"
        )


async def test_pages_and_choices_turn_in_place(tmp_path: Path) -> None:
    """The next page of a list replaces the page; an option of a question becomes what it did."""
    many = [FakeModel(f"acme/model-{n:02}", f"Model {n:02}") for n in range(45)]
    async with world(tmp_path, many) as w:
        listing = await w.ask("/models", "página 1 de 3")
        await (await listing.press(w.ana, "▶ Próxima")).answered()
        await w.chat.wait_for(lambda m: "página 2 de 3" in m.text, timeout=PATIENCE)
        assert "página 2 de 3" in listing.text
        assert len(w.chat.answers) == 1
        choice = await w.ask("/lang", "Em que língua devo falar?")
        await (await choice.press(w.ana, "English")).answered()
        await w.says("From now on I speak English")
        assert len(w.chat.answers) == 2


async def test_rich_messages(tmp_path: Path) -> None:
    """Where the setting allows it the finished answer is one that Telegram sets; where it is refused, by entities."""
    table = "# Preços\n\n| fruta | R$ |\n|---|---|\n| caju | 3 |"
    async with world(tmp_path, [FakeModel(NOVA, reply=table)], NOVA, TELEGRAM_RICH="true") as w:
        w.telegram.switches.rich_messages = True
        answer = await w.ask("quanto?", "caju")
        assert answer.rich is not None
        assert answer.text == table
        assert answer.labels == ["🔁 Refazer"]
        w.telegram.fault("sendRichMessage", "status:400", text="Bad Request: RICH_MESSAGE_INVALID")
        await (await answer.press(w.ana, "🔁 Refazer")).answered(PATIENCE)
        again = await w.chat.wait_for(lambda m: m.by_bot and m.rich is None, timeout=PATIENCE)
        assert "caju" in again.text
        assert again.covered("pre")
