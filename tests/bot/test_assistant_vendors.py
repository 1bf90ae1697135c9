"""External APIs in a conversation: offered, paid for, put aside, and left for another when they fail.

The vendors are real servers on 127.0.0.1 and the program's own client; the host with local models is a fake.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.cards import Reply, plain
from bot.surface import Incoming
from core.errors import LoadFailed
from core.model import FailureKind, ModelState
from core.providers.api import Api
from core.providers.base import KeySource
from tests.bot.checks import command
from tests.bot.talk import Talk, talking
from tests.core.providers.api.lab import FAKES, BriskClock, entry
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, Step, a_model
from tests.fakes.vendors import openai
from tests.fakes.vendors.script import Row, Say
from tests.fakes.vendors.server import FakeVendor

NOVA = a_model("acme/nova-8b", name="Nova 8B")
LYNX = a_model("acme/lynx-3b", ModelState.LOADED, name="Lynx 3B")
BROKE = Row(429, openai.error("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"))
SLOW = Row(429, openai.error("Rate limit.", "requests", "rate_limit_exceeded"), {"retry-after": "45"})
LONG = Row(400, openai.error("Too long.", "invalid_request_error", "context_length_exceeded"))


@dataclass
class Market:
    """Vendors and their fake servers, and who has a key: `person` or `None` for everybody."""

    talk: Talk
    clock: FakeClock
    servers: dict[str, FakeVendor]
    keys: dict[tuple[str, str | None], SecretStr]
    apis: list[Api] = field(default_factory=list)

    def give(self, vendor: str, person: str | None, key: str | None = None) -> None:
        self.keys[vendor, person and f"console:{person}"] = SecretStr(key or self.servers[vendor].key)

    def take(self, vendor: str) -> None:
        self.keys.pop((vendor, None))


@asynccontextmanager
async def a_market(folder: Path, host: FakeLoader, *names: str, **changes: Any) -> AsyncIterator[Market]:
    """A conversation with these vendors, each with a key of the bot's."""
    async with AsyncExitStack() as stack:
        servers = {name: await stack.enter_async_context(FAKES[name]()) for name in names}
        keys: dict[tuple[str, str | None], SecretStr] = {
            (name, None): SecretStr(server.key) for name, server in servers.items()
        }

        def source(vendor: str) -> KeySource:
            async def key(person: str | None) -> SecretStr | None:
                return keys.get((vendor, person)) or keys.get((vendor, None))

            return key

        apis = [Api(entry(n, s), source(n), clock=BriskClock()) for n, s in servers.items()]
        for api in apis:
            stack.push_async_callback(api.aclose)
        clock = FakeClock()
        talk = await stack.enter_async_context(talking(folder, host, *apis, clock=clock, **changes))
        yield Market(talk, clock, servers, keys, apis)


def crashing(key: str) -> dict[str, list[tuple[Step, ...]]]:
    return {key: [(0.0, LoadFailed(a_model(key), FailureKind.CRASHED, "exit code 6"))] * 4}


# ---------------------------------------------------------------- offered, both ways


async def test_a_local_model_fails_and_an_api_answers_by_one_tap(tmp_path: Path) -> None:
    """The API is offered first, before a loaded model; its button answers the question that was asked."""
    host = FakeLoader([NOVA, LYNX])
    host.loads = crashing(NOVA.key)  # type: ignore[assignment]  # the same, more narrowly
    async with a_market(tmp_path, host, "anthropic") as market:
        await market.talk.say(f"/use {NOVA.key}")
        card = await market.talk.say("qual é a capital?")
        assert "Recomendação" in plain(card)
        offered = [b.command for b in card.buttons if b.label.startswith("💡")]
        answer = await market.talk.say(f"/{offered[0]}")
        assert isinstance(answer, Reply)
        assert answer.text == "You said: qual é a capital?"
        assert market.servers["anthropic"].questions()[-1].body["model"] == "claude-sonnet-5"
        assert (await market.talk.reply("e agora?")).text == "You said: e agora?"


async def test_an_api_out_of_money_and_a_loaded_model_answers_by_one_tap(tmp_path: Path) -> None:
    """Nothing else of that vendor is offered; all of it is put aside with its reason; one tap answers."""
    host = FakeLoader([NOVA, LYNX])
    async with a_market(tmp_path, host, "openai") as market:
        market.servers["openai"].script.append(BROKE)
        card = await market.talk.say("oi")
        text = plain(card)
        assert "sem crédito" in text
        assert 'Recomendação: Selecione o modelo "Lynx 3B"' in text
        offered = [b.command for b in card.buttons if b.label.startswith("💡")]
        assert offered[0].startswith(f"use #{LYNX.tag} ?")
        assert not any("gpt" in b.label for b in card.buttons if b.label.startswith("💡"))
        answer = await market.talk.reply(f"/{offered[0]}")
        assert answer.text == "Certainly."
        assert host.asked[-1][1][-1].text == "oi"
        listing = await market.talk.listing("/models gpt")
        assert {row.mark for row in listing.rows} == {"❌"}
        assert all("sem crédito" in row.note for row in listing.rows)
        assert "sem crédito" in plain(await market.talk.say("/status"))


async def test_what_was_put_aside_comes_back(tmp_path: Path) -> None:
    """After its cool-down it is offered again; by hand at once; an answer forgives all of the vendor."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai") as market:
        market.servers["openai"].script.append(BROKE)
        card = await market.talk.say("oi")
        refused = await market.talk.say("de novo")
        assert "sem crédito" in plain(refused)
        assert len(market.servers["openai"].questions()) == 1  # it is not asked in vain
        assert command(refused, "🔑") == "/key set openai"
        again = command(card, "Tentar de novo")
        assert (await market.talk.reply(again)).text == "You said: oi"
        assert {row.mark for row in (await market.talk.listing("/models gpt")).rows} == {"🌐"}
        market.servers["openai"].script.append(BROKE)
        assert "sem crédito" in plain(await market.talk.say("e agora?"))
        await market.clock.advance(31)
        await market.talk.engine.catalog.sync()
        assert (await market.talk.reply("e agora?")).text == "You said: e agora?"


async def test_a_rate_limit_tells_its_wait_and_puts_one_model_aside(tmp_path: Path) -> None:
    """The wait is the vendor's own; its other models are still offered."""
    async with a_market(tmp_path, FakeLoader([]), "openai") as market:
        market.servers["openai"].script.append(SLOW)
        card = await market.talk.say("oi")
        assert "45 s" in plain(card)
        assert any("gpt-5.4" in b.label for b in card.buttons)
        marks = {row.name: row.mark for row in (await market.talk.listing("/models gpt")).rows}
        assert marks == {"gpt-6": "❌", "gpt-5.4": "🌐", "gpt-6-mini": "🌐"}
        await market.clock.advance(46)
        await market.talk.engine.catalog.sync()
        assert (await market.talk.reply("oi")).text == "You said: oi"


async def test_a_long_conversation_is_cut_by_itself(tmp_path: Path) -> None:
    """A prompt that the vendor finds too long goes again with fewer turns, and the reader is told once."""
    async with a_market(tmp_path, FakeLoader([]), "openai") as market:
        for n in range(4):
            await market.talk.reply(f"pergunta {n} " + "x" * 400)
        market.servers["openai"].script.append(LONG)
        answer = await market.talk.reply("e então?")
        assert answer.text == "You said: e então?"
        assert "✂️" in answer.footnote
        long, short = (len(asked.body["messages"]) for asked in market.servers["openai"].questions()[-2:])
        assert short < long


async def test_a_dead_vendor_is_put_aside_until_it_answers(tmp_path: Path) -> None:
    """No answer at all: every model of it is inactive, and the loaded one is offered."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai") as market:
        await market.talk.reply("oi")
        await market.servers["openai"].__aexit__(None, None, None)
        card = await market.talk.say("oi?")
        assert "OpenAI não responde" in plain(card)
        assert command(card, "💡").startswith(f"/use #{LYNX.tag} ?")
        assert {row.mark for row in (await market.talk.listing("/models gpt")).rows} == {"❌"}


async def test_words_that_came_before_a_failure_are_kept(tmp_path: Path) -> None:
    """A stream that breaks keeps its words, and another model is one tap away."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai") as market:
        market.servers["openai"].script.append(Say(("Uma", " parte"), cut=True))
        card = await market.talk.reply("oi")
        assert card.failed
        assert card.text == "Uma parte"
        assert any(b.label.startswith("💡") for b in card.buttons)


async def test_stop_closes_the_connection_and_keeps_what_had_come(tmp_path: Path) -> None:
    """The vendor sees the reader go at once, so that nothing more is paid for."""
    async with a_market(tmp_path, FakeLoader([]), "anthropic") as market:
        vendor = market.servers["anthropic"]
        vendor.script.append(Say(("Era uma vez", " um"), hold=asyncio.Event()))
        saying = market.talk.begin("conta")
        await saying.until("Era uma vez")
        market.talk.assistant.cancel(market.talk.ref("ana"))
        last = await saying.last()
        assert isinstance(last, Reply)
        assert last.text == "Era uma vez"
        async with asyncio.timeout(5):
            await vendor.gone.wait()


# ---------------------------------------------------------------- whose key


async def test_without_a_key_a_vendor_is_there_for_nobody(tmp_path: Path) -> None:
    """It is not listed, not picked and not suggested; with a person's own key it is there for that person alone."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai", "mistral") as market:
        market.take("openai")
        market.take("mistral")
        await market.talk.engine.catalog.forgive()
        await market.talk.engine.catalog.sync()
        market.give("mistral", "ana")
        assert "mistral-medium-latest" in plain(await market.talk.say("/models"))
        assert "mistral" not in plain(await market.talk.say("/models", "bob"))
        assert "mistral" not in plain(await market.talk.say("/status", "bob"))
        assert "Mistral" in plain(await market.talk.say("/status"))
        assert "gpt-6" not in plain(await market.talk.say("/models"))
        await market.talk.say("/use mistral-medium")
        assert (await market.talk.reply("oi")).text == "You said: oi"
        assert (await market.talk.reply("oi", "bob")).text == "Certainly."
        for model in market.talk.engine.catalog.models():  # as after a look that found nothing of it
            market.talk.engine.catalog._models.pop(model.id if model.provider == "mistral" else "", None)
        assert (await market.talk.reply("ainda?")).text == "You said: ainda?"
        for person, found in (("ana", True), ("bob", False)):
            asker = Incoming(market.talk.ref(person), person, "")
            assert bool(await market.talk.assistant.complete("use", "mistral", asker)) is found


async def test_who_has_no_key_is_told_how_to_give_one(tmp_path: Path) -> None:
    """A chat whose model nobody pays for any more says so, and offers another."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai") as market:
        await market.talk.reply("oi")
        market.take("openai")
        market.apis[0].forget()
        card = await market.talk.say("oi?")
        assert "OPENAI_API_KEY" in plain(card)
        assert "/chave" in plain(card)
        assert command(card, "🔑") == "/key set openai"
        assert command(card, "💡").startswith(f"/use #{LYNX.tag} ?")


async def test_an_own_key_that_fails_concerns_its_owner_alone(tmp_path: Path) -> None:
    """Nothing is put aside for others, and the card says that it is the person's own key."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai") as market:
        market.give("openai", "ana", "sk-own-0123456789abcdef")
        card = await market.talk.say("oi")
        assert "não aceitou a sua chave" in plain(card)
        assert "sk-own" not in plain(card)
        assert command(card, "💡").startswith(f"/use #{LYNX.tag} ?")
        assert (await market.talk.reply("oi", "bob")).text == "You said: oi"
        assert {row.mark for row in (await market.talk.listing("/models gpt")).rows} == {"🌐"}


async def test_an_own_key_works_where_the_bot_s_is_refused(tmp_path: Path) -> None:
    """The bot's key is bad: others see the vendor put aside, its owner goes on."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai") as market:
        market.give("openai", None, "sk-bad-0123456789abcdef")
        market.give("openai", "ana")
        await market.talk.engine.catalog.sync()
        assert {row.mark for row in (await market.talk.listing("/models gpt", "bob")).rows} == {"❌"}
        assert {row.mark for row in (await market.talk.listing("/models gpt")).rows} == {"🌐"}
        assert (await market.talk.reply("oi")).text == "You said: oi"
        assert (await market.talk.reply("oi", "bob")).text == "Certainly."


# ---------------------------------------------------------------- in the lists


async def test_hundreds_of_models_are_paged_and_searched(tmp_path: Path) -> None:
    """Favourites first, twenty a page, found by name and by vendor, each with 🌐 and the vendor's name."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai", "anthropic") as market:
        vendor = market.servers["openai"]
        vendor.models += [{"id": f"tuned-{n:03}", "object": "model", "created": n} for n in range(300)]
        market.apis[0].forget()
        first = await market.talk.listing("/models openai")
        assert first.pages == 16
        assert [row.name for row in first.rows][:2] == ["gpt-6", "gpt-5.4"]
        assert all(row.mark == "🌐" and "OpenAI" in row.detail for row in first.rows)
        last = await market.talk.listing("/models openai 16")
        assert last.page == 16
        found = await market.talk.listing("/models tuned-123")
        assert [row.name for row in found.rows] == ["tuned-123"]
        found = await market.talk.listing("/models tuned 123")
        assert [row.name for row in found.rows] == ["tuned-123"], "no page, though there are so many"
        assert "gpt-6" in {row.name for row in (await market.talk.listing("/models gpt 6")).rows}
        assert (await market.talk.listing("/models tuned p15")).page == 15
        both = await market.talk.listing("/models")
        assert {row.name for row in both.rows[:2]} == {"gpt-6", "claude-sonnet-5"}


async def test_an_api_is_never_loaded_and_never_unloaded(tmp_path: Path) -> None:
    """Both commands say so and do nothing."""
    host = FakeLoader([])
    async with a_market(tmp_path, host, "openai") as market:
        assert "API externa" in plain(await market.talk.say("/load gpt-6-mini"))
        assert "API externa" in plain(await market.talk.say("/unload gpt-6-mini"))
        assert "🌐" in plain(await market.talk.say("/start"))
        assert host.loaded == []
        assert market.servers["openai"].questions() == []


async def test_a_forbidden_answer_and_an_empty_one(tmp_path: Path) -> None:
    """Each has its own words, and another model is offered."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai") as market:
        market.servers["openai"].script += [
            Say((), reason="refused"),
            Say(()),
            Say(("Bem",), reason="refused"),
            Say((), thoughts=("Deixe-me ", "pensar")),
        ]
        refused = await market.talk.say("oi")
        assert "recusou-se a responder" in plain(refused)
        assert any(b.label.startswith("💡") for b in refused.buttons)
        empty = await market.talk.say("oi")
        assert "não respondeu nada" in plain(empty)
        assert "/descarregar" not in plain(empty)
        assert "regras de segurança" in (await market.talk.reply("oi")).footnote
        thought = await market.talk.reply("oi")
        assert "só raciocinou" in thought.text
        assert any(b.label.startswith("💡") for b in thought.buttons)
