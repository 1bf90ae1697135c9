"""Figures on Telegram: a picture with its words, and a measurement."""

from pathlib import Path

from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.telegram_program import world

NOVA = "acme/nova-8b"


async def test_figures(tmp_path: Path) -> None:
    """After an answer /stats is a PNG with a caption; /bench tells the first word and the pace."""
    model = FakeModel(NOVA, "Nova 8B", token_delay=0.01)
    async with world(tmp_path, [model], NOVA) as w:
        await w.ask("oi", "")
        await w.chat.send(w.ana, "/stats")
        shown = await w.says("📊 Esta conversa")
        assert "Respostas: 1 (1 completas" in shown.text
        assert (shown.file or b"").startswith(b"\x89PNG\r\n\x1a\n")
        await w.ask("/bench nova", "🏁 Medição de Nova 8B")
        told = await w.says("🏁 nova-8b")
        assert "1.ª palavra em" in told.text
        assert "tokens/s" in told.text
