"""A conversation with a model: what is sent, what is remembered, however it ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.admission import Admission
from core.catalog import Catalog
from core.chat import Chat, Said
from core.conversation import (
    ChatRef,
    Conversation,
    Delta,
    Done,
    Outcome,
    ReplyEvent,
    ReplyOptions,
    Rethought,
    Role,
    Thinking,
    Trimmed,
    Turn,
    Usage,
)
from core.errors import ContextTooLong, EmptyAnswer, Interrupted, ModelGone, Problem
from core.fitting import ANSWER_ROOM, UNKNOWN_API_CONTEXT, UNKNOWN_CONTEXT, Fitting
from core.model import Model, ModelState
from core.storage import Store
from tests.fakes.clock import BEGAN, FakeClock
from tests.fakes.provider import FakeProvider, Line, a_model, external

CHAT = ChatRef("console", "1")
MODEL = external(max_context=4096)
DONE = Done("stop")
NOWHERE = Said()


@dataclass
class Talk:
    chat: Chat
    store: Store
    vendor: FakeProvider
    conversation: Conversation = field(default_factory=lambda: Conversation(CHAT))

    async def ask(
        self,
        text: str,
        *answers: Sequence[Line],
        model: Model = MODEL,
        options: ReplyOptions | None = None,
        said: Said = NOWHERE,
    ) -> list[ReplyEvent]:
        """Ask as a conversation does; every event of the answer."""
        self.vendor.answers += answers
        question = await self.chat.asked(self.conversation, text, said)
        async with aclosing(self.chat.stream(self.conversation, model, question, options)) as events:
            return [event async for event in events]

    async def turns(self) -> list[tuple[str, str, Outcome]]:
        return [(t.role.value, t.text, t.outcome) for t in await self.store.turns(CHAT)]

    async def said(self, *texts: str) -> None:
        """Earlier questions and answers, in turn."""
        for number, text in enumerate(texts):
            role = Role.ASSISTANT if number % 2 else Role.USER
            await self.store.add_turn(CHAT, Turn(role, text))

    def sent(self, number: int = -1) -> list[str]:
        return [turn.text for turn in self.vendor.asked[number][1]]


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    clock, vendor = FakeClock(), FakeProvider([MODEL])
    async with Store.open(tmp_path / "db") as store:
        catalog = Catalog(store, clock)
        catalog.add(vendor)
        yield Talk(Chat(store, catalog, clock, admission=Admission(clock)), store, vendor)


# ---------------------------------------------------------------- what is remembered


async def test_question_and_answer(talk: Talk) -> None:
    """The question is stored before it is asked, the answer when it ends, with its model and its time."""
    question = await talk.chat.asked(Conversation(CHAT), "oi")
    assert await talk.turns() == [("user", "oi", Outcome.OPEN)]
    talk.vendor.answers = [(Thinking("hm"), Delta("olá"), Delta("!"), DONE)]
    options = ReplyOptions(temperature=0.1)
    async with aclosing(talk.chat.stream(talk.conversation, MODEL, question, options)) as events:
        assert [e async for e in events] == [Thinking("hm"), Delta("olá"), Delta("!"), DONE]
    assert await talk.turns() == [("user", "oi", Outcome.DONE), ("assistant", "olá!", Outcome.DONE)]
    answer = (await talk.store.turns(CHAT))[1]
    assert (answer.thinking, answer.model_id, answer.at) == ("hm", MODEL.id, BEGAN)
    assert talk.vendor.asked[0][2] == options


async def test_rethought(talk: Talk) -> None:
    """What turned out to be reasoning is remembered as reasoning."""
    await talk.ask("oi", (Delta("let me "), Delta("see"), Rethought(), Delta("olá"), DONE))
    answer = (await talk.store.turns(CHAT))[1]
    assert (answer.text, answer.thinking) == ("olá", "let me see")


async def test_stopped(talk: Talk) -> None:
    """A reader who leaves stops the model; what had come is kept."""
    talk.vendor.answers = [(Delta("one "), Delta("two"), asyncio.Event())]
    question = await talk.chat.asked(Conversation(CHAT), "count")
    async with aclosing(talk.chat.stream(talk.conversation, MODEL, question)) as events:
        await anext(events)
        await anext(events)
    assert talk.vendor.stopped == 1
    assert await talk.turns() == [("user", "count", Outcome.DONE), ("assistant", "one two", Outcome.STOPPED)]


async def test_cancelled(talk: Talk) -> None:
    """So does a reader whose task is cancelled, and twice cancelled."""
    talk.vendor.answers = [(Delta("one"), asyncio.Event())]
    question = await talk.chat.asked(Conversation(CHAT), "count")
    came = asyncio.Event()

    async def read() -> None:
        async with aclosing(talk.chat.stream(talk.conversation, MODEL, question)) as events:
            async for _ in events:
                came.set()

    reader = asyncio.create_task(read())
    await came.wait()
    reader.cancel()
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    keeping = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*keeping)
    assert (await talk.turns())[1:] == [("assistant", "one", Outcome.STOPPED)]


async def test_nothing_came(talk: Talk) -> None:
    """An answer that never began leaves the question open, to be asked again."""
    with pytest.raises(EmptyAnswer):
        await talk.ask("oi", (EmptyAnswer(MODEL),))
    assert await talk.turns() == [("user", "oi", Outcome.OPEN)]
    question = (await talk.store.turns(CHAT))[0]
    await talk.chat.failed(question)
    assert await talk.turns() == [("user", "oi", Outcome.FAILED)]


@pytest.mark.parametrize("problem", [Interrupted(MODEL), ModelGone(MODEL), Problem()])
async def test_broken(talk: Talk, problem: Problem) -> None:
    """An answer that broke off, however, is kept as broken: nobody stopped it."""
    with pytest.raises(type(problem)):
        await talk.ask("oi", (Delta("half"), problem))
    assert (await talk.turns())[1:] == [("assistant", "half", Outcome.BROKEN)]


async def test_cancelled_at_the_very_end(talk: Talk) -> None:
    """An answer that is whole is remembered even if its reader is cancelled while it is written down."""
    talk.vendor.answers = [(Delta("whole"), at_end := asyncio.Event(), DONE)]
    question = await talk.chat.asked(Conversation(CHAT), "oi")

    async def read() -> None:
        async with aclosing(talk.chat.stream(talk.conversation, MODEL, question)) as events:
            async for _ in events:
                at_end.set()

    reader = asyncio.create_task(read())
    await at_end.wait()
    for _ in range(3):  # until it waits for the disk
        await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}, "the store may be closed now"
    assert (await talk.turns())[1][1] == "whole"


async def test_disk_full_after_the_answer(talk: Talk) -> None:
    """The reader gets the whole answer though it cannot be written down."""
    question = await talk.chat.asked(Conversation(CHAT), "oi")
    await talk.store._db.execute("PRAGMA query_only = 1")
    talk.vendor.answers = [(Delta("olá"), DONE)]
    async with aclosing(talk.chat.stream(talk.conversation, MODEL, question)) as events:
        assert [e async for e in events] == [Delta("olá"), DONE]


# ---------------------------------------------------------------- asking again


async def test_again(talk: Talk) -> None:
    """The last question is asked again in place of its answer."""
    await talk.said("a", "A", "b", "B")
    question = await talk.chat.again(talk.conversation)
    assert question is not None
    assert question.text == "b"
    assert [t[1] for t in await talk.turns()] == ["a", "A", "b"]
    assert (await talk.turns())[-1][2] is Outcome.OPEN
    assert (await talk.chat.again(talk.conversation, question.id)) == replace(question, outcome=Outcome.OPEN)


async def test_again_an_older_one(talk: Talk) -> None:
    """An older question is asked once more where it stood; nothing of what came after it is lost."""
    await talk.said("a", "A", "b", "B")
    first = (await talk.store.turns(CHAT))[0]
    question = await talk.chat.again(talk.conversation, first.id)
    assert question is not None
    assert (question.text, question.id != first.id) == ("a", True)
    assert question.parent == first.parent
    assert [t[1] for t in await talk.turns()] == ["a", "A", "b", "B", "a"]


async def test_again_nothing(talk: Talk) -> None:
    """Before the first question, after /new, and for what is no question there is nothing to ask."""
    assert await talk.chat.again(talk.conversation) is None
    await talk.said("a", "A")
    answer = (await talk.store.turns(CHAT))[1]
    assert await talk.chat.again(talk.conversation, answer.id) is None
    assert await talk.chat.again(talk.conversation, 999) is None
    assert await talk.chat.again(replace(talk.conversation, began=answer.id)) is None


# ---------------------------------------------------------------- what is sent


async def test_history_is_pairs(talk: Talk) -> None:
    """Earlier questions go with their answers; what was never answered is left out."""
    talk.conversation = replace(talk.conversation, system="brief")
    await talk.said("a", "A")
    await talk.store.add_turn(CHAT, Turn(Role.USER, "failed", outcome=Outcome.FAILED))
    await talk.store.add_turn(CHAT, Turn(Role.USER, "thought", outcome=Outcome.DONE))
    await talk.store.add_turn(CHAT, Turn(Role.ASSISTANT, "", thinking="hm"))
    await talk.said("b", "B")
    await talk.store.add_turn(ChatRef("console", "2"), Turn(Role.USER, "elsewhere"))
    await talk.ask("c")
    assert talk.sent() == ["brief", "a", "A", "b", "B", "c"]
    assert [t.role for t in talk.vendor.asked[0][1]] == [
        Role.SYSTEM,
        *[Role.USER, Role.ASSISTANT] * 2,
        Role.USER,
    ]


async def test_new_conversation(talk: Talk) -> None:
    """What was said before /new is not sent."""
    await talk.said("a", "A")
    talk.conversation = replace(talk.conversation, began=(await talk.store.turns(CHAT))[-1].id)
    await talk.ask("b")
    assert talk.sent() == ["b"]


async def test_later_questions_are_not_sent(talk: Talk) -> None:
    """A question that came in meanwhile does not belong to this one."""
    first = await talk.chat.asked(Conversation(CHAT), "a")
    await talk.said("b", "B")
    async with aclosing(talk.chat.stream(talk.conversation, MODEL, first)) as events:
        assert [e async for e in events]
    assert talk.sent() == ["a"]


async def test_trimming(talk: Talk) -> None:
    """What does not fit is left out, oldest first, in whole pairs, and the reader is told once."""
    await talk.said("old " * 1000, "older " * 1000, "a" * 300, "A" * 300)
    events = await talk.ask("c", (Delta("x"), DONE))
    assert events == [Trimmed(2), Delta("x"), DONE]
    assert talk.sent() == ["a" * 300, "A" * 300, "c"]


async def test_overflow_is_cut_further(talk: Talk) -> None:
    """A prompt the server finds too long is cut and sent again, until only the question is left."""
    await talk.said(*["word " * 40] * 6)
    too_long = (ContextTooLong(MODEL),)
    events = await talk.ask("c", too_long, too_long, (Delta("x"), DONE))
    sizes = [len(turns) for _, turns, _ in talk.vendor.asked]
    assert len(sizes) == 3
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3
    assert events == [Trimmed(7 - sizes[-1]), Delta("x"), DONE]
    assert [t[1] for t in await talk.turns()][-2:] == ["c", "x"]


async def test_the_question_alone_is_too_long(talk: Talk) -> None:
    """ContextTooLong is for the reader only when there is nothing left to leave out."""
    await talk.said("a", "A", "b", "B")
    with pytest.raises(ContextTooLong):
        await talk.ask("c", *[(ContextTooLong(MODEL),)] * 9)
    assert talk.sent() == ["c"]
    with pytest.raises(ContextTooLong):
        await Talk(talk.chat, talk.store, talk.vendor, replace(talk.conversation, began=999)).ask("d")


async def test_overflow_after_the_first_word(talk: Talk) -> None:
    """An answer that has begun is never begun anew: the reader would get it twice."""
    await talk.said("a", "A")
    with pytest.raises(ContextTooLong):
        await talk.ask("c", (Delta("half"), ContextTooLong(MODEL)))
    assert len(talk.vendor.asked) == 1
    assert (await talk.turns())[-1] == ("assistant", "half", Outcome.BROKEN)


# ---------------------------------------------------------------- fitting

BOX = Fitting()


@given(
    st.integers(10, 3000),
    st.text("ab", max_size=200),
    st.integers(0, 400),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 2000)), max_size=8),
)
def test_fit(budget: int, system: str, asked: int, pairs: list[tuple[int, int]]) -> None:
    """Never over the budget but for the question itself; newest pairs, whole, and as many as fit."""
    history = [t for q, a in pairs for t in (Turn(Role.USER, "q" * q), Turn(Role.ASSISTANT, "a" * a))]
    question = Turn(Role.USER, "?" * asked)
    prompt = BOX.fit(system, history, question, MODEL, budget)
    fixed = [Turn(Role.SYSTEM, system)] if system else []
    kept = history[prompt.left_out :]
    assert list(prompt.turns) == [*fixed, *kept, question]
    assert prompt.left_out % 2 == 0
    if kept:
        assert BOX.tokens(prompt.turns, MODEL) <= budget
    if prompt.left_out:
        more = [*fixed, *history[prompt.left_out - 2 :], question]
        assert BOX.tokens(more, MODEL) + len(history) > budget  # each pair is rounded by itself


def test_budget() -> None:
    """Room for the answer is kept free in the context that is loaded, or could be."""
    assert BOX.budget(replace(MODEL, loaded_context=8192)) == 8192 - ANSWER_ROOM
    assert BOX.budget(replace(MODEL, loaded_context=2048, max_context=9999)) == 2048 - 512
    assert BOX.budget(a_model(state=ModelState.ON_DISK)) == UNKNOWN_CONTEXT - ANSWER_ROOM
    assert BOX.budget(replace(MODEL, max_context=None)) == UNKNOWN_API_CONTEXT - ANSWER_ROOM


async def test_density_is_learnt(talk: Talk) -> None:
    """What the server counts corrects the estimate, for that model; short prompts and odd counts do not."""
    text = "é" * 3000
    before = talk.chat._fitting.tokens([Turn(Role.USER, text)], MODEL)
    await talk.ask("short", (Delta("x"), Done("stop", Usage(900, 1))))
    await talk.ask(text, (Delta("x"), Done("stop", Usage(None, None))))
    assert talk.chat._fitting.tokens([Turn(Role.USER, text)], MODEL) == before
    await talk.ask(text, (Delta("x"), Done("stop", Usage(6000, 1))))
    assert talk.chat._fitting.tokens([Turn(Role.USER, text)], MODEL) > before * 1.8
    assert talk.chat._fitting.tokens([Turn(Role.USER, text)], external("other")) == before
    await talk.ask(text, (Delta("x"), Done("stop", Usage(1, 1))))
    assert talk.chat._fitting.tokens([Turn(Role.USER, text)], MODEL) > before / 2
