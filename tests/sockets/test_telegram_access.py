"""The shipped program and who may use it, on Telegram: claimed, closed, opened for some, and the same after a crash."""

from pathlib import Path

from tests.fakes.lmstudio.server import FakeModel
from tests.fakes.telegram.server import Chat, Person
from tests.sockets.telegram_program import World, world

MINI = "acme/mini-1b"
OUTSIDE = "👋 Este bot é particular."
NOTHING = {"ADMINS": "", "ACCESS": ""}  # as a newcomer starts it


class Town:
    """People in private chats with the bot, by their names."""

    def __init__(self, w: World) -> None:
        self.w = w
        self.people: dict[str, tuple[Person, Chat]] = {"Ana": (w.ana, w.chat)}

    def person(self, name: str) -> Person:
        if name not in self.people:
            person = self.w.telegram.person(100 + len(self.people), name, language_code="pt-br")
            self.people[name] = (person, self.w.telegram.private(person))
        return self.people[name][0]

    def chat(self, name: str) -> Chat:
        self.person(name)
        return self.people[name][1]

    async def write(self, name: str, text: str) -> None:
        await self.chat(name).send(self.person(name), text)

    async def hears(self, name: str, text: str, words: str) -> None:
        """That person writes and the bot says these words."""
        await self.write(name, text)
        await self.w.says(words, self.chat(name))

    def told(self, name: str) -> list[str]:
        """The first line of everything that the bot has said to that person."""
        return [answer.text.split("\n")[0] for answer in self.chat(name).answers]


def code(w: World) -> str:
    """What the program printed for whoever started it: once in each language, and nowhere else."""
    lines = [line for line in w.bot.output if "/pair" in line]
    assert ["ainda não tem administrador" in line for line in lines] == [True, False]
    found = lines[0].rpartition(" ")[2]
    assert sum(found in line for line in w.bot.output) == 2
    return found


async def claimed(town: Town) -> None:
    """Nobody is served; whoever has the code from the terminal is the first administrator, and nobody after."""
    await town.hears("Ana", "oi", OUTSIDE)
    assert "Ele ainda não tem administrador." in town.chat("Ana").answers[-1].text
    await town.hears("Bia", "/start", OUTSIDE)
    await town.hears("Bia", "/pair ABCD-EFGH-JKMN", "É outro.")
    secret = code(town.w)
    await town.hears("Ana", f"/pair {secret.lower()}", "primeiro administrador")
    await town.write("Bia", f"/pair {secret}")
    await town.hears("Ana", "oi", "You said: oi")


async def closed(town: Town) -> None:
    """A stranger gets one card a day whatever is tried, also things that are no words; nothing reaches a model."""
    asked = len(town.w.lmstudio.bodies)
    await town.hears(
        "Cid", "oi", f"{OUTSIDE}\nSe quiser usá-lo, passe este número a quem cuida dele: telegram:"
    )
    for text in ("/models", "/people", "/unload mini force", "ei!"):
        await town.write("Cid", text)
    await town.chat("Cid").other(town.person("Cid"), "sticker")
    await town.chat("Cid").document(town.person("Cid"), "x.exe", b"MZ", caption="/allow")
    await town.hears("Duda", "oi", OUTSIDE)
    await town.hears("Ana", "/models", "📚 Modelos")
    assert town.told("Cid") == [OUTSIDE]
    assert len(town.w.lmstudio.bodies) == asked
    assert town.w.telegram.count("getFile") == 0


async def decided(town: Town) -> None:
    """The list has buttons for those who knocked: one is let in and answered, one is sent away."""
    await town.write("Ana", "/pessoas")
    listing = await town.w.says("👥 Pessoas")
    assert {"✅ Permitir Duda", "⛔ Negar Cid"} <= set(listing.labels)
    await listing.press(town.w.ana, "✅ Permitir Duda")
    done = await town.w.says("agora membro")
    await done.press(town.w.ana, "👥 Pessoas")
    listing = await town.w.says("👥 Pessoas")
    await listing.press(town.w.ana, "⛔ Negar Cid")
    await town.w.says("sem acesso")
    await town.hears("Duda", "oi de novo", "You said: oi de novo")
    await town.hears("Duda", "/reset", "Você não pode usar /reset aqui.")
    await town.hears("Duda", "/people", "É preciso ser ao menos: administrador.")


async def in_a_group(town: Town) -> None:
    """A group is let in as guests, but for those sent away by name; a reply lets in whoever wrote what it answers."""
    w, me = town.w, town.w.telegram.bot.username
    eva, cid = town.person("Eva"), town.person("Cid")
    group = w.telegram.group([w.ana, eva, cid], [])
    knock = await group.send(eva, f"@{me} posso?")
    await w.says(OUTSIDE, group)
    await group.send(w.ana, f"/allow@{me} aqui convidado Turma")
    await w.says("Turma (telegram:-", group)
    await group.send(cid, f"@{me} e eu?")
    await group.send(eva, f"@{me} e agora?")
    await w.says("You said: e agora?", group)
    await group.send(eva, f"/load@{me} mini")
    await w.says("Você não pode usar /load aqui.", group)
    await group.send(eva, f"@{me} mais uma?")
    await w.says("Mensagens por minuto: no máximo 2.\nA próxima é aceita em", group)
    await group.send(w.ana, f"/allow@{me}", reply_to=knock)
    await w.says("Eva (telegram:", group)
    assert not any(m.reply_to is not None and m.reply_to.text.endswith("e eu?") for m in group.answers)
    await town.hears("Eva", "em particular", "You said: em particular")


async def as_before(town: Town) -> None:
    """After a kill -9 everybody is what each was, no stranger is told twice on one day, and no code is printed."""
    await town.w.restart()
    await town.write("Cid", "oi")
    await town.write("Bia", "oi")
    await town.hears("Duda", "ainda?", "You said: ainda?")
    await town.hears("Ana", "/people", "⛔ Cid")
    assert town.told("Cid") == [OUTSIDE]
    assert town.told("Bia") == [OUTSIDE, "⚠️ O código não foi aceito."]
    assert not [line for line in town.w.bot.output if "/pair" in line]


async def test_who_may_use_it(tmp_path: Path) -> None:
    """From the first start to the day after a crash."""
    model = FakeModel(MINI, "Mini 1B", params="1B")
    async with world(tmp_path, [model], MINI, GUEST_MESSAGES_PER_MINUTE="2", **NOTHING) as w:
        town = Town(w)
        for scene in (claimed, closed, decided, in_a_group, as_before):
            await scene(town)


async def test_open_doors(tmp_path: Path) -> None:
    """With ACCESS=open everybody is a guest with a day's tokens; ADMINS administer without any code, and send away."""
    model = FakeModel(MINI, "Mini 1B", params="1B")
    async with world(
        tmp_path, [model], MINI, ACCESS="open", ADMINS="telegram:42", GUEST_TOKENS_PER_DAY_LOCAL="1"
    ) as w:
        town = Town(w)
        await town.hears("Bia", "oi", "You said: oi")
        await town.hears("Bia", "e mais?", "Tokens de modelos locais por dia: 1. Acabaram.\nHá novos em ")
        await w.restart()
        await town.hears("Bia", "e agora?", "Há novos em ")
        assert len(w.lmstudio.bodies) == 1
        await town.hears("Ana", "oi", "You said: oi")
        await town.hears("Ana", "/people", "Bia — convidado")
        assert "tokens de hoje: " in w.chat.answers[-1].text
        await town.hears("Bia", "/status", "É preciso ser ao menos: membro.")
        number = town.person("Bia").id
        await town.hears("Ana", f"/deny {number}", "sem acesso")
        await town.hears("Bia", "oi?", OUTSIDE)
        assert not [line for line in w.bot.output if "/pair" in line]
