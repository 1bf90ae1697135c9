"""External APIs with the shipped program, each vendor and an LM Studio over real sockets."""

from contextlib import AsyncExitStack
from pathlib import Path

from tests.core.providers.api.lab import FAKES
from tests.fakes.lmstudio.catalog import GUARDRAIL
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel
from tests.fakes.vendors import openai
from tests.fakes.vendors.anthropic import FakeAnthropic
from tests.fakes.vendors.openai import FakeOpenAI
from tests.fakes.vendors.script import Row
from tests.fakes.vendors.server import FakeVendor
from tests.sockets.program import program

NOVA = "acme/nova-8b"
BROKE = Row(429, openai.error("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"))
KEYS = {"huggingface": "HF_TOKEN"}
MODELS = {
    "openai": "gpt-6-mini",
    "anthropic": "anthropic sonnet-5",
    "google": "gemini-3-pro",
    "genspark": "genspark claude",
    "mistral": "mistral-medium-latest",
    "huggingface": "acme/tiny-chat",
    "cohere": "command-a-03-2025",
    "ai21": "jamba-mini",
    "own": "acme/own-7b",
}


def settings_of(name: str, server: FakeVendor) -> dict[str, str]:
    """What makes the program speak to that server."""
    if name == "own":
        return {"OPENAI_COMPATIBLE": f"own={server.base}"}
    prefix = name.upper()
    return {KEYS.get(name, f"{prefix}_API_KEY"): server.key, f"{prefix}_BASE_URL": server.base}


def pressed(card: str, label: str) -> str:
    """The command line of the first button with that label."""
    line = next(line for line in card.splitlines() if line.startswith("[") and label in line)
    return line.partition("] ")[2]


async def test_every_vendor_stands_in_the_list_and_answers(tmp_path: Path) -> None:
    """By settings alone: each with 🌐 and its name, each answers when it is chosen; no key is written anywhere."""
    async with AsyncExitStack() as stack:
        servers = {name: await stack.enter_async_context(FAKES[name]()) for name in FAKES}
        given: dict[str, str] = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}
        for name, server in servers.items():
            given |= settings_of(name, server)
        bot = await stack.enter_async_context(program(tmp_path, LMSTUDIO_URLS="http://127.0.0.1:9", **given))
        told = [await bot.say("/models"), await bot.say("/models 2"), await bot.say("/status")]
        for words in ("🌐", "OpenAI", "Anthropic", "Google Gemini", "Genspark", "Mistral", "Cohere", "AI21"):
            assert words in told[0] + told[1]
        for name, server in servers.items():
            told += [await bot.say(f"/use {MODELS[name]}"), await bot.say(f"oi {name}")]
            assert f"You said: oi {name}" in told[-1], name
            assert len(server.questions()) == 1
        assert await bot.end() == 0
        # Our own words for people are among what was told: the search would find a key too.
        written = "\n".join(
            [*told, *bot.progress, *(p.read_text("utf-8", "replace") for p in _files(tmp_path))]
        )
        assert "oi mistral" in written
        for name, server in servers.items():
            assert server.key not in written, name


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_failed_load_offers_an_api_that_answers_the_question(tmp_path: Path) -> None:
    """The local model does not fit: the API is offered before another model, and one tap answers."""
    broken = [
        FakeModel(NOVA, "Nova 8B", load_error=GUARDRAIL.format(gigabytes="39")),
        FakeModel("acme/mini-1b"),
    ]
    async with (
        FakeLMStudio(broken, loaded=["acme/mini-1b"]) as host,
        FakeAnthropic() as vendor,
        program(tmp_path, LMSTUDIO_URLS=host.url, **settings_of("anthropic", vendor)) as bot,
    ):
        await bot.say("/usar nova")
        card = await bot.say("qual é a capital?")
        assert 'Modelo "Nova 8B" não está disponível.' in card
        assert 'Recomendação: Selecione o modelo "Claude Sonnet 5"' in card
        assert "You said: qual é a capital?" in await bot.say(pressed(card, "💡"))
        assert "You said: e agora?" in await bot.say("e agora?")
        assert [asked.body["model"] for asked in vendor.questions()] == ["claude-sonnet-5"] * 2


async def test_an_api_out_of_money_offers_a_loaded_model_that_answers_the_question(tmp_path: Path) -> None:
    """Nothing else of the vendor is offered; one tap answers with the local model; the list says why."""
    async with (
        FakeLMStudio([FakeModel(NOVA, "Nova 8B"), FakeModel("acme/mini-1b")], loaded=[NOVA]) as host,
        FakeOpenAI() as vendor,
        program(tmp_path, LMSTUDIO_URLS=host.url, **settings_of("openai", vendor)) as bot,
    ):
        vendor.script.append(BROKE)
        card = await bot.say("qual é a capital?")
        assert "sem crédito" in card
        assert 'Recomendação: Selecione o modelo "Nova 8B"' in card
        assert pressed(card, "💡").startswith("/use #")
        answer = await bot.say(pressed(card, "💡"))
        assert "Nova 8B heard 1 message(s). You said: qual é a capital?" in answer
        listing = await bot.say("/models gpt")
        assert "❌ gpt-6" in listing
        assert "sem crédito" in listing
        assert len(vendor.questions()) == 1


async def test_a_vendor_that_comes_back_after_a_restart(tmp_path: Path) -> None:
    """What failed is remembered over a restart, and tried again by hand."""
    async with FakeOpenAI() as vendor:
        given = settings_of("openai", vendor)
        async with program(tmp_path, LMSTUDIO_URLS="http://127.0.0.1:9", **given) as bot:
            vendor.script.append(BROKE)
            await bot.say("oi")
            await bot.end()
        async with program(tmp_path, LMSTUDIO_URLS="http://127.0.0.1:9", **given) as bot:
            card = await bot.say("oi de novo")
            assert "sem crédito" in card
            assert "You said: oi de novo" in await bot.say(pressed(card, "Tentar de novo"))


async def test_without_any_key_nothing_is_asked_of_a_vendor(tmp_path: Path) -> None:
    """Its address alone makes no request; the program says what to do as before."""
    async with (
        FakeOpenAI() as vendor,
        program(tmp_path, LMSTUDIO_URLS="http://127.0.0.1:9", OPENAI_BASE_URL=vendor.base) as bot,
    ):
        assert "ligue o servidor local" in await bot.say("oi")
        assert "OpenAI" not in await bot.say("/models")
        assert vendor.asked == []


async def test_a_key_that_a_person_gives_opens_the_vendor_at_once(tmp_path: Path) -> None:
    """Checked with the vendor, then its models are listed and answer, also after a restart; forgotten, they go."""
    async with FakeOpenAI() as vendor:
        given = {"LMSTUDIO_URLS": "http://127.0.0.1:9", "OPENAI_BASE_URL": vendor.base}
        async with program(tmp_path, **given) as bot:
            assert "gpt-6" not in await bot.say("/models")
            refused = await bot.say("/key set openai sk-wrong-0123456789abcdef")
            assert "não aceitou" in refused
            await bot.say(f"/key set openai {vendor.key}")
            assert "🌐 gpt-6" in await bot.say("/models")
            assert "com a sua chave" in await bot.say("/status")
            assert "You said: oi" in await bot.say("oi")
        async with program(tmp_path, **given) as bot:
            assert "You said: de novo" in await bot.say("de novo")
            await bot.say("/key forget openai")
            card = await bot.say("ainda?")
            assert "chave" in card
            assert "gpt-6" not in await bot.say("/models")
