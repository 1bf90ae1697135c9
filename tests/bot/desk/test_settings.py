"""Arriving, help, language, how things stand, and the conversation's own commands."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.cards import Choice, Notice, Reply, Tone, is_error, plain
from bot.surface import Completion, Incoming
from core.errors import LoadFailed, Unauthorized, Unreachable
from core.model import Failure, FailureKind, HostHealth, LoadPath, ModelState
from core.providers.base import Provider
from tests.bot.checks import buttons, command
from tests.bot.talk import talking
from tests.fakes.provider import FakeLoader, FakeProvider, a_model, external

NOVA = a_model("acme/nova-8b", name="Nova 8B")
LOADED = a_model("acme/nova-8b", ModelState.LOADED, name="Nova 8B")


# ---------------------------------------------------------------- /start


async def test_start_names_the_model_and_how_to_go_on(tmp_path: Path) -> None:
    """Sleeping, loaded or external: the card says what the first message will do."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host) as talk:
        assert "Modelo: Nova 8B 💤." in plain(await talk.say("/start"))
        host.put(NOVA.key, ModelState.LOADED)
        assert "Modelo: Nova 8B ✓ carregado." in plain(await talk.say("/start"))
    async with talking(tmp_path / "b", FakeProvider()) as talk:
        card = await talk.say("/start")
        assert "Modelo: gpt-mini 🌐." in plain(card)
        assert [b.command for b in card.buttons] == ["models", "help"]


async def test_start_with_a_model_that_failed(tmp_path: Path) -> None:
    """The chosen model is inactive: said with its reason, as a warning."""
    host = FakeLoader([NOVA])
    host.loads[NOVA.key] = [(LoadFailed(NOVA, FailureKind.CRASHED),)]
    async with talking(tmp_path, host) as talk:
        await talk.say("oi")
        card = await talk.say("/start")
        assert isinstance(card, Notice)
        assert card.tone is Tone.WARNING
        assert '⚠️ Modelo "Nova 8B" não está disponível. O modelo caiu ao carregar.' in card.body


async def test_start_without_any_model(tmp_path: Path) -> None:
    """What is missing and how to mend it."""
    async with talking(tmp_path) as talk:
        card = await talk.say("/start")
        assert is_error(card)
        assert "EMBEDDED=auto" in plain(card)


async def test_greet_is_start(tmp_path: Path) -> None:
    """On arriving a person sees what /start shows."""
    async with talking(tmp_path, FakeLoader([LOADED])) as talk:
        greeted = [
            card async for card in talk.assistant.greet(Incoming(talk.ref("ana"), "ana", "", language="en"))
        ]
        assert greeted[-1] == await talk.say("/start", language="en")


async def test_the_demonstration_introduces_itself(tmp_path: Path) -> None:
    """Without LM Studio the embedded model says what it is and what it will download."""
    lmstudio = FakeLoader([])
    lmstudio.problem = Unreachable("fake:1", "refused")
    demo = a_model("demo", provider="embedded", host="embedded", demo=True, fetch_bytes=93_000_000)
    embedded = FakeLoader([replace(demo, licence="Apache-2.0")], name="embedded", host="embedded")
    async with talking(tmp_path, lmstudio, embedded) as talk:
        text = plain(await talk.say("/start"))
        assert "Nenhum LM Studio respondeu em fake:1." in text
        assert "modelo de demonstração: demo" in text


async def test_an_embedded_engine_that_cannot_work_says_why(tmp_path: Path) -> None:
    """No LM Studio, and the engine's own model failed: both are told."""
    lmstudio = FakeLoader([])
    lmstudio.problem = Unreachable("fake:1", "refused")
    why = Failure(FailureKind.ENGINE_MISSING, "needs AVX2", 0.0)
    demo = a_model("demo", ModelState.INACTIVE, provider="embedded", host="embedded", failure=why)
    async with talking(tmp_path, lmstudio, FakeLoader([demo], name="embedded", host="embedded")) as talk:
        text = plain(await talk.say("/start"))
        assert "Nenhum LM Studio respondeu em fake:1." in text
        assert "O motor embutido também não funciona aqui: needs AVX2." in text


# ---------------------------------------------------------------- /lang


async def test_lang_changes_every_later_card(tmp_path: Path) -> None:
    """From the confirmation on everything is in that language, whatever the platform says."""
    async with talking(tmp_path, FakeLoader([LOADED])) as talk:
        assert plain(await talk.say("/idioma en")) == "✅ From now on I speak English."
        assert (await talk.listing("/help")).title == "❓ Commands"
        said = talk.begin("oi", language="pt-br")
        await said.until("is reading the question")
        assert plain(await talk.say("/lang pt")) == "✅ A partir de agora falo português."


async def test_lang_asks_and_refuses(tmp_path: Path) -> None:
    """Without a language the choice is shown; an unknown one is named, with the choice below."""
    async with talking(tmp_path) as talk:
        card = await talk.say("/lang")
        assert isinstance(card, Choice)
        assert [b.command for b in card.options] == ["lang pt-BR", "lang en"]
        wrong = await talk.say("/lang klingon")
        assert is_error(wrong)
        assert "“klingon”" in plain(wrong)
        assert command(wrong, "English") == "/lang en"


async def test_the_platform_s_language_counts_until_one_is_chosen(tmp_path: Path) -> None:
    """A person's own language is spoken at once; an unknown one is the operator's."""
    async with talking(tmp_path) as talk:
        assert "Nothing is under way." in plain(await talk.say("/stop", language="en-GB"))
        assert "Não há nada em andamento." in plain(await talk.say("/stop", language="de"))
    async with talking(tmp_path / "b", language="en") as talk:
        assert "Nothing is under way." in plain(await talk.say("/stop", language="de"))


async def test_a_message_behind_lang_speaks_the_new_language(tmp_path: Path) -> None:
    """What waits while the language changes is answered in the new one."""
    host = FakeLoader([LOADED])
    gate = asyncio.Event()
    host.answers = [(gate,)]
    async with talking(tmp_path, host) as talk:
        first = talk.begin("oi")
        await first.until("está lendo")
        changing, after = talk.begin("/lang en"), talk.begin("/new")
        for _ in range(10):
            await talk.turns()
        gate.set()
        await changing.last()
        assert "New conversation." in plain(await after.last())


async def test_completion(tmp_path: Path) -> None:
    """Languages and models complete; best first those that begin with what was typed; others nothing."""
    other = a_model("zeta/super-nova", name="Super")
    async with talking(tmp_path, FakeLoader([other, LOADED])) as talk:

        async def complete(command: str, prefix: str) -> Sequence[Completion]:
            return await talk.assistant.complete(command, prefix, talk.asker())

        assert [c.value for c in await complete("lang", "")] == ["pt-BR", "en"]
        assert [c.value for c in await complete("idioma", "PT")] == ["pt-BR"]
        found = await complete("usar", "NOVA")
        assert [c.value for c in found] == [LOADED.key, other.key]
        assert found[0].label == "✓ Nova 8B"
        assert f"#{LOADED.tag}" in found[0].detail
        assert list(await complete("help", "x")) == []
        assert list(await complete("nonsense", "x")) == []


# ---------------------------------------------------------------- /status


class Locked(FakeLoader):
    async def health(self) -> HostHealth:
        return HostHealth(self.name, self.host, reachable=True, detail="401")


async def test_status(tmp_path: Path) -> None:
    """The model in use, and a line for every host and every vendor with how it answers."""
    host, down, locked = FakeLoader([LOADED]), FakeLoader([], host="fake:2"), Locked([], host="fake:3")
    down.problem = Unreachable("fake:2", "refused")
    locked.problem = Unauthorized("fake:3", token_set=False)
    one = FakeProvider([external()], name="vendor-a")
    two = FakeProvider([], name="vendor-b")
    two.problem = Unreachable("", "timeout")
    providers: list[Provider] = [host, down, locked, one, two]
    async with talking(tmp_path, *providers) as talk:
        await talk.say("/use nova")
        listing = await talk.listing("/status")
    rows = [(row.mark, row.name) for row in listing.rows]
    assert rows[0] == ("✓", "Modelo desta conversa")
    assert rows[1:4] == [("✅", "fake:1"), ("❌", "fake:2"), ("🔒", "fake:3")]
    assert rows[4:6] == [("✅", "vendor-a"), ("❌", "vendor-b")]
    jobs = ["verificar a lista", "carregar antes da hora", "descarregar o que dorme", "somar números antigos"]
    assert rows[6:] == [("⏱", job) for job in jobs]
    assert all(row.detail.startswith("ainda não rodou · a próxima em ") for row in listing.rows[6:])
    assert "1 carregado(s) de 1" in listing.rows[1].detail
    assert "LMSTUDIO_URLS" in listing.rows[2].note
    assert "A lista é verificada a cada 1 h 0 min." in listing.body
    assert str(tmp_path) in listing.body
    assert buttons(listing)[-1].command == "reset"


class Detailed(FakeLoader):
    async def health(self) -> HostHealth:
        return HostHealth(
            self.name, self.host, reachable=True, api="v1", socket=False, version="0.4.19", via=LoadPath.REST
        )


async def test_status_tells_what_a_host_can(tmp_path: Path) -> None:
    """API, WebSocket, version and the way of the last load stand in its line."""
    async with talking(tmp_path, Detailed([LOADED])) as talk:
        detail = (await talk.listing("/status")).rows[1].detail
    assert "API v1 · sem WebSocket · versão 0.4.19 · último carregamento por REST v1" in detail


async def test_status_of_the_embedded_engine(tmp_path: Path) -> None:
    """It is called by its name, and why it cannot start is told."""
    embedded = FakeLoader(
        [a_model("demo", host="embedded", provider="embedded")], name="embedded", host="embedded"
    )
    async with talking(tmp_path, embedded) as talk:
        talk.engine.why_no_engine = "no AVX"
        rows = (await talk.listing("/status")).rows
    assert rows[1].name == "motor embutido"
    assert rows[2].detail == "motor embutido indisponível: no AVX"


# ---------------------------------------------------------------- the conversation's own commands


async def test_new_forgets_what_was_said(tmp_path: Path) -> None:
    """Afterwards nothing earlier is sent, and there is nothing to redo."""
    host = FakeLoader([LOADED])
    async with talking(tmp_path, host) as talk:
        await talk.say("um")
        assert "Conversa nova" in plain(await talk.say("/novo"))
        assert is_error(await talk.say("/retry"))
        await talk.say("dois")
    assert [t.text for t in host.asked[-1][1]] == ["dois"]


async def test_retry_answers_the_last_question_again(tmp_path: Path) -> None:
    """The old answer is forgotten, the question asked as before; without one it is said."""
    host = FakeLoader([LOADED])
    async with talking(tmp_path, host) as talk:
        assert "não há pergunta" in plain(await talk.say("/refazer"))
        await talk.say("um")
        await talk.say("dois")
        assert isinstance(await talk.say("/retry"), Reply)
        assert [t.text for t in await talk.turns()] == ["um", "Certainly.", "dois", "Certainly."]
    assert [t.text for t in host.asked[-1][1]] == ["um", "Certainly.", "dois"]


async def test_system_is_shown_set_and_cleared(tmp_path: Path) -> None:
    """The instruction goes before everything, until it is cleared."""
    host = FakeLoader([LOADED])
    async with talking(tmp_path, host) as talk:
        assert "Nenhuma instrução definida." in plain(await talk.say("/system"))
        assert "fale pouco" in plain(await talk.say("/sistema fale pouco"))
        assert "fale pouco" in plain(await talk.say("/system"))
        await talk.say("um")
        assert [t.text for t in host.asked[-1][1]] == ["fale pouco", "um"]
        assert "apagada" in plain(await talk.say("/system -"))
        await talk.say("/new")
        await talk.say("dois")
    assert [t.text for t in host.asked[-1][1]] == ["dois"]
