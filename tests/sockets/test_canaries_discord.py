"""The search for planted keys, where Discord is the platform."""

from pathlib import Path
from typing import Any

from tests.fakes.lmstudio.server import FakeModel
from tests.sockets.discord_program import ANA, world
from tests.sockets.keyvendor import OTHERS, OWN, WRONG
from tests.sockets.program import PATIENCE
from tests.sockets.test_canaries import MINI, files, found, plot, without
from tests.sockets.test_discord_forms import told


async def test_on_discord(tmp_path: Path) -> None:
    """Its log at DEBUG, its messages and calls, its web pages, its tools, its files, a backup: no secret anywhere."""
    async with plot(tmp_path) as p:
        settings: dict[str, Any] = without(p.settings(ADMINS=ANA, PLATFORMS="discord"), "DISCORD")
        settings.pop("LMSTUDIO_TOKEN")
        async with world(p.data, [FakeModel(MINI, "Mini 1B")], MINI, **settings) as w:
            await (await told(w, w.ana, WRONG)).says("não aceitou a chave", PATIENCE)
            await (await told(w, w.ana, OWN)).says("OpenAI aceitou a chave", PATIENCE)
            await (await w.run("use", "gpt-6-mini")).says("Agora uso", PATIENCE)
            for what in p.quoting():
                p.vendor.script.extend([what] * 5)
                before = len(w.chat.answers)
                await w.chat.send(w.ana, "uma pergunta?")
                await w.chat.wait_for(lambda m: m in w.chat.answers[before:], timeout=PATIENCE)  # noqa: B023  # at once
                p.vendor.script.clear()
            room = w.discord.guild("Casa", w.ana).channel("geral")
            await room.send(w.ana, f"<@{w.discord.bot.id}> {OTHERS}")
            await room.says("parece uma chave", PATIENCE)
            await (await w.run("key", "test openai")).says("aceita a chave", PATIENCE)
            line = await w.bot.says("http server listens")
            await p.web(line.partition("address='")[2].partition("'")[0])
            await p.tools()
            p.saw("log", "\n".join(w.bot.output))
            p.saw("messages", "\n".join(m.text for m in w.discord.world.messages.values() if m.by_bot))
            p.saw("calls", "\n".join(str(call.body) for call in w.discord.calls))
        assert OWN in p.vendor.paid, "it was really used"
        assert p.leaks() == []
        assert found({**p.seen, **files(p.data)}, [w.discord.token]) == []
