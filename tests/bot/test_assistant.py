"""The front desk: what is a command, whose turn it is, and how an answer is stopped."""

import asyncio
from pathlib import Path

import pytest

from bot.cards import Notice, Progress, Reply, is_error, plain
from bot.commands import BY_NAME, COMMANDS
from core.conversation import Conversation, Delta, Done, Outcome, Thinking
from core.model import ModelState
from core.storage import Store
from tests.bot.checks import buttons, command
from tests.bot.talk import talking
from tests.fakes.provider import FakeLoader, FakeProvider, a_model

LOADED = a_model("acme/nova-8b", ModelState.LOADED, name="Nova 8B")
SLEEPING = a_model("acme/nova-8b", name="Nova 8B")


@pytest.mark.parametrize(
    "text", ["/etc/hosts", "/ ", "/", "/2 pizzas", "// comment", "/var/log é o quê?", "a /help"]
)
async def test_a_slash_does_not_make_a_command(tmp_path: Path, text: str) -> None:
    """What cannot be a command's name is a message to the model."""
    vendor = FakeProvider()
    async with talking(tmp_path, vendor) as talk:
        assert (await talk.reply(text)).text == "Certainly."
    assert vendor.asked[0][1][-1].text == text.strip()


@pytest.mark.parametrize("text", ["/help", "/HELP", "/ajuda", "/Ajuda", "/help@my_bot", "  /help  "])
async def test_a_command_by_any_of_its_names(tmp_path: Path, text: str) -> None:
    """Aliases, capitals, a bot's name and blanks do not matter."""
    async with talking(tmp_path) as talk:
        assert (await talk.listing(text)).title == "❓ Comandos"


async def test_a_command_over_several_lines(tmp_path: Path) -> None:
    """Everything after the command is its argument, line breaks too."""
    async with talking(tmp_path, FakeProvider()) as talk:
        assert "fale\npouco" in plain(await talk.say("/sistema fale\npouco"))


async def test_an_unknown_command_offers_near_ones(tmp_path: Path) -> None:
    """A slip of the finger is one tap from what was meant."""
    async with talking(tmp_path) as talk:
        card = await talk.say("/modls agora")
        assert is_error(card)
        assert "/modls" in plain(card)
        assert command(card, "/models") == "/models"
        nothing_near = await talk.say("/xyzzyxyzzy")
        assert "/ajuda mostra todos." in plain(nothing_near)


async def test_help_and_menu_come_from_the_table(tmp_path: Path) -> None:
    """Every command of the table is in the help and in the menu, in the language asked for."""
    async with talking(tmp_path) as talk:
        names = [item.name for item in talk.assistant.menu(None)]
        assert names == [c.name for c in COMMANDS]
        summaries = {item.name: item.summary for item in talk.assistant.menu("en-US")}
        assert summaries["stop"] == "Stop the answer or the load"
        listing = await talk.listing("/help")
        assert [b.command for b in buttons(listing)] == names
        shown = " ".join(row.name for row in listing.rows)
        assert all(f"/{name}" in shown.split() for name in BY_NAME)


async def test_half_a_character_is_no_bug(tmp_path: Path) -> None:
    """A lone surrogate, as a broken client may send, is a message like any other."""
    async with talking(tmp_path, FakeProvider()) as talk:
        assert (await talk.reply("oi \ud83d")).text == "Certainly."


# ---------------------------------------------------------------- order


async def test_two_messages_are_answered_in_order(tmp_path: Path) -> None:
    """The second waits for the first, and then knows its answer."""
    host = FakeLoader([LOADED])
    gate = asyncio.Event()
    host.answers = [(Delta("one"), gate, Done("stop"))]
    async with talking(tmp_path, host) as talk:
        first, second = talk.begin("um"), talk.begin("dois")
        await first.until("one")
        assert len(host.asked) == 1
        assert second.cards == []
        gate.set()
        assert isinstance(await second.last(), Reply)
        assert [t.text for t in host.asked[1][1]] == ["um", "one", "dois"]


async def test_chats_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """One chat's long answer holds up no other chat."""
    host = FakeLoader([LOADED])
    host.answers = [(Delta("one"), asyncio.Event())]
    async with talking(tmp_path, host) as talk:
        long = talk.begin("um", "ana")
        await long.until("one")
        assert (await talk.reply("dois", "bia")).text == "Certainly."
        assert not long.task.done()


async def test_fifty_chats_make_one_load(tmp_path: Path) -> None:
    """However many wait for a model, it is loaded once, and each gets its answer."""
    host = FakeLoader([SLEEPING])
    gate = asyncio.Event()
    host.loads[SLEEPING.key] = [(0.0, gate, 1.0)]
    async with talking(tmp_path, host) as talk:
        said = [talk.begin("oi", f"chat{n}") for n in range(50)]
        for one in said:
            await one.until("Carregando modelo")
        gate.set()
        assert {card.text for s in said if isinstance(card := await s.last(), Reply)} == {"Certainly."}
        assert len({str(m.id) for s in said for m, _, _ in host.asked}) == 1
    assert host.loaded == [SLEEPING.key]
    assert len(host.asked) == 50


async def test_looking_does_not_wait_for_an_answer(tmp_path: Path) -> None:
    """Commands that overtake are answered while an answer runs in the same chat."""
    host = FakeLoader([LOADED])
    host.answers = [(Delta("one"), asyncio.Event())]
    async with talking(tmp_path, host) as talk:
        long = talk.begin("um")
        await long.until("one")
        for name in ("status", "models", "help", "suggest"):
            assert not is_error(await talk.say(f"/{name}"))
        assert not long.task.done()


class SlowStore(Store):
    """Holds the first saving of a conversation until it is let go."""

    held = asyncio.Event()
    let_go = asyncio.Event()

    async def save_conversation(self, conversation: Conversation) -> None:
        if not self.held.is_set():
            self.held.set()
            await self.let_go.wait()
        await super().save_conversation(conversation)


async def test_commands_at_the_same_time_do_not_undo_each_other(tmp_path: Path) -> None:
    """A choice made while an overtaking command writes its visit down is not lost."""
    async with talking(tmp_path, FakeProvider()) as talk:
        store = SlowStore(talk.engine.store._db, tmp_path)
        store.held, store.let_go = asyncio.Event(), asyncio.Event()
        talk.engine.store = store
        looking = talk.begin("/help")
        await store.held.wait()
        choosing = talk.begin("/lang en")
        for _ in range(20):  # the database serves one after the other: by then /lang had its chance
            await store.turns(talk.ref("ana"))
        store.let_go.set()
        await looking.last()
        assert "English" in plain(await choosing.last())
        assert (await store.conversation(talk.ref("ana"))).language == "en"


# ---------------------------------------------------------------- stopping


async def test_stopping_an_answer_keeps_what_had_come(tmp_path: Path) -> None:
    """The text stays with a footnote, the model is stopped, and the history has it."""
    host = FakeLoader([LOADED])
    host.answers = [(Delta("Half an ans"), asyncio.Event())]
    async with talking(tmp_path, host) as talk:
        said = talk.begin("oi")
        await said.until("Half")
        assert talk.assistant.cancel(talk.ref("ana"))
        last = await said.last()
        assert isinstance(last, Reply)
        assert (last.text, last.done, last.footnote) == ("Half an ans", True, "⏹ resposta parada")
        assert not is_error(last)
        assert host.stopped == 1
        turns = await talk.turns()
        assert [(t.text, t.outcome) for t in turns] == [
            ("oi", Outcome.DONE),
            ("Half an ans", Outcome.STOPPED),
        ]
        assert (await talk.reply(command(last, "Refazer"))).text == "Certainly."
        assert not talk.assistant.cancel(talk.ref("ana"))


async def test_a_whole_answer_is_not_called_stopped(tmp_path: Path) -> None:
    """When the stop comes after the end of the answer, the card stays as it is."""
    host = FakeLoader([LOADED])
    host.answers = [(Delta("Whole"), Done("stop"), asyncio.Event())]
    async with talking(tmp_path, host) as talk:
        said = talk.begin("oi")
        whole = await said.until(lambda card: isinstance(card, Reply) and card.done)
        assert talk.assistant.cancel(talk.ref("ana"))
        assert await said.last() == whole
        assert [t.outcome for t in await talk.turns()] == [Outcome.DONE, Outcome.DONE]


async def test_stop_overtakes(tmp_path: Path) -> None:
    """/stop does not wait for the answer that it stops."""
    host = FakeLoader([LOADED])
    host.answers = [(Thinking("hm"), asyncio.Event())]
    async with talking(tmp_path, host) as talk:
        said = talk.begin("oi")
        await said.until(lambda card: isinstance(card, Reply) and card.thinking == "hm")
        assert "Parado." in plain(await talk.say("/parar"))
        assert "⏹" in plain(await said.last())
        assert "Não há nada em andamento." in plain(await talk.say("/stop"))
    assert host.stopped == 1


async def test_stopping_a_load(tmp_path: Path) -> None:
    """The load is called back; nothing is marked as failed, and the next message loads again."""
    host = FakeLoader([SLEEPING])
    host.loads[SLEEPING.key] = [(0.0, asyncio.Event())]
    async with talking(tmp_path, host) as talk:
        said = talk.begin("oi")
        loading = await said.until("Carregando modelo")
        await talk.say(command(loading, "Cancelar"))
        last = await said.last()
        assert isinstance(last, Notice)
        assert "Parado" in last.title
        again = await talk.reply(command(last, "Refazer"))
        assert again.text == "Certainly."
        assert [m.failure for m in talk.engine.catalog.models()] == [None]
    assert host.cancelled == [SLEEPING.key]


async def test_stopping_for_one_chat_leaves_the_load_for_the_others(tmp_path: Path) -> None:
    """A load that somebody else waits for goes on."""
    host = FakeLoader([SLEEPING])
    gate = asyncio.Event()
    host.loads[SLEEPING.key] = [(0.0, gate, 1.0)]
    async with talking(tmp_path, host) as talk:
        ana, bia = talk.begin("oi", "ana"), talk.begin("oi", "bia")
        await ana.until("Carregando modelo")
        await bia.until("Carregando modelo")
        await talk.say("/stop", "ana")
        await ana.last()
        gate.set()
        assert isinstance(await bia.last(), Reply)
    assert host.cancelled == []


async def test_stopping_also_stops_what_waits_its_turn(tmp_path: Path) -> None:
    """Messages that wait behind the stopped answer are not asked any more."""
    host = FakeLoader([LOADED])
    host.answers = [(Delta("Half"), asyncio.Event())]
    async with talking(tmp_path, host) as talk:
        first, second = talk.begin("um"), talk.begin("dois")
        await first.until("Half")
        await talk.say("/stop")
        assert "Half" in plain(await first.last())
        assert "Parado" in plain(await second.last())
        assert (await talk.reply("três")).text == "Certainly."
    assert [turns[-1].text for _, turns, _ in host.asked] == ["um", "três"]


async def test_leaving_closes_the_model_s_stream(tmp_path: Path) -> None:
    """A platform that drops the iterator stops the model, and the text that came is kept."""
    host = FakeLoader([LOADED])
    host.answers = [(Delta("Half"), asyncio.Event())]
    async with talking(tmp_path, host) as talk:
        said = talk.begin("oi")
        await said.until("Half")
        said.task.cancel()
        await asyncio.wait({said.task})
        assert said.task.cancelled()
        assert host.stopped == 1
        assert [t.outcome for t in await talk.turns()] == [Outcome.DONE, Outcome.STOPPED]
        assert (await talk.reply("e agora?")).text == "Certainly."


# ---------------------------------------------------------------- arriving, and after a pause


async def test_greeting_verifies_every_model(tmp_path: Path) -> None:
    """On arriving every host is asked, and the card says which model answers."""
    one, two = FakeLoader([SLEEPING]), FakeLoader([], host="fake:2")
    async with talking(tmp_path, one, two) as talk:
        for text in ("/start", "/START"):
            before = one.calls["models"], two.calls["models"]
            said = talk.begin(text)
            last = await said.last()
            assert isinstance(said.cards[0], Progress)
            assert "Nova 8B" in plain(last)
            assert (one.calls["models"], two.calls["models"]) > before


async def test_a_message_after_a_pause_verifies_every_model(tmp_path: Path) -> None:
    """After half an hour of silence all hosts are asked first; after a minute only the model's own."""
    vendor, other = FakeProvider(), FakeLoader([SLEEPING])
    async with talking(tmp_path, vendor, other) as talk:
        clock = talk.engine.clock
        await talk.say("oi")
        reads = other.calls["models"]
        await clock.advance(60)  # type: ignore[attr-defined]  # it is the fake one
        await talk.say("oi")
        assert other.calls["models"] == reads
        await clock.advance(3600)  # type: ignore[attr-defined]  # same
        await talk.say("oi")
        assert other.calls["models"] == reads + 1
    assert len(vendor.asked) == 3
