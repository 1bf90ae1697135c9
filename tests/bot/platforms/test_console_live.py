"""The answer under way, as it is drawn."""

import io

from bot.cards import Button, Progress, Reply
from bot.platforms.console.live import LiveAnswer, open_console
from bot.platforms.console.wording import ConsoleTexts

STOP = (Button("⏹ Parar", "stop"),)
REDO = (Button("🔁 Refazer", "retry"),)


class Screen(io.StringIO):
    """A terminal that remembers everything written to it."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


async def test_buttons_stand_only_where_a_number_can_be_typed() -> None:
    """While an answer runs there is no prompt: its buttons appear with the last card."""
    screen = Screen()
    live = LiveAnswer(open_console(screen), ConsoleTexts())
    live.begin()
    post = await live.post(Progress("Carregando", 0.5, buttons=STOP))
    await live.edit(post, Reply("meia resposta", done=False, buttons=STOP))
    assert "Parar" not in screen.getvalue()
    live.finish(Reply("resposta inteira", done=True, buttons=REDO))
    assert "[1]" in screen.getvalue()
    assert "Refazer" in screen.getvalue()
