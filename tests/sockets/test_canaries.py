"""Keys and tokens are planted in every place there is; then everything that the program wrote or said is searched."""

import base64
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.fakes.telegram.switches import TOKEN
from tests.fakes.vendors.script import Row, Say
from tests.sockets.keyvendor import OTHERS, OWN, WRONG, QuotingOpenAI
from tests.sockets.program import program
from tests.sockets.telegram_program import World, world
from tests.sockets.test_backup import tool

MINI = "acme/mini-1b"
MASTER = base64.b64encode(b"canary-master-key-of-32-bytes-ok").decode()
SECRETS = {
    "OPENAI_API_KEY": "sk-canary-Set0123456789abcdeWXYZ",
    "ANTHROPIC_API_KEY": "sk-ant-canary-0123456789abcdefg",
    "GOOGLE_API_KEY": "AIzaCanary0123456789abcdefghijk",
    "MISTRAL_API_KEY": "CanaryMistral0123456789abcdefgh",
    "HF_TOKEN": "hf_canary0123456789abcdefghijkl",
    "COHERE_API_KEY": "CanaryCohere0123456789abcdefghi",
    "GENSPARK_API_KEY": "gsk-canaryGenspark0123456789abc",
    "AI21_API_KEY": "CanaryAi210123456789abcdefghijk",
    "GROQ_API_KEY": "gsk_canary0123456789abcdefghijk",
    "LMSTUDIO_TOKEN": "sk-lm-canary:0123456789ABCDEFGHIJ",
    "METRICS_TOKEN": "canary-metrics-0123456789",
    "TELEGRAM_WEBHOOK_SECRET": "canary_webhook_0123456789",
    "DISCORD_BOT_TOKEN": "Canary0MTIzNDU2.Discord.0123456789abcdef",
    "TELEGRAM_BOT_TOKEN": TOKEN,
}
NOWHERE = "http://127.0.0.1:9"
GIVEN = (OWN, OTHERS, WRONG)


def forms(secret: str) -> Iterable[bytes]:
    """A secret as it is, and as it looks in an address, in base64, in JSON, and with its ends cut off."""
    raw = secret.encode()
    yield from (raw, quote(secret, safe="").encode(), secret.encode("unicode_escape"))
    middle = raw[4:-4]
    if len(middle) >= 12:  # shorter ones may be there by chance
        yield middle
    for cut in range(3):  # base64 looks different at each place of three
        yield base64.b64encode(raw[cut:])[4:-4]


def found(where: Mapping[str, bytes], secrets: Iterable[str]) -> list[tuple[str, str]]:
    """Where which secret can be read."""
    return [
        (place, secret)
        for place, content in where.items()
        for secret in secrets
        if any(form in content for form in forms(secret))
    ]


def without(settings: Mapping[str, str], *platforms: str) -> dict[str, str]:
    """The settings without what leads to those platforms: whoever starts the program knows it better."""
    names = {f"{platform}_{name}" for platform in platforms for name in ("BOT_TOKEN", "API_ROOT")}
    return {name: value for name, value in settings.items() if name not in names}


def files(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@dataclass
class Plot:
    """Servers that quote whatever key they are given, and everything that was seen."""

    data: Path
    vendor: QuotingOpenAI
    seen: dict[str, bytes] = field(default_factory=dict)

    def settings(self, **more: str) -> dict[str, str]:
        bases = ("OPENAI", "ANTHROPIC", "GOOGLE", "MISTRAL", "HUGGINGFACE", "COHERE", "AI21", "GENSPARK")
        return {
            **SECRETS,
            **{f"{name}_BASE_URL": self.vendor.base for name in bases},
            "OPENAI_COMPATIBLE": f"groq={self.vendor.base}",
            "TELEGRAM_API_ROOT": NOWHERE,  # of the tools
            "DISCORD_API_ROOT": NOWHERE,
            "SYNC_EVERY": "1",
            "LOG_LEVEL": "DEBUG",
            "HTTP_PORT": "0",
            **more,
        }

    def saw(self, place: str, text: str) -> None:
        self.seen[place] = self.seen.get(place, b"") + text.encode() + b"\n"

    def quoting(self) -> list[Row | Say]:
        """Everything that a vendor can do wrong, each time with the key in its words."""
        told = f"your key {OWN} (Bearer {OWN}) is used up"
        error = {"error": {"message": told, "type": told, "code": told}}
        return [
            Row(400, error),
            Row(401, error),
            Row(403, told),
            Row(404, error),
            Row(429, error, {"Retry-After": OWN}),
            Row(500, f"<html>{told}</html>"),
            Row(503, [error]),
            Say(("half ",), breaks=Row(500, error)),
            Say(("half ",), cut=True),
        ]

    async def web(self, address: str) -> None:
        async with httpx2.AsyncClient() as client:
            for path in ("/health", "/metrics", "/nothing", f"/x?key={OWN}"):
                for headers in ({}, {"Authorization": f"Bearer {SECRETS['METRICS_TOKEN']}"}):
                    answer = await client.get(address + path, headers=headers)
                    self.saw(f"web {path.partition('?')[0]}", f"{answer.headers}{answer.text}")

    async def tools(self) -> None:
        """Every tool of the command line, beside the running bot."""
        runs = (
            ("backup", str(self.data / "copy.db")),
            ("keys", "rotate"),
            ("doctor",),
            ("--version",),
            ("--help",),
        )
        for arguments in runs:
            _, out, err = await tool(self.data, *arguments, **self.settings())
            self.saw(f"tool {arguments[0]}", out + err)

    def leaks(self, *but: str) -> list[tuple[str, str]]:
        """Where something can be read, but for what `but` names."""
        secrets = [secret for secret in (*SECRETS.values(), *GIVEN) if secret not in but]
        return found({**self.seen, **files(self.data)}, secrets)


@asynccontextmanager
async def plot(tmp_path: Path) -> AsyncIterator[Plot]:
    async with QuotingOpenAI() as vendor:
        vendor.good = {OWN, OTHERS}
        yield Plot(tmp_path / "data", vendor)


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """It would see a secret in any of its forms: a search that finds nothing anywhere proves nothing."""
    for number, form in enumerate(forms(OWN)):
        (tmp_path / f"{number}").write_bytes(b"x" + form + b"y")
    assert len(found(files(tmp_path), [OWN])) == number + 1
    assert found({"a": b"sk-...WXYZ sk-canary"}, [OWN]) == []


async def _telegram(w: World, plot: Plot) -> None:
    async def say(text: str, words: str) -> None:
        before = len(w.chat.answers)
        await w.chat.send(w.ana, text)
        await w.chat.wait_for(lambda m: m in w.chat.answers[before:] and words in m.text, timeout=30.0)

    await say("/key set openai", "Mande-me agora")
    await say(WRONG, "não aceitou a chave")
    await say("/key set openai", "Mande-me agora")
    await say(OWN, "OpenAI aceitou a chave")
    await say("/use gpt-6-mini", "Agora uso")
    await say(f"/key set mistral {OTHERS}", "aceitou a chave")
    for what in plot.quoting():
        plot.vendor.script.extend([what] * 5)
        await say("a question?", "")
        plot.vendor.script.clear()
    for line in (
        "/models",
        "/status",
        "/key",
        "/key test openai",
        "/key test groq",
        "/suggest",
        "/reset",
        "/people",
    ):
        await say(line, "")
    await say(f"/nonsense {OWN}", "")
    await say(OWN, "parece uma chave")
    await say("/key forget openai", "foi esquecida")


async def test_on_telegram(tmp_path: Path) -> None:
    """Its log at DEBUG, its messages and calls, its web pages, its tools, its files, a backup: no secret anywhere."""
    async with plot(tmp_path) as p:
        async with world(
            p.data,
            [FakeModel(MINI, "Mini 1B")],
            MINI,
            **without(p.settings(ADMINS="telegram:42", PLATFORMS="telegram"), "TELEGRAM"),
        ) as w:
            line = await w.bot.says("http server listens")
            await _telegram(w, p)
            await p.web(line.partition("address='")[2].partition("'")[0])
            await p.tools()
            p.saw("log", "\n".join(w.bot.output))
            told = [m.text for chat in w.telegram.world.chats.values() for m in chat.messages if m.by_bot]
            p.saw("messages", "\n".join(told))
            p.saw("calls", "\n".join(str(call.parameters) for call in w.telegram.calls))
            assert await w.bot.terminate() == 0
            p.saw("last words", "\n".join(w.bot.output))
        assert len(p.vendor.asked) > 20  # it was really spoken to
        assert "copy.db" in {file.name for file in p.data.iterdir()}
        assert p.leaks() == []


@pytest.mark.parametrize("form", ["console", "json"])
async def test_in_a_pipe_with_the_log_in_a_file(tmp_path: Path, form: str) -> None:
    """The console's own log file, in both forms, with a master key of the environment."""
    async with plot(tmp_path) as p, FakeLMStudio([FakeModel(MINI, "Mini 1B")], loaded=[MINI]) as lmstudio:
        ring = f"k1:{MASTER}"
        settings = p.settings(LMSTUDIO_URLS=lmstudio.url, LOG_FORMAT=form, MASTER_KEYS=ring, PLATFORMS="")
        settings = without(settings, "TELEGRAM", "DISCORD")
        async with program(p.data, **settings) as bot:
            for line in ("/key set openai", WRONG, "/key set openai", OWN, "/use gpt-6-mini"):
                p.saw("answers", await bot.say(line))
            for what in p.quoting():
                p.vendor.script.extend([what] * 5)
                p.saw("answers", await bot.say("a question?"))
                p.vendor.script.clear()
            for line in ("/models", "/status", "/key", f"/key set mistral {OTHERS}", f"/nonsense {OWN}", OWN):
                p.saw("answers", await bot.say(line))
            await p.tools()
            assert await bot.end() == 1
            p.saw("progress", "\n".join(bot.progress))
        assert (p.data / "orquestrador.log").stat().st_size > 1000  # it was written to
        assert p.leaks() == []
        assert found({**p.seen, **files(p.data)}, [MASTER]) == []
