"""A list of models on Telegram that follows what happens to them."""

from pathlib import Path

from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.program import PATIENCE
from tests.sockets.telegram_program import world

NOVA = "acme/nova-8b"


async def test_the_list_stays_alive(tmp_path: Path) -> None:
    """A model that is loaded elsewhere changes its mark in the list that stands there, in a group with its buttons."""
    async with world(tmp_path, [FakeModel(NOVA, "Nova 8B")], ACCESS="open") as w:
        guest = w.telegram.person(400, "Zoe", language_code="pt-br")
        group = w.telegram.group([w.ana, guest])
        await group.send(w.ana, "/models")
        await w.says("💤 acme/nova-8b", group)
        await w.chat.send(w.ana, "/models")
        standing = await w.says("💤 acme/nova-8b")
        assert "🔄 Atualizar" in standing.labels
        bia = w.telegram.person(43, "Bia", language_code="pt-br")
        await w.telegram.private(bia).send(bia, "/load nova")
        assert await w.says("✓ acme/nova-8b") is standing
        (shared,) = group.answers
        assert await w.says("✓ acme/nova-8b", group) is shared
        refused = await (await shared.press(guest, "🔄 Atualizar")).answered(PATIENCE)
        assert "Só quem perguntou" in refused.text
        await standing.press(w.ana, "🔄 Atualizar")
        await w.ask("/help", "❓ Comandos")
        assert len([m for m in w.chat.answers if NOVA in m.text]) == 1
