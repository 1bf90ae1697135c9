"""A plain message: the model is brought to life and its answer grows in one stream of cards."""

import asyncio
from pathlib import Path

import pytest

from bot.cards import Notice, Progress, Reply, Tone, is_error, plain
from core.conversation import Conversation, Delta, Done, Outcome, Rethought, Role, Thinking
from core.errors import (
    BadRequest,
    ContextTooLong,
    EmptyAnswer,
    Interrupted,
    ModelGone,
    Problem,
    StorageFailed,
    Unreachable,
)
from core.model import ModelState
from core.storage import Store
from tests.bot.checks import command
from tests.bot.talk import talking
from tests.fakes.provider import FakeLoader, FakeProvider, a_model

NOVA = a_model("acme/nova-8b", name="Nova 8B")
LOADED = a_model("acme/nova-8b", ModelState.LOADED, name="Nova 8B")
OTHER = a_model("acme/orion-7b", ModelState.LOADED, name="Orion 7B")


class FullStore(Store):
    async def save_conversation(self, conversation: Conversation) -> None:
        raise StorageFailed("full", str(self._path), str(conversation.chat))


async def test_a_loaded_model_answers_at_once(tmp_path: Path) -> None:
    """The pieces grow into one reply; nothing is loaded, and a finished answer can be redone."""
    host = FakeLoader([LOADED])
    async with talking(tmp_path, host) as talk:
        said = talk.begin("oi")
        last = await said.last()
        assert said.texts[0].startswith('💬 "Nova 8B" está lendo a pergunta…')
        replies = [card for card in said.cards if isinstance(card, Reply)]
        assert [r.text for r in replies] == ["Certainly", "Certainly.", "Certainly."]
        assert [r.done for r in replies] == [False, False, True]
        assert command(replies[0], "Parar") == "/stop"
        assert command(last, "Refazer") == "/retry"
        assert not is_error(last)
    assert host.loaded == []


async def test_a_sleeping_model_is_loaded_and_the_load_card_becomes_the_answer(tmp_path: Path) -> None:
    """Loading…, success, then the answer under that header, all in one stream of cards."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host) as talk:
        said = talk.begin("oi")
        last = await said.last()
    loading = [card for card in said.cards if isinstance(card, Progress)]
    assert all(c.title == '🔄 Carregando modelo "Nova 8B"… Isso pode levar alguns minutos' for c in loading)
    assert [c.fraction for c in loading][-1] == 1.0
    success = said.cards[len(loading)]
    assert isinstance(success, Notice)
    assert success.tone is Tone.SUCCESS
    assert success.title.startswith("✅ Modelo carregado com sucesso")
    rest = said.cards[len(loading) + 1 :]
    assert all(isinstance(card, Reply) and card.header == success.title for card in rest)
    assert isinstance(last, Reply)
    assert last.text == "Certainly."


async def test_an_external_model_answers_at_once(tmp_path: Path) -> None:
    """An API is asked without any load."""
    vendor = FakeProvider()
    async with talking(tmp_path, vendor) as talk:
        assert (await talk.reply("oi")).text == "Certainly."
    assert [turns[-1].text for _, turns, _ in vendor.asked] == ["oi"]


async def test_what_was_said_before_is_sent_along(tmp_path: Path) -> None:
    """The next question comes with the earlier ones and their answers, in order."""
    host = FakeLoader([LOADED])
    async with talking(tmp_path, host) as talk:
        await talk.say("um")
        await talk.say("dois")
    assert [t.text for t in host.asked[1][1]] == ["um", "Certainly.", "dois"]


async def test_thinking_is_shown_apart(tmp_path: Path) -> None:
    """Reasoning stands in its own field with a label, and is no part of the answer or of the history."""
    host = FakeLoader([LOADED])
    host.answers = [(Thinking("two plus "), Thinking("two"), Delta("4"), Done("stop"))]
    async with talking(tmp_path, host) as talk:
        last = await talk.reply("2+2?")
        await talk.say("sure?")
    assert (last.text, last.thinking) == ("4", "two plus two")
    assert last.thinking_label == "💭 raciocínio (3 palavras)"
    assert [t.text for t in host.asked[1][1]] == ["2+2?", "4", "sure?"]


async def test_what_turns_out_to_be_reasoning_leaves_the_answer(tmp_path: Path) -> None:
    """After a lone closing tag everything before it is reasoning."""
    host = FakeLoader([LOADED])
    host.answers = [(Delta("hmm"), Rethought(), Delta("yes"), Done("stop"))]
    async with talking(tmp_path, host) as talk:
        last = await talk.reply("oi")
    assert (last.text, last.thinking) == ("yes", "hmm")


async def test_an_answer_of_reasoning_alone_says_so(tmp_path: Path) -> None:
    """The reader is not left with an empty card."""
    host = FakeLoader([LOADED])
    host.answers = [(Thinking("so"), Done("length")), (Done("stop"),)]
    async with talking(tmp_path, host) as talk:
        last = await talk.reply("oi")
        assert last.text == "(O modelo só raciocinou e não chegou a responder.)"
        assert "limite de tokens" in last.footnote
        assert (await talk.reply("oi")).text == "(resposta vazia)"


async def test_a_demonstration_says_what_it_is(tmp_path: Path) -> None:
    """Every answer of the small demonstration model carries a warning below."""
    host = FakeLoader([a_model("demo", ModelState.LOADED, demo=True)])
    async with talking(tmp_path, host) as talk:
        assert (await talk.reply("oi")).footnote.startswith("🧪 modelo de demonstração")


async def test_history_left_out_is_told_once(tmp_path: Path) -> None:
    """The footnote about a trimmed history comes with the first answer it concerns, and again after /new."""
    host = FakeLoader([LOADED])
    long = "palavra " * 1000
    async with talking(tmp_path, host) as talk:
        notes = [(await talk.reply(long + str(n))).footnote for n in range(5)]
        told = [n for n, note in enumerate(notes) if "✂️" in note]
        assert len(told) == 1
        await talk.say("/new")
        notes = [(await talk.reply(long + str(n))).footnote for n in range(5)]
        assert sum("✂️" in note for note in notes) == 1


async def test_a_stopped_answer_does_not_use_up_the_footnote(tmp_path: Path) -> None:
    """Only a footnote that was shown counts as told."""
    host = FakeLoader([LOADED])
    long = "palavra " * 1000
    async with talking(tmp_path, host) as talk:
        await talk.say(long)
        gate = asyncio.Event()
        host.answers = [(Delta("Half"), gate, Done("stop"))]
        said = talk.begin(long)
        await said.until("Half")
        await talk.say("/stop")
        assert "✂️" not in plain(await said.last())
        assert "✂️" in (await talk.reply(long)).footnote


# ---------------------------------------------------------------- what goes wrong


async def test_an_interrupted_answer_keeps_its_text(tmp_path: Path) -> None:
    """What had come stays, marked as failed, with buttons to redo it here or elsewhere."""
    host = FakeLoader([LOADED, OTHER])
    host.answers = [(Delta("Half an ans"), Interrupted(LOADED, "ReadError"))]
    async with talking(tmp_path, host) as talk:
        await talk.say("/use nova")
        last = await talk.reply("oi")
        assert last.text == "Half an ans"
        assert last.failed
        assert last.footnote == "⚠️ A resposta foi interrompida: o servidor parou de responder"
        assert [t.outcome for t in await talk.turns()] == [Outcome.DONE, Outcome.BROKEN]
        again = await talk.reply(command(last, "orion-7b e responder"))
        assert again.text == "Certainly."
        assert [t.text for t in await talk.turns()] == ["oi", "Certainly."]
    assert [m.key for m, _, _ in host.asked] == [LOADED.key, OTHER.key]


@pytest.mark.parametrize(
    ("problem", "why"),
    [
        (ModelGone(LOADED), "o modelo foi descarregado"),
        (ContextTooLong(LOADED, 4096), "o contexto do modelo está cheio"),
        (Unreachable("fake:1"), "o servidor parou de responder"),
        (Interrupted(LOADED, "engine has crashed"), "engine has crashed"),
    ],
)
async def test_whatever_cuts_an_answer_its_text_stays(tmp_path: Path, problem: Problem, why: str) -> None:
    """Once words have come they are never taken back, and nothing is loaded behind the person's back."""
    host = FakeLoader([LOADED])
    host.answers = [(Delta("Half an ans"), problem)]
    async with talking(tmp_path, host) as talk:
        last = await talk.reply("oi")
        assert (last.text, last.failed) == ("Half an ans", True)
        assert last.footnote == f"⚠️ A resposta foi interrompida: {why}"
        assert [t.outcome for t in await talk.turns()] == [Outcome.DONE, Outcome.BROKEN]
    assert host.loaded == []


async def test_an_answer_interrupted_before_its_first_word_is_a_failure_card(tmp_path: Path) -> None:
    """Nothing came, so there is nothing to keep; the question can be asked again."""
    host = FakeLoader([LOADED])
    host.answers = [(Interrupted(LOADED, "ReadError"),)]
    async with talking(tmp_path, host) as talk:
        card = await talk.say("oi")
        assert is_error(card)
        assert (await talk.reply(command(card, "Refazer"))).text == "Certainly."


async def test_a_model_that_went_away_is_loaded_again_and_answers_once(tmp_path: Path) -> None:
    """Unloaded between the check and the question: loaded anew, asked again, one answer remembered."""
    host = FakeLoader([LOADED])
    host.answers = [(ModelGone(LOADED),)]
    async with talking(tmp_path, host) as talk:
        said = talk.begin("oi")
        await said.until("está lendo")
        host.put(LOADED.key, ModelState.ON_DISK)
        last = await said.last()
        assert isinstance(last, Reply)
        assert last.text == "Certainly."
        assert last.header.startswith("✅ Modelo carregado com sucesso")
        assert [t.role for t in await talk.turns()] == [Role.USER, Role.ASSISTANT]
    assert host.loaded == [LOADED.key]


async def test_a_model_that_goes_away_every_time_is_told(tmp_path: Path) -> None:
    """Two tries, then a card; no endless loading."""
    host = FakeLoader([LOADED])
    host.answers = [(ModelGone(LOADED),), (ModelGone(LOADED),)]
    async with talking(tmp_path, host) as talk:
        card = await talk.say("oi")
    assert is_error(card)
    assert "descarregado no meio do caminho" in plain(card)
    assert len(host.asked) == 2


async def test_other_failures_name_the_model_and_offer_another(tmp_path: Path) -> None:
    """A refused, an empty and a too long question: a card each, with another model one tap away."""
    host = FakeLoader([LOADED, OTHER])
    problems = [BadRequest(LOADED, "no images"), EmptyAnswer(LOADED), ContextTooLong(LOADED, 4096)]
    host.answers = [(problem,) for problem in problems]
    async with talking(tmp_path, host) as talk:
        await talk.say("/use nova")
        for problem in problems:
            card = await talk.say("oi")
            assert is_error(card), problem
            assert command(card, "orion-7b e responder")
        assert [t.outcome for t in await talk.turns()] == [Outcome.FAILED] * 3


async def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """A question that cannot be stored is answered all the same, and the card says what to do."""
    host = FakeLoader([LOADED])
    async with talking(tmp_path, host) as talk:
        store = talk.engine.store
        await talk.say("oi")
        pages = await store._all("PRAGMA page_count")
        await store._all(f"PRAGMA max_page_count={pages[0][0]}")
        card = await talk.reply("palavra " * 800)
        assert (card.text, card.buttons) == ("Certainly.", ())
        assert "não ficam na memória. O disco está cheio." in card.footnote
        asked = [turn.text for turn in host.asked[1][1]]
        assert asked == [
            "oi",
            "Certainly.",
            ("palavra " * 800).strip(),
        ]  # what was remembered before still counts
        assert len(await talk.turns()) == 2
        await store._all("PRAGMA max_page_count=1000000")
        assert (await talk.reply("oi de novo")).text == "Certainly."


async def test_what_needs_no_memory_works_on_a_full_disk(tmp_path: Path) -> None:
    """/stop, /status and /help do not need the disk."""
    host = FakeLoader([LOADED])
    gate = asyncio.Event()
    host.answers = [(Delta("Half"), gate, Done("stop"))]
    async with talking(tmp_path, host) as talk:
        said = talk.begin("oi")
        await said.until("Half")
        talk.engine.store = FullStore(talk.engine.store._db, tmp_path)
        assert "Parado." in plain(await talk.say("/stop"))
        assert "resposta parada" in plain(await said.last())
        for line in ("/status", "/help", "/models"):
            assert not is_error(await talk.say(line))
        assert is_error(await talk.say("/lang en"))
