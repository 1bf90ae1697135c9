"""The shipped program on Discord as an app that only a person has installed, in places where the bot is not."""

from pathlib import Path

import pytest

from tests.fakes.discord.guests import Place
from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import ANA, world
from tests.sockets.program import PATIENCE

NOVA = "acme/nova-8b"


@pytest.mark.parametrize("place", Place)
async def test_a_question_where_the_bot_is_not(tmp_path: Path, place: Place) -> None:
    """The load card, the answer, its buttons and whose they are: all by the interaction, within five follow-ups."""
    nova = FakeModel(NOVA, "Nova 8B", load_seconds=3, progress_steps=10, reply="quarenta e dois")
    async with world(tmp_path, [nova], ADMINS=ANA, ACCESS="open") as w:
        await w.synced()
        bia = w.discord.person("Bia")
        chat = w.discord.foreign(w.ana, bia, place=place)
        press = await w.run("ask", "qual é a resposta?", chat=chat, person=w.ana)
        assert await press.answered(PATIENCE) == "deferred"
        await press.says("Carregando", PATIENCE)
        answer = await chat.wait_for(lambda m: m.by_bot and "🔁 Refazer" in m.labels, timeout=PATIENCE)
        assert "quarenta e dois" in answer.text
        assert len(press.follow_ups) <= 5
        await (await answer.press(bia, "🔁 Refazer")).says("Só quem perguntou", PATIENCE)
        nova.reply = "quarenta e três"
        again = await answer.press(w.ana, "🔁 Refazer")
        await chat.says("quarenta e três", timeout=PATIENCE)
        assert len(again.follow_ups) <= 5
        assert not w.discord.journal.matching(f"/channels/{chat.id}/*")
        listening = await w.run("here", chat=chat, person=w.ana)
        await listening.says("Aqui não me mostram tudo", PATIENCE)
